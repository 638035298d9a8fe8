//! mm/mmap.c, mm/util.c: what the kernel says when a range of addresses is asked for (Linux 6.12).

use core::ops::Range;

use super::arch::TaskLayout;
use super::binprm::Pages;
use super::vma::{AddressSpace, Vma};
use super::{Checked, Exit, Missing, Reply, Signal, Step, When, kill, reply};
use crate::elf::Class;
use crate::elf::consts::{EM_ARM, PF_R, PF_W};
use crate::machine::{Machine, family};
use crate::target::Question;

/// MapFlags mmap(2) is asked for an address.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum MapFlags {
    /// The address is a wish; 0 is none.
    Hint,
    Fixed,
    FixedNoReplace,
}

/// What the kernel chooses at random, or when it was built: the highest address there is for it, or the lowest.
#[derive(Clone, Copy)]
pub(super) struct Randomized {
    /// `load_bias` of the program, and TASK_SIZE.
    pub(super) program_high: bool,
    /// `mmap_base`.
    pub(super) mmap_base_high: bool,
}

impl Randomized {
    /// Each with each; but of a TASK_SIZE that is not known both have the same.
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
    machine: &'a Machine<'a>,
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
    /// Bytes mapped.
    total: u64,
    /// What is not certain: it counts where nothing kills for certain.
    uncertain: Option<Exit>,
}

impl<'a> Mm<'a> {
    pub(super) fn new(machine: &'a Machine<'a>, layout: &'static TaskLayout, randomized: Randomized) -> Self {
        let limit = machine.limits().stack.value.filter(|limit| *limit != u64::MAX);
        let lowest_base = limit.map_or(0, |limit| layout.lowest_mmap_base(limit)).max(layout.unmapped_base);
        let wide = machine.kernel().class.value != Some(Class::Elf32);
        let mut mm = Mm {
            machine,
            pages: Pages::of(machine),
            limit: if randomized.program_high { layout.task_size.most } else { layout.task_size.least },
            layout,
            lowest_base,
            word: if wide { u64::MAX } else { u64::from(u32::MAX) },
            randomized,
            vmas: AddressSpace::default(),
            reserved: (0, 0),
            hinted: 0,
            total: 0,
            uncertain: None,
        };
        // fs/exec.c `setup_arg_pages` needs some room for the arguments.
        if machine.limits().stack.value.is_some_and(|limit| limit < 1 << 16) {
            mm.uncertain(Missing::Limits);
        }
        mm
    }

    /// BAD_ADDR.
    pub(super) fn is_bad(&self, address: u64) -> bool {
        address & self.word >= self.limit
    }

    /// Where the stack can be, by the same TASK_SIZE.
    fn stack(&self) -> Range<u64> {
        if family::PAGES {
            self.layout.stack_at(self.randomized.program_high)
        } else {
            self.layout.stack.clone()
        }
    }

    /// What nobody can tell, where it is not known by now.
    pub(super) fn uncertain(&mut self, missing: Missing) {
        self.uncertain = self.uncertain.or(Some(Exit::Unknown(missing)));
    }

    /// Where the kernel may have put something of its own: the stack, and behind it on some architectures the vDSO;
    /// on others that follows, from above, on what was mapped without an address, or in a hole of it.
    pub(super) fn kernels_own(&self) -> [Range<u64>; 2] {
        /// Pages of the vDSO and its data.
        const PAGES: u64 = 32;
        /// Between `mmap_base` and the stack at least, MIN_GAP.
        const GAP: u64 = 100 << 20;
        let pages = self.pages.size().saturating_mul(PAGES);
        let above = if self.hinted == 0 { 0 } else { self.reserved.1.saturating_add(GAP) };
        [
            self.stack().start.max(above)..self.layout.task_size.most,
            self.hinted.saturating_sub(pages)..if self.hinted == 0 { 0 } else { self.reserved.1 },
        ]
    }

    /// All that was mapped, unless there was a doubt.
    pub(super) fn done(self) -> Checked<AddressSpace> {
        match self.uncertain {
            Some(uncertain) => Err(uncertain),
            None => Ok(self.vmas),
        }
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
        let vma = Vma { start, end: start.saturating_add(len), flags, offset: None, of_interpreter: false };
        self.account(&vma)?;
        self.vmas.map(vma);
        Ok(())
    }

    /// mm/mmap.c `__get_unmapped_area`.
    pub(super) fn get_unmapped_area(&mut self, at: u64, len: u64, flags: MapFlags) -> Checked<u64> {
        if len > self.limit {
            return segfault(Step::MapRange);
        }
        if flags == MapFlags::Hint {
            let end = at.saturating_add(len);
            let is_free = at != 0 && end <= self.limit && !self.vmas.is_taken(at, end);
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
        if at > self.limit.wrapping_sub(len) {
            return segfault(Step::MapRange);
        }
        self.security_mmap_addr(at)?;
        let end = at.saturating_add(len);
        if flags == MapFlags::FixedNoReplace && self.vmas.is_taken(at, end) {
            return segfault(Step::MapCollision);
        }
        let is_free = self.reserved.0 <= at && end <= self.reserved.1;
        let stack = self.stack();
        if !is_free && at < stack.end && stack.start < end {
            self.uncertain(Missing::Place);
        }
        if flags == MapFlags::FixedNoReplace {
            self.reserved = (at, end);
        }
        Ok(at)
    }

    /// security/commoncap.c `cap_mmap_addr`; and `arch_mmap_check` of ARM (FIRST_USER_ADDRESS), which bars the address
    /// that is asked for even from root.
    fn security_mmap_addr(&mut self, at: u64) -> Checked {
        const FIRST_USER_ADDRESS: u64 = 8192;
        if at >= self.machine.mmap_min_addr().value.unwrap_or(1 << 16) {
            return Ok(());
        }
        let arm = cfg!(any(feature = "every-machine", target_arch = "arm"));
        let is_arm = arm && self.machine.e_machine() == Some(EM_ARM);
        if is_arm && at < FIRST_USER_ADDRESS {
            return segfault(Step::MapLow);
        }
        match reply(self.machine, Question::LowAddress) {
            Ok(Reply::Works) => {}
            Ok(Reply::Fails) if !is_arm => return segfault(Step::MapLow),
            Ok(_) => self.uncertain(Missing::Answer(Question::LowAddress)),
            Err(exit) => self.uncertain = self.uncertain.or(Some(exit)),
        }
        Ok(())
    }

    /// mm/mmap.c `arch_get_unmapped_area_topdown`.
    fn highest_gap(&mut self, len: u64) -> Checked<u64> {
        let mut top = if self.randomized.mmap_base_high {
            self.layout.mmap_base.end.saturating_sub(1)
        } else {
            self.lowest_base
        };
        loop {
            let Some(at) = top.checked_sub(len).filter(|at| *at >= self.lowest()) else {
                return segfault(Step::MapRange);
            };
            if let Some(start) = self.vmas.highest_start(at, top) {
                top = start;
                continue;
            }
            let at = self.pages.down(at);
            let free = if self.vmas.is_taken(0, at) { at } else { 0 };
            self.reserved = (free, at.saturating_add(len));
            self.hinted = at;
            return Ok(at);
        }
    }

    /// vm.mmap_min_addr.
    fn lowest(&self) -> u64 {
        self.pages.up(self.machine.mmap_min_addr().value.unwrap_or(1 << 16))
    }

    /// A limit of what is mapped.
    fn check_rlimit(&mut self, limit: Option<u64>) -> Checked {
        /// What execve(2) maps besides: stack, arguments, vdso.
        const BESIDES: u64 = 16 << 20;
        let Some(limit) = limit.filter(|limit| *limit != u64::MAX) else { return Ok(()) };
        if limit != 0 && self.total > limit {
            return segfault(Step::MapMemory);
        }
        if self.total.saturating_add(BESIDES) > limit {
            self.uncertain(Missing::Limits);
        }
        Ok(())
    }

    /// mm/util.c `__vm_enough_memory`, mm/mmap.c `may_expand_vm`.
    pub(super) fn account(&mut self, vma: &Vma) -> Checked {
        let machine = self.machine;
        let len = vma.end.wrapping_sub(vma.start);
        self.total = self.total.saturating_add(len);
        let limits = &machine.limits();
        self.check_rlimit(limits.address_space.value)?;
        if !vma.is_accounted() {
            return Ok(());
        }
        self.check_rlimit(limits.data.value)?;
        let memory = &machine.memory();
        let most = match memory.overcommit.value {
            Some(1) => return Ok(()),
            Some(2) => memory.commit.value.unwrap_or(0),
            _ => match (memory.total.value, memory.swap.value) {
                (Some(total), Some(swap)) => total.saturating_add(swap),
                _ => u64::MAX,
            },
        };
        if len <= most {
            return Ok(());
        }
        if memory.overcommit.value == Some(2) {
            // What others have taken changes from moment to moment.
            self.uncertain(Missing::Memory);
            return Ok(());
        }
        segfault(Step::MapMemory)
    }
}

/// What fails after the point of no return.
pub(super) fn segfault<T>(step: Step) -> Checked<T> {
    kill(Signal::SIGSEGV, When::Exec, step)
}
