use super::Case;
use super::shown::Size;
use crate::candidate::{Image, Program};
use crate::elf::consts::PF_W;
use crate::exec::Step;
use crate::finding::Found;

rule! {
    /// # What it means
    /// The program needs more memory than this machine has, or has left.
    /// # How it looks
    /// The first within execve, if one segment exceeds RAM and swap; the third is in `dmesg`.
    /// # Why
    /// Counted is what cannot be given back: writable data and bss; of a UPX-packed program all that it unpacks. Code
    /// that is only read is dropped and read again from the file, so a large program runs on a small machine.
    /// # Fix
    /// Stop other services, add swap (zram), or use a smaller program; do not pack it.
    /// # Kernel source
    /// mm/util.c `__vm_enough_memory`; mm/oom_kill.c.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/bss elf mipsel gcc abiflags=32,2,3,0 p_flags=7 p_memsz=104857600
    /// $ diag /tmp/bss
    /// /tmp/bss starts on this machine
    /// warning[not-enough-memory]: /tmp/bss may take 100 MiB of memory, this machine
    ///   has 79.3 MiB left
    ///   program: memory 100 MiB: data and bss
    ///   machine: MemAvailable 79.3 MiB; swap 0 bytes
    ///   kernel:  kills it once memory runs out: SIGKILL
    ///   you see: Killed; dmesg: Out of memory
    ///   fix:     stop other services, or add swap (zram)
    /// [0]
    /// ```
    NotEnoughMemory, looks ["Segmentation fault", "Killed", "Out of memory", "Cannot allocate memory"],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let (program, image) = (case.program?, case.image?);
    let ends_here = case.ends_at(Step::MapMemory);
    // A file for another processor comes to no memory: nothing is asked of this machine's.
    if case.foreign && !ends_here {
        return None;
    }
    let memory = &case.machine.memory();
    let swap = memory.swap.value.unwrap_or(0);
    if ends_here {
        let mut largest = 0;
        for segment in image.loads() {
            largest = segment.p_memsz.max(largest);
        }
        let all = memory.total.value?.saturating_add(swap);
        let (wanted, has, kernel) = (Size(largest), Size(all), case.kernel_says());
        return Some(case.error(format_args!(
            "\
maps {wanted} at once, this machine has {has}
program: p_memsz={largest} bytes
machine: RAM and swap={all} bytes
kernel:  {kernel}
fix:     take a build with a smaller bss, or a machine with more memory"
        )));
    }
    let needed = needed(program, image);
    let available = memory.available.value?;
    if case.foreign || needed <= available.saturating_add(swap) {
        return None;
    }
    let (needed, available, swap) = (Size(needed), Size(available), Size(swap));
    let (when, counted, fix) = if program.upx.is_some() {
        (
            " once it is unpacked",
            "unpacked size",
            "use the unpacked program: its code is read from the file as needed; or add swap (zram)",
        )
    } else {
        ("", "data and bss", "stop other services, or add swap (zram)")
    };
    Some(case.warning(format_args!(
        "\
may take {needed} of memory{when}, this machine has {available} left
program: memory={needed}: {counted}
machine: MemAvailable={available}
machine: swap={swap}
kernel:  later=kills it once memory runs out: SIGKILL
you see: Killed; dmesg: Out of memory
fix:     {fix}"
    )))
}

/// What cannot be dropped and read again from the file.
pub(super) fn needed(program: &Program, image: &Image) -> u64 {
    if let Some(unpacked) = program.upx.and_then(|upx| upx.unpacked) {
        return unpacked;
    }
    let mut sum: u64 = 0;
    for segment in image.loads() {
        let read_again = if segment.p_flags & PF_W == 0 { segment.p_filesz } else { 0 };
        sum = sum.saturating_add(segment.p_memsz.saturating_sub(read_again));
    }
    sum
}
