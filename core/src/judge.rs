//! Judges files on a machine: the models first, then the rules that explain what they say.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::candidate::{self, Candidate, sample};
use crate::errno::Errno;
use crate::exec::{self, Outcome};
use crate::ldso::{self, LinkResult};
use crate::machine::{Machine, Mount, family, gather};
use crate::report::Judged;
use crate::rules::{self, Case, Destination};
use crate::system::{FileKind, Question, System};
use crate::text;

/// A machine, and what was found out of each program on it.
pub struct Report {
    /// The machine, with what the kernel answered on the way.
    pub machine: Machine,
    /// One for each program, in their order.
    pub programs: Vec<Judged>,
}

/// The machine alone. Such a report is also a saved profile: it carries every answer that can decide there.
pub fn describe(system: &(impl System + Clone + 'static)) -> Report {
    let mut machine = gather::machine(system);
    if let (Some(e_machine), Some(class)) = (machine.e_machine(), machine.kernel.class.value) {
        for &question in Question::ALL.iter().filter(|question| question.concerns(e_machine, class)) {
            ask(system, &mut machine, question);
        }
    }
    Report { machine, programs: Vec::new() }
}

/// Judges programs, as if they were installed in `dest` where there is one.
pub fn judge_all(
    system: &(impl System + Clone + 'static),
    programs: &[PathBuf],
    dest: Option<&Path>,
) -> Report {
    let mut machine = gather::machine(system);
    let programs = programs.iter().map(|path| judge(system, &mut machine, path, dest)).collect();
    Report { machine, programs }
}

/// Judges one program.
pub fn judge(system: &dyn System, machine: &mut Machine, given: &Path, dest: Option<&Path>) -> Judged {
    let path = locate(system, given);
    log::info!("reading {}", text::path(&path));
    let (candidate, outcome) = outcome(system, machine, &path);
    if let Some(question) = exec::further_question(machine, &candidate) {
        ask(system, machine, question);
    }
    let destination = destination(system, machine, &candidate, dest);
    let mut link = ldso::load(system, machine, &candidate);
    let asks = link.as_ref().filter(|_| outcome == Outcome::Starts).and_then(|link| link.asks);
    if let Some(question) = asks.filter(|question| family::X86 && machine.answer(*question).is_none()) {
        ask(system, machine, question);
        link = ldso::load(system, machine, &candidate);
    }
    let known = link.as_ref().filter(|_| !matches!(outcome, Outcome::Unknown { .. }));
    let outcome = match (outcome, known.and_then(LinkResult::outcome)) {
        (Outcome::Starts, Some(ends)) => ends,
        _ => outcome,
    };
    let case = Case::new(machine, &candidate, outcome, destination.as_ref(), known);
    let findings = rules::run(case);
    Judged { given: given.to_path_buf(), candidate, outcome, link, findings }
}

/// What the kernel does with a file; a question is put to it only where the answer decides.
pub fn outcome(system: &dyn System, machine: &mut Machine, path: &Path) -> (Candidate, Outcome) {
    let candidate = candidate::open(system, path, &machine.handlers());
    loop {
        match exec::simulate(machine, &candidate) {
            Ok(outcome) => return (candidate, outcome),
            Err(question) => ask(system, machine, question),
        }
    }
}

fn ask(system: &dyn System, machine: &mut Machine, question: Question) {
    log::debug!("asking the kernel: {}", question.name());
    gather::ask(system, machine, question);
}

/// A name without a slash that is no file here is looked up in PATH, as the shell does.
fn locate(system: &dyn System, path: &Path) -> PathBuf {
    if path.as_os_str().as_bytes().contains(&b'/') || system.stat(path).is_ok() {
        return path.to_path_buf();
    }
    let is_regular = |found: &PathBuf| system.stat(found).is_ok_and(|stat| stat.kind == FileKind::Regular);
    let found = system.search_path().into_iter().map(|folder| folder.join(path)).find(is_regular);
    found.unwrap_or_else(|| path.to_path_buf())
}

/// Where the program is to be installed: the folder asked for; else, on OpenWrt, where packages go.
fn destination(
    system: &dyn System,
    machine: &Machine,
    candidate: &Candidate,
    asked: Option<&Path>,
) -> Option<Destination> {
    let folder = match asked {
        Some(folder) => system.resolve(folder).unwrap_or_else(|_| folder.to_path_buf()),
        None if machine.openwrt.release.get().is_some() => PathBuf::from("/"),
        None => return None,
    };
    // What fits as it is needs no estimate.
    let is_tight = |mount: &Mount| mount.space.is_none_or(|space| Some(space.available) < candidate.size());
    let packs = machine.storage_of(&folder).is_some_and(|mount| mount.compresses() && is_tight(mount));
    let packs_to = if packs { sample::packs_to(system, candidate) } else { None };
    let missing = match system.stat(&folder) {
        Ok(stat) => stat.kind != FileKind::Directory,
        Err(errno) => matches!(errno, Errno::ENOENT | Errno::ENOTDIR),
    };
    Some(Destination { folder, asked: asked.is_some(), missing, packs_to })
}
