use super::Case;
use super::words;
use crate::candidate::{Content, Foreign};
use crate::elf::consts::{EM_AARCH64, EM_X86_64};
use crate::finding::Found;

rule! {
    /// # What it means
    /// The file is an Actually Portable Executable of Cosmopolitan (llamafile, cosmocc): one file for Windows, Linux, macOS
    /// and the BSDs. On Unix it is a shell script that starts the program in it, for x86-64 and mostly AArch64 too.
    /// # How it looks
    /// A shell starts it. What calls execve(2) itself does not: sudo, systemd, env, Python's subprocess, older zsh and fish.
    /// With a rule of binfmt_misc for Windows programs (wine, mono) it starts as one of those.
    /// # Why
    /// It begins with `MZqFpD='` (or `jartsr='`), which is MZ to Windows, and an assignment to a shell. No handler of the
    /// kernel knows it (ENOEXEC).
    /// # Fix
    /// Start it by a shell; or install Cosmopolitan's loader, `ape`, with its rule for binfmt_misc. On other processors build
    /// it from its source, or take a build for Linux.
    /// # Kernel source
    /// fs/exec.c `search_binary_handler`.
    /// # Example
    /// ```text
    /// machine x86-64
    /// file /tmp/llamafile text MZqFpD='\n\n\x00'\nm=$(uname -m)\nif [ "$m" = aarch64 ]; then\n
    /// $ diag /tmp/llamafile
    /// error[cosmopolitan-program]: /tmp/llamafile is a Cosmopolitan program (APE),
    ///   which a shell starts, and the kernel does not
    ///   program: format APE
    ///   kernel:  ENOEXEC
    ///   you see: ash and bash run it as the shell script that it is, too; others: Exec
    ///            format error
    ///   fix:     start it by a shell; or install its loader (ape) and the rule of
    ///            binfmt_misc for it
    ///            sh /tmp/llamafile
    /// [1]
    /// ```
    CosmopolitanProgram, looks [
        "Exec format error",
        "exec format error",
        "run-detectors: unable to find an interpreter",
        "this ape program lacks mips support",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let Content::Foreign(Foreign::Ape(has_aarch64)) = case.candidate.content else { return None };
    if case.starts() {
        return None;
    }
    let own = case.machine.e_machine();
    let runs = "ENOEXEC\nyou see: ash and bash run it as the shell script that it is, too; others: Exec format error";
    let lacks = "ENOEXEC\nyou see: this ape program lacks ... support";
    if own == Some(EM_X86_64) || own == Some(EM_AARCH64) && has_aarch64 {
        return Some(case.error(format_args!(
            "\
is a Cosmopolitan program (APE), which a shell starts, and the kernel does not
program: format=APE
kernel:  {}
fix:     start it by a shell; or install its loader (ape) and the rule of binfmt_misc for it
run:     sh {}",
            case.unhandled(runs),
            case.argument()
        )));
    }
    let code = if has_aarch64 { "x86-64, AArch64" } else { "x86-64" };
    let processor = own.map_or("", words::processor);
    let machine = case.machine_name();
    Some(case.error(format_args!(
        "\
is a Cosmopolitan program (APE) for {code}, this machine is {processor}
program: format=APE
program: architecture={code}
machine: machine={machine}
kernel:  {}
fix:     {}",
        case.unhandled(lacks),
        case.rebuild()
    )))
}
