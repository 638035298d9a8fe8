//! fs/binfmt_elf.c `load_elf_binary` after its point of no return, over what it uses of mm/mmap.c (Linux 6.12 where
//! nothing else is said). Whatever fails here is SIGSEGV, not an errno.

use super::binprm::{Binprm, Pages};
use super::mmap::{MapFlags, Mm, segfault};
use super::vma::Vma;
use super::{Checked, Exit, Signal, Step, When};
use crate::candidate::Image;
use crate::elf::consts::{ET_DYN, ET_EXEC, PF_W, PF_X};
use crate::elf::{Class, ProgramHeader};
use crate::machine::{KernelFacts, Version, decimal, parts};

/// A file whose segments are being mapped, with the variables that the kernel keeps of it.
struct Loading<'a> {
    bprm: &'a Binprm<'a>,
    is_interpreter: bool,
    /// Whether its segments are mapped by `elf_load`, each with its zeros.
    has_elf_load: bool,
    /// `load_bias`, `load_addr`: what is added to its addresses.
    bias: u64,
    /// `total_size`: of the whole image, so that all of it finds room; 0 where it is not asked for.
    total: u64,
    flags: MapFlags,
    /// Those of the segments behind the first.
    later_flags: MapFlags,
    bss: Bss,
}

/// Maps the program and its interpreter; gives what is added to the addresses of the file that runs first.
pub(super) fn map_all(mm: &mut Mm<'_>, interpreter: Option<&Binprm<'_>>) -> Checked<u64> {
    let mut bias = mm.load_program(interpreter.is_some())?;
    match interpreter {
        Some(interpreter) => bias = mm.interpreter(interpreter, bias)?,
        None if mm.is_bad(mm.program.image.header.e_entry.wrapping_add(bias) & mm.word) => {
            return segfault(Step::EntryRange);
        }
        None => {}
    }
    mm.uncertain?;
    Ok(bias)
}

impl Mm<'_> {
    /// The program's PT_LOADs; gives `load_bias`.
    fn load_program(&mut self, has_interpreter: bool) -> Checked<u64> {
        let bprm = self.program;
        let kernel = bprm.kernel;
        // Since 4.17 what lies there is not replaced; from 5.4 to 5.15 it is again. That decides nothing: all that can lie
        // there is the stack, and where that is nobody knows.
        let first_flags =
            if kernel.older_than((4, 17, 0)) { MapFlags::Fixed } else { MapFlags::FixedNoReplace };
        // Later segments replace what they meet; but from 4.17 to 5.3 and 4.19.78.
        let replaces = !kernel.older_than((5, 4, 0)) || is_within(kernel, (4, 19, 79), (4, 20, 0));
        let mut file = Loading {
            bprm,
            is_interpreter: false,
            has_elf_load: has_elf_load(kernel),
            bias: 0,
            total: 0,
            flags: first_flags,
            later_flags: if replaces { MapFlags::Fixed } else { first_flags },
            bss: Bss::default(),
        };
        if bprm.image.header.e_type == ET_DYN {
            self.relocate(&mut file, has_interpreter)?;
        }
        self.map_segments(&mut file)?;
        // What is behind the last byte of the file is cleared up to the end of its page, whatever it is: where nothing is
        // mapped, or nothing may be written, the program is killed.
        self.set_brk(&file.bss, file.bias)?;
        let Bss { start, end, .. } = file.bss;
        if start != end && !self.padzero(bprm, start.wrapping_add(file.bias) & self.word) {
            return segfault(Step::MapZeros);
        }
        Ok(file.bias)
    }

    /// Where a relocated program goes: with an interpreter to ELF_ET_DYN_BASE; without, it is one itself, and goes to
    /// where mmap(2) puts it, which a large alignment needs to know first.
    fn relocate(&mut self, file: &mut Loading<'_>, has_interpreter: bool) -> Checked {
        let Some(first) = file.bprm.image.loads().next() else { return Ok(()) };
        let kernel = file.bprm.kernel;
        file.total = total_mapping_size(file.bprm, self.pages);
        if file.total == 0 {
            return segfault(Step::MapRange);
        }
        let alignment = maximum_alignment(file.bprm.image, self.pages);
        let aligned = if alignment == 0 { u64::MAX } else { alignment.wrapping_neg() };
        let bias = |base: u64| self.pages.down(base.wrapping_sub(first.p_vaddr)) & self.word;
        if has_interpreter {
            let range = &self.layout.et_dyn_base;
            let mut base = if self.randomized.program_high { range.end.wrapping_sub(1) } else { range.start };
            if !kernel.older_than((5, 10, 0)) {
                base &= aligned;
            }
            file.bias = bias(base);
            return Ok(());
        }
        file.bias = bias(0);
        file.flags = MapFlags::Hint;
        if alignment > self.pages.size() && aligns_static_pie(kernel) {
            let base = self.elf_load(file, first)?;
            self.vmas.unmap(base, base.saturating_add(self.pages.up(file.total)));
            file.bias = self.pages.down((base & aligned).wrapping_sub(first.p_vaddr)) & self.word;
            file.flags = MapFlags::FixedNoReplace;
        }
        Ok(())
    }

    /// `load_elf_interp`; gives what is added to its addresses.
    fn interpreter(&mut self, bprm: &Binprm<'_>, program_bias: u64) -> Checked<u64> {
        let fail = |exit: Exit| match exit {
            Exit::Killed(
                _,
                _,
                Step::AddressLimit | Step::DataLimit | Step::CommitLimit | Step::MapMemory,
            ) => exit,
            Exit::Killed(..) => Exit::Killed(Signal::SIGSEGV, When::Exec, Step::InterpreterMap),
            other => other,
        };
        self.load_interpreter(bprm, program_bias).map_err(fail)
    }

    fn load_interpreter(&mut self, bprm: &Binprm<'_>, program_bias: u64) -> Checked<u64> {
        let header = &bprm.image.header;
        let fixed = header.e_type == ET_EXEC;
        let mut file = Loading {
            bprm,
            is_interpreter: true,
            // Before 6.7 only what is in the file is mapped; the zeros of all segments follow the last.
            has_elf_load: !bprm.kernel.older_than((6, 7, 0)),
            bias: 0,
            total: total_mapping_size(bprm, self.pages),
            flags: if fixed { MapFlags::Fixed } else { MapFlags::Hint },
            later_flags: MapFlags::Fixed,
            bss: Bss::default(),
        };
        if !matches!(header.e_type, ET_EXEC | ET_DYN) || file.total == 0 {
            return segfault(Step::InterpreterMap);
        }
        if !fixed && program_bias != 0 {
            let vaddr = bprm.image.loads().next().map_or(0, |first| first.p_vaddr);
            file.bias = vaddr.wrapping_neg() & self.word;
        }
        self.map_segments(&mut file)?;
        // What is behind the last byte of the file is cleared, whatever it is, up to the end of its page; from there on
        // zeros are mapped up to the end of the last segment.
        if !self.padzero(bprm, file.bss.start) {
            return segfault(Step::InterpreterMap);
        }
        self.set_brk(&file.bss, 0)?;
        if self.is_bad(header.e_entry.wrapping_add(file.bias) & self.word) {
            return segfault(Step::InterpreterMap);
        }
        Ok(file.bias)
    }

    /// The loop over the PT_LOADs, of `load_elf_binary` and of `load_elf_interp`.
    fn map_segments(&mut self, file: &mut Loading<'_>) -> Checked {
        let mut is_relocated = file.bprm.image.header.e_type == ET_DYN;
        for segment in file.bprm.image.loads() {
            if !file.is_interpreter {
                self.zeros_between(file)?;
            }
            let at = self.elf_load(file, segment)?;
            if is_relocated {
                file.bias = at.wrapping_sub(self.pages.down(segment.p_vaddr)) & self.word;
                is_relocated = false;
            }
            // The kernel adds the bias of an interpreter at once, and that of a program behind the last segment.
            let bias = if file.is_interpreter { file.bias } else { 0 };
            let start = bias.wrapping_add(segment.p_vaddr) & self.word;
            let fits = !self.is_bad(start)
                && segment.p_filesz <= segment.p_memsz
                && segment.p_memsz <= self.limit
                && self.limit.wrapping_sub(segment.p_memsz) >= start;
            if !fits {
                return segfault(Step::MapRange);
            }
            if !file.has_elf_load {
                file.bss.extend(segment, start, self.word);
            }
            file.flags = file.later_flags;
            file.total = 0;
        }
        Ok(())
    }

    /// Without `elf_load`: before the next segment is mapped, zeros behind those that came before. That the rest of a
    /// page cannot be cleared is ignored here.
    fn zeros_between(&mut self, file: &Loading<'_>) -> Checked {
        let Bss { start, end, .. } = file.bss;
        if end > start {
            self.set_brk(&file.bss, file.bias)?;
            let from = start.wrapping_add(file.bias) & self.word;
            let rest = self.pages.rest(from);
            self.clear_user(file.bprm, from, rest.min(end.wrapping_sub(start)));
        }
        Ok(())
    }

    /// `set_brk`: whole pages of zeros.
    fn set_brk(&mut self, bss: &Bss, bias: u64) -> Checked {
        let page = |address: u64| self.pages.wrapping_up(bias.wrapping_add(address)) & self.word;
        let (start, end) = (page(bss.start), page(bss.end));
        if end > start { self.vm_brk(start, end, bss.flags) } else { Ok(()) }
    }

    /// `elf_load`: the file's part, and zeros behind it; before there was one, the file's part alone. Gives the address of
    /// the first page.
    fn elf_load(&mut self, file: &Loading<'_>, segment: &ProgramHeader) -> Checked<u64> {
        let pages = self.pages;
        let mut at = pages.down(file.bias.wrapping_add(segment.p_vaddr) & self.word);
        let mut zeros = at;
        let offset = segment.p_vaddr & pages.within();
        let end = |at: u64, size: u64| at.wrapping_add(offset).wrapping_add(size);
        let has_zeros = file.has_elf_load && segment.p_memsz > segment.p_filesz;
        if !file.has_elf_load || segment.p_filesz > 0 {
            at = self.elf_map(file, segment, at)?;
            zeros = end(at, segment.p_filesz) & self.word;
            let is_checked = || segment.p_flags & PF_W != 0 && !file.bprm.kernel.older_than((6, 7, 0));
            if has_zeros && !self.padzero(file.bprm, zeros) && is_checked() {
                return segfault(Step::MapZeros);
            }
        }
        if has_zeros {
            self.vm_brk(zeros, end(at, segment.p_memsz) & self.word, segment.p_flags & PF_X)?;
        }
        self.checked(at)
    }

    /// `elf_map`.
    fn elf_map(&mut self, file: &Loading<'_>, segment: &ProgramHeader, at: u64) -> Checked<u64> {
        let pages = self.pages;
        let within = segment.p_vaddr & pages.within();
        let size = pages.wrapping_up(segment.p_filesz.wrapping_add(within)) & self.word;
        if size == 0 {
            return self.checked(at);
        }
        let offset = segment.p_offset.wrapping_sub(within) & self.word;
        let len = if file.total == 0 { size } else { pages.wrapping_up(file.total) & self.word };
        // Before the range, which an offset below 0 leaves, too: to the kernel both are EINVAL.
        if offset & pages.within() != 0 {
            return segfault(Step::MapAlignment);
        }
        let end = offset.saturating_add(len);
        if len == 0 || end > self.word || i64::try_from(end).is_err() {
            return segfault(Step::MapRange);
        }
        let at = self.get_unmapped_area(at, len, file.flags)?;
        let vma = Vma {
            start: at,
            end: at.wrapping_add(len),
            flags: segment.p_flags,
            shift: Some(offset.wrapping_sub(at)),
            of_interpreter: file.is_interpreter,
        };
        self.account(&vma)?;
        self.vmas.map(vma);
        if len > size {
            self.vmas.unmap(at.wrapping_add(size), at.wrapping_add(len));
        }
        Ok(at)
    }

    /// `padzero`: whether the rest of the page can be cleared.
    fn padzero(&mut self, bprm: &Binprm<'_>, from: u64) -> bool {
        let rest = self.pages.rest(from);
        rest == 0 || self.clear_user(bprm, from, rest)
    }

    /// `clear_user` within a page: whether it is there, and may be written.
    fn clear_user(&mut self, bprm: &Binprm<'_>, from: u64, len: u64) -> bool {
        let Some(vma) = self.vmas.at(from) else { return false };
        if vma.flags & PF_W == 0 || vma.is_lost(from, bprm.size(), self.pages) {
            return false;
        }
        let zeros = Vma { start: from, end: from.wrapping_add(len), shift: None, ..*vma };
        self.vmas.map(zeros);
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
    /// With a segment that begins at `start`.
    fn extend(&mut self, segment: &ProgramHeader, start: u64, word: u64) {
        self.start = self.start.max(start.wrapping_add(segment.p_filesz) & word);
        let end = start.wrapping_add(segment.p_memsz) & word;
        if end > self.end {
            self.end = end;
            self.flags = segment.p_flags & PF_X;
        }
    }
}

/// Whether a release is one of a series, from one on.
fn is_within(kernel: &KernelFacts, from: Version, before: Version) -> bool {
    !kernel.older_than(from) && kernel.older_than(before)
}

/// Whether the kernel loads a program's segments one by one, each with its zeros ("binfmt_elf: Support segments with 0
/// filesz and misaligned starts"): since 6.7, 6.6.92 and 6.1.140. Those two lack the check of `padzero`, and load an
/// interpreter as before.
fn has_elf_load(kernel: &KernelFacts) -> bool {
    !kernel.older_than((6, 7, 0)) || is_late_6_6_or_6_1(kernel)
}

/// "binfmt_elf: Honor PT_LOAD alignment for static PIE": since 6.11, 6.6.92 and 6.1.140.
fn aligns_static_pie(kernel: &KernelFacts) -> bool {
    !kernel.older_than((6, 11, 0)) || is_late_6_6_or_6_1(kernel)
}

fn is_late_6_6_or_6_1(kernel: &KernelFacts) -> bool {
    is_within(kernel, (6, 6, 92), (6, 7, 0))
        || is_within(kernel, (6, 1, 140), (6, 2, 0))
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
    // elf_addr_t
    let mask = if bprm.image.encoding.class == Class::Elf64 { u64::MAX } else { u64::from(u32::MAX) };
    let by_order = bprm.kernel.older_than((5, 18, 0));
    let (mut lowest, mut highest) = (None, 0);
    for segment in bprm.image.loads() {
        let end = segment.p_vaddr.wrapping_add(segment.p_memsz) & mask;
        if by_order || end > highest {
            highest = end;
        }
        if lowest.is_none_or(|lowest| !by_order && segment.p_vaddr < lowest) {
            lowest = Some(segment.p_vaddr);
        }
    }
    highest.wrapping_sub(pages.down(lowest.unwrap_or(0))) & mask
}

/// `maximum_alignment`.
fn maximum_alignment(image: &Image, pages: Pages) -> u64 {
    let mut alignment = 0;
    for segment in image.loads() {
        if segment.p_align > alignment && segment.p_align.is_power_of_two() {
            alignment = segment.p_align;
        }
    }
    pages.wrapping_up(alignment)
}

#[cfg(all(test, feature = "every-machine"))]
mod tests;
