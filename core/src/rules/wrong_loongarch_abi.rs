use super::Case;
use super::shown::Shown;
use super::words::{self, Kernel};
use crate::arch;
use crate::candidate::{Interp, last_name};
use crate::exec::Step;
use crate::finding::{Found, Severity};

rule! {
    /// # What it means
    /// LoongArch has two ABIs that do not mix. The *old world* (ABI 1.0) is that of the vendors' kernels 4.19, of Loongnix, UOS
    /// 20 and Kylin V10; its glibc's loader is /lib64/ld.so.1. The *new world* (ABI 2.0) is that of Linux since 5.19, and of
    /// what Go, Rust, GCC and clang build; its loader is /lib64/ld-linux-loongarch-lp64d.so.1. `uname -m` says loongarch64 in
    /// both.
    /// # How it looks
    /// `not found`, of a program whose loader is not here. With a symbolic link in its place the next two follow. A static
    /// program starts; its calls about signals fail, whose sets have 16 bytes in the old world and 8 in the new one.
    /// # Why
    /// The kernel was merged into Linux with another ABI than the vendors' had.
    /// # Fix
    /// Take the build for the other ABI. On a system of the new world liblol runs programs of the old one.
    /// # Kernel source
    /// fs/binfmt_elf.c `load_elf_binary`: `open_exec(elf_interpreter)`; kernel/signal.c `rt_sigprocmask`, `sigsetsize`.
    /// # Example
    /// ```text
    /// machine x86-64, not by a router's build
    /// file /uname edit 5.15.167 #0 SMP Mon Sep 23 12:34:46 2024 x86_64 => 6.6.73 #1 SMP loongarch64
    /// file /tmp/app elf loongarch64 e_flags=3 interp=/lib64/ld.so.1 needed=libc.so.6
    /// $ diag /tmp/app
    /// error[wrong-loongarch-abi]: /tmp/app is built for LoongArch's old world (ABI
    ///   1.0), this machine is of the new world (ABI 2.0)
    ///   program: PT_INTERP /lib64/ld.so.1; e_flags 0x3
    ///   machine: kernel 6.6.73
    ///   kernel:  ENOENT
    ///   you see: ash: not found, though the file is there; bash: cannot execute:
    ///            required file not found
    ///   fix:     take the build of the new world (loong64, abi2.0); or install liblol,
    ///            which runs programs of the old one
    /// [1]
    /// ```
    WrongLoongarchAbi, looks [
        "not found",
        "cannot stat shared object: Error 38",
        "version `GLIBC_2.36' not found",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let image = case.image?;
    let worlds = arch::worlds(case.machine, case.program?, image)?;
    let lacks_loader = case.meets(Step::InterpreterOpen);
    let loader = case.candidate.interpreter.as_deref().filter(|_| image.interp.is_some() && !lacks_loader);
    let (severity, kernel) = if lacks_loader {
        (Severity::Error, Kernel::Words(words::NOT_FOUND))
    } else if let Some(loader) = loader {
        // Where it is there by its own name, liblol has brought it.
        let name = |path| last_name(words::bytes(path)).1;
        if name(&loader.resolved) == name(&loader.path) {
            return None;
        }
        (Severity::Warning, Kernel::Words("starts the loader that a link leads to, which is the other ABI's"))
    } else if case.starts() {
        let fails =
            "starts it; what it asks of signals, and some of what it asks of files, fails (EINVAL, ENOSYS)";
        (Severity::Warning, Kernel::Words(fails))
    } else {
        return None;
    };
    let (program, machine) = (worlds.program, worlds.machine);
    let may = if worlds.is_certain { "is" } else { "may be" };
    let mut finding = case.about(
        severity,
        format_args!("{may} built for LoongArch's {program}, this machine is of the {machine}"),
    );
    if let Some(Interp::Path(path)) = &image.interp {
        finding.tell(format_args!("program: PT_INTERP={}", Shown(path)));
    }
    let release = case.machine.kernel().release.get().map_or("", |release| release.text.as_str());
    finding.tell(format_args!(
        "\
program: e_flags={:#x}
machine: kernel={}
kernel:  {kernel}
fix:     {}",
        image.header.e_flags,
        Shown(release),
        worlds.fix
    ));
    // Its runtime ends itself where rt_sigprocmask(2) fails (runtime/sys_linux_loong64.s).
    if case.program?.go.is_some() || loader.is_some() {
        finding.dies();
    }
    Some(finding)
}
