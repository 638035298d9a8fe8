//! Folders for some processors alone, as glibc has looked in them up to 2.36: `tls/haswell/avx512_1/x86_64`, any of these
//! names left out (elf/dl-hwcaps.c `_dl_important_hwcaps`). Those of glibc-hwcaps come before them.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Library, Linker};
use crate::arch::important::{OF_X86_64, important};
use crate::elf::consts::EM_X86_64;
use crate::target::FileKind;

/// The last release that looks there.
const LAST: (u64, u64) = (2, 36);
/// The bit of `tls` in an entry of ld.so.cache.
const TLS: u64 = 1 << 63;
/// Bits of platforms there.
const PLATFORMS: u64 = !TLS & !0 << 48;

impl Linker<'_> {
    /// Looks for a library in such folders of a folder. True: no other place is looked at.
    pub(super) fn look_in_old(&self, folder: &[u8], found: &mut Library) -> bool {
        !crate::ROUTER
            && self.knows_old()
            && self.is_folder(folder.strip_suffix(b"/").unwrap_or(b"."))
            && self.has_any(folder)
            && self.look_below(folder, self.names(), found)
    }

    fn knows_old(&self) -> bool {
        self.glibc.as_ref().is_some_and(|facts| facts.release() <= Some(LAST))
    }

    /// Whether any of them may be there.
    fn has_any(&self, folder: &[u8]) -> bool {
        let program = self.object(0).and_then(|program| program.image.as_ref());
        program.is_none_or(|program| program.header.e_machine != EM_X86_64)
            || OF_X86_64.iter().any(|name| self.is_folder(&[folder, name.as_bytes()].concat()))
    }

    fn is_folder(&self, path: &[u8]) -> bool {
        // The root.
        let path = if path.is_empty() { b"/" } else { path };
        let place = self.files.at(self.root, super::path(path));
        matches!(place.stat, Some(Ok(stat)) if stat.kind == FileKind::Directory)
    }

    /// Looks in the folders of the names, the last of them first, and in each for those before it.
    fn look_below(&self, folder: &[u8], names: &[(u64, String)], found: &mut Library) -> bool {
        let mut before = names;
        while let Some(((_, name), rest)) = before.split_last() {
            before = rest;
            let mut deeper = [folder, name.as_bytes()].concat();
            if !self.is_folder(&deeper) {
                continue;
            }
            deeper.push(b'/');
            if self.look_below(&deeper, rest, found) || self.look([&deeper[..], &found.name].concat(), found)
            {
                return true;
            }
        }
        false
    }

    /// The names, and their bits in ld.so.cache.
    fn names(&self) -> &[(u64, String)] {
        self.tunables.names.get_or_init(|| {
            let program = self.object(0).and_then(|program| program.image.as_ref());
            let (Some(program), Some(facts)) = (program, &self.glibc) else { return Vec::new() };
            let set = (&self.tunables.hwcaps[..], facts.release().is_none());
            let mut names = important(self.machine, program.header.e_machine, set);
            names.push(self.platform(facts));
            names.push((TLS, "tls"));
            names.retain(|(_, name)| !name.is_empty());
            names.into_iter().map(|(bit, name)| (bit, name.to_owned())).collect()
        })
    }

    /// Whether an entry of ld.so.cache for a file in such a folder counts (elf/dl-cache.c `search_cache`).
    pub(super) fn takes_old(&self, hwcap: u64) -> bool {
        let known = self.names().iter().fold(0, |all, (bit, _)| all | bit);
        let (own, platform) = (known & PLATFORMS, hwcap & PLATFORMS);
        self.knows_old() && hwcap & !known & !PLATFORMS == 0 && (platform == 0 || platform == own)
    }
}
