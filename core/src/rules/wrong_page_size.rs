use super::Case;
use crate::ROUTER;
use crate::candidate::Image;
use crate::elf::ProgramHeader;
use crate::elf::consts::{EM_AARCH64, PF_X};
use crate::exec::{Pages, Step};
use crate::finding::Found;

rule! {
    /// # What it means
    /// The program is linked for smaller pages than this kernel's: its segments share pages that they cannot share.
    /// # How it looks
    /// At the start.
    /// # Why
    /// A kernel maps whole pages. It was built for pages of 16 KiB (Raspberry Pi 5, Asahi) or 64 KiB (some arm64 and PowerPC
    /// servers), the program was linked for 4 KiB.
    /// # Fix
    /// Link with `-Wl,-z,max-page-size=65536`, which suits every kernel; or start a kernel whose pages have 4 KiB
    /// (Raspberry Pi 5: `kernel=kernel8.img` in config.txt).
    /// # Kernel source
    /// fs/binfmt_elf.c `elf_map`; mm/mmap.c `do_mmap`.
    /// # Example
    /// ```text
    /// machine aarch64, not by a router's build
    /// file /auxv edit AT_PAGESZ 4096 => AT_PAGESZ 16384
    /// file /tmp/small elf aarch64 p_offset=4096 p_vaddr=0x400000 e_entry=0x400000 p_align=4096 p_filesz=4096 p_memsz=4096 size=8192
    /// $ diag /tmp/small
    /// error[wrong-page-size]: /tmp/small is linked for pages of 4 KiB, this kernel's
    ///   have 16 KiB
    ///   program: p_offset 0x1000; p_vaddr 0x400000; p_align 0x1000
    ///   machine: page size 16384 bytes
    ///   kernel:  kills it within execve: SIGSEGV
    ///   you see: Segmentation fault
    ///   fix:     rebuild it for larger pages: link with -Wl,-z,max-page-size=65536; or
    ///            start a kernel with pages of 4 KiB, on a Raspberry Pi 5 by
    ///            kernel=kernel8.img in /boot/firmware/config.txt
    /// [1]
    /// ```
    WrongPageSize, looks ["Segmentation fault"],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    // OpenWrt's kernels have pages of 4 KiB, but for LoongArch's, which nobody builds smaller for.
    if ROUTER {
        return None;
    }
    let image = case.declared().filter(|_| !case.foreign)?;
    let pages = Pages::of(case.machine);
    let page = pages.size();
    let smallest = image.loads().map(|segment| segment.p_align).filter(|align| *align > 1).min()?;
    // What is right for its own pages, and only for those.
    if !(4096..page).contains(&smallest) || !smallest.is_power_of_two() || !fits(image, smallest) {
        return None;
    }
    let (fits, shared) = (fits(image, page), shared(image, pages));
    let misfit = !fits || shared.is_some();
    let mut finding = match case.step {
        Some(Step::MapLow | Step::MapCollision) => error(case, smallest, page),
        Some(
            Step::MapAlignment
            | Step::MapRange
            | Step::MapZeros
            | Step::EntryUnmapped
            | Step::EntryNotExecutable
            | Step::EntryZeros,
        ) if misfit => error(case, smallest, page),
        // What the kernel would come to behind the loader.
        Some(Step::InterpreterOpen) if !fits => error(case, smallest, page),
        None if case.starts() && shared.is_some() => {
            let mut finding = case.warning(format_args!("{}", Words(smallest, page)));
            finding.dies();
            finding
        }
        _ => return None,
    };
    let crooked = image.loads().find(|segment| !is_even(segment, page));
    if let Some(ProgramHeader { p_offset, p_vaddr, p_align, .. }) = crooked.or(shared) {
        finding.tell(format_args!(
            "program: p_offset={p_offset:#x}\nprogram: p_vaddr={p_vaddr:#x}\nprogram: p_align={p_align:#x}"
        ));
    }
    finding.tell(format_args!("machine: page size={page} bytes"));
    if !case.ends_at(Step::InterpreterOpen) && !case.starts() {
        finding.tell(format_args!("kernel: {}", case.kernel_says()));
    }
    finding.tell(format_args!("fix: rebuild it for larger pages: link with -Wl,-z,max-page-size=65536; or "));
    finding.tell(format_args!("fix: start a kernel with pages of {} KiB", smallest >> 10));
    if case.machine.e_machine() == Some(EM_AARCH64) && (smallest, page) == (4096, 16_384) {
        finding.tell(format_args!(
            "fix: , on a Raspberry Pi 5 by kernel=kernel8.img in /boot/firmware/config.txt"
        ));
    }
    Some(finding)
}

fn error(case: &Case<'_>, smallest: u64, page: u64) -> Found {
    case.error(format_args!("{}", Words(smallest, page)))
}

/// The title: what it is linked for, and the kernel's.
struct Words(u64, u64);

impl core::fmt::Display for Words {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "is linked for pages of {} KiB, this kernel's have {} KiB", self.0 >> 10, self.1 >> 10)
    }
}

/// Whether offset and address of a segment are the same within a page.
fn is_even(segment: &ProgramHeader, page: u64) -> bool {
    segment.p_offset.wrapping_sub(segment.p_vaddr) & page.wrapping_sub(1) == 0
}

fn fits(image: &Image, page: u64) -> bool {
    image.loads().all(|segment| is_even(segment, page))
}

/// A segment whose first page takes the place of code at the end of another: what lies in it can no longer be executed.
fn shared(image: &Image, pages: Pages) -> Option<&ProgramHeader> {
    let mut code_end = None;
    for segment in image.loads() {
        let is_code = segment.p_flags & PF_X != 0;
        if !is_code && code_end.is_some_and(|end| pages.down(segment.p_vaddr) < end) {
            return Some(segment);
        }
        if is_code {
            code_end = Some(segment.p_vaddr.saturating_add(segment.p_filesz));
        }
    }
    None
}
