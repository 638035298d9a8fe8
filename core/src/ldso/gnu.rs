//! glibc's rules: elf/dl-load.c `_dl_map_object`, and what a build of it has compiled in.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ffi::CStr;

use super::object::Library;
use super::{KEEPS, Kept, Linker, LoaderRefusal, cache};
use crate::arch;
use crate::candidate::reader::{Contents, Reader};
use crate::candidate::{Dynamic, Image, last_name};
use crate::elf::consts::{DF_1_NODEFLIB, DT_FLAGS_1, PF_R, PT_GNU_EH_FRAME};
use crate::elf::offset;
use crate::exec::{KERNEL_TOO_OLD, newer_kernel};
use crate::machine::{decimal, holds, parts};
use crate::target::{FileKind, Root};
use crate::text::cut_bytes;

/// What a loader has compiled in: Debian's knows multiarch folders, Entware's lives in /opt.
#[derive(Default)]
pub(super) struct GlibcBuild {
    /// Where its ld.so.cache is.
    cache: Vec<u8>,
    /// The folders it looks in at last, with colons between them.
    pub(super) folders: Vec<u8>,
    /// What $LIB stands for.
    pub(super) lib: Vec<u8>,
    /// The folders of glibc-hwcaps that it knows, the best first, with colons between them (since 2.33). Not in a router's
    /// build, which takes them for [`LEVELS`].
    hwcaps: Vec<u8>,
    /// Which of [`WORDS`] it holds.
    holds: [bool; 6],
    /// Its release, "2.36"; empty where it does not tell (before 2.33).
    pub(super) release: Vec<u8>,
}

/// Words of a loader that tell what it does. Of the last ones a router makes nothing: 45 bytes of its package.
const WORDS: &[&[u8]] = if crate::ROUTER {
    &[NOT_ALIGNED, KERNEL_TOO_OLD, ISA_LEVEL, HASWELL]
} else {
    &[
        NOT_ALIGNED,
        KERNEL_TOO_OLD,
        ISA_LEVEL,
        HASWELL,
        b"DT_RELR without GLIBC_ABI_DT_RELR",
        b"version->filename == NULL || ! _dl_name_match_p",
    ]
};
const NOT_ALIGNED: &[u8] = b"ELF load command alignment not page-aligned";
const ISA_LEVEL: &[u8] = b"CPU ISA level is lower";
const HASWELL: &[u8] = b"haswell";

impl GlibcBuild {
    /// It compares p_align of a library with the size of a page (up to 2.34).
    pub(super) const fn checks_alignment(&self) -> bool {
        self.holds[0]
    }

    /// It compares the kernel's release (up to 2.36).
    const fn checks_kernel(&self) -> bool {
        self.holds[1]
    }

    /// It compares the processor's level (x86-64-v2 and so on; since 2.33).
    const fn checks_level(&self) -> bool {
        arch::HAS_LEVELS && self.holds[2]
    }

    /// It knows DT_RELR, and asks for a version that guards it (since 2.36).
    pub(super) const fn knows_relr(&self) -> bool {
        self.holds[4]
    }

    /// It asserts that a file has versions of which one is asked for (Debian's 2.36 does, its 2.41 does not).
    pub(super) const fn asserts_versions(&self) -> bool {
        self.holds[5]
    }

    /// What is known by its release alone. The folders are not.
    #[cfg(feature = "every-machine")]
    pub(super) fn of_release(release: Vec<u8>) -> GlibcBuild {
        let mut facts = GlibcBuild { release, ..GlibcBuild::default() };
        let number = facts.release().unwrap_or_default();
        let haswell = number < (2, 37);
        // From what release on it asserts no versions is not known, and does not count: libraries are not, either.
        let (has_levels, has_relr) = (number >= (2, 33), number >= (2, 36));
        facts.holds =
            [number <= (2, 34), number <= (2, 36), has_levels, haswell, has_relr, number <= (2, 36)];
        facts
    }

    /// The first two numbers of its release; None where it does not tell.
    pub(super) fn release(&self) -> Option<(u64, u64)> {
        let mut numbers = parts(&self.release, b'.').filter_map(decimal);
        Some((numbers.next()?, numbers.next()?))
    }

    /// $PLATFORM can be "haswell".
    pub(super) const fn knows_haswell(&self) -> bool {
        arch::HAS_LEVELS && self.holds[3]
    }
}

/// What is read of a segment at most; Debian's loaders have 50 to 180 KB in all, the one of ppc64el has its constants
/// behind 270 KB of code.
const LIMIT: usize = if cfg!(feature = "every-machine") { 1 << 20 } else { 256 << 10 };

/// What a loader has compiled in; None where it is not glibc's. Read once for all that it loads.
pub(super) fn build(root: &dyn Root, kept: &Kept, loader: &Library) -> Option<Rc<GlibcBuild>> {
    let image = loader.image.as_ref()?;
    if KEEPS {
        if let Some((known, facts)) = &*kept.glibc.borrow() {
            if Rc::ptr_eq(known, image) {
                return facts.clone();
            }
        }
    }
    let file = kept.files.again(root, super::path(&loader.path), loader.id)?;
    let mut facts = GlibcBuild::default();
    let is_read = facts.read(&file.contents, image).is_some();
    let is_list =
        crate::ROUTER || (1..=FOLDERS_AT_MOST).contains(&facts.folders.split(|byte| *byte == b':').count());
    let is_glibc = is_read && !facts.cache.is_empty() && !facts.folders.is_empty() && is_list;
    let facts = is_glibc.then(|| Rc::new(facts));
    if KEEPS {
        *kept.glibc.borrow_mut() = Some((Rc::clone(image), facts.clone()));
    }
    facts
}

/// Folders of a list; Debian's has 4.
const FOLDERS_AT_MOST: usize = 32;
/// A path in a loader is shorter.
const LONGEST: usize = 128;

/// Calls `each` with the strings of a loader, as far as they lie among its constants.
pub(super) fn strings(
    file: &Contents,
    image: &Image,
    limit: usize,
    each: &mut dyn FnMut(&[u8]),
) -> Option<()> {
    constants(file, image, limit, &mut |_, mut rest| {
        while let Ok(text) = CStr::from_bytes_until_nul(rest) {
            let text = text.to_bytes();
            each(text);
            rest = rest.get(text.len().saturating_add(1)..).unwrap_or_default();
        }
    })
}

/// Calls `each` with the segments in which a loader has its constants, and where they begin in the file.
fn constants(file: &Contents, image: &Image, limit: usize, each: &mut dyn FnMut(usize, &[u8])) -> Option<()> {
    // They have a segment of their own, or share the one of the code.
    let mut own = image.loads().filter(|load| load.p_flags == PF_R);
    let apart = own.next().is_some();
    let is_one_of_several = !crate::ROUTER && own.next().is_some();
    for load in image.loads() {
        // Of several segments of their own the first has headers, symbols and relocations.
        let is_head = is_one_of_several && load.p_offset == 0;
        if apart && (load.p_flags != PF_R || is_head) {
            continue;
        }
        let size = offset(load.p_filesz).min(limit);
        let start = offset(load.p_offset);
        each(start, Reader::new(file, image.encoding.order, start, size).bytes_at(0, size)?);
    }
    Some(())
}

/// Strings between NULs that are shorter are none of a loader's.
const SHORTEST: usize = 4;

/// Calls `each` with every string that has a NUL before it, or begins the bytes, and one behind it; and whether another such
/// string ends right before it. Eight bytes are looked at at once: a large part of a judgement's time is spent here.
fn between_zeros(bytes: &[u8], each: &mut dyn FnMut(&[u8], bool)) {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (mut from, mut last, mut at) = (0_usize, usize::MAX, 0_usize);
    let rest = bytes.chunks_exact(8).remainder();
    let of_rest = rest.iter().rev().fold(u64::MAX, |word, byte| word << 8 | u64::from(*byte));
    while at < bytes.len() {
        let chunk = bytes.get(at..).and_then(|rest| rest.first_chunk());
        let word = chunk.map_or(of_rest, |chunk| u64::from_le_bytes(*chunk));
        at = at.wrapping_add(8);
        if word.wrapping_sub(ONES) & !word & !LOW == 0 {
            continue;
        }
        let at = at.wrapping_sub(8);
        // The highest bit of each byte that is zero.
        let mut zeros = !((word & LOW).wrapping_add(LOW) | word | LOW);
        let mut end = at.wrapping_add(zeros.trailing_zeros() as usize / 8);
        let behind = at.wrapping_add((zeros.leading_zeros() as usize / 8) ^ 7);
        let has_room = behind.wrapping_sub(end) > SHORTEST;
        loop {
            if end.wrapping_sub(from) >= SHORTEST {
                let text = bytes.get(from..end).unwrap_or_default();
                if may_tell(text) {
                    each(text, from == last);
                    last = end.wrapping_add(1);
                }
            }
            zeros &= zeros.wrapping_sub(1);
            // Between zeros that are so near no string has room.
            if !has_room || zeros == 0 {
                break;
            }
            from = end.wrapping_add(1);
            end = at.wrapping_add(zeros.trailing_zeros() as usize / 8);
        }
        from = behind.wrapping_add(1);
    }
}

/// Whether a string is one of those that [`GlibcBuild::note`] takes, by how it begins and ends.
#[inline]
fn may_tell(text: &[u8]) -> bool {
    matches!(
        text,
        [b'/' | b'l' | b'x' | b'p' | b'z' | b'E' | b'F' | b'C' | b'h' | b'D' | b'v', ..] | [.., b'/']
    )
}

impl GlibcBuild {
    /// Reads them from the strings of a loader.
    fn read(&mut self, file: &Contents, image: &Image) -> Option<()> {
        // GNU ld puts .eh_frame_hdr and .eh_frame behind .rodata: a third of the segment, and no strings.
        let unwinding = image.table().iter().find(|entry| entry.p_type == PT_GNU_EH_FRAME);
        constants(file, image, LIMIT, &mut |start, bytes| {
            let behind = unwinding.and_then(|entry| offset(entry.p_offset).checked_sub(start));
            let bytes = behind.and_then(|end| bytes.get(..end)).unwrap_or(bytes);
            let mut in_list = false;
            if !crate::ROUTER {
                between_zeros(bytes, &mut |text, follows| in_list = self.note(text, follows && in_list));
                return;
            }
            let mut rest = bytes;
            loop {
                while let [0, tail @ ..] = rest {
                    (rest, in_list) = (tail, false);
                }
                let Ok(text) = CStr::from_bytes_until_nul(rest) else { break };
                let text = text.to_bytes();
                in_list = text.len() >= SHORTEST && self.note(text, in_list);
                rest = rest.get(text.len().wrapping_add(1)..).unwrap_or_default();
            }
        })?;
        if self.lib.is_empty() {
            self.lib = last_name(self.first()).1.to_vec();
        }
        Some(())
    }

    /// The first of the folders.
    fn first(&self) -> &[u8] {
        cut_bytes(&self.folders, b':').map_or(&self.folders, |(first, _)| first)
    }

    /// Takes a string of the loader for what it is. `in_list`: the one before was a folder of the list.
    fn note(&mut self, text: &[u8], in_list: bool) -> bool {
        match text {
            [.., b'/'] if in_list || self.folders.is_empty() => {
                let Some(folder) = last_folder(text) else { return false };
                let colon: &[u8] = if in_list { b":" } else { b"" };
                self.folders.extend_from_slice(colon);
                self.folders.extend_from_slice(folder);
                return true;
            }
            [b'l', b'i', b'b', ..] if !crate::ROUTER && self.first().get(1..) == Some(text) => {
                self.lib = text.to_vec();
            }
            [b'l', b'd', ..] if !crate::ROUTER && text.starts_with(b"ld.so (") && self.release.is_empty() => {
                // csu/version.c and elf/dl-usage.c: `ld.so (GNU libc) stable release version 2.36.`, then lines of its makers.
                let behind = after_words(text, b" release version ").unwrap_or_default();
                let is_number = |byte: &u8| matches!(byte, b'.' | b'0'..=b'9');
                let end = behind.iter().position(|byte| !is_number(byte)).unwrap_or(behind.len());
                let number = behind.get(..end).unwrap_or_default();
                self.release = number.strip_suffix(b".").unwrap_or(number).to_vec();
            }
            // sysdeps/*/dl-hwcaps-subdirs.c, one for each architecture that has any.
            [b'x' | b'p' | b'z', ..] if !crate::ROUTER && is_hwcaps(text) => self.hwcaps = text.to_vec(),
            [b'/', ..] if text.len() < LONGEST && text.ends_with(b"/ld.so.cache") => {
                self.cache = text.to_vec();
            }
            // What they begin with.
            [b'E' | b'F' | b'C' | b'h' | b'D' | b'v', ..] => {
                for (word, holds) in WORDS.iter().zip(&mut self.holds) {
                    *holds |= text.starts_with(word);
                }
            }
            _ => {}
        }
        false
    }
}

/// What follows some words.
fn after_words<'a>(text: &'a [u8], words: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(words.len()).position(|here| here == words)?;
    text.get(at.saturating_add(words.len())..)
}

/// The folder of libraries that a string ends with, without the slash at its end. The list may follow code at once
/// (Debian's 2.36 for ARM): then no NUL stands before its first folder.
fn last_folder(text: &[u8]) -> Option<&[u8]> {
    let is_in_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_-.+".contains(byte);
    let tail = text.get(text.len().saturating_sub(LONGEST)..)?;
    let from = tail.iter().rposition(|byte| !is_in_path(byte)).map_or(0, |at| at.saturating_add(1));
    let path = tail.get(from..)?;
    let slash = path.iter().position(|byte| *byte == b'/')?;
    path.get(slash..).filter(|path| holds(path, b"/lib"))?.strip_suffix(b"/")
}

/// Of x86-64.
const LEVELS: &[u8] = b"x86-64-v4:x86-64-v3:x86-64-v2";

/// Whether a string of a loader is its list of folders in glibc-hwcaps.
fn is_hwcaps(text: &[u8]) -> bool {
    [&b"x86-64-v"[..], b"power", b"z1"].iter().any(|first| text.starts_with(first)) && text.contains(&b':')
}

/// DT_RPATH, which one with a DT_RUNPATH does not have, and DT_RUNPATH.
pub(super) fn paths(object: &Library) -> (&[u8], &[u8]) {
    match object.dynamic() {
        Some(Dynamic { runpath: Some(list), .. }) => (b"", list),
        Some(Dynamic { rpath: Some(list), .. }) => (list, b""),
        _ => (b"", b""),
    }
}

impl Linker<'_> {
    pub(super) fn search_glibc(&self, facts: &GlibcBuild, object: &Library, found: &mut Library) -> bool {
        let (_, runpath) = paths(object);
        self.looks_by("DT_RPATH");
        if runpath.is_empty() {
            // DT_RPATH goes for all that is loaded because of an object, and the program's for everything.
            let mut at = Some(object);
            while let Some(object) = at {
                if self.look_in(paths(object).0, object, found) {
                    return true;
                }
                at = self.parent(object);
            }
        }
        let program = self.object(0).unwrap_or(object);
        self.looks_by("LD_LIBRARY_PATH");
        if self.look_in(&self.environment, program, found) {
            return true;
        }
        self.looks_by("DT_RUNPATH");
        if self.look_in(runpath, object, found) {
            return true;
        }
        if object.flags(DT_FLAGS_1) & DF_1_NODEFLIB != 0 {
            return false;
        }
        let is_read = crate::ROUTER || !(self.preloads && self.is_marked_only());
        let cached = if is_read { cache::find(self, &facts.cache, &found.name) } else { None };
        self.looks_by("ld.so.cache");
        if cached.is_some_and(|file| self.look(file, found)) {
            return true;
        }
        self.looks_by("default folders");
        self.look_in(&facts.folders, object, found)
    }

    /// Bytes of ld.so.cache, which the loader maps until all is relocated (elf/dl-cache.c `_dl_unload_cache`).
    pub(super) fn size_of_cache(&self) -> u64 {
        let cache = self.glibc.as_ref().map(|facts| self.files.at(self.root, super::path(&facts.cache)));
        cache.and_then(|place| place.stat?.ok()).map_or(0, |stat| stat.size)
    }

    /// Looks in a folder's glibc-hwcaps, then where older releases look.
    pub(super) fn look_in_levels(&self, folder: &[u8], found: &mut Library) -> bool {
        let hwcaps = [folder, b"glibc-hwcaps"].concat();
        let place = self.files.at(self.root, super::path(&hwcaps));
        let is_there = matches!(place.stat, Some(Ok(stat)) if stat.kind == FileKind::Directory);
        let mut look = |level| self.look([&hwcaps[..], b"/", level, b"/", &found.name].concat(), found);
        is_there && self.levels().any(&mut look) || self.look_in_old(folder, found)
    }

    /// The folders in glibc-hwcaps that this loader knows and this processor has a use for, the best first.
    pub(super) fn levels(&self) -> impl Iterator<Item = &[u8]> {
        let known = match &self.glibc {
            Some(facts) if !crate::ROUTER => &facts.hwcaps,
            _ => LEVELS,
        };
        let names = parts(known, b':').filter(|name| !self.tunables.mask(name));
        names.filter(|name| arch::HAS_LEVELS && arch::has_level(self.machine, name))
    }

    /// What the loader itself looks at before it loads anything: the kernel's release, the processor's level.
    pub(super) fn refuses(&mut self) -> Option<LoaderRefusal> {
        let by_stack = self.refuses_stack();
        if by_stack.is_some() {
            return by_stack;
        }
        let facts = self.glibc.as_ref()?;
        let image = |index| self.object(index)?.image.as_ref();
        if facts.checks_kernel() && newer_kernel(self.machine, image(1)?).is_some() {
            return Some(LoaderRefusal::KernelTooOld);
        }
        self.lacks_level(image(0)?).then_some(LoaderRefusal::IsaLevel)
    }

    /// sysdeps/x86/dl-prop.h `dl_isa_level_check`.
    pub(super) fn lacks_level(&self, image: &Image) -> bool {
        let checks = self.glibc.as_ref().is_some_and(|facts| facts.checks_level());
        let (Some(needed), Some(lacks)) = (image.x86_isa_needed, arch::lacks_level(self.machine)) else {
            return false;
        };
        checks && lacks(self.machine, needed).is_some()
    }
}
