//! What the dynamic loader does with a program that the kernel has started: the libraries it finds, in its order; the
//! versions and symbols that they have to define. Nothing is run: the loader's rules are applied to the files.
//!
//! Sources: musl 1.2.5 ldso/dynlink.c; glibc 2.36 elf/dl-load.c, dl-version.c, dl-lookup.c, rtld.c; bionic
//! linker/linker_main.cpp.

pub(crate) mod abi;
mod bionic;
#[cfg(feature = "every-machine")]
mod by_release;
mod cache;
mod elsewhere;
mod fault;
mod folders;
mod gnu;
mod lfs64;
mod link;
mod look;
mod musl;
mod object;
mod old_folders;
mod preload;
mod rehearsal;
mod resolve;
mod secure;
mod settings;
mod sound;
mod stand_in;
mod symbols;
mod tables;
mod tls;
mod tunables;
mod unusable;
mod versions;

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, OnceCell, RefCell};

use crate::arch;
use crate::budget::Guard;
use crate::candidate::{Candidate, Dynamic, File, Files, Image};
use crate::elf::Encoding;
use crate::elf::consts::ET_EXEC;
use crate::exec::Missing;
use crate::machine::{Libc, Machine};
use crate::path::Path;
use crate::target::Root;
#[cfg(feature = "every-machine")]
pub(crate) use by_release::is_of_glibc;
pub use elsewhere::{Elsewhere, Fit};
pub use fault::{Ends, Fault, FaultKind};
pub use link::{LibraryState, LinkResult, LoaderRefusal, Undefined};
#[cfg(feature = "every-machine")]
pub(crate) use musl::is_own as is_of_musl;
pub use object::Library;
use object::folder;
pub use settings::{Rights, Setting, load};
use stand_in::StandIn;
pub use unusable::Unusable;
pub(crate) use versions::glibc_of;

/// A router is asked for one program at a time: what is found out of a loader or a library is not kept there.
const KEEPS: bool = cfg!(feature = "every-machine");

/// What is kept from one program to the next.
#[derive(Default)]
pub struct Kept {
    /// The files that were read last.
    pub files: Files,
    /// What the glibc that was met last has compiled in.
    glibc: RefCell<Option<KeptGlibc>>,
    /// Libraries whose symbols were all found.
    settled: symbols::Settled,
}

/// A loader, and what [`gnu::read`] found in it.
type KeptGlibc = (Rc<Image>, Option<Rc<gnu::GlibcBuild>>);

/// Follows a program that the kernel starts; None where it is no dynamic one.
fn load_in(
    machine: &Machine,
    kept: &Kept,
    candidate: &Candidate,
    around: settings::Surroundings,
) -> Option<LinkResult> {
    let root = machine.target.root;
    let image = candidate.program()?.declared.as_ref()?;
    let loader = candidate.interpreter.as_ref()?;
    let mut link = LinkResult::default();
    let mut program = Library::loaded(candidate, Some(image), None);
    program.origin = folder(bytes(&candidate.resolved)).to_vec();
    link.objects.push(program);
    let usable = loader.program().and_then(|program| program.shared_in(image.encoding));
    let usable = usable.filter(|own| own.header.e_machine == image.header.e_machine);
    let mut interpreter = Library::loaded(loader, usable, Some(0));
    interpreter.names.push(bytes(&loader.path).to_vec());
    let Some(usable) = usable else {
        link.objects.push(interpreter);
        return Some(link);
    };
    // What a symbolic link leads to counts more: /lib/ld-linux.so.3 can be musl's.
    let soname = usable.dynamic.as_ref().and_then(|dynamic| dynamic.soname.as_deref());
    let names = [bytes(&loader.resolved), bytes(&loader.path), soname.unwrap_or_default()];
    // A program that is its own loader has none whose rules are known.
    let is_its_own = !crate::ROUTER && bytes(&loader.resolved) == bytes(&candidate.resolved);
    let is_its_own = is_its_own && !Guard::OwnLoader.is_out();
    let is_known = !(is_its_own || !crate::ROUTER && is_program(usable));
    let libc = names.into_iter().find_map(Libc::of_loader).filter(|_| is_known);
    #[cfg(feature = "every-machine")]
    if let Some(release) = root.glibc().filter(|_| libc == Some(Libc::Glibc)) {
        link.objects.push(interpreter);
        by_release::follow((machine, kept), image.encoding, around, release, &mut link);
        return Some(link);
    }
    let glibc = match libc {
        Some(Libc::Glibc) => gnu::build(root, kept, &interpreter),
        _ => None,
    };
    let mut libc = libc.filter(|libc| *libc != Libc::Glibc || glibc.is_some());
    let mut stand_in = StandIn::default();
    if libc.is_none() && !is_its_own {
        stand_in = stand_in::read(root, kept, &interpreter);
    }
    if stand_in.is_musl || stand_in.starts.is_some() {
        libc = Some(Libc::Musl);
    }
    let id = interpreter.id;
    link.objects.push(interpreter);
    if matches!(libc, Some(Libc::Musl | Libc::Glibc)) {
        let mut linker = Linker::new((machine, kept), image.encoding, glibc, around, &mut link);
        linker.preload = stand_in.preload.unwrap_or_default();
        let started =
            stand_in.starts.filter(|_| !crate::ROUTER && !stand_in.is_musl).map(|name| linker.started(&name));
        match started {
            Some(None) => libc = None,
            Some(Some(own)) => {
                linker.link.objects.pop();
                linker.link.objects.push(own);
                linker.run();
            }
            None => linker.run(),
        }
    } else if arch::HAS_BIONIC && libc == Some(Libc::Bionic) {
        let file = kept.files.again(root, &loader.path, id);
        let refuses = file.and_then(|file| bionic::refuses(candidate, image, (&file.contents, usable)));
        if let Some((refusal, words)) = refuses {
            (link.refuses, link.words) = (Some(refusal), words);
        }
    }
    link.is_strange = libc.is_none_or(|libc| libc == Libc::Uclibc);
    link.libc = libc;
    Some(link)
}

/// Whether a loader is a static program under a loader's name: those of glibc and musl are shared objects.
fn is_program(loader: &Image) -> bool {
    loader.header.e_type == ET_EXEC || loader.dynamic.as_ref().is_some_and(Dynamic::is_pie)
}

/// A program in the making.
struct Linker<'a> {
    root: &'a dyn Root,
    files: &'a Files,
    settled: &'a symbols::Settled,
    machine: &'a Machine<'a>,
    encoding: Encoding,
    /// What glibc's loader has compiled in; None: it is musl's.
    glibc: Option<Rc<gnu::GlibcBuild>>,
    /// musl's release, once it was asked for.
    musl: OnceCell<Option<Vec<u8>>>,
    link: &'a mut LinkResult,
    around: settings::Surroundings,
    tunables: tunables::Tunables,
    /// LD_LIBRARY_PATH.
    environment: Vec<u8>,
    /// What LD_PRELOAD names is being loaded: to musl nobody needs it, so that no DT_RPATH counts.
    preloads: bool,
    /// What the loader is told to load first, beside LD_PRELOAD.
    preload: Vec<u8>,
    /// Why a file that the loader would read was left alone ([`crate::target::FileKind::Pseudo`], or not known).
    unread: Cell<Option<Missing>>,
    /// Something is not as a linker makes it.
    doubts: Cell<bool>,
    /// What names the folder that is looked in.
    place: Cell<&'static str>,
}

/// Bytes of a name that take a step.
const NAME_STEP: usize = 64;
/// Objects that are followed at most.
const OBJECTS: usize = if crate::ROUTER { 128 } else { 1024 };

impl<'a> Linker<'a> {
    fn new(
        (machine, kept): (&'a Machine<'a>, &'a Kept),
        encoding: Encoding,
        glibc: Option<Rc<gnu::GlibcBuild>>,
        around: settings::Surroundings,
        link: &'a mut LinkResult,
    ) -> Linker<'a> {
        Linker {
            root: machine.target.root,
            files: &kept.files,
            settled: &kept.settled,
            machine,
            encoding,
            glibc,
            musl: OnceCell::new(),
            link,
            around,
            tunables: tunables::Tunables::default(),
            environment: Vec::new(),
            preloads: false,
            preload: Vec::new(),
            unread: Cell::new(None),
            doubts: Cell::new(false),
            place: Cell::new(""),
        }
    }
}

impl Linker<'_> {
    /// musl takes a symbol of any version.
    const fn is_glibc(&self) -> bool {
        self.glibc.is_some()
    }

    /// Takes some steps of the judgement's budget; false where there are none left, or something else was cut short.
    #[inline(never)]
    fn goes_on(&self, steps: usize) -> bool {
        self.files.budget().steps(steps) && self.files.budget().was_cut().is_none()
    }

    fn object(&self, index: usize) -> Option<&Library> {
        self.link.objects.get(index)
    }

    fn parent(&self, object: &Library) -> Option<&Library> {
        self.object(object.parent?)
    }

    fn open(&self, object: &Library) -> Option<Rc<File>> {
        self.files.again(self.root, path(&object.path), object.id)
    }

    fn run(&mut self) {
        self.tune();
        self.environment = self.heeded(Setting::LibraryPath);
        if self.is_glibc() {
            for object in &mut self.link.objects {
                object.take_soname();
            }
            // l_name of the program.
            if let Some(program) = self.link.objects.first_mut() {
                program.names.push(Vec::new());
            }
            // Either separates here.
            for byte in &mut self.environment {
                if *byte == b';' {
                    *byte = b':';
                }
            }
        }
        self.link.refuses = self.refuses();
        let program = self.object(0);
        self.link.lacks_dynamic =
            program.is_some_and(|program| program.dynamic().is_none_or(Dynamic::is_blank));
        self.audit();
        self.preload();
        let mut next = 0;
        while let Some(object) = self.object(next) {
            let image = object.image.clone();
            let dynamic = image.as_ref().and_then(|image| image.dynamic.as_ref());
            if dynamic.is_some_and(|dynamic| dynamic.is_cut) {
                self.files.budget().cut(Missing::TooManyNames);
            }
            let odd = if crate::ROUTER { None } else { self.odd_names(next).map(|(names, _)| names) };
            let own = dynamic.map_or(&[][..], |dynamic| &dynamic.needed);
            for name in if crate::ROUTER { own } else { odd.as_deref().unwrap_or(own) } {
                self.need(next, name);
            }
            next = next.wrapping_add(1);
        }
        // Nothing more is made of what is not whole.
        if !self.goes_on(0) {
            return;
        }
        if self.link.objects.iter().all(|object| object.state == LibraryState::Found) {
            self.resolve();
        }
        if !crate::ROUTER {
            self.look_for_damage();
        }
        self.link.unread = self.unread.get();
        // Of a machine by name the C library alone is known.
        if self.link.unread == Some(Missing::LeftOut) && self.machine.catalogue_name().is_some() {
            self.link.unread = Some(Missing::Installed);
            self.link.release = self.musl_release().unwrap_or_default().to_vec();
        }
        self.look_elsewhere();
        if !crate::ROUTER {
            self.tell_release();
        }
    }

    /// Loads what a DT_NEEDED names, unless it is there already.
    fn need(&mut self, by: usize, name: &[u8]) {
        // To glibc it is the program's.
        // Each is compared with all that are loaded.
        let is_over = !self.goes_on(self.link.objects.len().saturating_add(name.len() / NAME_STEP));
        if is_over || (self.is_glibc() && name.is_empty()) || self.is_loaded(name) {
            return;
        }
        if self.link.objects.len() > OBJECTS {
            self.files.budget().cut(Missing::TooManyNames);
            return;
        }
        let mut found = Library::new(name, Some(by));
        self.search(by, &mut found);
        if self.is_new(&mut found) {
            self.link.objects.push(found);
        }
    }

    /// Whether what was found for a DT_NEEDED is to be told; if so, it is completed.
    fn is_new(&mut self, found: &mut Library) -> bool {
        let glibc = self.is_glibc();
        if glibc || !found.name.contains(&b'/') {
            found.names.push(found.name.clone());
        }
        if found.state == LibraryState::Found {
            for known in &mut self.link.objects {
                // musl does not look at the program.
                if known.id == found.id && (glibc || known.parent.is_some()) {
                    known.names.append(&mut found.names);
                    return false;
                }
            }
            let image = found.image.as_ref().filter(|_| arch::HAS_LEVELS);
            if let Some(why) = image.and_then(|image| self.is_refused_a_stack(image)) {
                found.state = LibraryState::Unusable(why);
            }
        } else {
            // Told once, whoever asks for it.
            let is_told = |known: &Library| known.name == found.name && known.state != LibraryState::Found;
            if self.link.objects.iter().any(is_told) {
                return false;
            }
        }
        if self.preloads && found.state != LibraryState::Found {
            return false;
        }
        found.preloaded = self.preloads;
        found.origin = folder(&found.path).to_vec();
        if glibc {
            if !found.path.starts_with(b"/") {
                // glibc keeps it absolute.
                if let Some(Ok(here)) = self.root.resolve(Path::new(".")) {
                    found.origin = [bytes(&here), b"/", &found.origin].concat();
                }
            }
            found.take_soname();
        }
        true
    }

    fn is_loaded(&self, name: &[u8]) -> bool {
        if !self.is_glibc() && musl::is_own(name) {
            return true;
        }
        let mut objects = self.link.objects.iter();
        objects.any(|object| object.state == LibraryState::Found && object.is_called(name))
    }
}

/// The bytes of a path.
fn bytes(path: &Path) -> &[u8] {
    path.as_bytes()
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(bytes)
}
