use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::Case;
use super::shown::Shown;
use super::words::{FAILS, LOADER_CIRCLES};
use crate::exec::{Missing, Outcome, Step};
use crate::finding::{Found, Severity};
use crate::ldso::{Ends, Fault, FaultKind};

rule! {
    /// # What it means
    /// A table that the program's loader works with (PT_DYNAMIC, PT_TLS, a hash table, the symbols) contradicts itself or is
    /// not there: in the program, or in a library of it.
    /// # How it looks
    /// glibc's loader finds some of it out and says so, with status 127; of the rest it dies, and musl's of all.
    /// # Why
    /// The file was damaged, or edited by a tool that does not know all of the format.
    /// # Fix
    /// Compare it with its source (`sha256sum`).
    /// # Kernel source
    /// None: glibc elf/get-dynamic-info.h `elf_get_dynamic_info`, elf/dl-setup_hash.c `_dl_setup_hash`; musl
    /// ldso/dynlink.c `decode_dyn`, `find_sym`.
    /// # Example
    /// ```text
    /// machine x86-64, not by a router's build
    /// file /lib64/ld-linux-x86-64.so.2 elf x86-64 e_type=3 base=0 p_flags=7 soname=ld-linux-x86-64.so.2 strings=/etc/ld.so.cache,/lib/,/usr/lib/
    /// file /lib/libfoo.so elf x86-64 e_type=3 base=0 soname=libfoo.so defines=foo
    /// file /tmp/odd elf x86-64 gcc interp=/lib64/ld-linux-x86-64.so.2 needed=libfoo.so undefined=foo entry=20,17
    /// $ diag /tmp/odd
    /// error[damaged-tables]: /tmp/odd has, or a library of it has, tables that its
    ///   loader cannot use
    ///   program: file /tmp/odd; DT_PLTREL 17
    ///   kernel:  starts it; its loader then ends it, status 127
    ///   you see: Inconsistency detected by ld.so: get-dynamic-info.h:
    ///            elf_get_dynamic_info: Assertion `info[DT_PLTREL]->d_un.d_val ==
    ///            DT_RELA' failed!
    ///   fix:     copy or download it again; size and checksum have to be the same on
    ///            both sides
    ///            sha256sum /tmp/odd
    /// [1]
    /// ```
    DamagedTables, looks [
        "Inconsistency detected by ld.so: get-dynamic-info.h: elf_get_dynamic_info: Assertion",
        "Assertion `(bitmask_nwords & (bitmask_nwords - 1)) == 0' failed!",
        "cannot allocate TLS data structures for initial thread",
        "Segmentation fault", "Bus error", "Illegal instruction",
    ],
    check, quiet after [ChangedByTransfer, UnwrittenContent]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let is_lost = matches!(case.content, Outcome::Unknown { missing: Missing::LostTables });
    let fault = case.link?.fault.as_ref().filter(|fault| fault.kind.row().1 == Step::LoaderTables)?;
    if crate::ROUTER || !(is_lost || fault.lazy || case.ends_at(Step::LoaderTables)) {
        return None;
    }
    let (of, name, number) = (Shown(&fault.of), Shown(&fault.name), fault.number);
    let what = match fault.kind {
        FaultKind::PltRela | FaultKind::PltRel => format!("DT_PLTREL={number}"),
        FaultKind::RelaEntry => format!("DT_RELAENT={number}"),
        FaultKind::RelEntry => format!("DT_RELENT={number}"),
        FaultKind::RelrEntry => format!("DT_RELRENT={number}"),
        FaultKind::EmptyDynamic => "PT_DYNAMIC=empty".to_owned(),
        FaultKind::NoEntrySize => "relocations=without the size of one".to_owned(),
        FaultKind::Filter => format!("DT_GNU_HASH=a filter of {number} words"),
        FaultKind::Unmapped => format!("{name}=leads to where nothing of the file is"),
        FaultKind::WritesNowhere => format!("{name}=changes what cannot be written"),
        FaultKind::JumpsNowhere => format!("{name}=leads to where no code is"),
        FaultKind::NoInstruction => format!("{name}=leads to what is no instruction"),
        FaultKind::Misaligned => format!("{name}=leads into the midst of an instruction"),
        FaultKind::BehindFile => format!("{name}=leads behind the end of the file, which is cut short"),
        FaultKind::AnothersMemory | FaultKind::AnothersTable => format!("{name}=leads out of the file"),
        FaultKind::WrongFunction => format!("{name}=leads to the wrong function"),
        FaultKind::RelativeKind | FaultKind::RelativeKind386 => {
            format!("{name}=counts a relocation that is not relative")
        }
        FaultKind::BoundKind => format!("{name}=binds a function by what is no slot for one"),
        FaultKind::DividesByZero => format!("{name}=without buckets"),
        FaultKind::Circle => format!("{name}=leads in a circle"),
        FaultKind::TlsImage => format!("PT_TLS=p_memsz {number}, which is less than p_filesz"),
        FaultKind::TlsAlignment => "PT_TLS=p_align 0".to_owned(),
        FaultKind::NoTls => "PT_TLS=not there, and a variable of it is asked for".to_owned(),
        FaultKind::TlsPlace => "PT_TLS=leads to where nothing is".to_owned(),
        FaultKind::TlsAbsurd => "PT_TLS=of an absurd size or place".to_owned(),
        FaultKind::TlsMemory | FaultKind::MuslTlsMemory => {
            format!("PT_TLS={number} bytes of all files together")
        }
        FaultKind::NoEarlyInit => format!("{name}=is the C library's, and the file is another"),
        FaultKind::NoHash => "symbols=without DT_HASH or DT_GNU_HASH".to_owned(),
        FaultKind::TablesNowhere => {
            "PT_DYNAMIC=without DT_SYMTAB, DT_STRTAB or the size of a table".to_owned()
        }
        _ => "symbols=without DT_SYMTAB or DT_STRTAB".to_owned(),
    };
    let again = case.copy_again_of(fault);
    let severity = if fault.lazy { Severity::Warning } else { Severity::Error };
    let mut finding = case.about(
        severity,
        format_args!(
            "\
has, or a library of it has, tables that its loader cannot use
program: file={of}
program: {what}
fix:     {again}"
        ),
    );
    tell_fault(&mut finding, case, fault);
    Some(finding)
}

/// How the loader ends a program for the tables of a file.
pub(super) fn tell_fault(finding: &mut Found, case: &Case<'_>, fault: &Fault) {
    let (path, of) = (Shown(&case.candidate.path), Shown(&fault.of));
    let (ends, step) = fault.kind.row();
    let status = if ends == Ends::Goes { 1 } else { 127 };
    match ends {
        Ends::Never if case.reaches_loader() => {
            let once = if fault.lazy { ", once a function is called" } else { "" };
            finding.tell(format_args!("kernel: {LOADER_CIRCLES}{once}"));
        }
        Ends::Somehow if case.reaches_loader() => finding.tell(format_args!("kernel: {FAILS}")),
        Ends::Dies | Ends::Divides | Ends::Misses | Ends::Stops
            if fault.lazy && step == Step::LoaderTables && case.reaches_loader() =>
        {
            finding.tell(format_args!("kernel: starts it; its loader dies once a function is called"));
        }
        Ends::Dies if case.reaches_loader() => {
            finding.tell(format_args!(
                "kernel: starts it; its loader dies of SIGSEGV\nyou see: Segmentation fault"
            ));
        }
        Ends::Divides if case.reaches_loader() => {
            finding.tell(format_args!(
                "kernel: starts it; its loader dies of SIGFPE\nyou see: Floating point exception"
            ));
        }
        Ends::Misses if case.reaches_loader() => {
            finding.tell(format_args!("kernel: starts it; its loader dies of SIGBUS\nyou see: Bus error"));
        }
        Ends::Stops if case.reaches_loader() => {
            finding.tell(format_args!(
                "kernel: starts it; its loader dies of SIGILL\nyou see: Illegal instruction"
            ));
        }
        Ends::Dies
        | Ends::Divides
        | Ends::Misses
        | Ends::Stops
        | Ends::Never
        | Ends::Somehow
        | Ends::Open => {}
        _ if !fault.lazy => finding.tell(format_args!("kernel: {}, status {status}", case.loader_ends())),
        _ if case.reaches_loader() => {
            finding.tell(format_args!("kernel: starts it; once it is called, status 127"));
        }
        _ => return,
    }
    match ends {
        Ends::Asserts([place, condition]) => finding.tell(format_args!(
            "you see: Inconsistency detected by ld.so: {place}: Assertion `{condition}' failed!"
        )),
        Ends::Says(words) => {
            let words = with_number(words, fault.number);
            let (name, words) = match words.strip_prefix("{name}") {
                Some(words) => (Shown(&*fault.name), words),
                None => (Shown(&b""[..]), &*words),
            };
            // elf/dl-reloc.c has no name for the program itself.
            let is_unnamed =
                fault.is_of_program && fault.kind != FaultKind::RelrGuard && step == Step::Relocation;
            let (of, colon) =
                if is_unnamed { (Shown(&b""[..]), "") } else { (Shown(fault.of.as_slice()), ": ") };
            finding.tell(format_args!(
                "you see: {path}: error while loading shared libraries: {of}{colon}{name}{words}"
            ));
        }
        Ends::Fails(words) => finding.tell(format_args!("you see: {words}")),
        Ends::Relocating(words) => {
            let words = with_number(words, fault.number);
            finding.tell(format_args!("you see: Error relocating {of}: {words}"));
        }
        Ends::Goes => {
            let number = fault.number;
            finding
                .tell(format_args!("you see: {path}: {of}: unsupported version {number} of Verdef record"));
        }
        _ => {}
    }
}

/// A loader's words with a number in them: in hexadecimal glibc has two digits of it, or eight.
fn with_number(words: &str, number: u64) -> String {
    let parts = |mark| words.split_once(mark);
    match (parts("{}"), parts("{x}")) {
        (Some((before, behind)), _) => format!("{before}{number}{behind}"),
        (_, Some((before, behind))) if number > 0xff => format!("{before}{number:08x}{behind}"),
        (_, Some((before, behind))) => format!("{before}{number:02x}{behind}"),
        _ => words.to_owned(),
    }
}
