use super::Case;
use super::shown::{Quoted, Shown};
use super::words::BuiltFor;
use crate::candidate::{Candidate, Content, Foreign, Interp, Program};
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
    ///            library; or, to need no loader, take a static build for
    ///            linux-mipsle-softfloat (also named mipsle_softfloat, mipsle-sf,
    ///            mips32le, mipsel_24kc), or rebuild it for this machine
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [1]
    /// ```
    InterpreterUnusable, looks [
        "Accessing a corrupted shared library",
        "Permission denied",
        "Input/output error",
        "Segmentation fault",
    ],
    check, quiet after [ChangedByTransfer]
}

/// What else there is to say of an interpreter.
#[derive(Clone, Copy)]
enum More<'a> {
    /// It is built for this.
    BuiltFor(&'a Program),
    NoExecuteBit,
    Busy,
    Nothing,
}

fn check(case: &Case<'_>) -> Option<Found> {
    let interpreter = case.candidate.interpreter.as_ref()?;
    let Some(Interp::Path(path)) = &case.image?.interp else { return None };
    let is_about = matches!(
        case.step,
        Some(Step::InterpreterOpen | Step::InterpreterShort | Step::InterpreterArch | Step::InterpreterMap)
    );
    if interpreter.found().is_none() || !is_about {
        return None;
    }
    let (what, more) = fault(case, interpreter);
    let (loader, kernel) = (Shown(path), case.kernel_says());
    let mut finding = case.error(format_args!(
        "\
needs the loader {loader}, which is {what}
program: PT_INTERP={loader}"
    ));
    if let More::BuiltFor(program) = more {
        let order = program.declared.as_ref().map_or("", |image| image.encoding.order.name());
        let built_for = BuiltFor(Some(program));
        finding.tell(format_args!(
            "machine: loader built for={built_for}\nmachine: loader's byte order={order}"
        ));
    }
    finding.tell(format_args!("kernel: {kernel}"));
    match more {
        More::NoExecuteBit => {
            finding.tell(format_args!("run: chmod +x {}", Quoted(&interpreter.path)));
        }
        More::Busy => finding.tell(format_args!("fix: wait until its copy has ended")),
        _ => case.tell_rebuild_after(
            &mut finding,
            format_args!("remove that loader if it was copied here, else reinstall the C library"),
            "or, to need no loader,",
        ),
    }
    Some(finding)
}

/// What is wrong with it, and what else there is to say.
fn fault<'a>(case: &Case<'_>, interpreter: &'a Candidate) -> (&'static str, More<'a>) {
    let kind = interpreter.found().map_or(FileKind::Regular, |stat| stat.kind);
    let what = match &interpreter.content {
        _ if kind != FileKind::Regular => kind.name(),
        _ if interpreter.may_execute.is_some_and(|answer| answer.is_err()) => {
            return ("not executable", More::NoExecuteBit);
        }
        _ if interpreter.busy == Some(true) => return ("open for writing", More::Busy),
        _ if interpreter.size() == Some(0) => "empty",
        Content::Elf(_) | Content::Foreign(Foreign::Stub) if case.meets(Step::InterpreterShort) => {
            "cut short"
        }
        Content::Elf(program) if case.meets(Step::InterpreterMap) => {
            return ("a file that cannot be mapped", More::BuiltFor(program));
        }
        Content::Elf(program) => return ("for another machine", More::BuiltFor(program)),
        Content::Script(_) => "a script",
        Content::Foreign(_) => "not an ELF file",
        Content::Unread(_) | Content::Unknown => "not readable",
    };
    (what, More::Nothing)
}
