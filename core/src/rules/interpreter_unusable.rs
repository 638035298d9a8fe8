use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use super::shown::Shown;
use super::{Case, words};
use crate::candidate::{Candidate, Content, Data, Interp};
use crate::exec::Step;
use crate::finding::Finding;
use crate::target::FileKind;

rule! {
    /// # What it means
    /// The loader that the program names (PT_INTERP) exists, but the kernel cannot use it: it is for another machine, is
    /// no ELF file, is not executable, or is damaged.
    /// # How it looks
    /// `Accessing a corrupted shared library` (ELIBBAD; musl has no words for it), `Permission denied`, `Input/output
    /// error`, or `Segmentation fault` within execve.
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
    ///   for another machine: big-endian, MIPS32, o32
    ///   program: PT_INTERP /lib/ld.so.1
    ///   machine: loader for another machine: big-endian, MIPS32, o32
    ///   kernel:  ELIBBAD
    ///   you see: Accessing a corrupted shared library (musl: No error information)
    ///   fix:     remove that loader if it was copied here, else reinstall the C
    ///            library; or, to need no loader, rebuild it for this machine, or take
    ///            the build for mipsel_24kc
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [1]
    /// ```
    InterpreterUnusable, check
}

/// What makes a loader useless.
enum Fault<'a> {
    /// It is no regular file.
    Kind(FileKind),
    NotExecutable,
    Busy,
    Empty,
    CutShort,
    /// What it was built for; its headers are of use for no kernel.
    Unmappable(String),
    /// Its byte order, and what it was built for.
    Foreign(&'a str, String),
    Script,
    NotElf,
    Unreadable,
}

fn check(case: &Case<'_>) -> Option<Finding> {
    let interpreter = case.candidate.interpreter.as_ref()?;
    let Some(Interp::Path(path)) = &case.image?.interp else { return None };
    let steps = [Step::InterpreterOpen, Step::InterpreterShort, Step::InterpreterArch, Step::InterpreterMap];
    if interpreter.found().is_none() || !steps.iter().any(|step| case.meets(*step)) {
        return None;
    }
    let fault = fault(case, interpreter);
    let (file, loader, kernel) = (case.file(), Shown(path), case.kernel_says());
    let fix = match fault {
        Fault::NotExecutable => format!("\nrun: chmod +x {}", words::quoted(&interpreter.path)),
        Fault::Busy => "wait until its copy has ended".to_owned(),
        _ => case.rebuild_after(
            "remove that loader if it was copied here, else reinstall the C library; or, to need no loader,",
        ),
    };
    let what = match fault {
        Fault::Kind(kind) => kind.name().to_owned(),
        Fault::NotExecutable => "not executable".to_owned(),
        Fault::Busy => "open for writing".to_owned(),
        Fault::Empty => "empty".to_owned(),
        Fault::CutShort => "cut short".to_owned(),
        Fault::Unmappable(built_for) => format!("a file that cannot be mapped: {built_for}"),
        Fault::Foreign(order, built_for) => format!("for another machine: {order}, {built_for}"),
        Fault::Script => "a script".to_owned(),
        Fault::NotElf => "no ELF file".to_owned(),
        Fault::Unreadable => "not readable".to_owned(),
    };
    Some(case.error(format_args!(
        "\
{file} needs the loader {loader}, which is {what}
program: PT_INTERP={loader}
machine: loader={what}
kernel:  {kernel}
fix:     {fix}"
    )))
}

fn fault<'a>(case: &Case<'_>, interpreter: &'a Candidate) -> Fault<'a> {
    let kind = interpreter.found().map_or(FileKind::Regular, |stat| stat.kind);
    match &interpreter.content {
        _ if kind != FileKind::Regular => Fault::Kind(kind),
        _ if interpreter.may_execute.is_some_and(|answer| answer.is_err()) => Fault::NotExecutable,
        _ if interpreter.busy == Some(true) => Fault::Busy,
        _ if interpreter.size() == Some(0) => Fault::Empty,
        Content::Elf(_) | Content::Data(Data::Stub) if case.meets(Step::InterpreterShort) => Fault::CutShort,
        Content::Elf(program) => {
            let built_for = words::built_for(Some(program));
            if case.meets(Step::InterpreterMap) {
                return Fault::Unmappable(built_for);
            }
            let order = program.own.as_ref().map_or("", |image| image.encoding.order.name());
            Fault::Foreign(order, built_for)
        }
        Content::Script(_) => Fault::Script,
        Content::Data(_) => Fault::NotElf,
        Content::Unread(_) | Content::Unknown => Fault::Unreadable,
    }
}
