use super::Case;
use crate::arch;
use crate::exec::Step;
use crate::finding::{Found, Severity};
use crate::machine::Fpu;

rule! {
    /// # What it means
    /// The program was built to use floating-point instructions, and this machine neither has an FPU nor a kernel that
    /// emulates one.
    /// # How it looks
    /// At once or much later.
    /// # Why
    /// The kernel does not look at the float ABI when it starts a program. The first floating-point instruction raises
    /// an exception; without CONFIG_MIPS_FP_SUPPORT (OpenWrt) that is SIGILL. Go's runtime and a hard-float glibc
    /// execute one before `main`: that is certain, and so it is where only the loader is a hard-float glibc's. Other
    /// programs that are marked hard-float may never do so.
    /// # Fix
    /// `GOMIPS=softfloat` (Go), `-msoft-float` (gcc), GOARM=5 on ARM. Go's default is hard float.
    /// # Kernel source
    /// arch/mips/kernel/traps.c `do_cpu`; OpenWrt's target/linux/generic/config-*.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/go elf mipsel go abiflags=32,1,1,0
    /// $ diag /tmp/go
    /// error[hard-float-without-fpu]: /tmp/go is built for hard float, this machine has
    ///   no FPU
    ///   program: built for MIPS32, o32, double float, Go
    ///   machine: FPU absent (started a tiny program that executes mtc1)
    ///   kernel:  starts it; the first floating-point instruction kills it: SIGILL
    ///   you see: Illegal instruction
    ///   fix:     take the build for linux-mipsle-softfloat (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or rebuild it
    ///            for this machine
    ///            GOOS=linux GOARCH=mipsle GOMIPS=softfloat go build
    /// [1]
    /// ```
    HardFloatWithoutFpu, looks ["Illegal instruction"],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let (program, image) = (case.program?, case.image?);
    let fpu = &case.machine.fpu();
    let mark = arch::of(image.header.e_machine).and_then(|arch| (arch.hard_float)(image));
    // What Go writes in the place of a mark.
    let by_go = program.go.as_ref().is_some_and(|go| go.is_hard_float(image));
    let mark = mark.or(by_go.then_some("hard float (Go's hardfloat)"));
    let hard = mark.is_some();
    let of_loader = !hard && crate::exec::has_hard_loader(case.candidate, image);
    let has_fpu = || matches!(fpu.value, Some(Fpu::Hardware | Fpu::Emulated));
    if case.foreign || !(hard || of_loader) || has_fpu() {
        return None;
    }
    let certain = fpu.value.is_some() && crate::exec::executes_fp_at_start(case.candidate, program, image);
    let severity = if certain && !case.starts() { Severity::Error } else { Severity::Warning };
    let kernel = match severity {
        Severity::Error if case.meets(Step::FpInstruction) => {
            "starts it; the first floating-point instruction kills it: SIGILL\nyou see: Illegal instruction"
        }
        _ if case.starts() => {
            "starts it; a floating-point instruction, if it executes one, kills it: SIGILL\nyou see: Illegal instruction"
        }
        _ => "",
    };
    let mark = mark.unwrap_or_default();
    let (file, built_for, rebuild) = (case.file(), case.built_for(), case.rebuild());
    let whose = if of_loader { "'s loader" } else { "" };
    let has = if fpu.value.is_some() { "has" } else { "may have" };
    let (known, source) = (fpu.value.map_or("not known", Fpu::name), fpu.source);
    let mut finding = case.finding(
        severity,
        format_args!(
            "\
{file}{whose} is built for hard float, this machine {has} no FPU
program: built for={built_for}
program: float ABI={mark}
machine: FPU={known} ({source})
kernel:  {kernel}
fix:     {rebuild}"
        ),
    );
    // Whole programs that are marked so do use floating point, sooner or later: of 18 that were tried, none lived.
    if hard && fpu.value.is_some() {
        finding.dies();
    }
    Some(finding)
}
