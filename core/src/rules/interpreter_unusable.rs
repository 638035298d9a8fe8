use super::Case;
use super::shown::{Quoted, Shown};
use super::words::BuiltFor;
use crate::candidate::{Candidate, Content, Foreign, Interp};
use crate::exec::Step;
use crate::finding::Found;
use crate::target::FileKind;

rule! {
    /// # What it means
    /// The loader that the program names (PT_INTERP) exists, but the kernel cannot use it: it is for another machine, is
    /// no ELF file, is not executable, or is damaged.
    /// # How it looks
    /// musl has no words for the first (ELIBBAD); the last comes within execve.
    /// # Why
    /// Often a loader that was copied from another machine, or a symbolic link to the wrong one.
    /// # Fix
    /// Remove what was copied, and build the program for the machine's own C library, or statically.
    /// # Kernel source
    /// fs/binfmt_elf.c `load_elf_binary` and `load_elf_interp`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/glibc elf mipsel gcc e_flags=0x70001007 abiflags=32,2,3,0 interp=/lib/ld.so.1 needed=libc.so.6
    /// file /lib/ld.so.1 elf mips e_type=3 soname=ld.so.1
    /// $ diag /tmp/glibc
    /// error[interpreter-unusable]: /tmp/glibc needs the loader /lib/ld.so.1, which is
    ///   for another machine
    ///   program: PT_INTERP /lib/ld.so.1
    ///   machine: loader built for MIPS32, o32; loader's byte order big-endian
    ///   kernel:  ELIBBAD
    ///   you see: Accessing a corrupted shared library (musl: No error information)
    ///   fix:     remove that loader if it was copied here, else reinstall the C
    ///            library; or, to need no loader, rebuild it for this machine, or take
    ///            the build for mipsel_24kc
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [1]
    /// ```
    InterpreterUnusable, looks [
        "Accessing a corrupted shared library",
        "Permission denied",
        "Input/output error",
        "Segmentation fault",
    ],
    check
}

/// What makes a loader useless.
#[derive(Clone, Copy)]
enum Fault {
    /// It is no regular file.
    Kind(FileKind),
    NotExecutable,
    Busy,
    Empty,
    CutShort,
    /// Its headers are of use for no kernel.
    Unmappable,
    Foreign,
    Script,
    NotElf,
    Unreadable,
}

impl Fault {
    const fn words(self) -> &'static str {
        match self {
            Fault::Kind(kind) => kind.name(),
            Fault::NotExecutable => "not executable",
            Fault::Busy => "open for writing",
            Fault::Empty => "empty",
            Fault::CutShort => "cut short",
            Fault::Unmappable => "a file that cannot be mapped",
            Fault::Foreign => "for another machine",
            Fault::Script => "a script",
            Fault::NotElf => "not an ELF file",
            Fault::Unreadable => "not readable",
        }
    }
}

fn check(case: &Case<'_>) -> Option<Found> {
    let interpreter = case.candidate.interpreter.as_ref()?;
    let Some(Interp::Path(path)) = &case.image?.interp else { return None };
    let steps = [Step::InterpreterOpen, Step::InterpreterShort, Step::InterpreterArch, Step::InterpreterMap];
    if interpreter.found().is_none() || !steps.iter().any(|step| case.meets(*step)) {
        return None;
    }
    let fault = fault(case, interpreter);
    let (file, loader, what, kernel) = (case.file(), Shown(path), fault.words(), case.kernel_says());
    let mut finding = case.error(format_args!(
        "\
{file} needs the loader {loader}, which is {what}
program: PT_INTERP={loader}"
    ));
    if let (Fault::Unmappable | Fault::Foreign, Content::Elf(program)) = (fault, &interpreter.content) {
        let order = program.own.as_ref().map_or("", |image| image.encoding.order.name());
        let built_for = BuiltFor(Some(program));
        finding.tell(format_args!(
            "machine: loader built for={built_for}\nmachine: loader's byte order={order}"
        ));
    }
    finding.tell(format_args!("kernel: {kernel}"));
    match fault {
        Fault::NotExecutable => {
            finding.tell(format_args!("run: chmod +x {}", Quoted(&interpreter.path)));
        }
        Fault::Busy => finding.tell(format_args!("fix: wait until its copy has ended")),
        _ => finding.tell(format_args!(
            "fix: {}",
            case.rebuild_after(
                "remove that loader if it was copied here, else reinstall the C library",
                "or, to need no loader,",
            )
        )),
    }
    Some(finding)
}

fn fault(case: &Case<'_>, interpreter: &Candidate) -> Fault {
    let kind = interpreter.found().map_or(FileKind::Regular, |stat| stat.kind);
    match &interpreter.content {
        _ if kind != FileKind::Regular => Fault::Kind(kind),
        _ if interpreter.may_execute.is_some_and(|answer| answer.is_err()) => Fault::NotExecutable,
        _ if interpreter.busy == Some(true) => Fault::Busy,
        _ if interpreter.size() == Some(0) => Fault::Empty,
        Content::Elf(_) | Content::Foreign(Foreign::Stub) if case.meets(Step::InterpreterShort) => {
            Fault::CutShort
        }
        Content::Elf(_) if case.meets(Step::InterpreterMap) => Fault::Unmappable,
        Content::Elf(_) => Fault::Foreign,
        Content::Script(_) => Fault::Script,
        Content::Foreign(_) => Fault::NotElf,
        Content::Unread(_) | Content::Unknown => Fault::Unreadable,
    }
}
