//! fs/binfmt_elf.c `load_elf_binary` up to its point of no return.

use super::load::Load;
use super::{Missing, Past, Stage, Step, Stop, arch, map, path, refuse, start, unknown};
use crate::candidate::{Candidate, Content, Image, Interp, Program, TableError};
use crate::errno::Errno;
use crate::machine::Machine;

/// ET_EXEC and ET_DYN.
const LOADABLE: [u16; 2] = [2, 3];

/// Tries the handlers in the kernel's order: its own layout, then the compatibility one. Only ENOEXEC lets the
/// next one try; where all say so, the one that got furthest is the one to explain.
pub(super) fn load(machine: &Machine, candidate: &Candidate, program: &Program) -> Stage {
    if program.native.is_empty() {
        return unknown(Missing::Layout);
    }
    let mut furthest = None;
    for image in &program.native {
        let stop = match handler(&Load { machine, candidate, program, image }) {
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

/// Not inlined: the loop over the views would keep everything that it reads in registers, and spill it.
#[inline(never)]
fn handler(load: &Load<'_>) -> Stage {
    check_header(load)?;
    check_table(load)?;
    check_interpreter(load)?;
    let arch = arch::of(load.machine);
    arch.map_or(Ok(()), |arch| (arch.arch_check_elf)(load))?;
    map::segments(load)?;
    begin(load)?;
    start::missing_pages(load)?;
    arch.map_or(Ok(()), |arch| (arch.later)(load))
}

/// The checks on the ELF header.
fn check_header(load: &Load<'_>) -> Stage {
    if !LOADABLE.contains(&load.image.header.e_type) {
        return refuse(Errno::ENOEXEC, Step::ElfType);
    }
    match arch::elf_check_arch(load) {
        // Whatever an unknown configuration would say: what it takes is refused at the next check.
        Err(Stop::Unknown(_)) if load.image.program_headers.is_err() => Ok(()),
        other => other,
    }
}

fn check_table(load: &Load<'_>) -> Stage {
    let errno = match load.image.program_headers {
        Err(error) => table_errno(load.machine, error),
        Ok(_) if table_too_large(load.machine, load.image) => Errno::ENOEXEC,
        Ok(_) => return Ok(()),
    };
    refuse(errno, Step::ProgramHeaders)
}

/// What runs first: the interpreter, or the program.
fn begin(load: &Load<'_>) -> Stage {
    match &load.candidate.interpreter {
        Some(interpreter) if load.image.interp.is_some() => map::interpreter(load, interpreter),
        _ => start::entry(load),
    }
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
fn table_too_large(machine: &Machine, image: &Image) -> bool {
    if machine.kernel.older_than((3, 19, 0)) || !machine.kernel.older_than((6, 17, 0)) {
        return false;
    }
    let size = u64::from(image.header.e_phnum).saturating_mul(u64::from(image.header.e_phentsize));
    size > machine.kernel.page_size.value.unwrap_or(4096)
}

fn check_interp(interp: &Interp) -> Stage {
    let errno = match interp {
        Interp::Path(_) => return Ok(()),
        Interp::Size(_) | Interp::NotTerminated => Errno::ENOEXEC,
        Interp::Truncated => Errno::EIO,
        Interp::NegativeOffset => Errno::EINVAL,
    };
    refuse(errno, Step::Interp)
}

/// Checks PT_INTERP, opens the interpreter and checks its header; its e_type and segments come after the point of no return.
fn check_interpreter(load: &Load<'_>) -> Stage {
    let Load { machine, candidate, image, .. } = *load;
    let pt_proc = arch::of(machine).map(|arch| arch.arch_elf_pt_proc);
    let Some(interp) = &image.interp else { return pt_proc.map_or(Ok(()), |pt_proc| pt_proc(load)) };
    check_interp(interp)?;
    let Some(interpreter) = &candidate.interpreter else { return unknown(Missing::Interpreter) };
    if let Err(stop) = path::open(machine, interpreter, Past::default()) {
        return match stop {
            Stop::Refused(errno, _) => refuse(errno, Step::InterpreterOpen),
            other => Err(other),
        };
    }
    let header_size = image.view.header_size() as u64;
    if interpreter.size().is_some_and(|size| size < header_size) {
        return refuse(Errno::EIO, Step::InterpreterShort);
    }
    if let Some(pt_proc) = pt_proc {
        pt_proc(load)?;
    }
    let program = match &interpreter.content {
        Content::Unread(_) => return unknown(Missing::InterpreterContent),
        Content::Elf(program) => program,
        Content::Script(_) | Content::Data(_) => return refuse(Errno::ELIBBAD, Step::InterpreterArch),
    };
    let Some(image) = program.native_in(image.view) else {
        return unknown(Missing::Layout);
    };
    let load = Load { machine, candidate: interpreter, program, image };
    match arch::elf_check_arch(&load) {
        Ok(()) => {}
        Err(Stop::Refused(..)) => return refuse(Errno::ELIBBAD, Step::InterpreterArch),
        Err(other) => return Err(other),
    }
    if image.program_headers.is_err() || table_too_large(machine, image) {
        return refuse(Errno::ELIBBAD, Step::InterpreterArch);
    }
    pt_proc.map_or(Ok(()), |pt_proc| pt_proc(&load))
}
