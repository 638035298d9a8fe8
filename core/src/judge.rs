//! Judges files on a machine: the models first, then the rules that explain what they say.

use alloc::vec::Vec;

use crate::path::{Path, PathBuf, join};

use crate::arch;
use crate::candidate::{self, Candidate, Content, Files, sample};
use crate::errno::Errno;
use crate::exec::{self, Outcome};
use crate::finding::Found;
use crate::ldso::{self, Kept, LinkResult};
use crate::machine::{Machine, Mount, gather, parts};
use crate::report::Judged;
use crate::rules::{self, Case, Destination};
use crate::target::{Capability, FileKind, Target};
use crate::text;

/// A machine, and what was found out of each program on it.
pub struct Report<'a> {
    /// The machine, with what the kernel answered on the way.
    pub machine: Machine<'a>,
    /// One for each program, in their order.
    pub programs: Vec<Judged>,
}

/// The machine alone. Such a report is also a saved profile: it carries every answer that can decide there.
pub fn describe(target: Target<'_>) -> Report<'_> {
    let mut machine = Machine::new(target);
    if let (Some(e_machine), Some(class)) = (machine.e_machine(), machine.kernel().class.value) {
        for &question in Capability::ALL.iter().filter(|question| question.applies_to(e_machine, class)) {
            ask(&mut machine, question);
        }
    }
    Report { machine, programs: Vec::new() }
}

/// Judges programs, as if they were installed in `dest` where there is one.
pub fn judge_all<'a>(target: Target<'a>, programs: &[PathBuf], dest: Option<&Path>) -> Report<'a> {
    let mut machine = Machine::new(target);
    let kept = Kept::default();
    let programs = programs.iter().map(|path| judge(&mut machine, &kept, path, dest)).collect();
    Report { machine, programs }
}

/// Judges one program.
pub fn judge(machine: &mut Machine, kept: &Kept, given: &Path, dest: Option<&Path>) -> Judged {
    let path = locate(machine.target, given);
    log::info!("reading {}", text::path(&path));
    let (candidate, outcome) = outcome(machine, &kept.files, &path);
    if let Some(question) = exec::further_question(machine, &candidate) {
        ask(machine, question);
    }
    let destination = destination(machine, &candidate, dest);
    let mut link = ldso::load(machine, kept, &candidate);
    let asks = link.as_ref().filter(|_| outcome == Outcome::Starts).and_then(|link| link.asks);
    if let Some(question) = asks.filter(|question| arch::HAS_LEVELS && machine.answer(*question).is_none()) {
        ask(machine, question);
        link = ldso::load(machine, kept, &candidate);
    }
    let known = link.as_ref().filter(|_| !matches!(outcome, Outcome::Unknown { .. }));
    let outcome = match (outcome, known.and_then(LinkResult::outcome)) {
        (Outcome::Starts, Some(ends)) => ends,
        _ => outcome,
    };
    let interpreter = if outcome == Outcome::Starts { None } else { interpreter(machine, &candidate) };
    let case = Case::new(machine, &candidate, outcome, destination.as_ref(), known, interpreter);
    let findings = rules::run(case);
    kept.files.forget(&path);
    Judged { given: given.to_path_buf(), candidate, outcome, link, findings }
}

/// What is wrong with a script's interpreter, if it is there; that may be a script itself.
fn interpreter(machine: &Machine, candidate: &Candidate) -> Option<Found> {
    let is_script = matches!(candidate.content, Content::Script(_)) && candidate.binfmt_misc.is_none();
    let interpreter =
        candidate.interpreter.as_deref().filter(|interpreter| is_script && interpreter.found().is_some())?;
    let outcome = exec::simulate(machine, interpreter).ok()?;
    rules::of_interpreter(machine, interpreter, outcome, self::interpreter(machine, interpreter))
}

/// What the kernel does with a file; a question is put to it only where the answer decides.
pub fn outcome(machine: &mut Machine, files: &Files, path: &Path) -> (Candidate, Outcome) {
    let candidate = candidate::open(machine.target.root, files, path, &machine.formats());
    loop {
        match exec::simulate(machine, &candidate) {
            Ok(outcome) => return (candidate, outcome),
            Err(question) => ask(machine, question),
        }
    }
}

fn ask(machine: &mut Machine, question: Capability) {
    log::debug!("asking the kernel: {}", question.name());
    gather::ask(machine, question);
}

/// A name without a slash that is no file here is looked up in PATH, as the shell does.
fn locate(target: Target<'_>, path: &Path) -> PathBuf {
    if path.as_bytes().contains(&b'/') || matches!(target.root.stat(path), Some(Ok(_))) {
        return path.to_path_buf();
    }
    let folders = target.kernel.variable(c"PATH").unwrap_or_else(|| DEFAULT_PATH.to_vec());
    for folder in parts(&folders, b':') {
        let found = join(Path::new(folder), path);
        if matches!(target.root.stat(&found), Some(Ok(stat)) if stat.kind == FileKind::Regular) {
            return found;
        }
    }
    path.to_path_buf()
}

/// OpenWrt's, in /etc/profile.
const DEFAULT_PATH: &[u8] = b"/usr/sbin:/usr/bin:/sbin:/bin";

/// Where the program is to be installed: the folder asked for; else, on OpenWrt, where packages go.
fn destination(machine: &Machine, candidate: &Candidate, asked: Option<&Path>) -> Option<Destination> {
    let root = machine.target.root;
    let folder = match asked {
        Some(folder) => match root.resolve(folder) {
            Some(Ok(resolved)) => resolved,
            _ => folder.to_path_buf(),
        },
        None if machine.openwrt().release.get().is_some() => PathBuf::from("/"),
        None => return None,
    };
    // What fits as it is needs no estimate.
    let is_tight =
        |mount: &Mount| machine.space(mount).is_none_or(|space| Some(space.available) < candidate.size());
    let packs = machine.storage_of(&folder).is_some_and(|mount| mount.compresses() && is_tight(mount));
    let compressed_per_kib = if packs { sample::compressed_per_kib(root, candidate) } else { None };
    let missing = match root.stat(&folder) {
        Some(Ok(stat)) => stat.kind != FileKind::Directory,
        Some(Err(errno)) => matches!(errno, Errno::ENOENT | Errno::ENOTDIR),
        None => false,
    };
    Some(Destination { folder, asked: asked.is_some(), missing, compressed_per_kib })
}
