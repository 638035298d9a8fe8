//! Where things can lie in the address space of a program that is being loaded.

use core::ops::Range;

/// A number of which only bounds may be known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Bounds {
    /// It is at least this.
    pub(in super::super) least: u64,
    /// It is at most this.
    pub(in super::super) most: u64,
}

impl Bounds {
    /// A number that is known.
    pub(super) const fn exactly(number: u64) -> Bounds {
        Bounds { least: number, most: number }
    }

    /// Two thirds, as ELF_ET_DYN_BASE is of TASK_SIZE. The kernel divides first.
    pub(super) const fn two_thirds(self) -> Bounds {
        Bounds { least: (self.least / 3).saturating_mul(2), most: (self.most / 3).saturating_mul(2) }
    }
}

/// The addresses that decide whether a segment can be mapped. What is random, or set when the kernel was built, is a
/// range: outside of it the thing certainly does not lie.
pub(in super::super) struct TaskLayout {
    /// TASK_SIZE. At or beyond `most` nothing can be mapped; below `least` the limit is no obstacle; in between it is
    /// not known.
    pub(in super::super) task_size: Bounds,
    /// The stack, when segments are mapped: fs/exec.c `setup_arg_pages`, mm/util.c `randomize_stack_top`. The vDSO
    /// and its like come after the segments.
    pub(in super::super) stack: Range<u64>,
    /// `load_bias` of a relocatable program that has an interpreter, before p_align and p_vaddr are taken into
    /// account: ELF_ET_DYN_BASE, and `arch_mmap_rnd` (fs/binfmt_elf.c `load_elf_binary`).
    pub(in super::super) et_dyn_base: Range<u64>,
    /// The `mmap_base` below which an interpreter, or a relocatable program without one, is mapped: mm/util.c
    /// `mmap_base` with any RLIMIT_STACK. With an infinite one, and vm.legacy_va_layout, it is the base above which
    /// they are (TASK_UNMAPPED_BASE); that lies in the range too.
    pub(in super::super) mmap_base: Range<u64>,
    /// TASK_UNMAPPED_BASE: where there is no room below a low `mmap_base`, it is searched for upwards from there.
    pub(in super::super) unmapped_base: u64,
    /// What is taken off at random for the stack, and for `mmap_base`.
    random: (u64, u64),
}

impl TaskLayout {
    /// The stack where TASK_SIZE is not known, at either end of what it can be.
    pub(in super::super) fn stack_at(&self, most: bool) -> Range<u64> {
        let room = self.random.0.saturating_add(LayoutSpec::STACK);
        let Range { start, end } = self.stack;
        if self.task_size.least == self.task_size.most {
            start..end
        } else if most {
            end.saturating_sub(room)..end
        } else {
            start..start.saturating_add(room)
        }
    }

    /// The lowest `mmap_base` with a limit of the stack (RLIMIT_STACK) that is not infinite: mm/util.c `mmap_base`.
    pub(in super::super) fn lowest_mmap_base(&self, stack_limit: u64) -> u64 {
        /// `stack_guard_gap`, 256 pages: of up to 64 KiB.
        const GUARD: u64 = 16 << 20;
        let (stack, mmap) = self.random;
        let gap = stack_limit.saturating_add(stack).saturating_add(GUARD).max(LayoutSpec::GAP);
        let top = self.stack.end.min(self.task_size.least);
        top.saturating_sub(gap).saturating_sub(mmap)
    }
}

/// What an architecture has to say of it.
pub(super) struct LayoutSpec {
    /// TASK_SIZE.
    pub(super) task_size: Bounds,
    /// STACK_TOP.
    pub(super) stack_top: Bounds,
    /// STACK_RND_MASK in bytes: what `randomize_stack_top` takes off at most.
    pub(super) stack_random: u64,
    /// ELF_ET_DYN_BASE.
    pub(super) et_dyn_base: Bounds,
    /// What `arch_mmap_rnd` adds at most, by the highest vm.mmap_rnd_bits that the configuration allows.
    pub(super) mmap_random: u64,
}

/// 0x7ff pages of 4 KiB: STACK_RND_MASK where an architecture has none of its own, and of 32-bit programs.
pub(super) const STACK_RANDOM_32: u64 = 8 << 20;

/// 0x3ffff pages of 4 KiB: STACK_RND_MASK of arm64, riscv and powerpc for 64-bit programs.
pub(super) const STACK_RANDOM_64: u64 = 1 << 30;

impl LayoutSpec {
    /// MapFlags large the stack can be by then: strings of up to 6 MiB (fs/exec.c `bprm_stack_limits`), 128 KiB more
    /// (`setup_arg_pages`), and what `arch_align_stack` takes off.
    const STACK: u64 = 8 << 20;

    /// The smallest gap below STACK_TOP (mm/util.c, MIN_GAP), where it is less than the largest.
    const GAP: u64 = 128 << 20;

    /// The ranges that follow.
    pub(super) const fn layout(&self) -> TaskLayout {
        let LayoutSpec { task_size, stack_top, stack_random, et_dyn_base, mmap_random } = *self;
        // MAX_GAP is five sixths of STACK_TOP.
        let gap = if (stack_top.most / 6).saturating_mul(5) > Self::GAP { Self::GAP } else { 0 };
        let lowest_stack = stack_top.least.saturating_sub(stack_random).saturating_sub(Self::STACK);
        TaskLayout {
            task_size,
            stack: lowest_stack..stack_top.most,
            et_dyn_base: et_dyn_base.least..et_dyn_base.most.saturating_add(mmap_random).saturating_add(1),
            mmap_base: (stack_top.least / 6).saturating_sub(mmap_random)
                ..stack_top.most.saturating_sub(gap).saturating_add(1),
            unmapped_base: task_size.least / 3,
            random: (stack_random, mmap_random),
        }
    }
}
