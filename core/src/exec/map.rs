//! fs/binfmt_elf.c `load_elf_binary` after its point of no return, over what it uses of mm/mmap.c (Linux 6.12 where
//! nothing else is said). Whatever fails here is SIGSEGV, not an errno.

use core::ops::Range;

use super::arch::TaskLayout;
use super::binprm::{Binprm, Pages};
use super::mmap::{MapFlags, Mm, Randomized, segfault};
use super::vma::{AddressSpace, Vma};
use super::{Checked, Exit, Signal, Step, When};
use crate::candidate::Image;
use crate::elf::consts::{ET_DYN, ET_EXEC, PF_W, PF_X};
use crate::elf::{Class, ProgramHeader};
use crate::machine::{decimal, parts};

/// What was mapped, and where the file lies that runs first.
pub(super) struct Mapped {
    pub(super) vmas: AddressSpace,
    /// What is added to its addresses.
    pub(super) bias: u64,
    /// Where the kernel may have put something of its own.
    kernels_own: [Range<u64>; 2],
}

impl Mapped {
    /// Whether something of the kernel's own may lie at an address.
    pub(super) fn is_kernels_own(&self, address: u64) -> bool {
        self.kernels_own.iter().any(|range| range.contains(&address))
    }
}

/// Maps the program and its interpreter, where the kernel chooses addresses at random at an end of the choice.
pub(super) fn map_all(
    program: &Binprm<'_>,
    interpreter: Option<&Binprm<'_>>,
    layout: &'static TaskLayout,
    randomized: Randomized,
) -> Checked<Mapped> {
    Mapper::new(program, layout, randomized).load(interpreter)
}

struct Mapper<'a> {
    program: &'a Binprm<'a>,
    mm: Mm<'a>,
}

impl<'a> Mapper<'a> {
    fn new(program: &'a Binprm<'a>, layout: &'static TaskLayout, randomized: Randomized) -> Self {
        Mapper { program, mm: Mm::new(program.machine, layout, randomized) }
    }

    fn load(mut self, interpreter: Option<&Binprm<'_>>) -> Checked<Mapped> {
        let mut bias = self.program(interpreter.is_some())?;
        match interpreter {
            Some(interpreter) => bias = self.interpreter(interpreter, bias)?,
            None if self.mm.is_bad(self.program.image.header.e_entry.wrapping_add(bias)) => {
                return segfault(Step::EntryRange);
            }
            None => {}
        }
        let kernels_own = self.mm.kernels_own();
        Ok(Mapped { vmas: self.mm.done()?, bias, kernels_own })
    }

    /// The loop over the program's PT_LOADs; gives `load_bias`.
    fn program(&mut self, has_interpreter: bool) -> Checked<u64> {
        let image = self.program.image;
        let has_elf_load = has_elf_load(self.program);
        let mut bias = 0;
        let mut bss = Bss::default();
        let mut first = true;
        for segment in image.loads() {
            self.zeros_between(&bss, bias)?;
            let vaddr = segment.p_vaddr;
            let mut flags = self.behind_first();
            let mut total = 0;
            if first && image.header.e_type == ET_EXEC {
                flags = self.first_of_exec();
            } else if first {
                total = total_mapping_size(self.program, self.mm.pages);
                (bias, flags) = self.relocate(segment, total, has_interpreter)?;
                bias = self.mm.pages.down(bias.wrapping_sub(vaddr)) & self.mm.word;
            }
            let wish = bias.wrapping_add(vaddr) & self.mm.word;
            let at = if has_elf_load {
                self.elf_load(self.program, segment, wish, flags, total)?
            } else {
                self.elf_map(self.program, segment, self.mm.pages.down(wish), flags, total)?
            };
            if self.mm.is_bad(at) {
                return segfault(Step::MapRange);
            }
            if first && image.header.e_type == ET_DYN {
                bias = bias.wrapping_add(at).wrapping_sub(self.mm.pages.down(wish)) & self.mm.word;
            }
            first = false;
            self.check_range(segment, vaddr)?;
            if !has_elf_load {
                bss.extend(segment, 0, self.mm.word);
            }
        }
        self.zeros_of_program(&bss, bias)?;
        Ok(bias)
    }

    /// Without `elf_load`: before the next segment is mapped, zeros behind those that came before. That the rest of a
    /// page cannot be cleared is ignored here.
    fn zeros_between(&mut self, bss: &Bss, bias: u64) -> Checked {
        if bss.end <= bss.start {
            return Ok(());
        }
        self.set_brk(bss, bias)?;
        let from = bias.wrapping_add(bss.start) & self.mm.word;
        let rest = self.mm.pages.wrapping_up(from).wrapping_sub(from);
        self.clear_user(self.program, from, rest.min(bss.end.wrapping_sub(bss.start)));
        Ok(())
    }

    /// Without `elf_load`: zeros behind the last of the segments. What is behind the last byte of the file is cleared up
    /// to the end of its page, whatever it is: where nothing is mapped, or nothing may be written, the program is killed.
    fn zeros_of_program(&mut self, bss: &Bss, bias: u64) -> Checked {
        self.set_brk(bss, bias)?;
        if bss.start != bss.end && !self.padzero(self.program, bias.wrapping_add(bss.start) & self.mm.word) {
            return segfault(Step::MapZeros);
        }
        Ok(())
    }

    /// `set_brk`: whole pages of zeros.
    fn set_brk(&mut self, bss: &Bss, bias: u64) -> Checked {
        let page = |address: u64| self.mm.pages.wrapping_up(bias.wrapping_add(address)) & self.mm.word;
        let (start, end) = (page(bss.start), page(bss.end));
        if end > start { self.mm.vm_brk(start, end, bss.flags) } else { Ok(()) }
    }

    /// Later segments replace what they meet; but from 4.17 to 5.3 and 4.19.78.
    fn behind_first(&self) -> MapFlags {
        let kernel = &self.program.machine.kernel();
        let is_4_19 = !kernel.older_than((4, 19, 79)) && kernel.older_than((4, 20, 0));
        if kernel.older_than((4, 17, 0)) || !kernel.older_than((5, 4, 0)) || is_4_19 {
            MapFlags::Fixed
        } else {
            MapFlags::FixedNoReplace
        }
    }

    /// Since 4.17 what lies there is not replaced.
    fn first_of_exec(&self) -> MapFlags {
        if self.program.machine.kernel().older_than((4, 17, 0)) {
            MapFlags::Fixed
        } else {
            MapFlags::FixedNoReplace
        }
    }

    /// Where a relocated program goes: with an interpreter to ELF_ET_DYN_BASE; without, it is one itself, and goes to
    /// where mmap(2) puts it, which a large alignment needs to know first.
    fn relocate(
        &mut self,
        segment: &ProgramHeader,
        total: u64,
        has_interpreter: bool,
    ) -> Checked<(u64, MapFlags)> {
        let kernel = &self.program.machine.kernel();
        if total == 0 {
            return segfault(Step::MapRange);
        }
        let alignment = maximum_alignment(self.program.image, self.mm.pages);
        let aligned = |base: u64| if alignment == 0 { base } else { base & !alignment.wrapping_sub(1) };
        if has_interpreter {
            let range = &self.mm.layout.et_dyn_base;
            let base =
                if self.mm.randomized.program_high { range.end.saturating_sub(1) } else { range.start };
            let base = if kernel.older_than((5, 10, 0)) { base } else { aligned(base) };
            return Ok((base, self.first_of_exec()));
        }
        if alignment <= self.mm.pages.size() || !aligns_static_pie(self.program) {
            return Ok((0, MapFlags::Hint));
        }
        let base = self.elf_load(self.program, segment, 0, MapFlags::Hint, total)?;
        if self.mm.is_bad(base) {
            return segfault(Step::MapRange);
        }
        self.mm.vmas.unmap(base, base.saturating_add(self.mm.pages.up(total)));
        Ok((aligned(base), MapFlags::FixedNoReplace))
    }

    /// `load_elf_interp`; gives what is added to its addresses.
    fn interpreter(&mut self, bprm: &Binprm<'_>, program_bias: u64) -> Checked<u64> {
        let fail = |exit: Exit| match exit {
            Exit::Killed(..) => Exit::Killed(Signal::SIGSEGV, When::Exec, Step::InterpreterMap),
            other => other,
        };
        self.map_interpreter(bprm, program_bias).map_err(fail)
    }

    fn map_interpreter(&mut self, bprm: &Binprm<'_>, program_bias: u64) -> Checked<u64> {
        let image = bprm.image;
        let fixed = image.header.e_type == ET_EXEC;
        let mut total = total_mapping_size(bprm, self.mm.pages);
        if !matches!(image.header.e_type, ET_EXEC | ET_DYN) || total == 0 {
            return segfault(Step::InterpreterMap);
        }
        let is_older = bprm.machine.kernel().older_than((6, 7, 0));
        let mut bias = 0;
        let mut bss = Bss::default();
        let mut first = true;
        for segment in image.loads() {
            let vaddr = segment.p_vaddr;
            let flags = if fixed || !first { MapFlags::Fixed } else { MapFlags::Hint };
            if first && !fixed && program_bias != 0 {
                bias = 0_u64.wrapping_sub(vaddr) & self.mm.word;
            }
            let wish = bias.wrapping_add(vaddr) & self.mm.word;
            // Before 6.7 only what is in the file; the zeros of all segments follow the last.
            let at = if is_older {
                self.elf_map(bprm, segment, self.mm.pages.down(wish), flags, total)?
            } else {
                self.elf_load(bprm, segment, wish, flags, total)?
            };
            total = 0;
            if self.mm.is_bad(at) {
                return segfault(Step::InterpreterMap);
            }
            if first && !fixed {
                bias = at.wrapping_sub(self.mm.pages.down(vaddr)) & self.mm.word;
            }
            first = false;
            self.check_range(segment, bias.wrapping_add(vaddr) & self.mm.word)?;
            if is_older {
                bss.extend(segment, bias, self.mm.word);
            }
        }
        // What is behind the last byte of the file is cleared, whatever it is, up to the end of its page; from there on
        // zeros are mapped up to the end of the last segment.
        if !self.padzero(bprm, bss.start) {
            return segfault(Step::InterpreterMap);
        }
        self.set_brk(&bss, 0)?;
        if self.mm.is_bad(image.header.e_entry.wrapping_add(bias)) {
            return segfault(Step::InterpreterMap);
        }
        Ok(bias)
    }

    /// The checks behind each segment's mapping; `start` is biased for an interpreter only.
    fn check_range(&self, segment: &ProgramHeader, start: u64) -> Checked {
        let fits = !self.mm.is_bad(start)
            && segment.p_filesz <= segment.p_memsz
            && segment.p_memsz <= self.mm.limit
            && self.mm.limit.wrapping_sub(segment.p_memsz) >= start;
        if fits { Ok(()) } else { segfault(Step::MapRange) }
    }

    /// `elf_load`: the file's part, and zeros behind it. Gives the address of the first page.
    fn elf_load(
        &mut self,
        bprm: &Binprm<'_>,
        segment: &ProgramHeader,
        address: u64,
        flags: MapFlags,
        total: u64,
    ) -> Checked<u64> {
        let pages = self.mm.pages;
        let within = segment.p_vaddr & pages.within();
        let mut at = pages.down(address);
        let mut zeros_as_code = at;
        let end = |at: u64, size: u64| at.wrapping_add(within).wrapping_add(size);
        if segment.p_filesz > 0 {
            at = self.elf_map(bprm, segment, at, flags, total)?;
            if self.mm.is_bad(at) {
                return Ok(at);
            }
            zeros_as_code = end(at, segment.p_filesz) & self.mm.word;
            let is_checked = segment.p_flags & PF_W != 0 && !bprm.machine.kernel().older_than((6, 7, 0));
            if segment.p_memsz > segment.p_filesz && !self.padzero(bprm, zeros_as_code) && is_checked {
                return segfault(Step::MapZeros);
            }
        }
        if segment.p_memsz > segment.p_filesz {
            self.mm.vm_brk(zeros_as_code, end(at, segment.p_memsz) & self.mm.word, segment.p_flags & PF_X)?;
        }
        Ok(at)
    }

    /// `elf_map`. `total`: the size of the whole image, so that all of it finds room.
    fn elf_map(
        &mut self,
        bprm: &Binprm<'_>,
        segment: &ProgramHeader,
        at: u64,
        flags: MapFlags,
        total: u64,
    ) -> Checked<u64> {
        let pages = self.mm.pages;
        let within = segment.p_vaddr & pages.within();
        let size = pages.wrapping_up(segment.p_filesz.wrapping_add(within)) & self.mm.word;
        if size == 0 {
            return Ok(at);
        }
        let offset = segment.p_offset.wrapping_sub(within) & self.mm.word;
        let len = if total == 0 { size } else { pages.wrapping_up(total) & self.mm.word };
        // Before the range, which an offset below 0 leaves, too: to the kernel both are EINVAL.
        if offset & pages.within() != 0 {
            return segfault(Step::MapAlignment);
        }
        let Some(end) = offset.checked_add(len).filter(|end| *end <= self.mm.word) else {
            return segfault(Step::MapRange);
        };
        if len == 0 || i64::try_from(end).is_err() {
            return segfault(Step::MapRange);
        }
        let at = self.mm.get_unmapped_area(at, len, flags)?;
        let vma = Vma {
            start: at,
            end: at.saturating_add(len),
            flags: segment.p_flags,
            offset: Some(offset),
            of_interpreter: !core::ptr::eq(bprm, self.program),
        };
        self.mm.account(&vma)?;
        self.mm.vmas.map(vma);
        if len > size {
            self.mm.vmas.unmap(at.saturating_add(size), at.saturating_add(len));
        }
        Ok(at)
    }

    /// `padzero`: whether the rest of the page can be cleared.
    fn padzero(&mut self, bprm: &Binprm<'_>, from: u64) -> bool {
        let rest = self.mm.pages.wrapping_up(from).wrapping_sub(from);
        rest == 0 || self.clear_user(bprm, from, rest)
    }

    /// `clear_user` within a page: whether it is there, and may be written.
    fn clear_user(&mut self, bprm: &Binprm<'_>, from: u64, len: u64) -> bool {
        let size = bprm.candidate.size().unwrap_or(u64::MAX);
        let vma = self.mm.vmas.at(from).copied();
        let Some(vma) = vma.filter(|vma| vma.flags & PF_W != 0) else { return false };
        if vma.is_lost(from, size, self.mm.pages) {
            return false;
        }
        self.mm.vmas.map(Vma { start: from, end: from.saturating_add(len), offset: None, ..vma });
        true
    }
}

/// `elf_bss`, `elf_brk` and `bss_prot`, which kernels without `elf_load` keep: where the last of the files' parts and the
/// last of the segments end, and PF_X of the segment that does.
#[derive(Default)]
struct Bss {
    start: u64,
    end: u64,
    flags: u32,
}

impl Bss {
    fn extend(&mut self, segment: &ProgramHeader, bias: u64, word: u64) {
        let end = |size: u64| bias.wrapping_add(segment.p_vaddr).wrapping_add(size) & word;
        self.start = end(segment.p_filesz).max(self.start);
        if end(segment.p_memsz) > self.end {
            (self.end, self.flags) = (end(segment.p_memsz), segment.p_flags & PF_X);
        }
    }
}

/// Whether the kernel loads a program's segments one by one, each with its zeros ("binfmt_elf: Support segments with 0
/// filesz and misaligned starts"): since 6.7, 6.6.92 and 6.1.140. Those two lack the check of `padzero`, and load an
/// interpreter as before.
fn has_elf_load(bprm: &Binprm<'_>) -> bool {
    !bprm.machine.kernel().older_than((6, 7, 0)) || is_late_6_6_or_6_1(bprm)
}

/// "binfmt_elf: Honor PT_LOAD alignment for static PIE": since 6.11, 6.6.92 and 6.1.140.
fn aligns_static_pie(bprm: &Binprm<'_>) -> bool {
    !bprm.machine.kernel().older_than((6, 11, 0)) || is_late_6_6_or_6_1(bprm)
}

fn is_late_6_6_or_6_1(bprm: &Binprm<'_>) -> bool {
    let kernel = &bprm.machine.kernel();
    let within = |from, to| !kernel.older_than(from) && kernel.older_than(to);
    within((6, 6, 92), (6, 7, 0))
        || within((6, 1, 140), (6, 2, 0))
        || kernel.release.get().is_some_and(|release| is_debians_late_6_1(&release.text))
}

/// Debian's 6.1 calls itself 6.1.0, with the number of its own ABI behind it: 6.1.0-37-amd64 is 6.1.140, and so is its
/// backport 6.1.0-0.deb11.37-amd64. Ubuntu's numbers begin at 1000.
fn is_debians_late_6_1(release: &str) -> bool {
    let abi = release.as_bytes().strip_prefix(b"6.1.0-").and_then(|rest| parts(rest, b'-').next());
    let number = abi.and_then(|abi| parts(abi, b'.').last()).and_then(decimal);
    number.is_some_and(|number| (37..1000).contains(&number))
}

/// `total_mapping_size`: up to 5.17 from the first segment of the table to the last one.
fn total_mapping_size(bprm: &Binprm<'_>, pages: Pages) -> u64 {
    let image = bprm.image;
    // elf_addr_t
    let mask = if image.encoding.class == Class::Elf64 { u64::MAX } else { u64::from(u32::MAX) };
    let start = |segment: &ProgramHeader| pages.down(segment.p_vaddr);
    let end = |segment: &ProgramHeader| segment.p_vaddr.wrapping_add(segment.p_memsz) & mask;
    let (mut starts, mut ends) = (image.loads().map(start), image.loads().map(end));
    let (first, last) = if bprm.machine.kernel().older_than((5, 18, 0)) {
        (starts.next(), ends.next_back())
    } else {
        (starts.min(), ends.max())
    };
    last.unwrap_or(0).wrapping_sub(first.unwrap_or(0)) & mask
}

/// `maximum_alignment`.
fn maximum_alignment(image: &Image, pages: Pages) -> u64 {
    let alignments = image.loads().map(|segment| segment.p_align);
    pages.wrapping_up(alignments.filter(|align| align.is_power_of_two()).max().unwrap_or(0))
}

#[cfg(all(test, feature = "every-machine"))]
mod tests;
