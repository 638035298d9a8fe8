use super::Case;
use super::shown::Size;
use crate::candidate::damage::Fill;
use crate::candidate::{Image, Interp};
use crate::elf::ProgramHeader;
use crate::exec::{Pages, Step};
use crate::finding::{Certainty, Found, Severity};

rule! {
    /// # What it means
    /// The file has its length, but in places where something has to be it holds only zeros, or only 0xff.
    /// # How it looks
    /// At the start or soon after; a shell says `Permission denied` where the name of the loader is gone.
    /// # Why
    /// The data never reached the medium: the power went before it was written (a file system notes the length first), the
    /// flash or the card is worn, or a copy left a hole. 0xff is erased flash.
    /// # Fix
    /// Copy it again, and let it be written (`sync`) before the power goes. Where it happens again, look at what the kernel
    /// says of the medium (`dmesg`), check the file system, take another card.
    /// # Kernel source
    /// fs/binfmt_elf.c `load_elf_binary`. Zeros are an instruction that faults on x86 (`add %al,(%rax)`), none on arm64,
    /// PowerPC, RISC-V and LoongArch; on MIPS and ARM they do nothing. Loaders: glibc elf/get-dynamic-info.h, musl
    /// ldso/dynlink.c `decode_dyn`.
    /// # Example
    /// ```text
    /// machine x86-64
    /// file /tmp/hello elf x86-64 p_filesz=8192 p_memsz=8192 size=8192 blank=0x78:4096
    /// $ diag /tmp/hello
    /// error[unwritten-content]: /tmp/hello holds only zeros where its code begins
    ///   program: e_entry 0x400078
    ///   kernel:  starts it, and its first instruction fails: SIGSEGV
    ///   you see: Segmentation fault
    ///   fix:     its data never reached the disk: look for errors of that (dmesg),
    ///            then copy or download it again; size and checksum have to be the same
    ///            on both sides
    ///            sha256sum /tmp/hello
    ///            sync
    /// [1]
    /// ```
    UnwrittenContent, looks ["Segmentation fault", "Illegal instruction", "Permission denied"],
    check, quiet after [NotAProgram]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let damage = &case.program?.damage;
    let image = case.declared()?;
    let entry = image.header.e_entry;
    let blank = |entry: &ProgramHeader| *entry == ProgramHeader::default();
    let is_table = !image.table().is_empty() && image.table().iter().all(blank);
    let is_entry = case.ends_at(Step::EntryZeros) || case.ends_at(Step::EntryBlank);
    let no_name = matches!(&image.interp, Some(Interp::Path(name)) if name.is_empty());
    let mut finding = if is_table && !case.starts() {
        let at = image.header.e_phoff;
        case.error(format_args!("holds only zeros where its program headers are\nprogram: e_phoff={at:#x}"))
    } else if no_name && case.ends_at(Step::InterpreterOpen) {
        case.error(format_args!("holds only zeros where the name of its loader is\nprogram: PT_INTERP=empty"))
    } else if let Some(blank) = damage.entry.filter(|_| is_entry || case.starts()) {
        let what = name(blank.fill);
        let severity = if is_entry { Severity::Error } else { Severity::Warning };
        case.about(
            severity,
            format_args!("holds only {what} where its code begins\nprogram: e_entry={entry:#x}"),
        )
    } else if let Some(fill) = damage.dynamic.filter(|_| case.ends_at(Step::NoDynamic) || case.starts()) {
        let what = name(fill);
        let severity = if case.starts() { Severity::Warning } else { Severity::Error };
        case.about(
            severity,
            format_args!("holds only {what} where its dynamic section is\nprogram: PT_DYNAMIC={what}"),
        )
    } else {
        let (fill, from) = damage.end.filter(|_| case.starts())?;
        let size = case.candidate.size()?;
        let (what, run) = (name(fill), Size(size.saturating_sub(from)));
        let mut finding = case.warning(format_args!("ends in {what}: its last {run} were never written"));
        if !reaches_loaded(case, image, from) {
            finding.tell(format_args!("kernel: starts it: it loads nothing of that"));
            finding.certainty = Certainty::Certain;
        }
        finding
    };
    if case.starts() && finding.certainty == Certainty::Likely {
        finding.dies();
    }
    if let Some((fill, from)) = damage.end {
        finding.tell(format_args!("program: {}=from byte {from} to its end", name(fill)));
    }
    if !case.starts() {
        finding.tell(format_args!("kernel: {}", case.kernel_says()));
    }
    finding.tell(format_args!(
        "fix: its data never reached the disk: look for errors of that (dmesg), then {}\nrun: sync",
        case.copy_again()
    ));
    Some(finding)
}

fn name(fill: Fill) -> &'static str {
    match fill {
        Fill::Zeros => "zeros",
        Fill::Ones => "0xff (erased flash)",
    }
}

/// Whether a page or more of a segment is among what was never written.
fn reaches_loaded(case: &Case<'_>, image: &Image, from: u64) -> bool {
    let page = Pages::of(case.machine).size().min(4096);
    image.loads().any(|segment| segment.p_filesz > 0 && segment.file_end() >= from.saturating_add(page))
}
