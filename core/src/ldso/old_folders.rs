//! Folders for some processors alone, as glibc has looked in them up to 2.36: `tls/haswell/avx512_1/x86_64`, any of these
//! names left out (elf/dl-hwcaps.c `_dl_important_hwcaps`). Those of glibc-hwcaps come before them.

use alloc::vec::Vec;

use super::{Library, Linker};
use crate::arch::important::{Important, important};
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
        !crate::ROUTER && self.knows_old() && self.look_below(folder, &self.names(), found)
    }

    fn knows_old(&self) -> bool {
        self.glibc.as_ref().is_some_and(|facts| facts.release() <= Some(LAST))
    }

    /// Looks in the folders of the names, the last of them first, and in each for those before it.
    fn look_below(&self, folder: &[u8], names: &[Important<'_>], found: &mut Library) -> bool {
        let mut before = names;
        while let Some(((_, name), rest)) = before.split_last() {
            before = rest;
            let deeper = [folder, name.as_bytes()].concat();
            let place = self.files.at(self.root, super::path(&deeper));
            if !matches!(place.stat, Some(Ok(stat)) if stat.kind == FileKind::Directory) {
                continue;
            }
            let deeper = [&deeper[..], b"/"].concat();
            if self.look_below(&deeper, rest, found) || self.look([&deeper[..], &found.name].concat(), found)
            {
                return true;
            }
        }
        false
    }

    /// The names, and their bits in ld.so.cache.
    fn names(&self) -> Vec<Important<'_>> {
        let Some(e_machine) =
            self.object(0).and_then(|program| Some(program.image.as_ref()?.header.e_machine))
        else {
            return Vec::new();
        };
        let mut names = important(self.machine, e_machine);
        let platform = self.glibc.as_ref().map(|facts| self.platform(facts));
        names.extend(platform.filter(|(_, name)| !name.is_empty()));
        names.push((TLS, "tls"));
        names
    }

    /// Whether an entry of ld.so.cache for a file in such a folder counts (elf/dl-cache.c `search_cache`).
    pub(super) fn takes_old(&self, hwcap: u64) -> bool {
        let known = self.names().iter().fold(0, |all, (bit, _)| all | bit);
        let (own, platform) = (known & PLATFORMS, hwcap & PLATFORMS);
        self.knows_old() && hwcap & !known & !PLATFORMS == 0 && (platform == 0 || platform == own)
    }
}
