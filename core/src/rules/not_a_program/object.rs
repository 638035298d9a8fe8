//! ELF files that are no programs: object files, core dumps, shared libraries.
use alloc::vec::Vec;

use super::super::Case;
use super::super::shown::{Shown, list};
use super::super::words::{self, Kernel};
use crate::candidate::Image;
use crate::elf::consts::{EM_BPF, EM_MIPS, ET_CORE, ET_DYN, ET_EXEC, ET_REL};
use crate::elf::{Class, Header};
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
        ET_REL if image.header.e_machine == EM_BPF => (
            "a BPF object, not a program",
            "1 (ET_REL)",
            "the kernel loads it by bpf(2): with the program that it belongs to, with bpftool or tc",
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
        ET_EXEC if !case.starts() && is_kernel(image) => (
            "linked to addresses of the kernel, as vmlinux is, not a program",
            "2 (ET_EXEC)",
            "a boot loader starts it, or kexec",
        ),
        _ if case.ends_at(Step::NoLoader) => return library(case, image),
        _ => return None,
    };
    let kernel = case.answer_at(&[Step::ElfType, Step::CheckArch]);
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

/// Whether it lies where kernels do: the upper half of 64 bits; KSEG0 of MIPS, the last quarter of other 32-bit processors.
fn is_kernel(image: &Image) -> bool {
    let Header { e_machine, e_entry, .. } = image.header;
    let starts = image.loads().next().map_or(0, |segment| segment.p_vaddr);
    match (image.encoding.class, e_machine) {
        // e_entry of x86-64 is a physical address.
        (Class::Elf64, _) => starts >> 63 == 1,
        (Class::Elf32, EM_MIPS) => starts.min(e_entry) >= 0x8000_0000,
        (Class::Elf32, _) => starts.min(e_entry) >= 0xc000_0000,
    }
}

fn library(case: &Case<'_>, image: &Image) -> Option<Found> {
    let dynamic = image.dynamic.as_ref()?;
    let lacks_loader = case.ends_at(Step::NoLoader);
    let is_program = image.header.e_type != ET_DYN || dynamic.is_pie();
    if image.interp.is_some() || is_program && !lacks_loader {
        return None;
    }
    let soname = dynamic.soname.as_deref();
    let has_entry = image.header.e_entry != 0;
    let is_loader = |name: &[u8]| name.starts_with(b"ld") || name.starts_with(b"libc.");
    if has_entry && !lacks_loader && soname.is_none_or(is_loader) {
        return None;
    }
    let kernel = if case.starts() {
        Kernel::Words("starts it; its code expects a program around it")
    } else {
        case.answer_at(&[
            Step::EntryUnmapped,
            Step::EntryNotExecutable,
            Step::EntryIsHeader,
            Step::EntryZeros,
            Step::EntryMode,
            Step::EntryAlignment,
            Step::NoLoader,
        ])
    };
    let dies = !case.starts() && (!has_entry || matches!(kernel, Kernel::Does(_)));
    let severity = if dies { Severity::Error } else { Severity::Warning };
    let needed = list(&mut dynamic.needed.iter().map(Vec::as_slice));
    if is_program {
        return Some(case.about(
            severity,
            format_args!(
                "\
needs libraries, and names no loader that would load them
program: DT_NEEDED={needed}
program: PT_INTERP=none
kernel:  {kernel}
fix:     link it again, without -Wl,--no-dynamic-linker; or statically (-static)"
            ),
        ));
    }
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
        None if has_entry => finding.tell(format_args!("program: DT_NEEDED={needed}")),
        None => finding.tell(format_args!("program: e_entry=0")),
    }
    finding.tell(format_args!(
        "\
kernel:  {kernel}
fix:     start the program that uses it; a library is put where its loader looks (/usr/lib)"
    ));
    Some(finding)
}
