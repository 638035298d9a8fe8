use super::Case;
use crate::candidate::{Image, Program};
use crate::elf::consts::PF_W;
use crate::finding::{Finding, Severity};
use crate::loader::Step;

rule! {
    /// # What it means
    /// The program needs more memory than this machine has, or has left.
    /// # How it looks
    /// `Segmentation fault` within execve, if one segment exceeds RAM and swap; else `Killed`, and `dmesg` says `Out of
    /// memory`; `Cannot allocate memory`.
    /// # Why
    /// Counted is what cannot be given back: writable data and bss; of a UPX-packed program all that it unpacks. Code
    /// that is only read is dropped and read again from the file, so a large program runs on a small machine.
    /// # Fix
    /// Stop other services, add swap (zram), or use a smaller program; do not pack it.
    /// # Kernel source
    /// mm/util.c `__vm_enough_memory`; mm/oom_kill.c.
    "not-enough-memory", check
}

const AT_ONCE: &str = "\
%n maps %s0 at once, this machine has %s1
p p_memsz=%0 bytes
m RAM and swap=%1 bytes
k %k
> take a build with a smaller bss, or a machine with more memory";
const DATA: &str = "\
%n may take %s0 of memory, this machine has %s1 left
p memory=%s0: data and bss
> stop other services, or add swap (zram)";
const UNPACKED: &str = "\
%n may take %s0 of memory once it is unpacked, this machine has %s1 left
p memory=%s0: unpacked size
> use the unpacked program: its code is read from the file as needed; or add swap (zram)";
const LEFT: &str = "\
m MemAvailable=%s1 (swap: %s2)
k later=Killed; dmesg: Out of memory";

fn check(case: &Case<'_>) -> Option<Finding> {
    let (program, image) = (case.program?, case.image?);
    let ends_here = case.ends_at(Step::MapMemory);
    if case.foreign && !ends_here {
        return None;
    }
    let memory = &case.machine.memory;
    let swap = memory.swap.value.unwrap_or(0);
    if ends_here {
        let mut largest = 0;
        for segment in image.loads() {
            largest = segment.p_memsz.max(largest);
        }
        let all = memory.total.value?.saturating_add(swap);
        return Some(case.tell(Severity::Error, &[AT_ONCE], &[&largest, &all]));
    }
    let needed = needed(program, image);
    let available = memory.available.value?;
    if case.foreign || needed <= available.saturating_add(swap) {
        return None;
    }
    let words = if program.upx.is_some() { UNPACKED } else { DATA };
    Some(case.tell(Severity::Warning, &[words, LEFT], &[&needed, &available, &swap]))
}

/// What cannot be dropped and read again from the file.
fn needed(program: &Program, image: &Image) -> u64 {
    if let Some(unpacked) = program.upx.and_then(|upx| upx.unpacked) {
        return unpacked;
    }
    let mut needed = 0_u64;
    for segment in image.loads() {
        let read_again = if segment.p_flags & PF_W == 0 { segment.p_filesz } else { 0 };
        needed = needed.saturating_add(segment.p_memsz.saturating_sub(read_again));
    }
    needed
}
