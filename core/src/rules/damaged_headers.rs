use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;

use super::{Case, words};
use crate::candidate::{Image, Interp, Program, TableError};
use crate::elf::consts::{ET_CORE, PF_W, PT_INTERP};
use crate::elf::{Class, ProgramHeader};
use crate::exec::{Outcome, Pages, Step};
use crate::finding::Finding;
use crate::machine::Machine;

rule! {
    /// # What it means
    /// The ELF headers of the file contradict themselves, or ask for what this kernel does not give, such as smaller
    /// pages.
    /// # How it looks
    /// `syntax error` from ash (ENOEXEC), `Invalid argument`, or `Segmentation fault` before the first instruction.
    /// # Why
    /// The file was damaged on its way, edited or stripped by a faulty tool; or it was linked for pages of 4 KiB, and
    /// the kernel's have 16 or 64.
    /// # Fix
    /// Compare it with its source (`sha256sum`). For larger pages, link with `-Wl,-z,max-page-size=65536`.
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
    DamagedHeaders, check, quiet after [NotAProgram]
}

/// What is wrong.
struct Fault {
    /// What the title says of the file: "has no program headers".
    title: String,
    /// The fields that are wrong, each on a line of the text.
    program: String,
    /// They are right for smaller pages.
    is_for_small_pages: bool,
}

impl Fault {
    fn new(title: impl Into<String>, program: impl Into<String>) -> Self {
        Fault { title: title.into(), program: program.into(), is_for_small_pages: false }
    }
}

fn check(case: &Case<'_>) -> Option<Finding> {
    let program = case.program?;
    let step = words::step(case.content)?;
    // truncated_file's.
    if case.ends_in_header() {
        return None;
    }
    let (file, kernel, copy_again) = (case.file(), case.kernel_says(), case.copy_again());
    if program.own.is_none() && matches!(step, Step::ElfType | Step::CheckArch) {
        let [_, _, _, _, class, data, ..] = program.ident;
        return Some(case.error(format_args!(
            "\
{file} does not tell its word size or byte order
program: EI_CLASS={class}
program: EI_DATA={data}
kernel:  {kernel}
fix:     {copy_again}"
        )));
    }
    let Fault { title, program, is_for_small_pages } = fault(case, kernels_image(program)?, step)?;
    let fix = if is_for_small_pages {
        "rebuild it for larger pages: link with -Wl,-z,max-page-size=65536"
    } else {
        &copy_again
    };
    Some(case.error(format_args!(
        "\
{file} {title}
program: {program}
kernel:  {kernel}
fix:     {fix}"
    )))
}

/// For an outcome that no rule has explained: what the kernel checks, by name.
pub(super) fn unexplained(case: &Case<'_>) -> Option<Finding> {
    let step = words::step(case.content)?.name();
    let does = if matches!(case.content, Outcome::Refused { .. }) { "refuses" } else { "kills" };
    let built_for = if case.program.is_some() { case.built_for() } else { String::new() };
    let (file, machine, kernel) = (case.file(), case.machine_name(), case.kernel_says());
    let fix = case.copy_again();
    Some(case.error(format_args!(
        "\
the kernel {does} {file}: {step}
program: built for={built_for}
machine: machine={machine}
kernel:  {kernel}
fix:     {fix}"
    )))
}

/// What is wrong in the headers; None where another rule explains the step.
fn fault(case: &Case<'_>, image: &Image, step: Step) -> Option<Fault> {
    let e_type = case.image?.header.e_type;
    let entry = format!("e_entry={:#x}", image.header.e_entry);
    let ProgramHeader { p_vaddr, p_align, .. } = image.table().first().copied().unwrap_or_default();
    Some(match step {
        Step::ElfType if !matches!(e_type, 1..=ET_CORE) => {
            Fault::new("is of a type that the kernel does not know", format!("e_type={e_type}"))
        }
        Step::ProgramHeaders => return table(case.machine, image),
        Step::Interp => return interp(image),
        Step::MapAlignment => return alignment(case.machine, image),
        Step::MapRange => range(image),
        Step::MapZeros => return zeros(case, image),
        Step::MapLow => Fault::new(
            "has a segment below the lowest address that programs get (vm.mmap_min_addr)",
            format!("p_vaddr={p_vaddr:#x}"),
        ),
        Step::MapCollision => Fault::new(
            "has a segment where the kernel has put something else",
            format!("p_vaddr={p_vaddr:#x}\nprogram: p_align={p_align:#x}"),
        ),
        Step::MipsAbiFlags => {
            Fault::new("has MIPS ABI flags that are cut short", "PT_MIPS_ABIFLAGS=under 24 bytes")
        }
        Step::GnuProperty => Fault::new(
            "has GNU properties that are cut short, or not in order",
            "PT_GNU_PROPERTY=of its own, or of its loader",
        ),
        Step::EntryRange => Fault::new("begins beyond the address space of programs", entry),
        Step::EntryUnmapped => Fault::new("begins at an address where it has no segment", entry),
        Step::EntryNotExecutable => Fault::new("begins in a segment that is not executable", entry),
        Step::EntryIsHeader => Fault::new("begins at its own ELF header, which is no code", entry),
        Step::EntryZeros => Fault::new("begins where it holds only zeros, which are no code", entry),
        Step::EntryAlignment => Fault::new("has an entry point that is not aligned to an instruction", entry),
        Step::NoDynamic => Fault::new("names a loader, and has no PT_DYNAMIC for it", entry),
        // The file and its place.
        Step::Lookup
        | Step::FileType
        | Step::NoExecMount
        | Step::Permission
        | Step::Busy
        | Step::NoHandler
        | Step::MiscInterpreter
        | Step::ScriptLine
        | Step::ScriptInterpreter
        | Step::TooManyInterpreters
        // The processor.
        | Step::ElfType
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
        | Step::LibraryMissing
        | Step::LibraryUnusable
        | Step::VersionMissing
        | Step::SymbolMissing
        // Memory, and the file's length.
        | Step::MapMemory
        | Step::EntryBeyondFile
        | Step::SegmentBeyondFile => return None,
    })
}

/// The decoding that the kernel gets on with: the file's own where the kernel has it too.
fn kernels_image(program: &Program) -> Option<&Image> {
    let own = program.own.as_deref();
    let same = own.and_then(|own| program.native_in(own.encoding));
    same.or(program.native.first().map(Rc::as_ref)).or(own)
}

fn table(machine: &Machine, image: &Image) -> Option<Fault> {
    let [entry, number] = [image.header.e_phentsize, image.header.e_phnum].map(u64::from);
    let page = Pages::of(machine).size();
    let most = |bytes: u64| bytes.checked_div(entry).unwrap_or(0);
    let title = match image.program_headers {
        Err(TableError::Truncated) => return None,
        Err(TableError::EntrySize) => {
            let right = if image.encoding.class == Class::Elf64 { 56 } else { 32 };
            return Some(Fault::new(
                format!("has program headers of {entry} bytes, the kernel's have {right}"),
                format!("e_phentsize={entry}"),
            ));
        }
        Err(TableError::Empty) => "has no program headers".to_owned(),
        // Too large for those that take one page, or for any kernel.
        _ if takes_a_page(machine) && number.saturating_mul(entry) > page => {
            format!("has {number} program headers, this kernel reads {} (one page)", most(page))
        }
        Err(TableError::TooLarge) => {
            format!("has {number} program headers, Linux reads {} (64 KiB)", most(65_536))
        }
        Ok(_) => return None,
    };
    Some(Fault::new(title, format!("e_phnum={number}")))
}

/// From 3.19 to 6.16 the table may not exceed a page.
fn takes_a_page(machine: &Machine) -> bool {
    !machine.kernel().older_than((3, 19, 0)) && machine.kernel().older_than((6, 17, 0))
}

fn interp(image: &Image) -> Option<Fault> {
    let segment = image.table().iter().find(|entry| entry.p_type == PT_INTERP).copied().unwrap_or_default();
    Some(match image.interp.as_ref()? {
        Interp::Size(_) => Fault::new(
            "names no loader: its PT_INTERP has a wrong size",
            format!("p_filesz={}", segment.p_filesz),
        ),
        Interp::NotTerminated => {
            Fault::new("has a PT_INTERP that does not end with NUL", "PT_INTERP=no NUL at its end")
        }
        Interp::NegativeOffset => Fault::new(
            "names a loader at a negative place in the file",
            format!("p_offset={:#x}", segment.p_offset),
        ),
        Interp::Truncated | Interp::Path(_) => return None,
    })
}

fn alignment(machine: &Machine, image: &Image) -> Option<Fault> {
    let pages = Pages::of(machine);
    let page = pages.size();
    let crooked =
        |segment: &&ProgramHeader| segment.p_offset.wrapping_sub(segment.p_vaddr) & pages.within() != 0;
    // Before 6.7 also one without a file part.
    let has_part = |segment: &&ProgramHeader| segment.p_filesz > 0 && crooked(segment);
    let segment = image.loads().find(has_part).or_else(|| image.loads().find(crooked))?;
    let ProgramHeader { p_offset, p_vaddr, p_align, .. } = *segment;
    let is_for_small_pages = p_align < page;
    let title = if is_for_small_pages {
        format!("is linked for pages of {p_align} bytes, this kernel's have {page}")
    } else {
        format!("has a segment that does not fit pages of {page} bytes")
    };
    let program =
        format!("p_offset={p_offset:#x}\nprogram: p_vaddr={p_vaddr:#x}\nprogram: p_align={p_align:#x}");
    Some(Fault { title, program, is_for_small_pages })
}

/// The last of the files' parts, where its page is there. One beyond the end of the file is truncated_file's.
fn zeros(case: &Case<'_>, image: &Image) -> Option<Fault> {
    let end = |segment: &&ProgramHeader| segment.p_vaddr.saturating_add(segment.p_filesz);
    let last = image.loads().max_by_key(end)?;
    let is_old = case.machine.kernel().older_than((6, 7, 0));
    let is_whole = case.candidate.size()? >= last.p_offset.saturating_add(last.p_filesz);
    let ProgramHeader { p_vaddr, p_filesz, p_memsz, .. } = *last;
    (is_old && is_whole && last.p_flags & PF_W == 0).then(|| {
        Fault::new(
            "has zeros in a page that may not be written, where kernels before 6.7 fill them in",
            format!("p_vaddr={p_vaddr:#x}\nprogram: p_filesz={p_filesz:#x}\nprogram: p_memsz={p_memsz:#x}"),
        )
    })
}

fn range(image: &Image) -> Fault {
    let end = |segment: &&ProgramHeader| segment.p_vaddr.saturating_add(segment.p_memsz);
    if let Some(segment) = image.loads().find(|segment| segment.p_filesz > segment.p_memsz) {
        let (p_filesz, p_memsz) = (segment.p_filesz, segment.p_memsz);
        return Fault::new(
            "has a segment that is larger in the file than in memory",
            format!("p_filesz={p_filesz:#x}\nprogram: p_memsz={p_memsz:#x}"),
        );
    }
    let last = image.loads().max_by_key(end).or(image.table().first()).copied().unwrap_or_default();
    let (p_vaddr, p_memsz) = (last.p_vaddr, last.p_memsz);
    Fault::new(
        "has a segment beyond the address space of programs",
        format!("p_vaddr={p_vaddr:#x}\nprogram: p_memsz={p_memsz:#x}"),
    )
}
