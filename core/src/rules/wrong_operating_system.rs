use super::Case;
use super::shown::Shown;
use super::words::{self, Kernel};
use crate::candidate::{Content, Foreign, Interp, Mark, Program};
use crate::exec::Step;
use crate::finding::{Found, Severity};

rule! {
    /// # What it means
    /// The program was built for another operating system: macOS, Windows, a BSD, Solaris, AIX, Android.
    /// # How it looks
    /// The first two are ash's; `not found`, where its loader is not here; the last, of a static program for a BSD: it
    /// starts, and its first system call is another one here.
    /// # Why
    /// The kernel knows ELF only, and looks neither at EI_OSABI nor at the notes by which the BSDs know their own programs.
    /// # Fix
    /// Take the build for Linux; with Go, `GOOS=linux`.
    /// # Kernel source
    /// fs/exec.c `search_binary_handler`; fs/binfmt_elf.c `load_elf_binary`.
    /// # Example
    /// ```text
    /// machine x86-64
    /// file /tmp/static elf x86-64 EI_OSABI=9 note=FreeBSD
    /// $ diag /tmp/static
    /// error[wrong-operating-system]: /tmp/static is built for FreeBSD, this machine
    ///   runs Linux
    ///   program: note FreeBSD
    ///   machine: Intel(R) Celeron(R) J4125 CPU @ 2.00GHz, x86_64
    ///   kernel:  starts it; it dies soon after: SIGSEGV
    ///   you see: Segmentation fault
    ///   fix:     take the build for linux-amd64 (also named x86_64, amd64-v1,
    ///            amd64-compatible), or rebuild it for this machine
    ///            x86_64-openwrt-linux-musl-gcc -static
    ///            cargo build --release --target x86_64-unknown-linux-musl
    ///            GOOS=linux GOARCH=amd64 go build
    /// [1]
    /// ```
    WrongOperatingSystem, looks [
        "syntax error",
        "line 1: ...: not found",
        "cannot execute binary file: Exec format error",
        "not found",
        "Segmentation fault",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    match &case.candidate.content {
        Content::Foreign(Foreign::MachO(cpu)) => foreign(case, "macOS", "Mach-O", cpu),
        Content::Foreign(Foreign::Pe(cpu)) => foreign(case, "Windows", "PE", cpu),
        Content::Foreign(Foreign::System { system, format, cpu }) => foreign(case, system, format, cpu),
        Content::Elf(program) => elf(case, program),
        _ => None,
    }
}

fn foreign(case: &Case<'_>, system: &str, format: &str, cpu: &str) -> Option<Found> {
    if case.starts() {
        return None;
    }
    let cpu = Shown(cpu);
    let mut finding = case.error(format_args!(
        "\
is built for {system}, this machine runs Linux
program: format={format}
program: architecture={cpu}"
    ));
    tell_rest(case, &mut finding, &case.unhandled(words::DATA_AS_SCRIPT));
    Some(finding)
}

fn tell_rest(case: &Case<'_>, finding: &mut Found, kernel: &Kernel<'_>) {
    let (machine, rebuild) = (case.machine_name(), case.rebuild());
    finding.tell(format_args!(
        "\
machine: machine={machine}
kernel:  {kernel}
fix:     {rebuild}"
    ));
}

fn elf(case: &Case<'_>, program: &Program) -> Option<Found> {
    let image = case.image?;
    let (name, mark, is) = if image.is_for_android() {
        ("Android", Mark::Loader, "is no Android")
    } else {
        let (system, mark) = program.other_system(image)?;
        (system, mark, "runs Linux")
    };
    let is_absent = case.candidate.interpreter.as_ref().is_some_and(|loader| loader.missing().is_some());
    let is_loader = mark == Mark::Loader;
    if is_loader && !is_absent {
        return None;
    }
    let (severity, kernel) = if case.ends_at(Step::OtherSystem) {
        (Severity::Error, case.kernel_says())
    } else if !is_loader || (case.starts() && !case.meets(Step::InterpreterOpen)) {
        (Severity::Warning, Kernel::Words("does not look at this mark"))
    } else if case.meets(Step::InterpreterOpen) {
        (Severity::Error, Kernel::Words(words::NOT_FOUND))
    } else {
        (Severity::Error, Kernel::NOTHING)
    };
    let mut finding = case.about(severity, format_args!("is built for {name}, this machine {is}"));
    match (mark, &image.interp) {
        (Mark::Note(system), _) => finding.tell(format_args!("program: note={system}")),
        (Mark::AbiTag(number), _) => finding.tell(format_args!("program: NT_GNU_ABI_TAG={number}")),
        (Mark::Osabi(number), _) => finding.tell(format_args!("program: EI_OSABI={number}")),
        (Mark::Goos(name), _) => finding.tell(format_args!("program: GOOS={}", Shown(name))),
        (Mark::Loader, Some(Interp::Path(path))) => {
            finding.tell(format_args!("program: PT_INTERP={}", Shown(path)));
        }
        (Mark::Loader, _) => {}
    }
    tell_rest(case, &mut finding, &kernel);
    // Nothing of Linux is known of it: neither a loader, nor a note.
    if matches!(mark, Mark::Osabi(_)) {
        finding.dies();
    }
    Some(finding)
}
