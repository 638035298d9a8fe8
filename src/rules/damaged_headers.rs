use std::rc::Rc;

use super::{Case, words};
use crate::candidate::{Image, Interp, Program, TableError};
use crate::elf::consts::{ET_CORE, PF_W, PT_INTERP};
use crate::elf::{Class, ProgramHeader};
use crate::finding::{Finding, Severity};
use crate::loader::{Outcome, Pages, Step};
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
    "damaged-headers", check
}

const REFUSES: &str = "the kernel refuses %n: %0";
const KILLS: &str = "the kernel kills %n: %0";
const TYPE: &str = "%n is of a type that the kernel does not know\np e_type=%1";
const MARKS: &str = "%n does not tell its word size or byte order\np EI_CLASS, EI_DATA=%0, %1\nk %k";
const ENTRY_SIZE_32: &str = "\
%n has program headers of %2 bytes, the kernel's have 32
p e_phentsize=%2";
const ENTRY_SIZE_64: &str = "\
%n has program headers of %2 bytes, the kernel's have 56
p e_phentsize=%2";
const NO_TABLE: &str = "%n has no program headers\np e_phnum=%3";
const LARGE_TABLE: &str = "%n has %3 program headers, this kernel reads %8 (one page)\np e_phnum=%3";
const HUGE_TABLE: &str = "%n has %3 program headers, Linux reads %8 (64 KiB)\np e_phnum=%3";
const INTERP_SIZE: &str = "%n names no loader: its PT_INTERP has a wrong size\np p_filesz=%6";
const INTERP_END: &str = "%n names a loader without an end\np PT_INTERP=no NUL at its end";
const INTERP_OFFSET: &str = "%n names a loader at a negative place in the file\np p_offset=%x4";
const ABIFLAGS: &str = "%n has MIPS ABI flags that are cut short\np PT_MIPS_ABIFLAGS=under 24 bytes";
const PROPERTY: &str = "\
%n has GNU properties that are cut short, or not in order
p PT_GNU_PROPERTY=of its own, or of its loader";
const SMALL_PAGES: &str = "\
%n is linked for pages of %8 bytes, this kernel's have %9
p p_offset=%x4, p_vaddr %x5, p_align %x8";
const CROOKED: &str = "\
%n has a segment that does not fit pages of %9 bytes
p p_offset=%x4, p_vaddr %x5, p_align %x8";
const FILE_SIZE: &str = "\
%n has a segment that is larger in the file than in memory
p p_filesz=%x6, p_memsz %x7";
const READ_ONLY: &str = "\
%n has zeros in a page that may not be written, where kernels before 6.7 fill them in
p p_vaddr=%x5, p_filesz %x6, p_memsz %x7";
const BEYOND: &str = "\
%n has a segment beyond the address space of programs
p p_vaddr=%x5, p_memsz %x7";
const LOW: &str =
    "%n has a segment below the lowest address that programs get (vm.mmap_min_addr)\np p_vaddr=%x5";
const COLLISION: &str = "\
%n has a segment where the kernel has put something else
p p_vaddr=%x5, p_align %x8";
const ENTRY_BEYOND: &str = "%n begins beyond the address space of programs\np e_entry=%x0";
const ENTRY_NOWHERE: &str = "%n begins at an address where it has no segment\np e_entry=%x0";
const ENTRY_DATA: &str = "%n begins in a segment that is not executable\np e_entry=%x0";
const ENTRY_HEADER: &str = "%n begins at its own ELF header, which is no code\np e_entry=%x0";
const ENTRY_ZEROS: &str = "%n begins where it holds only zeros, which are no code\np e_entry=%x0";
const ENTRY_BETWEEN: &str = "%n begins between two instructions\np e_entry=%x0";
const NO_DYNAMIC: &str = "%n names a loader, and has no PT_DYNAMIC for it\np e_entry=%x0";
const FOR_PAGES: &str = "> rebuild it for larger pages: link with -Wl,-z,max-page-size=65536";

/// What is wrong.
struct Fault<'a> {
    words: &'static str,
    /// The segment that is at fault.
    segment: Option<&'a ProgramHeader>,
    /// The most bytes that the kernel reads of the program headers, where they are too many.
    most: Option<u64>,
    fix: &'static str,
}

impl<'a> Fault<'a> {
    const fn new(words: &'static str, segment: Option<&'a ProgramHeader>) -> Self {
        Fault { words, segment, most: None, fix: words::COPY_AGAIN }
    }
}

fn check(case: &Case<'_>) -> Option<Finding> {
    let program = case.program.filter(|_| !super::not_a_program::is_no_program(case))?;
    let step = words::step(case.content)?;
    // truncated_file's.
    if super::truncated_file::ends_in_header(program, case.candidate.size()?) {
        return None;
    }
    if program.own.is_none() && matches!(step, Step::ElfType | Step::CheckArch) {
        let [_, _, _, _, class, data, ..] = program.ident.map(u64::from);
        return Some(case.tell(Severity::Error, &[MARKS, words::COPY_AGAIN], &[&class, &data]));
    }
    let image = kernels_image(program)?;
    let page = Pages::of(case.machine).size();
    let header = &image.header;
    let e_type = case.image?.header.e_type;
    let Fault { words, segment, most, fix } = fault(case, image, e_type, step)?;
    let segment = segment.or(image.table().first()).copied().unwrap_or_default();
    // A page and an entry have 32 bits: a division of more is dear on a router.
    let entries = |bytes: u64| {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        bytes.checked_div(header.e_phentsize.into()).unwrap_or(0).into()
    };
    let align = most.map_or(segment.p_align, entries);
    let [e_type, e_phentsize, e_phnum] = [e_type, header.e_phentsize, header.e_phnum].map(u64::from);
    Some(case.tell(
        Severity::Error,
        &[words, words::KERNEL, fix],
        &[
            &header.e_entry,
            &e_type,
            &e_phentsize,
            &e_phnum,
            &segment.p_offset,
            &segment.p_vaddr,
            &segment.p_filesz,
            &segment.p_memsz,
            &align,
            &page,
        ],
    ))
}

/// For an outcome that no rule has explained: what the kernel checks, by name.
pub(super) fn unexplained(case: &Case<'_>) -> Option<Finding> {
    let step = words::step(case.content)?;
    let title = if matches!(case.content, Outcome::Refused { .. }) { REFUSES } else { KILLS };
    let built = if case.program.is_some() { "p built for=%b" } else { "" };
    let pieces = [title, built, "m machine=%m\nk %k", words::COPY_AGAIN];
    let mut finding = case.tell(Severity::Error, &pieces, &[&step.name()]);
    finding.code = RULE.code;
    Some(finding)
}

/// What is wrong in the headers; None where another rule explains the step.
fn fault<'a>(case: &Case<'_>, image: &'a Image, e_type: u16, step: Step) -> Option<Fault<'a>> {
    let words = match step {
        Step::ElfType if !matches!(e_type, 1..=ET_CORE) => TYPE,
        Step::ProgramHeaders => return table(case, image),
        Step::Interp => return interp(image),
        Step::MapAlignment => return alignment(case, image),
        Step::MapRange => return Some(range(image)),
        Step::MapZeros => return zeros(case, image),
        Step::MapLow => LOW,
        Step::MapCollision => COLLISION,
        Step::MipsAbiFlags => ABIFLAGS,
        Step::GnuProperty => PROPERTY,
        Step::EntryRange => ENTRY_BEYOND,
        Step::EntryUnmapped => ENTRY_NOWHERE,
        Step::EntryNotExecutable => ENTRY_DATA,
        Step::EntryIsHeader => ENTRY_HEADER,
        Step::EntryZeros => ENTRY_ZEROS,
        Step::EntryAlignment => ENTRY_BETWEEN,
        Step::NoDynamic => NO_DYNAMIC,
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
    };
    Some(Fault::new(words, None))
}

/// The decoding that the kernel gets on with: the file's own where the kernel has it too.
fn kernels_image(program: &Program) -> Option<&Image> {
    let own = program.own.as_deref();
    let same = own.and_then(|own| program.native_in(own.view));
    same.or(program.native.first().map(Rc::as_ref)).or(own)
}

fn table<'a>(case: &Case<'_>, image: &Image) -> Option<Fault<'a>> {
    let header = &image.header;
    let size = u64::from(header.e_phnum).saturating_mul(u64::from(header.e_phentsize));
    let page = Pages::of(case.machine).size();
    let (words, most) = match image.program_headers {
        Err(TableError::Truncated) => return None,
        Err(TableError::EntrySize) if image.view.class == Class::Elf64 => (ENTRY_SIZE_64, None),
        Err(TableError::EntrySize) => (ENTRY_SIZE_32, None),
        Err(TableError::Empty) => (NO_TABLE, None),
        // Too large for those that take one page, or for any kernel.
        _ if takes_a_page(case.machine) && size > page => (LARGE_TABLE, Some(page)),
        Err(TableError::TooLarge) => (HUGE_TABLE, Some(65_536)),
        Ok(_) => return None,
    };
    Some(Fault { most, ..Fault::new(words, None) })
}

/// From 3.19 to 6.16 the table may not exceed a page.
fn takes_a_page(machine: &Machine) -> bool {
    !machine.kernel.older_than((3, 19, 0)) && machine.kernel.older_than((6, 17, 0))
}

fn interp(image: &Image) -> Option<Fault<'_>> {
    let words = match image.interp.as_ref()? {
        Interp::Size(_) => INTERP_SIZE,
        Interp::NotTerminated => INTERP_END,
        Interp::NegativeOffset => INTERP_OFFSET,
        Interp::Truncated | Interp::Path(_) => return None,
    };
    Some(Fault::new(words, image.table().iter().find(|entry| entry.p_type == PT_INTERP)))
}

fn alignment<'a>(case: &Case<'_>, image: &'a Image) -> Option<Fault<'a>> {
    let pages = Pages::of(case.machine);
    let crooked =
        |segment: &&ProgramHeader| segment.p_offset.wrapping_sub(segment.p_vaddr) & pages.within() != 0;
    // Before 6.7 also one without a file part.
    let has_part = |segment: &&ProgramHeader| segment.p_filesz > 0 && crooked(segment);
    let segment = image.loads().find(has_part).or_else(|| image.loads().find(crooked))?;
    Some(if segment.p_align < pages.size() {
        Fault { fix: FOR_PAGES, ..Fault::new(SMALL_PAGES, Some(segment)) }
    } else {
        Fault::new(CROOKED, Some(segment))
    })
}

/// The last of the files' parts, where its page is there. One beyond the end of the file is truncated_file's.
fn zeros<'a>(case: &Case<'_>, image: &'a Image) -> Option<Fault<'a>> {
    let end = |segment: &&ProgramHeader| segment.p_vaddr.saturating_add(segment.p_filesz);
    let last = image.loads().max_by_key(end)?;
    let is_old = case.machine.kernel.older_than((6, 7, 0));
    let is_whole = case.candidate.size()? >= last.p_offset.saturating_add(last.p_filesz);
    (is_old && is_whole && last.p_flags & PF_W == 0).then(|| Fault::new(READ_ONLY, Some(last)))
}

fn range(image: &Image) -> Fault<'_> {
    let end = |segment: &&ProgramHeader| segment.p_vaddr.saturating_add(segment.p_memsz);
    match image.loads().find(|segment| segment.p_filesz > segment.p_memsz) {
        Some(segment) => Fault::new(FILE_SIZE, Some(segment)),
        None => Fault::new(BEYOND, image.loads().max_by_key(end)),
    }
}
