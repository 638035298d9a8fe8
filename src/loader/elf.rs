//! fs/binfmt_elf.c `load_elf_binary` up to its point of no return.

use super::load::Load;
use super::mmap::Chance;
use super::{Missing, Past, Stage, Step, Stop, arch, map, path, refuse, start, unknown};
use crate::candidate::{Candidate, Content, Image, Interp, Program, TableError};
use crate::elf::consts::{ET_DYN, ET_EXEC};
use crate::errno::Errno;
use crate::machine::Machine;

/// Tries the handlers in the kernel's order: its own layout, then the compatibility one. Only ENOEXEC lets the
/// next one try; where all say so, the one that got furthest is the one to explain.
pub(super) fn load(machine: &Machine, candidate: &Candidate, program: &Program) -> Stage {
    if program.native.is_empty() {
        return unknown(Missing::Layout);
    }
    let mut furthest = None;
    for image in &program.native {
        let stop = match load_elf_binary(&Load { machine, candidate, program, image }) {
            Ok(()) => return Ok(()),
            Err(stop) => stop,
        };
        let Stop::Refused(Errno::ENOEXEC, check) = stop else { return Err(stop) };
        if furthest.is_none_or(|f: Step| (f as usize) < check as usize) {
            furthest = Some(check);
        }
    }
    refuse(Errno::ENOEXEC, furthest.unwrap_or(Step::NoHandler))
}

fn load_elf_binary(load: &Load<'_>) -> Stage {
    check_header(load)?;
    load_elf_phdrs(load)?;
    let interpreter = open_interpreter(load)?;
    let arch = arch::of(load.machine);
    arch.map_or(Ok(()), |arch| (arch.arch_elf_pt_proc)(load))?;
    let interpreter = match interpreter {
        Some(interpreter) => Some(check_interpreter(load, interpreter)?),
        None => None,
    };
    // Of other architectures no more is known.
    let Some(arch) = arch else { return Ok(()) };
    (arch.arch_check_elf)(load)?;
    let chances = Chance::all((arch.space)(load.machine, load.image));
    by_chance(chances, |chance| {
        let loaded = map::load(load, interpreter.as_ref(), arch, chance)?;
        start::fetch(load, interpreter.as_ref().unwrap_or(load), arch, &loaded)
    })?;
    start::lost_pages(load)?;
    interpreter.as_ref().map_or(Ok(()), start::lost_pages)?;
    (arch.later)(load)
}

/// What comes of addresses that are random: all ends of the choice are tried. Where they end differently, nobody can
/// tell.
fn by_chance(chances: &[Chance], go: impl Fn(Chance) -> Stage) -> Stage {
    let mut first = None;
    for chance in chances {
        let stage = go(*chance);
        match (*first.get_or_insert(stage), stage) {
            (Ok(()), Ok(())) => {}
            (Err(stop @ (Stop::Ask(_) | Stop::Unknown(_))), _)
            | (_, Err(stop @ (Stop::Ask(_) | Stop::Unknown(_)))) => return Err(stop),
            (Err(Stop::Killed(signal, when, _)), Err(Stop::Killed(other, at, _)))
                if signal == other && when == at => {}
            _ => return unknown(Missing::Place),
        }
    }
    first.unwrap_or(Ok(()))
}

/// The checks on the ELF header.
fn check_header(load: &Load<'_>) -> Stage {
    if !matches!(load.image.header.e_type, ET_EXEC | ET_DYN) {
        return refuse(Errno::ENOEXEC, Step::ElfType);
    }
    match arch::elf_check_arch(load) {
        // Whatever an unknown configuration would say: what it takes is refused at the next check.
        Err(Stop::Unknown(_)) if load.image.program_headers.is_err() => Ok(()),
        other => other,
    }
}

fn load_elf_phdrs(load: &Load<'_>) -> Stage {
    let errno = match load.image.program_headers {
        Err(error) => table_errno(load.machine, error),
        Ok(_) if is_table_too_large(load.machine, load.image) => Errno::ENOEXEC,
        Ok(_) => return Ok(()),
    };
    refuse(errno, Step::ProgramHeaders)
}

/// A short read was EIO up to Linux 3.18.
fn table_errno(machine: &Machine, error: TableError) -> Errno {
    if error == TableError::Truncated && machine.kernel.older_than((3, 19, 0)) {
        Errno::EIO
    } else {
        Errno::ENOEXEC
    }
}

/// From 3.19 to 6.16 the table may not exceed a page.
fn is_table_too_large(machine: &Machine, image: &Image) -> bool {
    if machine.kernel.older_than((3, 19, 0)) || !machine.kernel.older_than((6, 17, 0)) {
        return false;
    }
    let size = u64::from(image.header.e_phnum).saturating_mul(u64::from(image.header.e_phentsize));
    size > machine.kernel.page_size.value.unwrap_or(4096)
}

/// Reads the first PT_INTERP, opens the file it names, and reads that one's ELF header.
fn open_interpreter<'a>(load: &Load<'a>) -> Stage<Option<&'a Candidate>> {
    let Some(interp) = &load.image.interp else { return Ok(None) };
    match interp {
        Interp::Path(_) => {}
        Interp::Size(_) | Interp::NotTerminated => return refuse(Errno::ENOEXEC, Step::Interp),
        Interp::Truncated => return refuse(Errno::EIO, Step::Interp),
        Interp::NegativeOffset => return refuse(Errno::EINVAL, Step::Interp),
    }
    let Some(interpreter) = &load.candidate.interpreter else {
        // It resolves to the current folder, which is no regular file.
        return match interp {
            Interp::Path(name) if name.is_empty() => refuse(Errno::EACCES, Step::InterpreterOpen),
            _ => unknown(Missing::Interpreter),
        };
    };
    if let Err(stop) = path::open(load.machine, interpreter, Past::default()) {
        return match stop {
            Stop::Refused(errno, _) => refuse(errno, Step::InterpreterOpen),
            other => Err(other),
        };
    }
    if interpreter.size().is_some_and(|size| size < load.image.view.header_size() as u64) {
        return refuse(Errno::EIO, Step::InterpreterShort);
    }
    Ok(Some(interpreter))
}

/// The interpreter's magic, processor and program headers; its e_type and segments come after the point of no return.
fn check_interpreter<'a>(load: &Load<'a>, interpreter: &'a Candidate) -> Stage<Load<'a>> {
    let bad = refuse(Errno::ELIBBAD, Step::InterpreterArch);
    let program = match &interpreter.content {
        Content::Unread(_) => return unknown(Missing::InterpreterContent),
        Content::Elf(program) => program,
        Content::Script(_) | Content::Data(_) => return bad,
    };
    let Some(image) = program.native_in(load.image.view) else {
        return unknown(Missing::Layout);
    };
    let interpreter = Load { machine: load.machine, candidate: interpreter, program, image };
    match arch::elf_check_arch(&interpreter) {
        Err(Stop::Refused(..)) => return bad,
        other => other?,
    }
    if image.program_headers.is_err() || is_table_too_large(load.machine, image) {
        return bad;
    }
    arch::of(load.machine).map_or(Ok(()), |arch| (arch.arch_elf_pt_proc)(&interpreter))?;
    Ok(interpreter)
}
