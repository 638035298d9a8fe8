//! glibc's rules: elf/dl-load.c `_dl_map_object`, and what a build of it has compiled in.

use std::path::Path;

use super::object::Object;
use super::{Linker, List, Refusal, Search, cache};
use crate::candidate::Image;
use crate::candidate::table::{Handle, Table};
use crate::elf::consts::{DF_1_NODEFLIB, DT_FLAGS_1, PF_R};
use crate::elf::offset;
use crate::machine::{family, x86};
use crate::system::{FileKind, System};

/// What a loader has compiled in: Debian's knows multiarch folders, Entware's lives in /opt.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Facts {
    /// Where its ld.so.cache is.
    cache: Vec<u8>,
    /// The folders it looks in at last.
    folders: List,
    /// What $LIB stands for.
    pub(super) lib: Vec<u8>,
    /// It compares the processor's level (x86-64-v2 and so on; since 2.33).
    checks_level: bool,
    /// It compares the kernel's release (up to 2.36).
    checks_kernel: bool,
    /// It compares p_align of a library with the size of a page (up to 2.34).
    pub(super) checks_alignment: bool,
    /// $PLATFORM can be "haswell".
    pub(super) haswell: bool,
}

/// What is read of a segment at most; Debian's loaders have 50 to 180 KB in all.
const LIMIT: usize = 256 << 10;

/// Reads them from the strings of a loader; None where it is not glibc's.
pub(super) fn read(system: &dyn System, path: &Path, image: &Image) -> Option<Facts> {
    let mut facts = Facts::default();
    let mut in_list = false;
    strings(system, path, image, LIMIT, |text| {
        in_list = !text.is_empty() && text.len() < 128 && facts.note(text, in_list);
    })?;
    let first = facts.folders.iter().next()?;
    if facts.lib.is_empty() {
        facts.lib = first.split(|byte| *byte == b'/').next_back().unwrap_or_default().to_vec();
    }
    (!facts.cache.is_empty()).then_some(facts)
}

/// The strings of a loader, as far as they lie among its constants.
pub(super) fn strings(
    system: &dyn System,
    path: &Path,
    image: &Image,
    limit: usize,
    mut each: impl FnMut(&[u8]),
) -> Option<()> {
    let file = Handle::open(system, path)?;
    // Constants have a segment of their own, or share the one of the code.
    let apart = image.loads().any(|load| load.p_flags == PF_R);
    for load in image.loads() {
        if apart && load.p_flags != PF_R {
            continue;
        }
        let size = offset(load.p_filesz).min(limit);
        let mut table = Table::new(&file, offset(load.p_offset), size);
        for text in table.bytes(0, size)?.split(|byte| *byte == 0) {
            each(text);
        }
    }
    Some(())
}

impl Facts {
    /// Takes a string of the loader for what it is. `in_list`: the one before was a folder of the list.
    fn note(&mut self, text: &[u8], in_list: bool) -> bool {
        let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
        if text.starts_with(b"/") && text.ends_with(b"/") && has(b"/lib") {
            if in_list || self.folders.is_empty() {
                let folder = text.strip_suffix(b"/").unwrap_or(text);
                self.folders.push(folder);
                return true;
            }
        } else if text.starts_with(b"/") && text.ends_with(b"/ld.so.cache") {
            self.cache = text.to_vec();
        } else if text.starts_with(b"CPU ISA level is lower") {
            self.checks_level = true;
        } else if text.starts_with(b"FATAL: kernel too old") {
            self.checks_kernel = true;
        } else if text.starts_with(b"ELF load command alignment not page-aligned") {
            self.checks_alignment = true;
        } else if text == b"haswell" {
            self.haswell = true;
        } else if text.starts_with(b"lib")
            && self.folders.iter().next().is_some_and(|first| first.get(1..) == Some(text))
        {
            self.lib = text.to_vec();
        }
        false
    }
}

/// The folders in glibc-hwcaps, best first, and the level each is for (glibc 2.33 on, x86-64).
const LEVELS: [(&[u8], u32); 3] =
    [(b"glibc-hwcaps/x86-64-v4", 0xf), (b"glibc-hwcaps/x86-64-v3", 7), (b"glibc-hwcaps/x86-64-v2", 3)];

impl Linker<'_> {
    pub(super) fn search_glibc(&self, facts: &Facts, object: &Object, name: &[u8], search: &mut Search) {
        let runpath = self.path_list(object, true);
        if runpath.is_empty() {
            // DT_RPATH goes for all that is loaded because of an object, and the program's for everything.
            let mut at = Some(object);
            while let Some(object) = at {
                self.look_in_all(&self.path_list(object, false), name, search);
                at = object.parent.and_then(|parent| self.object(parent));
            }
        }
        if let Some(program) = self.object(0).filter(|_| !self.environment.is_empty()) {
            self.look_in_all(&self.folders(program, &self.environment, b":;"), name, search);
        }
        self.look_in_all(&runpath, name, search);
        if object.flags(DT_FLAGS_1) & DF_1_NODEFLIB == 0 {
            if !search.over {
                if let Some(file) = cache::find(self, &facts.cache, name) {
                    self.look(file, search);
                }
            }
            self.look_in_all(&facts.folders, name, search);
        }
    }

    /// DT_RUNPATH, or DT_RPATH, which one with a DT_RUNPATH does not have.
    fn path_list(&self, object: &Object, run: bool) -> List {
        let Some(dynamic) = object.dynamic() else { return List::default() };
        let list = match (&dynamic.runpath, &dynamic.rpath) {
            (Some(list), _) if run => list,
            (None, Some(list)) if !run => list,
            _ => return List::default(),
        };
        if list.is_empty() { List::default() } else { self.folders(object, list, b":") }
    }

    /// elf/dl-load.c `fillin_rpath`: an empty one is the folder that the program is started in; slashes at the end are
    /// dropped.
    fn folders(&self, object: &Object, list: &[u8], marks: &[u8]) -> List {
        let mut folders = List::default();
        for folder in list.split(|byte| marks.contains(byte)) {
            let mut folder = self.expand(object, folder);
            while folder.len() > 1 && folder.ends_with(b"/") {
                folder.pop();
            }
            folders.push(&folder);
        }
        folders
    }

    /// Each folder's glibc-hwcaps first.
    fn look_in_all(&self, folders: &List, name: &[u8], search: &mut Search) {
        if !family::X86 {
            return self.look_in(folders, name, search);
        }
        for folder in folders.iter() {
            if search.over {
                return;
            }
            let mut all = List::default();
            let hwcaps = [folder, &b"/glibc-hwcaps"[..]].concat();
            if self.system.stat(super::path(&hwcaps)).is_ok_and(|stat| stat.kind == FileKind::Directory) {
                for level in self.levels() {
                    all.push(&[folder, b"/", level].concat());
                }
            }
            all.push(folder);
            self.look_in(&all, name, search);
        }
    }

    /// The folders in glibc-hwcaps that this processor has a use for.
    pub(super) fn levels(&self) -> impl Iterator<Item = &'static [u8]> {
        let cpu = &self.machine.cpu;
        let has =
            move |level: u32| family::X86 && cpu.features.value.is_some() && x86::lacks(cpu, level).is_none();
        LEVELS.iter().filter(move |(_, level)| has(*level)).map(|(folder, _)| *folder)
    }

    /// What the loader itself looks at before it loads anything: the kernel's release, the processor's level.
    pub(super) fn refuses(&self) -> Option<Refusal> {
        let facts = self.glibc.as_ref()?;
        let [program, loader] = [self.object(0)?, self.object(1)?].map(|object| object.image.as_ref());
        let is_old = loader?.abi_tag.is_some_and(|(system, major, minor, patch)| {
            system == 0 && self.machine.kernel.older_than((major, minor, patch))
        });
        if is_old && facts.checks_kernel {
            return Some(Refusal::Kernel);
        }
        self.lacks_level(program?).then_some(Refusal::Level)
    }

    /// sysdeps/x86/dl-prop.h `dl_isa_level_check`.
    pub(super) fn lacks_level(&self, image: &Image) -> bool {
        let cpu = &self.machine.cpu;
        let checks = family::X86 && self.glibc.as_ref().is_some_and(|facts| facts.checks_level);
        checks && image.x86_isa_needed.is_some_and(|needed| x86::lacks(cpu, needed).is_some())
    }
}
