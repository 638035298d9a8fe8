//! What the dynamic loader does with a program that the kernel has started: the libraries it finds, in its order; the
//! versions and symbols that they have to define. Nothing is run: the loader's rules are applied to the files.
//!
//! Sources: musl 1.2.5 ldso/dynlink.c; glibc 2.36 elf/dl-load.c, dl-version.c, dl-lookup.c, rtld.c; bionic
//! linker/linker_main.cpp.

mod bionic;
mod cache;
mod folders;
mod gnu;
mod musl;
mod object;
mod symbols;
mod versions;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::candidate::{Candidate, Content, library};
use crate::elf::View;
use crate::errno::Errno;
use crate::loader::{Outcome, Signal, Step, When};
use crate::machine::{Libc, Machine, family};
use crate::system::{Question, System};
pub use folders::List;
pub use object::{Object, Unusable};

/// The libraries of a program, and what they lack.
#[derive(Debug, Default)]
pub struct Link {
    /// The C library whose loader it is; None where nobody knows it. The libraries are looked for by the rules of musl and
    /// of glibc.
    pub libc: Option<Libc>,
    /// The program, its interpreter, then what is loaded, in that order, with what cannot be.
    pub objects: Vec<Object>,
    /// Versions that a library should define, and does not. Only glibc asks for them.
    pub versions: Vec<Undefined>,
    /// Symbols that nothing defines.
    pub symbols: Vec<Undefined>,
    /// The loader refuses the machine or the program before it loads anything.
    pub refuses: Option<Refusal>,
    /// Its words for it, where they are in its file.
    pub words: Vec<u8>,
    /// What the kernel has to be asked before it is clear that all is loaded.
    pub asks: Option<Question>,
    /// The program has a loader, and no PT_DYNAMIC for it.
    pub lacks_dynamic: bool,
}

/// What a loader looks at first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// glibc: the kernel's release (up to 2.36).
    Kernel,
    /// glibc: the level of an x86-64 (since 2.33).
    Level,
    /// bionic: ET_EXEC (since Android 5.0).
    Fixed,
    /// bionic: the alignment of PT_TLS (since Android 10, ARM).
    Tls,
}

/// What becomes of a library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It is loaded.
    Found,
    /// There is no such file in any of the folders.
    Missing(Errno),
    /// There is a file, which the loader refuses.
    Unusable(Unusable),
}

/// A version or a symbol that is asked for and that nothing defines.
#[derive(Debug)]
pub struct Undefined {
    /// Its name.
    pub name: Vec<u8>,
    /// The version of a symbol; empty where it has none. Of a version the file that should define it.
    pub of: Vec<u8>,
    /// The file that asks for it.
    pub needed_by: Vec<u8>,
    /// It is bound when it is first called, not at the start.
    pub lazy: bool,
}

impl State {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            State::Found => "found",
            State::Missing(_) => "missing",
            State::Unusable(_) => "unusable",
        }
    }
}

impl Link {
    /// What is loaded with the program, the interpreter first.
    pub fn libraries(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().skip(1)
    }

    /// The file that asks for a library.
    pub fn needed_by(&self, library: &Object) -> &[u8] {
        library.parent.and_then(|parent| self.objects.get(parent)).map_or(b"", |object| &object.path)
    }

    /// How the loader ends the program; None where it starts it.
    pub fn outcome(&self) -> Option<Outcome> {
        let any = |of: fn(&Object) -> bool| self.libraries().skip(1).any(of);
        let killed = |signal, step| Some(Outcome::Killed { signal, when: When::Start, step });
        if self.lacks_dynamic {
            return killed(Signal::SIGSEGV, Step::NoDynamic);
        }
        let cut = |library: &Object| library.state == State::Unusable(Unusable::Cut);
        if self.refuses.is_none() && any(cut) {
            return killed(Signal::SIGBUS, Step::LibraryUnusable);
        }
        let misplaced = |library: &Object| library.state == State::Unusable(Unusable::NotPageAligned);
        if family::PAGES && self.libc == Some(Libc::Musl) && any(misplaced) {
            return killed(Signal::SIGSEGV, Step::LibraryUnusable);
        }
        if family::ANDROID && self.refuses == Some(Refusal::Tls) {
            return killed(Signal::SIGABRT, Step::LoaderRefuses);
        }
        let (status, step) = if family::ANDROID && self.refuses == Some(Refusal::Fixed) {
            (1, Step::LoaderRefuses)
        } else if self.refuses.is_some() {
            (127, Step::LoaderRefuses)
        } else if any(|library| matches!(library.state, State::Missing(_))) {
            (127, Step::LibraryMissing)
        } else if any(|library| matches!(library.state, State::Unusable(_))) {
            (127, Step::LibraryUnusable)
        } else if !self.versions.is_empty() {
            (1, Step::VersionMissing)
        } else if self.symbols.iter().any(|symbol| !symbol.lazy) {
            (127, Step::SymbolMissing)
        } else {
            return self
                .asks
                .filter(|_| family::X86)
                .map(|question| Outcome::Unknown { missing: question.what() });
        };
        Some(Outcome::Exits { status, step })
    }
}

/// Follows a program that the kernel starts; None where it is no dynamic one.
pub fn link(system: &dyn System, machine: &Machine, candidate: &Candidate) -> Option<Link> {
    let mut candidate = candidate;
    // A script's interpreter is the program, and so is that of a rule of binfmt_misc.
    while candidate.misc.is_some() || !matches!(candidate.content, Content::Elf(_)) {
        candidate = candidate.interpreter.as_ref()?;
    }
    let image = candidate.program()?.own.as_ref()?;
    let loader = candidate.interpreter.as_ref()?;
    let mut link = Link { objects: vec![Object::program(candidate, image)], ..Link::default() };
    let usable = loader.program().and_then(|program| program.shared_in(image.view));
    let usable = usable.filter(|own| own.header.e_machine == image.header.e_machine);
    let state = match (usable, loader.stat) {
        (Some(_), _) => State::Found,
        (_, Err(errno)) => State::Missing(errno),
        _ => State::Unusable(Unusable::NotElf),
    };
    link.objects.push(Object::interpreter(loader, usable, state));
    let Some(usable) = usable else { return Some(link) };
    // What a symbolic link leads to counts more: /lib/ld-linux.so.3 can be musl's.
    let soname = usable.dynamic.as_ref().and_then(|dynamic| dynamic.soname.as_deref());
    let names = [bytes(&loader.resolved), bytes(&loader.path), soname.unwrap_or_default()];
    let libc = names.into_iter().find_map(Libc::of_loader);
    let glibc = (libc == Some(Libc::Glibc)).then(|| gnu::read(system, &loader.path, usable)).flatten();
    let libc = libc.filter(|libc| *libc != Libc::Glibc || glibc.is_some());
    if matches!(libc, Some(Libc::Musl | Libc::Glibc)) {
        let environment = environment(system, candidate);
        let mut linker =
            Linker { system, machine, view: image.view, glibc, link, environment, preloads: false };
        linker.run();
        link = linker.link;
    } else if family::ANDROID && libc == Some(Libc::Bionic) {
        if let Some((refusal, words)) = bionic::refuses(system, candidate, image, (loader, usable)) {
            (link.refuses, link.words) = (Some(refusal), words);
        }
    }
    link.libc = libc;
    Some(link)
}

/// LD_LIBRARY_PATH, which is not heeded for a program with other rights.
fn environment(system: &dyn System, candidate: &Candidate) -> Vec<u8> {
    let elevated = candidate.stat.is_ok_and(|stat| stat.mode & 0o6000 != 0);
    if elevated { Vec::new() } else { system.variable("LD_LIBRARY_PATH").unwrap_or_default() }
}

/// A program in the making.
struct Linker<'a> {
    system: &'a dyn System,
    machine: &'a Machine,
    view: View,
    /// What glibc's loader has compiled in; None: it is musl's.
    glibc: Option<gnu::Facts>,
    link: Link,
    environment: Vec<u8>,
    /// What LD_PRELOAD names is being loaded: to musl nobody needs it, so that no DT_RPATH counts.
    preloads: bool,
}

/// Objects that are followed at most.
const OBJECTS: usize = 1024;

/// A search for one library.
#[derive(Default)]
struct Search {
    tried: List,
    /// The file that is found, or the first that was passed over or refused, and why.
    file: Vec<u8>,
    refused: Option<Unusable>,
    found: Option<library::Library>,
    errno: Option<Errno>,
    /// No other place is looked at.
    over: bool,
}

impl Linker<'_> {
    /// musl takes a symbol of any version.
    const fn is_glibc(&self) -> bool {
        self.glibc.is_some()
    }

    fn object(&self, index: usize) -> Option<&Object> {
        self.link.objects.get(index)
    }

    fn run(&mut self) {
        self.link.refuses = self.refuses();
        let program = self.object(0);
        self.link.lacks_dynamic = program.is_some_and(|program| program.dynamic().is_none());
        self.preload();
        let mut next = 0;
        while let Some(object) = self.object(next) {
            for name in object.dynamic().map_or_else(Vec::new, |dynamic| dynamic.needed.clone()) {
                self.need(next, &name);
            }
            next = next.wrapping_add(1);
        }
        if self.link.libraries().all(|library| library.state == State::Found) {
            if self.is_glibc() {
                self.link.versions = versions::undefined(self.system, &self.link.objects);
            }
            if self.link.versions.is_empty() {
                self.link.symbols = symbols::undefined(self);
            }
        }
    }

    /// LD_PRELOAD and, with glibc, /etc/ld.so.preload; what cannot be loaded is left out.
    fn preload(&mut self) {
        let mut names = self.system.variable("LD_PRELOAD").unwrap_or_default();
        if self.is_glibc() {
            names.push(b' ');
            names.extend(self.system.read(Path::new("/etc/ld.so.preload")).unwrap_or_default());
        }
        self.preloads = true;
        for name in List::split(&names, b": \t\n").iter() {
            self.need(0, name);
        }
        self.preloads = false;
        self.link.objects.retain(|library| library.state == State::Found);
    }

    /// Loads what a DT_NEEDED names, unless it is there already.
    fn need(&mut self, by: usize, name: &[u8]) {
        // To glibc it is the program's.
        if (self.is_glibc() && name.is_empty()) || self.is_loaded(name) || self.link.objects.len() > OBJECTS {
            return;
        }
        let mut search = Search::default();
        self.search(by, name, &mut search);
        let mut state = State::Missing(search.errno.unwrap_or(Errno::ENOENT));
        let plain = !name.contains(&b'/') || self.is_glibc();
        let (mut id, mut image) = ((0, 0), None);
        if let Some(library) = search.found {
            id = (library.stat.device, library.stat.inode);
            // musl does not look at the program.
            let first = usize::from(!self.is_glibc());
            if let Some(known) = self.link.objects.iter_mut().skip(first).find(|object| object.id == id) {
                if plain {
                    known.names.push(name);
                }
                return;
            }
            state = State::Found;
            if family::X86 && self.is_refused_a_stack(&library.image) {
                state = State::Unusable(Unusable::ExecutableStack);
            }
            image = Some(library.image);
        } else if let Some(why) = search.refused {
            state = State::Unusable(why);
        } else if self.link.libraries().any(|library| library.name == name) {
            return;
        }
        let mut object = Object::new(name.to_vec(), search.file, Some(by), state, image);
        (object.id, object.tried) = (id, search.tried);
        if plain {
            object.names.push(name);
        }
        if self.is_glibc() && !object.path.starts_with(b"/") {
            // glibc keeps it absolute.
            if let Ok(here) = self.system.resolve(Path::new(".")) {
                object.origin = [bytes(&here), b"/", &object.origin].concat();
            }
        }
        self.link.objects.push(object);
    }

    fn is_loaded(&self, name: &[u8]) -> bool {
        if !self.is_glibc() && musl::is_own(name) {
            return true;
        }
        self.link.objects.iter().filter(|object| object.state == State::Found).any(|object| {
            object.names.iter().any(|known| known == name)
                || (self.is_glibc() && object.soname() == Some(name))
        })
    }

    fn search(&self, by: usize, name: &[u8], search: &mut Search) {
        let Some(object) = self.object(by) else { return };
        if name.is_empty() {
            search.errno = Some(Errno::EINVAL);
        } else if name.contains(&b'/') {
            // Only glibc has names with $ORIGIN.
            let file = if self.is_glibc() { self.expand(object, name) } else { name.to_vec() };
            self.look(file, search);
        } else if let Some(facts) = &self.glibc {
            self.search_glibc(facts, object, name, search);
        } else {
            self.search_musl(object, name, search);
        }
    }

    /// Looks for a name in folders, until it is found or nothing else is to be looked at.
    fn look_in(&self, folders: &List, name: &[u8], search: &mut Search) {
        for folder in folders.iter() {
            let ends = folder.is_empty() || (self.is_glibc() && folder.ends_with(b"/"));
            let slash: &[u8] = if ends { b"" } else { b"/" };
            self.look([folder, slash, name].concat(), search);
        }
    }

    /// Looks at one file, unless the search is over.
    fn look(&self, file: Vec<u8>, search: &mut Search) {
        if search.over {
            return;
        }
        match library::open(self.system, path(&file), self.view) {
            Err(Errno::EISDIR) => {
                (search.refused, search.over) = (Some(Unusable::Folder), true);
                search.file = file;
            }
            Err(errno) => {
                let goes_on = [Errno::ENOENT, Errno::ENOTDIR, Errno::EACCES, Errno::ENAMETOOLONG];
                if !goes_on.contains(&errno) {
                    search.errno = Some(errno);
                    search.over = !self.is_glibc();
                }
                search.tried.push(&file);
            }
            Ok(library) => match self.why_unusable(&library) {
                None => {
                    (search.found, search.refused, search.over) = (Some(library), None, true);
                    search.file = file;
                }
                Some(why) => {
                    // glibc passes over what is for another machine: /lib32 can stand before /lib64.
                    search.over = !self.is_glibc() || !why.is_passed_over();
                    if !search.over {
                        search.tried.push(&file);
                    }
                    if search.over || search.refused.is_none() {
                        (search.file, search.refused) = (file, Some(why));
                    }
                }
            },
        }
    }
}

/// The bytes of a path.
fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
