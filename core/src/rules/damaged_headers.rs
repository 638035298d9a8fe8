use alloc::rc::Rc;

use super::Case;
use crate::candidate::{Image, Interp, Program, TableError};
use crate::elf::consts::{ET_CORE, PF_W, PT_INTERP};
use crate::elf::{Class, ProgramHeader};
use crate::exec::{Outcome, Pages, Step, is_table_too_large};
use crate::finding::{Found, Severity};

rule! {
    /// # What it means
    /// The ELF headers of the file contradict themselves, or ask for what no kernel gives.
    /// # How it looks
    /// The first is ash's, which runs what the kernel refuses as a script; the last comes before the first instruction.
    /// # Why
    /// The file was damaged on its way, edited or stripped by a faulty tool.
    /// # Fix
    /// Compare it with its source (`sha256sum`).
    /// # Kernel source
    /// fs/binfmt_elf.c `load_elf_binary`, `load_elf_phdrs`, `elf_load`.
    /// # Example
    /// ```text
    /// machine x86-64
    /// file /tmp/data elf x86-64 p_flags=6
    /// $ diag /tmp/data
    /// error[damaged-headers]: /tmp/data begins in a segment that is not executable
    ///   program: e_entry 0x400078
    ///   kernel:  starts it, and its first instruction fails: SIGSEGV
    ///   you see: Segmentation fault
    ///   fix:     copy or download it again; size and checksum have to be the same on
    ///            both sides
    ///            sha256sum /tmp/data
    /// [1]
    /// ```
    DamagedHeaders, looks ["syntax error", "Invalid argument", "Segmentation fault"],
    check, quiet after [NotAProgram, ChangedByTransfer, UnwrittenContent, WrongPageSize]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let program = case.program?;
    let step = case.step?;
    // truncated_file's.
    if case.ends_in_header() {
        return None;
    }
    let mut finding = if program.declared.is_none() && matches!(step, Step::ElfType | Step::CheckArch) {
        let [_, _, _, _, class, data, ..] = program.ident;
        case.error(format_args!(
            "\
does not tell its word size or byte order
program: EI_CLASS={class}
program: EI_DATA={data}",
        ))
    } else {
        fault(case, kernels_image(program)?, step)?
    };
    finding.tell(format_args!("kernel: {}", case.kernel_says()));
    if finding.fix.is_none() {
        finding.tell(format_args!("fix: {}", case.copy_again()));
    }
    Some(finding)
}

/// For an outcome that no rule has explained: what the kernel checks, by name.
pub(super) fn unexplained(case: &Case<'_>) -> Option<Found> {
    let step = case.step?.name();
    let does = if matches!(case.content, Outcome::Refused { .. }) { "refuses" } else { "kills" };
    let mut finding =
        case.finding(Severity::Error, format_args!("the kernel {does} {}: {step}", case.file()));
    if case.program.is_some() {
        finding.tell(format_args!("program: built for={}", case.built_for()));
    }
    let (machine, kernel, fix) = (case.machine_name(), case.kernel_says(), case.copy_again());
    finding.tell(format_args!(
        "\
machine: machine={machine}
kernel:  {kernel}
fix:     {fix}"
    ));
    Some(finding)
}

/// What is wrong in the headers; None where another rule explains the step.
fn fault(case: &Case<'_>, image: &Image, step: Step) -> Option<Found> {
    let title = match step {
        Step::ElfType => {
            let e_type = case.image?.header.e_type;
            let title = "is of a type that the kernel does not know";
            return (!matches!(e_type, 1..=ET_CORE))
                .then(|| case.error(format_args!("{title}\nprogram: e_type={e_type}")));
        }
        Step::ProgramHeaders => return table(case, image),
        Step::Interp => return interp(case, image),
        Step::MapAlignment => return alignment(case, image),
        Step::MapRange => return Some(range(case, image)),
        Step::MapZeros => return zeros(case, image),
        Step::MapLow => {
            let title = "has a segment below the lowest address that programs get (vm.mmap_min_addr)";
            return Some(segment(case, title, image.table().first(), &[P_VADDR]));
        }
        Step::MapCollision => {
            let title = "has a segment where the kernel has put something else";
            return Some(segment(case, title, image.table().first(), &[P_VADDR, P_ALIGN]));
        }
        Step::MipsAbiFlags => {
            return Some(case.error(format_args!(
                "\
has MIPS ABI flags that are cut short
program: PT_MIPS_ABIFLAGS=under 24 bytes"
            )));
        }
        Step::GnuProperty => {
            return Some(case.error(format_args!(
                "\
has GNU properties that are cut short, or not in order
program: PT_GNU_PROPERTY=of its own, or of its loader"
            )));
        }
        Step::EntryRange => "begins beyond the address space of programs",
        Step::EntryUnmapped => "begins at an address where it has no segment",
        Step::EntryNotExecutable => "begins in a segment that is not executable",
        Step::EntryIsHeader => "begins at its own ELF header, which is no code",
        Step::EntryZeros => "begins where it holds only zeros, which are no code",
        Step::EntryAlignment => "has an entry point that is not aligned to an instruction",
        Step::NoDynamic => "names a loader, and has no PT_DYNAMIC for it",
        // The file and its place.
        Step::Lookup
        | Step::FileType
        | Step::NoExecMount
        | Step::Permission
        | Step::Busy
        | Step::Read
        | Step::NoHandler
        | Step::MiscInterpreter
        | Step::ScriptLine
        | Step::ScriptInterpreter
        | Step::TooManyInterpreters
        | Step::EnvUsage
        | Step::EnvFolder
        | Step::EnvItself
        | Step::EnvNotFound
        | Step::EnvExec
        // The processor.
        | Step::GoCheck
        | Step::GoInstruction
        | Step::CheckArch
        | Step::Fdpic
        | Step::MipsNan
        | Step::MipsFpAbi
        | Step::EntryMode
        | Step::FpInstruction
        // The loader.
        | Step::InterpreterOpen
        | Step::InterpreterShort
        | Step::InterpreterArch
        | Step::InterpreterMap
        | Step::LoaderRefuses
        | Step::LoaderTables
        | Step::Relocation
        | Step::LibraryMissing
        | Step::LibraryUnusable
        | Step::VersionMissing
        | Step::SymbolMissing
        | Step::NoLoader
        // Another kernel.
        | Step::OtherSystem
        // Memory, and the file's length.
        | Step::MapMemory
        | Step::CommitLimit
        | Step::AddressLimit
        | Step::LibraryLimit
        | Step::DataLimit
        | Step::GoAddresses
        | Step::GoData
        | Step::EntryBeyondFile
        | Step::SegmentBeyondFile
        // What became of its content.
        | Step::EntryBlank
        | Step::Transfer
        | Step::OsCheck
        | Step::Policy => return None,
    };
    let e_entry = image.header.e_entry;
    Some(case.error(format_args!("{title}\nprogram: e_entry={e_entry:#x}")))
}

/// The decoding that the kernel gets on with: the file's own where the kernel has it too.
fn kernels_image(program: &Program) -> Option<&Image> {
    let own = program.declared.as_deref();
    let same = own.and_then(|own| program.as_read_by(own.encoding));
    same.or(program.as_read.first().map(Rc::as_ref)).or(own)
}

fn table(case: &Case<'_>, image: &Image) -> Option<Found> {
    let (entry, number) = (image.header.e_phentsize, image.header.e_phnum);
    let page = Pages::of(case.machine).size();
    let is_over_a_page = is_table_too_large(case.machine.kernel(), &image.header);
    let (reader, bytes, room) = match image.program_headers {
        Err(TableError::Truncated) => return None,
        Err(TableError::EntrySize) => {
            let right = if image.encoding.class == Class::Elf64 { 56 } else { 32 };
            return Some(case.error(format_args!(
                "\
has program headers of {entry} bytes, the kernel's have {right}
program: e_phentsize={entry}"
            )));
        }
        Err(TableError::Empty) => {
            return Some(case.error(format_args!("has no program headers\nprogram: e_phnum={number}")));
        }
        // Too large for those that take one page, or for any kernel.
        _ if is_over_a_page => ("this kernel", page, "one page"),
        Err(TableError::TooLarge) => ("Linux", 65_536, "64 KiB"),
        Ok(_) => return None,
    };
    let most = bytes.checked_div(entry.into()).unwrap_or(0);
    Some(case.error(format_args!(
        "\
has {number} program headers, {reader} reads {most} ({room})
program: e_phnum={number}"
    )))
}

fn interp(case: &Case<'_>, image: &Image) -> Option<Found> {
    let entry = image.table().iter().find(|entry| entry.p_type == PT_INTERP);
    match image.interp.as_ref()? {
        Interp::Size(_) => Some(case.error(format_args!(
            "\
names no loader: its PT_INTERP has a wrong size
program: p_filesz={p_filesz}",
            p_filesz = entry.map_or(0, |entry| entry.p_filesz),
        ))),
        Interp::NotTerminated => Some(case.error(format_args!(
            "has a PT_INTERP that does not end with NUL\nprogram: PT_INTERP=no NUL at its end"
        ))),
        Interp::NegativeOffset => {
            Some(segment(case, "names a loader at a negative place in the file", entry, &[P_OFFSET]))
        }
        Interp::Truncated | Interp::Path(_) => None,
    }
}

fn alignment(case: &Case<'_>, image: &Image) -> Option<Found> {
    let pages = Pages::of(case.machine);
    let page = pages.size();
    let mut crooked: Option<&ProgramHeader> = None;
    for segment in image.loads() {
        let is_crooked = segment.p_offset.wrapping_sub(segment.p_vaddr) & pages.within() != 0;
        // Before 6.7 also one without a file part.
        if is_crooked && crooked.is_none_or(|first| first.p_filesz == 0 && segment.p_filesz > 0) {
            crooked = Some(segment);
        }
    }
    let crooked = crooked?;
    let mut finding = case.error(format_args!("has a segment that does not fit pages of {page} bytes"));
    tell_fields(&mut finding, crooked, &[P_OFFSET, P_VADDR, P_ALIGN]);
    Some(finding)
}

/// The last of the files' parts, where its page is there. One beyond the end of the file is truncated_file's.
fn zeros(case: &Case<'_>, image: &Image) -> Option<Found> {
    let last = last(image, P_FILESZ)?;
    let is_old = case.machine.kernel().older_than((6, 7, 0));
    let is_whole = case.candidate.size()? >= last.file_end();
    (is_old && is_whole && last.p_flags & PF_W == 0).then(|| {
        segment(
            case,
            "has zeros in a page that may not be written, where kernels before 6.7 fill them in",
            Some(last),
            &[P_VADDR, P_FILESZ, P_MEMSZ],
        )
    })
}

fn range(case: &Case<'_>, image: &Image) -> Found {
    let larger = image.loads().find(|segment| segment.p_filesz > segment.p_memsz);
    if larger.is_some() {
        let title = "has a segment that is larger in the file than in memory";
        return segment(case, title, larger, &[P_FILESZ, P_MEMSZ]);
    }
    let last = last(image, P_MEMSZ).or(image.table().first());
    segment(case, "has a segment beyond the address space of programs", last, &[P_VADDR, P_MEMSZ])
}

/// The segment that ends last, by its length in the file or in memory.
fn last(image: &Image, (_, length): Field) -> Option<&ProgramHeader> {
    let (mut last, mut most) = (None, 0);
    for segment in image.loads() {
        let end = segment.p_vaddr.saturating_add(length(segment));
        if end >= most {
            (last, most) = (Some(segment), end);
        }
    }
    last
}

/// A field of a program header: its name, and where it is.
type Field = (&'static str, fn(&ProgramHeader) -> u64);

const P_OFFSET: Field = ("p_offset", |segment| segment.p_offset);
const P_VADDR: Field = ("p_vaddr", |segment| segment.p_vaddr);
const P_FILESZ: Field = ("p_filesz", |segment| segment.p_filesz);
const P_MEMSZ: Field = ("p_memsz", |segment| segment.p_memsz);
const P_ALIGN: Field = ("p_align", |segment| segment.p_align);

/// Something is wrong with these fields of a segment.
fn segment(case: &Case<'_>, title: &str, segment: Option<&ProgramHeader>, fields: &[Field]) -> Found {
    let mut finding = case.error(format_args!("{title}"));
    tell_fields(&mut finding, segment.unwrap_or(&ProgramHeader::default()), fields);
    finding
}

fn tell_fields(finding: &mut Found, segment: &ProgramHeader, fields: &[Field]) {
    for (name, value) in fields {
        finding.tell(format_args!("program: {name}={:#x}", value(segment)));
    }
}
