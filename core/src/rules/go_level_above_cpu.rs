use alloc::string::String;

use super::Case;
use super::shown::Shown;
use crate::candidate::go::setting_name;
use crate::exec::Step;
use crate::exec::go::{GoEnd, GoLacks, lacks};
use crate::finding::{Found, Severity};

rule! {
    /// # What it means
    /// The program is by Go, and was built for a level of the processor that this one does not reach: GOARM, GO386, GOAMD64,
    /// GOARM64, GOPPC64 or GORISCV64.
    /// # How it looks
    /// By the instruction that is missing, or in the words of Go's runtime, with status 1.
    /// # Why
    /// The kernel does not compare levels. Go's runtime does, or executes instructions of the level, before `main`, so that
    /// such a program never runs. Go 1.18 on writes the level into the program, where `go version -m` shows it. Before, it
    /// is not told, and this is a warning where Go's default would die. s390x has no levels: Go 1.22 on asks for a z13.
    /// # Fix
    /// Build for the lower level: `GOARM=5`, `GO386=softfloat`, `GOAMD64=v1`.
    /// # Kernel source
    /// None: Go's runtime/os_linux_arm.go `checkgoarm`, runtime/asm_386.s and asm_amd64.s `rt0_go`,
    /// runtime/os_linux_s390x.go `checkS390xCPU`, runtime/runtime1.go `check`.
    /// # Example
    /// ```text
    /// machine armv7-novfp
    /// file /tmp/esbuild elf arm go-build=go1.24.4;GOARM=7
    /// $ diag /tmp/esbuild
    /// error[go-level-above-cpu]: /tmp/esbuild is built for GOARM=7, this processor
    ///   lacks VFP
    ///   program: GOARM 7 (go1.24.4)
    ///   machine: Features without VFP; cpu model ARMv7 Processor rev 0 (v7l)
    ///   kernel:  starts it; an instruction of that level, before main, kills it:
    ///            SIGILL
    ///   you see: Illegal instruction
    ///   fix:     rebuild it for this machine, or take the build for arm_cortex-a9
    ///            GOOS=linux GOARCH=arm GOARM=5 go build
    /// [1]
    /// ```
    GoLevelAboveCpu, looks [
        "Illegal instruction",
        "This program can only be run on AMD64 processors with v3 microarchitecture support.",
        "This program can only be run on processors with MMX support.",
        "runtime: This CPU has no floating point hardware, so this program cannot be run.",
        "this CPU has no floating point hardware, so it cannot run",
        "this CPU has no VFPv3 floating point hardware, so it cannot run",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let (program, image) = (case.program?, case.declared()?);
    let go = program.go.as_ref().filter(|_| !case.foreign)?;
    let GoLacks { what, source, end, instead } = lacks(case.machine, program, image)?;
    let is_certain = case.meets(Step::GoCheck) || case.meets(Step::GoInstruction);
    let severity = if is_certain { Severity::Error } else { Severity::Warning };
    let name = setting_name(image)?;
    let value = go.level.as_deref().unwrap_or("not told");
    let by_code = if go.is_by_code { "by its code, " } else { "" };
    let version = go.version.as_deref().unwrap_or("Go");
    let is_version = what.starts_with("ARMv") || what.starts_with("POWER");
    let (verb, known) = match end {
        GoEnd::Unknown => ("may lack", "not known whether it has "),
        _ if is_version => ("lacks", "below "),
        _ => ("lacks", "without "),
    };
    let model = Shown(case.machine.cpu().model.get().map_or("not known", String::as_str));
    let mut finding = match &go.level {
        Some(level) => case.about(
            severity,
            format_args!("is built for {name}={}, this processor {verb} {what}", Shown(level)),
        ),
        // Whatever was set.
        None if end != GoEnd::Default => {
            case.about(severity, format_args!("is by Go, this processor {verb} {what}"))
        }
        None => case.about(
            severity,
            format_args!("is by Go, most likely with its default {name}, this processor {verb} {what}"),
        ),
    };
    finding.tell(format_args!(
        "\
program: {name}={} ({by_code}{})
machine: {source}={known}{what}
machine: cpu model={model}",
        Shown(value),
        Shown(version)
    ));
    match end {
        GoEnd::Exits(seen) if is_certain => finding.tell(format_args!(
            "kernel:  starts it; Go's runtime then ends it, status 1\nyou see: {seen}"
        )),
        _ if is_certain || case.starts() => finding.tell(format_args!(
            "kernel:  starts it; an instruction of that level, before main, kills it: SIGILL\nyou see: Illegal instruction"
        )),
        _ => {}
    }
    if end == GoEnd::Default && case.starts() {
        finding.dies();
    }
    if instead.is_empty() {
        finding
            .tell(format_args!("fix: take a program in another language: Go builds none for this processor"));
    } else {
        let openwrt = case.machine.openwrt().arch.get();
        let (or, arch) = openwrt.map_or(("", ""), |arch| (", or take the build for ", arch.as_str()));
        finding.tell(format_args!(
            "fix: rebuild it for this machine{or}{}\nrun: GOOS=linux {instead} go build",
            Shown(arch)
        ));
    }
    Some(finding)
}
