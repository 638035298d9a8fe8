//! mm/mmap.c, mm/util.c: what the kernel says when a range of addresses is asked for (Linux 6.12).

use core::ops::Range;

use super::arch::TaskLayout;
use super::binprm::{Binprm, Pages};
use super::vma::{AddressSpace, Vma};
use super::{Checked, Exit, Missing, Reply, Signal, Step, When, kill, reply, unknown};
use crate::arch;
use crate::elf::consts::{PF_R, PF_W};
use crate::machine::{Fact, Memory};
use crate::target::Capability;

/// MapFlags mmap(2) is asked for an address.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum MapFlags {
    /// The address is a wish; 0 is none.
    Hint,
    Fixed,
    FixedNoReplace,
}

/// One extreme of what ASLR or the kernel's configuration decides: highest or lowest address.
#[derive(Clone, Copy)]
pub(super) struct Randomized {
    /// `load_bias` of the program, and TASK_SIZE.
    pub(super) program_high: bool,
    /// `mmap_base`.
    pub(super) mmap_base_high: bool,
}

impl Randomized {
    /// All four combinations; only the two equal ones where TASK_SIZE is unknown, since both follow from it.
    pub(super) const fn extremes(layout: &TaskLayout) -> &'static [Randomized] {
        const ALL: &[Randomized] = &[
            Randomized { program_high: false, mmap_base_high: false },
            Randomized { program_high: true, mmap_base_high: true },
            Randomized { program_high: false, mmap_base_high: true },
            Randomized { program_high: true, mmap_base_high: false },
        ];
        if layout.task_size.least == layout.task_size.most { ALL } else { ALL.split_at(2).0 }
    }
}

/// The address space in the making.
pub(super) struct Mm<'a> {
    pub(super) program: &'a Binprm<'a>,
    pub(super) pages: Pages,
    /// Where things can lie.
    pub(super) layout: &'static TaskLayout,
    /// The lowest `mmap_base`.
    lowest_base: u64,
    /// TASK_SIZE.
    pub(super) limit: u64,
    /// unsigned long.
    pub(super) word: u64,
    pub(super) randomized: Randomized,
    pub(super) vmas: AddressSpace,
    /// What the kernel has found free, so that nothing of its own lies there.
    reserved: (u64, u64),
    /// Where the last mapping was put for which there was no address.
    hinted: u64,
    /// What is not certain: it counts where nothing kills for certain.
    pub(super) uncertain: Checked,
}

impl<'a> Mm<'a> {
    pub(super) fn new(program: &'a Binprm<'a>, layout: &'static TaskLayout, randomized: Randomized) -> Self {
        let machine = program.machine;
        let limit = machine.limits().stack.value;
        let lowest_base = limit.map_or(0, |limit| layout.lowest_mmap_base(limit)).max(layout.unmapped_base);
        // fs/exec.c `setup_arg_pages` needs some room for the arguments.
        let has_room = limit.is_none_or(|limit| limit >= 1 << 16);
        Mm {
            program,
            pages: Pages::of(machine),
            limit: if randomized.program_high { layout.task_size.most } else { layout.task_size.least },
            layout,
            lowest_base,
            word: if program.is_wide_kernel() { u64::MAX } else { u64::from(u32::MAX) },
            randomized,
            vmas: AddressSpace::default(),
            reserved: (0, 0),
            hinted: 0,
            uncertain: if has_room { Ok(()) } else { unknown(Missing::Limits) },
        }
    }

    /// BAD_ADDR.
    pub(super) fn is_bad(&self, address: u64) -> bool {
        address >= self.limit
    }

    /// An address, unless it is a bad one.
    pub(super) fn checked(&self, address: u64) -> Checked<u64> {
        if self.is_bad(address) { segfault(Step::MapRange) } else { Ok(address) }
    }

    /// Where the stack can be, by the same TASK_SIZE.
    fn stack(&self) -> Range<u64> {
        if arch::PAGES_DIFFER {
            self.layout.stack_at(self.randomized.program_high)
        } else {
            self.layout.stack.clone()
        }
    }

    /// What nobody can tell, where it is not known by now.
    fn uncertain(&mut self, exit: Exit) {
        if self.uncertain.is_ok() {
            self.uncertain = Err(exit);
        }
    }

    /// Whether the kernel may have put something of its own at an address: the stack, and behind it on some architectures
    /// the vDSO; on others that follows, from above, on what was mapped without an address, or in a hole of it.
    pub(super) fn is_kernels_own(&self, address: u64) -> bool {
        /// Pages of the vDSO and its data.
        const PAGES: u64 = 32;
        /// Between `mmap_base` and the stack at least, MIN_GAP.
        const GAP: u64 = 100 << 20;
        let mut is_above = true;
        if self.hinted != 0 {
            let vdso = self.pages.size().saturating_mul(PAGES);
            if address < self.reserved.1 && address.saturating_add(vdso) >= self.hinted {
                return true;
            }
            is_above = address >= self.reserved.1.saturating_add(GAP);
        }
        is_above && address >= self.stack().start && address < self.layout.task_size.most
    }

    /// `vm_brk_flags`: zeros, in the place of whatever was there.
    pub(super) fn vm_brk(&mut self, start: u64, end: u64, executable: u32) -> Checked {
        let start = self.pages.wrapping_up(start) & self.word;
        let len = self.pages.wrapping_up(end).wrapping_sub(start) & self.word;
        if len == 0 {
            return Ok(());
        }
        self.get_unmapped_area(start, len, MapFlags::Fixed)?;
        let flags = PF_R | PF_W | executable;
        let vma = Vma { start, end: start.wrapping_add(len), flags, shift: None, of_interpreter: false };
        self.account(&vma)?;
        self.vmas.map(vma);
        Ok(())
    }

    /// mm/mmap.c `__get_unmapped_area`. What is given fits below TASK_SIZE.
    pub(super) fn get_unmapped_area(&mut self, at: u64, len: u64, flags: MapFlags) -> Checked<u64> {
        if len > self.limit {
            return segfault(Step::MapRange);
        }
        let fits = at <= self.limit.wrapping_sub(len);
        let end = at.wrapping_add(len);
        if flags == MapFlags::Hint {
            let is_free = at != 0 && fits && !self.vmas.is_taken(at, end);
            // `round_hint_to_min` goes by the higher one of vm.mmap_min_addr and CONFIG_LSM_MMAP_MIN_ADDR, which no file
            // tells.
            let is_low = at < 1 << 16;
            if is_free && (is_low || end > self.stack().start) {
                return Err(Exit::Unknown(Missing::Place));
            }
            if is_free {
                return Ok(at);
            }
            return self.highest_gap(len);
        }
        if !fits {
            return segfault(Step::MapRange);
        }
        self.security_mmap_addr(at)?;
        if flags == MapFlags::FixedNoReplace && self.vmas.is_taken(at, end) {
            return segfault(Step::MapCollision);
        }
        let is_free = self.reserved.0 <= at && end <= self.reserved.1;
        let stack = self.stack();
        if !is_free && at < stack.end && stack.start < end {
            self.uncertain(Exit::Unknown(Missing::Place));
        }
        if flags == MapFlags::FixedNoReplace {
            self.reserved = (at, end);
        }
        Ok(at)
    }

    /// security/commoncap.c `cap_mmap_addr`, and `arch_mmap_check`.
    fn security_mmap_addr(&mut self, at: u64) -> Checked {
        if at >= self.mmap_min_addr() {
            return Ok(());
        }
        let machine = self.program.machine;
        let first_user_address = super::arch::of(machine).map_or(0, |arch| arch.first_user_address);
        if at < first_user_address {
            return segfault(Step::MapLow);
        }
        match reply(machine, Capability::LowAddress) {
            Ok(Reply::Works) => {}
            Ok(Reply::Fails) if first_user_address == 0 => return segfault(Step::MapLow),
            Ok(_) => self.uncertain(Exit::Unknown(Missing::Answer(Capability::LowAddress))),
            Err(exit) => self.uncertain(exit),
        }
        Ok(())
    }

    /// mm/mmap.c `arch_get_unmapped_area_topdown`.
    fn highest_gap(&mut self, len: u64) -> Checked<u64> {
        let lowest = self.pages.up(self.mmap_min_addr());
        let mut top = if self.randomized.mmap_base_high {
            self.layout.mmap_base.end.saturating_sub(1)
        } else {
            self.lowest_base
        };
        loop {
            let at = top.saturating_sub(len);
            if at < lowest || top < len {
                return segfault(Step::MapRange);
            }
            if let Some(start) = self.vmas.highest_start(at, top) {
                top = start;
                continue;
            }
            let at = self.pages.down(at);
            let free = if self.vmas.is_taken(0, at) { at } else { 0 };
            self.reserved = (free, at.wrapping_add(len));
            self.hinted = at;
            return Ok(at);
        }
    }

    /// vm.mmap_min_addr.
    fn mmap_min_addr(&self) -> u64 {
        self.program.machine.mmap_min_addr().value.unwrap_or(1 << 16)
    }

    /// A limit of what is mapped; `besides`: what execve(2) and a loader map on top of that.
    fn check_rlimit(&mut self, limit: &Fact<u64>, mapped: u64, besides: u64, step: Step) -> Checked {
        let Some(limit) = limit.value else { return Ok(()) };
        if limit != 0 && mapped > limit {
            return segfault(step);
        }
        if mapped.saturating_add(besides) > limit {
            self.uncertain(Exit::Unknown(Missing::Limits));
        }
        Ok(())
    }

    /// mm/mmap.c `may_expand_vm`; gives what may be written, with the new mapping.
    fn may_expand_vm(&mut self, vma: &Vma, len: u64) -> Checked<u64> {
        let limits = &self.program.machine.limits();
        // `total_vm`, `data_vm`.
        let (total, data) = self.vmas.sizes_beside(vma.start, vma.end);
        // Stack, arguments, vDSO.
        self.check_rlimit(&limits.address_space, total.saturating_add(len), 4 << 20, Step::AddressLimit)?;
        let data = data.saturating_add(len);
        // Before 4.7 it was for brk(2) alone.
        if vma.is_accounted() && !self.program.kernel.older_than((4, 7, 0)) {
            self.check_rlimit(&limits.data, data, 1 << 20, Step::DataLimit)?;
        }
        Ok(data)
    }

    /// The same on a router, where nobody sets a limit: what alone exceeds one.
    fn check_piece(&mut self, len: u64) -> Checked {
        let limits = &self.program.machine.limits();
        self.check_rlimit(&limits.address_space, len, 16 << 20, Step::MapMemory)
    }

    /// mm/util.c `__vm_enough_memory`, and the limits before it.
    pub(super) fn account(&mut self, vma: &Vma) -> Checked {
        let machine = self.program.machine;
        let len = vma.end.wrapping_sub(vma.start);
        let data = if crate::ROUTER {
            self.check_piece(len)?;
            len
        } else {
            self.may_expand_vm(vma, len)?
        };
        if !vma.is_accounted() {
            return Ok(());
        }
        let memory = &machine.memory();
        let most = match memory.overcommit.value {
            Some(1) => return Ok(()),
            Some(2) => return self.check_commit(memory, data),
            _ => match (memory.total.value, memory.swap.value) {
                (Some(total), Some(swap)) => total.saturating_add(swap),
                _ => u64::MAX,
            },
        };
        if len <= most { Ok(()) } else { segfault(Step::MapMemory) }
    }

    /// OVERCOMMIT_NEVER: all that may be written counts. What others have taken of it changes from moment to moment.
    fn check_commit(&mut self, memory: &Memory, data: u64) -> Checked {
        if !crate::ROUTER && memory.commit_limit.value.is_some_and(|limit| data > limit) {
            return segfault(Step::CommitLimit);
        }
        if data > memory.commit.value.unwrap_or(0) {
            self.uncertain(Exit::Unknown(Missing::Memory));
        }
        Ok(())
    }
}

/// What fails after the point of no return.
pub(super) fn segfault<T>(step: Step) -> Checked<T> {
    kill(Signal::SIGSEGV, When::Exec, step)
}
