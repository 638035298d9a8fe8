use super::{Case, words};
use crate::candidate::{Content, Data, Image, Interp, Program};
use crate::elf::consts::EI_OSABI;
use crate::finding::{Finding, Severity};
use crate::loader::Step;
use crate::machine::Libc;

rule! {
    /// # What it means
    /// The program was built for another operating system: macOS, Windows, a BSD, Android.
    /// # How it looks
    /// ash: `syntax error` or `line 1: ...: not found`; bash: `cannot execute binary file: Exec format error`. With a
    /// loader that is not here: `not found`. Static BSD programs start, and die of system calls that mean something
    /// else here.
    /// # Why
    /// The kernel knows ELF only, and does not look at EI_OSABI.
    /// # Fix
    /// Take the build for Linux; with Go, `GOOS=linux`.
    /// # Kernel source
    /// fs/exec.c `search_binary_handler`; fs/binfmt_elf.c `load_elf_binary`.
    "wrong-operating-system", check
}

const TITLE: &str = "%n is built for %0, this machine runs Linux";
const ANDROID: &str = "%n is built for %0, this machine is no Android";
const LOADER: &str = "p PT_INTERP=%1";
const NOTE: &str = "p NT_GNU_ABI_TAG=%2";
const MARK: &str = "p EI_OSABI=%2";
const FORMAT: &str = "p format=%1, %2";
const TAIL: &str = "m machine=%m\nrebuild";

/// Where loaders lie on other systems than Linux.
const LOADERS: [(&[u8], &str); 7] = [
    (b"/system/runtime_loader", "Haiku"),
    (b"/libexec/ld-elf", "FreeBSD"),
    (b"/usr/libexec/ld-elf", "DragonFly BSD"),
    (b"/libexec/ld.elf_so", "NetBSD"),
    (b"/usr/libexec/ld.elf_so", "NetBSD"),
    (b"/usr/libexec/ld.so", "OpenBSD"),
    (b"/usr/lib/ld.so.1", "Solaris"),
];

/// NT_GNU_ABI_TAG; 0 is Linux.
const TAGS: [(u32, &str); 4] = [(1, "GNU Hurd"), (2, "Solaris"), (3, "FreeBSD"), (4, "NetBSD")];

/// EI_OSABI; 0 System V, 3 GNU, 64, 65 and 97 ARM and 255 standalone are used on Linux too.
const OSABIS: [(u32, &str); 7] =
    [(1, "HP-UX"), (2, "NetBSD"), (6, "Solaris"), (7, "AIX"), (8, "IRIX"), (9, "FreeBSD"), (12, "OpenBSD")];

fn check(case: &Case<'_>) -> Option<Finding> {
    match &case.candidate.content {
        Content::Data(Data::MachO(cpu)) => foreign(case, "macOS", "Mach-O", cpu),
        Content::Data(Data::Pe(cpu)) => foreign(case, "Windows", "PE", cpu),
        Content::Elf(program) => elf(case, program),
        _ => None,
    }
}

fn foreign(case: &Case<'_>, system: &str, format: &str, cpu: &str) -> Option<Finding> {
    let words = [TITLE, FORMAT, case.unhandled(words::DATA_AS_SCRIPT), TAIL];
    (!case.starts()).then(|| case.tell(Severity::Error, &words, &[&system, &format, &cpu]))
}

fn elf(case: &Case<'_>, program: &Program) -> Option<Finding> {
    let image = case.image?;
    let mark = by_loader(image).or_else(|| by_note(image)).or_else(|| by_mark(program))?;
    let absent = case.candidate.interpreter.as_ref().is_some_and(|loader| loader.stat.is_err());
    if mark.is_loader && !absent {
        return None;
    }
    let (severity, kernel) = if !mark.is_loader || case.starts() {
        (Severity::Warning, "k does not look at this mark")
    } else if case.ends_at(Step::InterpreterOpen) {
        (Severity::Error, words::NOT_FOUND)
    } else {
        (Severity::Error, "")
    };
    let path = match &image.interp {
        Some(Interp::Path(path)) => path,
        _ => &[][..],
    };
    Some(case.tell(
        severity,
        &[mark.title, kernel, mark.field, TAIL],
        &[&mark.system, &path, &u64::from(mark.number)],
    ))
}

/// By what another system is known.
pub(super) struct Mark {
    title: &'static str,
    system: &'static str,
    /// The evidence, and its number.
    field: &'static str,
    number: u32,
    /// It is the loader that the program names.
    is_loader: bool,
}

pub(super) fn by_loader(image: &Image) -> Option<Mark> {
    let Some(Interp::Path(path)) = &image.interp else { return None };
    if image.interp_libc() == Some(Libc::Bionic) {
        return Some(Mark { title: ANDROID, system: "Android", ..of_loader("") });
    }
    let (_, system) = LOADERS.iter().find(|(start, _)| path.starts_with(start))?;
    Some(of_loader(system))
}

const fn of_loader(system: &'static str) -> Mark {
    Mark { title: TITLE, system, field: LOADER, number: 0, is_loader: true }
}

fn by_note(image: &Image) -> Option<Mark> {
    let number = image.abi_tag?.0;
    Some(Mark { title: TITLE, system: named(&TAGS, number)?, field: NOTE, number, is_loader: false })
}

fn by_mark(program: &Program) -> Option<Mark> {
    let number = u32::from(*program.ident.get(EI_OSABI)?);
    Some(Mark { title: TITLE, system: named(&OSABIS, number)?, field: MARK, number, is_loader: false })
}

fn named(names: &[(u32, &'static str)], number: u32) -> Option<&'static str> {
    names.iter().find(|(of, _)| *of == number).map(|(_, name)| *name)
}
