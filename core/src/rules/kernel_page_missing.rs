use super::Case;
use crate::arch;
use crate::elf::Class;
use crate::finding::Found;
use crate::machine::holds;
use crate::path::Path;
use crate::text::cut_bytes;

rule! {
    /// # What it means
    /// The program calls code that older kernels have at a fixed address of every process, and this one has not.
    /// # How it looks
    /// At the start, or when the time is first asked for; nothing else is printed. dmesg may say `vsyscall attempted with
    /// vsyscall=none`.
    /// # Why
    /// On x86-64 a page at 0xffffffffff600000 has gettimeofday, time and getcpu, which glibc before 2.14 calls in static
    /// programs (CentOS 5 and 6); a kernel with `vsyscall=none` (CONFIG_LEGACY_VSYSCALL_NONE) has nothing there. On ARM the
    /// page at 0xffff0000 has helpers (CONFIG_KUSER_HELPERS), which Go calls in programs for ARMv5 and ARMv6. Where a
    /// process has the page, /proc/self/maps shows it.
    /// # Fix
    /// x86-64: boot with `vsyscall=xonly` (or `emulate`), or take a program of a newer distribution. ARM: build for ARMv7,
    /// `GOARM=7` (`GOARM=7,softfloat` without a VFP, since Go 1.22).
    /// # Kernel source
    /// arch/x86/entry/vsyscall/vsyscall_64.c `emulate_vsyscall`, `get_gate_vma`; arch/arm/kernel/process.c `gate_vma`.
    /// # Example
    /// ```text
    /// machine x86-64
    /// file /proc/self/maps text 00400000-00401000\sr-xp\s00000000\n7ffc00000000-7ffc00001000\sr-xp\s[vdso]\n
    /// file /tmp/old elf x86-64 gcc code=48c7c0000460ffffd0
    /// $ diag /tmp/old
    /// /tmp/old starts on this machine, and will most likely die: it calls the page
    ///   [vsyscall], which this kernel does not have
    /// warning[kernel-page-missing]: /tmp/old calls the page [vsyscall], which this
    ///   kernel does not have
    ///   program: calls [vsyscall]
    ///   machine: /proc/self/maps without [vsyscall]
    ///   kernel:  starts it; the call kills it: SIGSEGV
    ///   you see: Segmentation fault
    ///   fix:     boot the kernel with vsyscall=xonly, or take a build with a newer C
    ///            library
    /// [0]
    /// ```
    KernelPageMissing, looks ["Segmentation fault", "vsyscall attempted with vsyscall=none"],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    if !const { arch::HAS_FIXED_PAGES } || case.foreign || !case.starts() {
        return None;
    }
    let (program, image) = (case.program?, case.declared()?);
    let fixed_page = arch::of(image.header.e_machine)?.fixed_page?;
    // A C library that is loaded is of this machine's own time.
    if image.interp.is_some() && program.go.is_none() {
        return None;
    }
    let maps = case.machine.target.root.read(Path::new("/proc/self/maps"))?.ok()?;
    // A process of another word size has another page, or none.
    if class_of(&maps)? != image.encoding.class || holds(&maps, b"[vsyscall]") || holds(&maps, b"[vectors]") {
        return None;
    }
    let page = fixed_page(program, image)?;
    let fix = if page == "[vectors]" {
        "rebuild it for ARMv7\nrun: GOOS=linux GOARCH=arm GOARM=7,softfloat go build"
    } else {
        "boot the kernel with vsyscall=xonly, or take a build with a newer C library"
    };
    let mut finding = case.warning(format_args!(
        "\
calls the page {page}, which this kernel does not have
program: calls={page}
machine: /proc/self/maps=without {page}
kernel:  starts it; the call kills it: SIGSEGV
you see: Segmentation fault
fix:     {fix}"
    ));
    finding.dies();
    Some(finding)
}

/// The word size of the process that has these areas: some of 64 bits lie beyond 4 GiB.
fn class_of(maps: &[u8]) -> Option<Class> {
    let starts = maps.split(|byte| *byte == b'\n').filter_map(|line| cut_bytes(line, b'-'));
    let longest = starts.map(|(start, _)| start.len()).max()?;
    Some(if longest > 8 { Class::Elf64 } else { Class::Elf32 })
}
