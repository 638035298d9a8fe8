//! ELF files that are no programs: object files, core dumps, shared libraries.
use super::super::Case;
use super::super::shown::Shown;
use super::super::words::{self, Kernel};
use crate::candidate::Image;
use crate::elf::consts::{DF_1_PIE, DT_FLAGS_1, ET_CORE, ET_DYN, ET_REL};
use crate::exec::Step;
use crate::finding::{Found, Severity};

pub(super) fn check(case: &Case<'_>) -> Option<Found> {
    let image = case.image?;
    let class = case.machine.kernel().class.value;
    let is_module = words::bytes(&case.candidate.path).ends_with(b".ko");
    let fits = is_module && !case.foreign && !case.is_swapped() && class == Some(image.encoding.class);
    let (what, e_type, fix) = match image.header.e_type {
        ET_REL if is_module => (
            "a kernel module, not a program",
            "1 (ET_REL)",
            if fits {
                "as root:"
            } else {
                "take the module that was built for this very kernel (OpenWrt: a kmod-* package)"
            },
        ),
        ET_REL => (
            "an object file (ET_REL), which has not been linked",
            "1 (ET_REL)",
            "link it: call the compiler without -c",
        ),
        ET_CORE => (
            "a core dump, not a program",
            "4 (ET_CORE)",
            "open it with gdb on the computer, beside the program that left it",
        ),
        ET_DYN => return library(case, image),
        _ => return None,
    };
    let kernel = case.kernel_at(&[Step::ElfType, Step::CheckArch]);
    let mut finding = case.error(format_args!(
        "\
is {what}
program: e_type={e_type}
kernel:  {kernel}
fix:     {fix}"
    ));
    if fits && image.header.e_type == ET_REL {
        finding.tell(format_args!("run: insmod {}", case.argument()));
    }
    Some(finding)
}

fn library(case: &Case<'_>, image: &Image) -> Option<Found> {
    let dynamic = image.dynamic.as_ref()?;
    if image.interp.is_some() || dynamic.flags(DT_FLAGS_1) & DF_1_PIE != 0 {
        return None;
    }
    let soname = dynamic.soname.as_deref();
    let has_entry = image.header.e_entry != 0;
    let is_loader = |name: &[u8]| name.starts_with(b"ld") || name.starts_with(b"libc.");
    if has_entry && soname.is_none_or(is_loader) {
        return None;
    }
    let kernel = if case.starts() {
        Kernel::Words("starts it; its code expects a program around it")
    } else {
        case.kernel_at(&[
            Step::EntryUnmapped,
            Step::EntryNotExecutable,
            Step::EntryIsHeader,
            Step::EntryZeros,
            Step::EntryMode,
            Step::EntryAlignment,
        ])
    };
    let dies = !case.starts() && (!has_entry || matches!(kernel, Kernel::Does(_)));
    let severity = if dies { Severity::Error } else { Severity::Warning };
    let mut finding = case.about(
        severity,
        format_args!(
            "\
is a shared library, not a program
program: e_type=3 (ET_DYN), without PT_INTERP",
        ),
    );
    match soname {
        Some(name) => finding.tell(format_args!("program: DT_SONAME={}", Shown(name))),
        None => finding.tell(format_args!("program: e_entry=0")),
    }
    finding.tell(format_args!(
        "\
kernel:  {kernel}
fix:     start the program that uses it; a library is put where its loader looks (/usr/lib)"
    ));
    Some(finding)
}
