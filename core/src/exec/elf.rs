//! fs/binfmt_elf.c `load_elf_binary` up to its point of no return.

use super::binprm::Binprm;
use super::mmap::{Mm, Randomized};
use super::{Checked, Exit, Missing, Step, Waived, arch, go, map, path, refuse, start, unknown};
use crate::candidate::{Candidate, Content, Interp, Program, TableError};
use crate::elf::Header;
use crate::elf::consts::{ET_DYN, ET_EXEC};
use crate::errno::Errno;
use crate::machine::{KernelFacts, Machine};

/// Tries the handlers in the kernel's order: its own layout, then the compatibility one. Only ENOEXEC lets the
/// next one try; where all say so, the one that got furthest is the one to explain.
pub(super) fn try_handlers(
    machine: &Machine,
    candidate: &Candidate,
    program: &Program,
    waived: Waived,
) -> Checked {
    if program.as_read.is_empty() {
        return unknown(Missing::Layout);
    }
    let mut furthest = None;
    for image in &program.as_read {
        let exit = match load_elf_binary(&Binprm::new(machine, candidate, program, image), waived) {
            Ok(()) => return Ok(()),
            Err(exit) => exit,
        };
        let Exit::Refused(Errno::ENOEXEC, check) = exit else { return Err(exit) };
        if furthest.is_none_or(|f: Step| (f as usize) < check as usize) {
            furthest = Some(check);
        }
    }
    refuse(Errno::ENOEXEC, furthest.unwrap_or(Step::NoHandler))
}

fn load_elf_binary(bprm: &Binprm<'_>, waived: Waived) -> Checked {
    check_header(bprm)?;
    load_elf_phdrs(bprm)?;
    let is_waived = waived.has(Step::InterpreterOpen);
    let interpreter = if is_waived { None } else { open_interpreter(bprm)? };
    let arch = arch::of(bprm.machine);
    arch.map_or(Ok(()), |arch| (arch.arch_elf_pt_proc)(bprm))?;
    let interpreter = match interpreter {
        Some(interpreter) => Some(check_interpreter(bprm, interpreter)?),
        None => None,
    };
    // Of other architectures no more is known.
    let Some(arch) = arch else { return Ok(()) };
    (arch.arch_check_elf)(bprm)?;
    let layout = (arch.layout)(bprm.machine, bprm.image);
    agree_on_all(Randomized::extremes(layout), |randomized| {
        let mut mm = Mm::new(bprm, layout, randomized);
        let bias = map::map_all(&mut mm, interpreter.as_ref())?;
        // Its instructions would be the first.
        if is_waived {
            return Ok(());
        }
        start::fetch(&mm, interpreter.as_ref().unwrap_or(bprm), arch, bias)
    })?;
    start::changed(bprm)?;
    start::without_loader(bprm)?;
    start::lost_pages(bprm)?;
    interpreter.as_ref().map_or(Ok(()), start::lost_pages)?;
    (arch.after_start)(bprm)?;
    start::os_check(bprm)?;
    // A loader comes before Go's runtime.
    if interpreter.is_some() { Ok(()) } else { go::rt0_go(bprm.machine, bprm.candidate) }
}

/// What becomes of a program once its loader has done its work.
pub(super) fn behind_loader(machine: &Machine, candidate: &Candidate, program: &Program) -> Checked {
    let image = program.declared.as_deref().filter(|image| image.interp.is_some());
    match (image, arch::of(machine)) {
        (Some(image), Some(arch)) => {
            start::behind_loader(&Binprm::new(machine, candidate, program, image), arch)
        }
        _ => Ok(()),
    }
}

/// Addresses under ASLR are random: runs the model at each extreme. If the results differ, the outcome is unknown.
fn agree_on_all(extremes: &[Randomized], go: impl Fn(Randomized) -> Checked) -> Checked {
    let mut first = None;
    for randomized in extremes {
        let stage = go(*randomized);
        match (*first.get_or_insert(stage), stage) {
            (Ok(()), Ok(())) => {}
            (Err(Exit::Killed(signal, when, _)), Err(Exit::Killed(other, at, _)))
                if signal == other && when == at => {}
            (_, Err(Exit::Ask(_) | Exit::Unknown(_))) => return stage,
            _ => return unknown(Missing::Place),
        }
    }
    first.unwrap_or(Ok(()))
}

/// The checks on the ELF header.
fn check_header(bprm: &Binprm<'_>) -> Checked {
    if !matches!(bprm.image.header.e_type, ET_EXEC | ET_DYN) {
        return refuse(Errno::ENOEXEC, Step::ElfType);
    }
    match arch::elf_check_arch(bprm) {
        // Whatever an unknown configuration would say: what it takes is refused at the next check.
        Err(Exit::Unknown(_)) if bprm.image.program_headers.is_err() => Ok(()),
        other => other,
    }
}

fn load_elf_phdrs(bprm: &Binprm<'_>) -> Checked {
    let errno = match bprm.image.program_headers {
        // A short read was EIO up to Linux 3.18.
        Err(TableError::Truncated) if bprm.kernel.older_than((3, 19, 0)) => Errno::EIO,
        Err(_) => Errno::ENOEXEC,
        Ok(_) if is_table_too_large(bprm.kernel, &bprm.image.header) => Errno::ENOEXEC,
        Ok(_) => return Ok(()),
    };
    refuse(errno, Step::ProgramHeaders)
}

/// From 3.19 to 6.16 the table of program headers may not exceed a page.
pub(crate) fn is_table_too_large(kernel: &KernelFacts, header: &Header) -> bool {
    let size = u32::from(header.e_phnum).saturating_mul(u32::from(header.e_phentsize));
    !kernel.older_than((3, 19, 0)) && kernel.older_than((6, 17, 0)) && u64::from(size) > kernel.page().get()
}

/// Reads the first PT_INTERP, opens the file it names, and reads that one's ELF header.
fn open_interpreter<'a>(bprm: &Binprm<'a>) -> Checked<Option<&'a Candidate>> {
    let Some(interp) = &bprm.image.interp else { return Ok(None) };
    match interp {
        Interp::Path(_) => {}
        Interp::Size(_) | Interp::NotTerminated => return refuse(Errno::ENOEXEC, Step::Interp),
        Interp::Truncated => return refuse(Errno::EIO, Step::Interp),
        Interp::NegativeOffset => return refuse(Errno::EINVAL, Step::Interp),
    }
    let Some(interpreter) = &bprm.candidate.interpreter else {
        // It resolves to the current folder, which is no regular file.
        return match interp {
            Interp::Path(name) if name.is_empty() => refuse(Errno::EACCES, Step::InterpreterOpen),
            _ => unknown(Missing::Interpreter),
        };
    };
    if let Err(exit) = path::open(bprm.machine, interpreter, Waived::default()) {
        return match exit {
            Exit::Refused(errno, _) => refuse(errno, Step::InterpreterOpen),
            Exit::Unknown(Missing::File) => unknown(Missing::Interpreter),
            other => Err(other),
        };
    }
    if let Content::Unread(errno) = interpreter.content {
        if errno.is_of_the_medium() {
            return refuse(errno, Step::InterpreterShort);
        }
    }
    if interpreter.size().is_some_and(|size| size < bprm.image.encoding.header_size() as u64) {
        return refuse(Errno::EIO, Step::InterpreterShort);
    }
    Ok(Some(interpreter))
}

/// The interpreter's magic, processor and program headers; its e_type and segments come after the point of no return.
fn check_interpreter<'a>(bprm: &Binprm<'a>, interpreter: &'a Candidate) -> Checked<Binprm<'a>> {
    let bad = refuse(Errno::ELIBBAD, Step::InterpreterArch);
    let program = match &interpreter.content {
        Content::Unread(_) | Content::Unknown => return unknown(Missing::InterpreterContent),
        Content::Elf(program) => program,
        Content::Script(_) | Content::Foreign(_) => return bad,
    };
    let Some(image) = program.as_read_by(bprm.image.encoding) else {
        return unknown(Missing::Layout);
    };
    let interpreter = Binprm { candidate: interpreter, program, image, ..*bprm };
    match arch::elf_check_arch(&interpreter) {
        Err(Exit::Refused(..)) => return bad,
        other => other?,
    }
    if image.program_headers.is_err() || is_table_too_large(bprm.kernel, &image.header) {
        return bad;
    }
    arch::of(bprm.machine).map_or(Ok(()), |arch| (arch.arch_elf_pt_proc)(&interpreter))?;
    Ok(interpreter)
}
