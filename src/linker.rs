//! What the dynamic loader does with a program that the kernel has started: the libraries it finds, in its order; the
//! versions and symbols that they have to define. Nothing is run: the loader's rules are applied to the files.
//!
//! Sources: musl 1.2.5 ldso/dynlink.c; glibc 2.36 elf/dl-load.c, dl-version.c, dl-lookup.c, rtld.c.

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
use crate::errno::Errno;
use crate::loader::{Outcome, Signal, Step, When};
use crate::machine::{Libc, Machine, below};
use crate::system::System;
use object::Object;
pub use object::Unusable;

/// The libraries of a program, and what they lack.
#[derive(Debug, Default)]
pub struct Link {
    /// The C library whose loader it is; None where diag does not know its rules.
    pub libc: Option<Libc>,
    /// In load order, the interpreter first.
    pub libraries: Vec<Library>,
    /// Versions that a library should define, and does not. Only glibc asks for them.
    pub versions: Vec<Undefined>,
    /// Symbols that nothing defines.
    pub symbols: Vec<Undefined>,
    /// The loader refuses the machine before it loads anything.
    pub refuses: Option<Refusal>,
    /// The program has a loader, and no PT_DYNAMIC for it.
    pub lacks_dynamic: bool,
}

/// What glibc's loader looks at first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The kernel's release (up to 2.36).
    Kernel,
    /// The level of an x86-64 (since 2.33).
    Level,
}

/// A library that is loaded with the program.
#[derive(Debug)]
pub struct Library {
    /// The first DT_NEEDED that asks for it; of the interpreter PT_INTERP.
    pub name: Vec<u8>,
    /// The file, as the loader opens it.
    pub path: Option<Vec<u8>>,
    /// The file that asks for it.
    pub needed_by: Vec<u8>,
    /// Whether the loader takes it.
    pub state: State,
    /// Where it was looked for before, in that order.
    pub tried: Vec<Vec<u8>>,
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
    /// How the loader ends the program; None where it starts it.
    pub fn outcome(&self) -> Option<Outcome> {
        let any = |of: fn(&Library) -> bool| self.libraries.iter().skip(1).any(of);
        let killed = |signal, step| Some(Outcome::Killed { signal, when: When::Start, step });
        if self.lacks_dynamic {
            return killed(Signal::SIGSEGV, Step::NoDynamic);
        }
        let cut = |library: &Library| library.state == State::Unusable(Unusable::Cut);
        if self.refuses.is_none() && any(cut) {
            return killed(Signal::SIGBUS, Step::LibraryUnusable);
        }
        let (status, step) = if self.refuses.is_some() {
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
            return None;
        };
        Some(Outcome::Exits { status, step })
    }
}

/// Follows a program that the kernel starts; None where it is no dynamic one.
pub fn link(system: &dyn System, machine: &Machine, candidate: &Candidate) -> Option<Link> {
    let mut candidate = candidate;
    // A script's interpreter is the program.
    while !matches!(candidate.content, Content::Elf(_)) {
        candidate = candidate.interpreter.as_ref()?;
    }
    let image = candidate.program()?.own.as_ref()?;
    let loader = candidate.interpreter.as_ref()?;
    let mut libraries = vec![Library {
        name: bytes(&loader.path),
        path: Some(bytes(&loader.path)).filter(|_| loader.stat.is_ok()),
        needed_by: bytes(&candidate.path),
        state: State::Found,
        tried: Vec::new(),
    }];
    let usable = loader.program().and_then(|program| program.shared_in(image.view));
    let Some(usable) = usable.filter(|own| own.header.e_machine == image.header.e_machine) else {
        let state = match loader.stat {
            Err(errno) => State::Missing(errno),
            Ok(_) => State::Unusable(Unusable::NotElf),
        };
        libraries.iter_mut().for_each(|library| library.state = state);
        return Some(Link { libraries, ..Link::default() });
    };
    // What a symbolic link leads to counts more: /lib/ld-linux.so.3 can be musl's.
    let soname = usable.dynamic.as_ref().and_then(|dynamic| dynamic.soname.as_deref());
    let libc = Libc::of_loader(&bytes(&loader.resolved))
        .or(Libc::of_loader(&bytes(&loader.path)))
        .or(Libc::of_loader(soname.unwrap_or_default()));
    let rules = match libc {
        Some(Libc::Musl) => Rules::Musl,
        Some(Libc::Glibc) => match gnu::read(system, &loader.path, usable) {
            Some(facts) => Rules::Glibc(facts),
            None => return Some(Link { libraries, ..Link::default() }),
        },
        _ => return Some(Link { libc, libraries, ..Link::default() }),
    };
    let mut linker = Linker {
        system,
        machine,
        view: image.view,
        rules,
        objects: vec![Object::program(candidate, image), Object::interpreter(loader, usable)],
        link: Link { libc, libraries, ..Link::default() },
        environment: environment(system, candidate),
    };
    linker.run();
    Some(linker.link)
}

/// LD_LIBRARY_PATH, which is not heeded for a program with other rights.
fn environment(system: &dyn System, candidate: &Candidate) -> Vec<u8> {
    let elevated = candidate.stat.is_ok_and(|stat| stat.mode & 0o6000 != 0);
    if elevated { Vec::new() } else { system.variable("LD_LIBRARY_PATH").unwrap_or_default() }
}

/// How a loader goes about it.
enum Rules {
    Musl,
    Glibc(gnu::Facts),
}

/// A program in the making.
struct Linker<'a> {
    system: &'a dyn System,
    machine: &'a Machine,
    view: crate::elf::View,
    rules: Rules,
    /// The program, its interpreter, then what is loaded.
    objects: Vec<Object>,
    link: Link,
    environment: Vec<u8>,
}

/// Objects that are followed at most.
const OBJECTS: usize = 4096;

/// A search for one library.
#[derive(Default)]
struct Search {
    tried: Vec<Vec<u8>>,
    /// The first file that was passed over or refused, and why.
    refused: Option<(Vec<u8>, Unusable)>,
    found: Option<(Vec<u8>, library::Library)>,
    errno: Option<Errno>,
    /// No other place is looked at.
    over: bool,
}

impl Linker<'_> {
    /// musl takes a symbol of any version.
    const fn knows_versions(&self) -> bool {
        matches!(self.rules, Rules::Glibc(_))
    }

    fn run(&mut self) {
        self.link.refuses = self.refuses();
        let program = self.objects.first();
        self.link.lacks_dynamic = program.is_some_and(|program| program.image.dynamic.is_none());
        self.preload();
        let mut next = 0;
        while let Some(object) = self.objects.get(next) {
            for name in object.needed() {
                self.need(next, name);
            }
            next = next.saturating_add(1);
        }
        if self.link.libraries.iter().all(|library| library.state == State::Found) {
            if self.knows_versions() {
                self.link.versions = versions::undefined(self.system, &self.objects);
            }
            if self.link.versions.is_empty() {
                self.link.symbols = symbols::undefined(self);
            }
        }
    }

    /// LD_PRELOAD and, with glibc, /etc/ld.so.preload; what cannot be loaded is left out.
    fn preload(&mut self) {
        let mut names = self.system.variable("LD_PRELOAD").unwrap_or_default();
        if self.knows_versions() {
            names.push(b' ');
            names.extend(self.system.read(Path::new("/etc/ld.so.preload")).unwrap_or_default());
        }
        for name in names.split(|byte| byte.is_ascii_whitespace() || *byte == b':') {
            if !name.is_empty() {
                self.need(0, name.to_vec());
            }
        }
        self.link.libraries.retain(|library| library.state == State::Found);
    }

    /// Loads what a DT_NEEDED names, unless it is there already.
    fn need(&mut self, by: usize, name: Vec<u8>) {
        if self.is_loaded(&name) || self.objects.len() > OBJECTS {
            return;
        }
        let mut search = Search::default();
        self.search(by, &name, &mut search);
        let needed_by = self.objects.get(by).map_or_else(Vec::new, |object| object.path.clone());
        let (mut path, mut state) = (None, State::Missing(search.errno.unwrap_or(Errno::ENOENT)));
        if let Some((file, library)) = search.found {
            let id = (library.stat.device, library.stat.inode);
            let plain = !name.contains(&b'/') || self.knows_versions();
            if let Some(known) = self.objects.iter_mut().find(|object| object.id == id) {
                if plain {
                    known.names.push(name);
                }
                return;
            }
            let names = if plain { vec![name.clone()] } else { Vec::new() };
            let mut object = Object::library(file.clone(), names, by, id, library.image);
            if self.knows_versions() && !file.starts_with(b"/") {
                // glibc keeps it absolute.
                if let Ok(here) = self.system.resolve(Path::new(".")) {
                    object.origin = [&bytes(&here), &b"/"[..], &object.origin].concat();
                }
            }
            self.objects.push(object);
            (path, state) = (Some(file), State::Found);
        } else if let Some((file, why)) = search.refused {
            (path, state) = (Some(file), State::Unusable(why));
        } else if self.link.libraries.iter().any(|library| library.name == name) {
            return;
        }
        self.link.libraries.push(Library { name, path, needed_by, state, tried: search.tried });
    }

    fn is_loaded(&self, name: &[u8]) -> bool {
        let known = |object: &Object| object.names.iter().any(|known| known == name);
        match self.rules {
            Rules::Musl => musl::is_own(name) || self.objects.iter().any(known),
            Rules::Glibc(_) => {
                self.objects.iter().any(|object| known(object) || object.soname() == Some(name))
            }
        }
    }

    fn search(&self, by: usize, name: &[u8], search: &mut Search) {
        match &self.rules {
            _ if name.contains(&b'/') => self.look(self.expand(by, name), search),
            Rules::Musl => self.search_musl(by, name, search),
            Rules::Glibc(facts) => self.search_glibc(facts, by, name, search),
        }
    }

    /// Looks for a name in folders, until it is found or nothing else is to be looked at.
    fn look_in(&self, folders: &[Vec<u8>], name: &[u8], search: &mut Search) {
        for folder in folders {
            if search.over {
                return;
            }
            self.look(bytes(&below(path(folder), name)), search);
        }
    }

    /// Looks at one file.
    fn look(&self, file: Vec<u8>, search: &mut Search) {
        if search.over {
            return;
        }
        let musl = matches!(self.rules, Rules::Musl);
        match library::open(self.system, path(&file), self.view) {
            Err(Errno::EISDIR) if !musl => {
                (search.refused, search.over) = (Some((file, Unusable::Folder)), true);
            }
            Err(errno) => {
                let goes_on =
                    matches!(errno, Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ENAMETOOLONG);
                if !goes_on {
                    search.errno = Some(errno);
                    search.over = musl;
                }
                search.tried.push(file);
            }
            Ok(library) => match self.why_unusable(&library) {
                None => (search.found, search.over) = (Some((file, library)), true),
                Some(why) => {
                    // glibc passes over what is for another machine: /lib32 can stand before /lib64.
                    search.over = musl || !why.is_passed_over();
                    if search.over || search.refused.is_none() {
                        search.refused = Some((file.clone(), why));
                    }
                    if !search.over {
                        search.tried.push(file);
                    }
                }
            },
        }
    }
}

/// The bytes of a path.
fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
