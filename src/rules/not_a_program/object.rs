//! ELF files that are no programs: object files, core dumps, shared libraries.

use super::super::{Case, words};
use crate::candidate::Image;
use crate::elf::consts::{DF_1_PIE, DT_FLAGS_1, ET_CORE, ET_DYN, ET_REL};
use crate::finding::{Finding, Severity};
use crate::loader::Step;

const MODULE: &str = "\
%n is a kernel module, not a program
p e_type=1 (ET_REL)";
const INSMOD: &str = "> as root:\n$ insmod %f";
const KMOD: &str = "> take the module that was built for this very kernel (OpenWrt: a kmod-* package)";
const OBJECT: &str = "\
%n is an object file (ET_REL), which has not been linked
p e_type=1 (ET_REL)
> link it: call the compiler without -c";
const CORE: &str = "\
%n is a core dump, not a program
p e_type=4 (ET_CORE)
> open it with gdb on the computer, beside the program that left it";
const LIBRARY: &str = "\
%n is a shared library, not a program
p e_type=3 (ET_DYN), without PT_INTERP
> start the program that uses it; a library is put where its loader looks (/usr/lib)";
const SONAME: &str = "p DT_SONAME=%0";
const NO_SONAME: &str = "p e_entry=0";
const STARTS: &str = "k starts it; its code expects a program around it";

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let image = case.image?;
    let is_module = words::bytes(&case.candidate.path).ends_with(b".ko");
    let class = case.machine.kernel.class.value;
    let fits = !case.foreign && !case.is_swapped() && class == Some(image.view.class);
    let words = match image.header.e_type {
        ET_REL if is_module => [MODULE, if fits { INSMOD } else { KMOD }],
        ET_REL => [OBJECT, ""],
        ET_CORE => [CORE, ""],
        ET_DYN => return library(case, image),
        _ => return None,
    };
    let [title, fix] = words;
    let kernel = case.kernel_at(&[Step::ElfType, Step::CheckArch]);
    Some(case.tell(Severity::Error, &[title, kernel, fix], &[]))
}

/// No interpreter and no mark of a static PIE: loaders are such files too, and they do start.
fn library(case: &Case<'_>, image: &Image) -> Option<Finding> {
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
    let dies = [
        Step::EntryUnmapped,
        Step::EntryNotExecutable,
        Step::EntryIsHeader,
        Step::EntryZeros,
        Step::EntryMode,
        Step::EntryAlignment,
    ];
    let fatal = !has_entry || dies.iter().any(|step| case.ends_at(*step));
    let (severity, kernel) = if fatal && !case.starts() {
        (Severity::Error, case.kernel_at(&dies))
    } else {
        (Severity::Warning, if case.starts() { STARTS } else { "" })
    };
    let name = if soname.is_some() { SONAME } else { NO_SONAME };
    Some(case.tell(severity, &[LIBRARY, name, kernel], &[&soname.unwrap_or_default()]))
}
