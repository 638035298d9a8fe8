use super::shown::Shown;
use super::{Case, words};
use crate::candidate::{Content, Foreign, Image, Interp, Program};
use crate::elf::consts::EI_OSABI;
use crate::exec::Step;
use crate::finding::{Found, Severity};
use crate::machine::{Libc, system_of_loader};

rule! {
    /// # What it means
    /// The program was built for another operating system: macOS, Windows, a BSD, Android.
    /// # How it looks
    /// The first two are ash's; the last, where its loader is not here. Static BSD programs start, and die of system
    /// calls that mean something else here.
    /// # Why
    /// The kernel knows ELF only, and does not look at EI_OSABI.
    /// # Fix
    /// Take the build for Linux; with Go, `GOOS=linux`.
    /// # Kernel source
    /// fs/exec.c `search_binary_handler`; fs/binfmt_elf.c `load_elf_binary`.
    /// # Example
    /// ```text
    /// machine x86-64
    /// file /tmp/static elf x86-64 EI_OSABI=9
    /// $ diag /tmp/static
    /// /tmp/static starts on this machine
    /// warning[wrong-operating-system]: /tmp/static is built for FreeBSD, this machine
    ///   runs Linux
    ///   program: EI_OSABI 9
    ///   machine: Intel(R) Celeron(R) J4125 CPU @ 2.00GHz, x86_64
    ///   kernel:  does not look at this mark
    ///   fix:     rebuild it for this machine, or take the build for x86_64
    ///            x86_64-openwrt-linux-musl-gcc -static
    ///            cargo build --release --target x86_64-unknown-linux-musl
    ///            GOOS=linux GOARCH=amd64 go build
    /// [0]
    /// ```
    WrongOperatingSystem, looks [
        "syntax error",
        "line 1: ...: not found",
        "cannot execute binary file: Exec format error",
        "not found",
    ],
    check
}

/// NT_GNU_ABI_TAG; 0 is Linux.
const TAGS: [(u32, &str); 4] = [(1, "GNU Hurd"), (2, "Solaris"), (3, "FreeBSD"), (4, "NetBSD")];

/// EI_OSABI; 0 System V, 3 GNU, 64, 65 and 97 ARM and 255 standalone are used on Linux too.
const OSABIS: [(u32, &str); 7] =
    [(1, "HP-UX"), (2, "NetBSD"), (6, "Solaris"), (7, "AIX"), (8, "IRIX"), (9, "FreeBSD"), (12, "OpenBSD")];

fn check(case: &Case<'_>) -> Option<Found> {
    match &case.candidate.content {
        Content::Foreign(Foreign::MachO(cpu)) => foreign(case, "macOS", "Mach-O", cpu),
        Content::Foreign(Foreign::Pe(cpu)) => foreign(case, "Windows", "PE", cpu),
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
    tell_rest(case, &mut finding, case.unhandled(words::DATA_AS_SCRIPT));
    Some(finding)
}

fn tell_rest(case: &Case<'_>, finding: &mut Found, kernel: &str) {
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
    let (system, mark) = by_loader(image)
        .map(|system| (system, Mark::Loader))
        .or_else(|| by_note(image))
        .or_else(|| by_osabi(program))?;
    let is_absent = case.candidate.interpreter.as_ref().is_some_and(|loader| loader.missing().is_some());
    let is_loader = matches!(mark, Mark::Loader);
    if is_loader && !is_absent {
        return None;
    }
    let (severity, kernel) = if !is_loader || (case.starts() && !case.meets(Step::InterpreterOpen)) {
        (Severity::Warning, "does not look at this mark")
    } else if case.meets(Step::InterpreterOpen) {
        (Severity::Error, words::NOT_FOUND)
    } else {
        (Severity::Error, "")
    };
    let (name, is) = match system {
        Other::Android => ("Android", "is no Android"),
        Other::Named(name) => (name, "runs Linux"),
    };
    let mut finding = case.about(severity, format_args!("is built for {name}, this machine {is}"));
    match (mark, &image.interp) {
        (Mark::Note(number), _) => finding.tell(format_args!("program: NT_GNU_ABI_TAG={number}")),
        (Mark::Osabi(number), _) => finding.tell(format_args!("program: EI_OSABI={number}")),
        (Mark::Loader, Some(Interp::Path(path))) => {
            finding.tell(format_args!("program: PT_INTERP={}", Shown(path)));
        }
        (Mark::Loader, _) => {}
    }
    tell_rest(case, &mut finding, kernel);
    Some(finding)
}

/// Another system.
#[derive(Clone, Copy)]
enum Other {
    /// Linux with Android's loader and libraries.
    Android,
    Named(&'static str),
}

/// By what another system is known.
enum Mark {
    Loader,
    Note(u32),
    Osabi(u8),
}

fn by_loader(image: &Image) -> Option<Other> {
    let Some(Interp::Path(path)) = &image.interp else { return None };
    if image.interp_libc() == Some(Libc::Bionic) {
        return Some(Other::Android);
    }
    Some(Other::Named(system_of_loader(path)?))
}

fn by_note(image: &Image) -> Option<(Other, Mark)> {
    let number = image.abi_tag?.0;
    Some((Other::Named(named(&TAGS, number)?), Mark::Note(number)))
}

fn by_osabi(program: &Program) -> Option<(Other, Mark)> {
    let number = *program.ident.get(EI_OSABI)?;
    Some((Other::Named(named(&OSABIS, number.into())?), Mark::Osabi(number)))
}

fn named(names: &[(u32, &'static str)], number: u32) -> Option<&'static str> {
    names.iter().find(|(of, _)| *of == number).map(|(_, name)| *name)
}
