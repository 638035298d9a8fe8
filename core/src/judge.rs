//! Judges files on a machine: the models first, then the rules that explain what they say.

use alloc::vec::Vec;

use crate::path::{Path, PathBuf};

use crate::arch;
use crate::budget::Amounts;
use crate::candidate::{self, Candidate, Content, Files, Lost, env, sample};
use crate::errno::Errno;
use crate::exec::{self, Missing, Outcome, Step, When};
use crate::ldso::{self, Kept, LinkResult};
use crate::machine::{Machine, Mount, gather};
use crate::report::Judged;
use crate::rules::{self, Case, Culprit, Destination};
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
    // Then it is not known that it comes to its loader.
    let is_unknown = matches!(outcome, Outcome::Unknown { .. });
    let (link, outcome) = linked(machine, kept, &candidate, outcome);
    let refused = refused(machine.target, kept);
    let (is_unknown, outcome) = match unfinished(kept, outcome) {
        Some(missing) => (true, Outcome::Unknown { missing }),
        _ => (is_unknown, outcome),
    };
    let interpreter = if outcome == Outcome::Starts { None } else { interpreter(machine, kept, &candidate) };
    // What a script's interpreter lacks is told of the interpreter.
    let ends = matches!(outcome, Outcome::Exits { .. } | Outcome::Killed { .. } | Outcome::Endless { .. })
        || !crate::ROUTER && matches!(outcome, Outcome::Fails { .. });
    let is_told = interpreter.is_some() && ends;
    let known = link.as_ref().filter(|_| !is_told && !is_unknown);
    let mut case = Case::new(machine, &candidate, outcome, destination.as_ref(), known, interpreter);
    case.lost = kept.files.lost();
    if let Some(refused) = refused {
        case.lost.insert(0, refused);
    }
    let findings = rules::run(case);
    let glibc = ldso::glibc_of(machine.target.root, &kept.files, &candidate);
    if !crate::ROUTER {
        let Amounts { steps, bytes, files, kept: names, told } = kept.files.budget().spent();
        log::debug!("spent: steps: {steps}, bytes: {bytes}, files: {files}, kept: {names}, told: {told}");
    }
    kept.files.forget(&path);
    Judged { given: given.to_path_buf(), candidate, outcome, link, glibc, findings }
}

/// What nothing is known of because diag itself was kept from opening it.
fn refused(target: Target<'_>, kept: &Kept) -> Option<Lost> {
    let (path, errno) = target.root.take_refusal()?;
    kept.files.budget().cut(Missing::Refused);
    Some(Lost { path: path.as_bytes().to_vec(), errno })
}

/// What was cut short of that on which the outcome depends: the kernel's own checks come before.
fn unfinished(kept: &Kept, outcome: Outcome) -> Option<Missing> {
    let cut = kept.files.budget().was_cut();
    let is_kernels = match outcome {
        // What could not be read is not what the file lacks.
        Outcome::Refused { step, .. } => cut != Some(Missing::LostRead) || !step.is_of_headers(),
        Outcome::Killed { when, .. } => when == When::Exec,
        // The first read fails: it has its own words.
        Outcome::Unknown { missing } => missing == Missing::Content,
        _ => false,
    };
    cut.filter(|_| !is_kernels)
}

/// Follows the loaders that come to their turn, up to the first that ends the start: the libraries of its program, or of
/// the last one; and what becomes of the start.
fn linked(
    machine: &mut Machine,
    kept: &Kept,
    candidate: &Candidate,
    outcome: Outcome,
) -> (Option<LinkResult>, Outcome) {
    let is_reached = match outcome {
        Outcome::Starts => true,
        Outcome::Exits { step, .. } | Outcome::Endless { step } => step.is_of_env(),
        _ => false,
    };
    let mut link = None;
    let mut next = Some(candidate);
    while let Some(program) = next {
        next = exec::behind_env(machine, program);
        link = ldso::load(machine, kept, program);
        let asks = link.as_ref().filter(|_| is_reached).and_then(|link| link.asks);
        if let Some(question) =
            asks.filter(|question| arch::HAS_LEVELS && machine.answer(*question).is_none())
        {
            ask(machine, question);
            link = ldso::load(machine, kept, program);
        }
        if let Some(ends) = link.as_ref().filter(|_| is_reached).and_then(LinkResult::outcome) {
            return (link, ends);
        }
        let limited = link.as_ref().filter(|_| !crate::ROUTER && outcome == Outcome::Starts);
        if let Some(ends) = limited.and_then(|link| exec::over_limit(machine, link.addresses())) {
            return (link, ends);
        }
        if let Some(ends) = exec::behind_loader(machine, program).filter(|_| outcome == Outcome::Starts) {
            return (link, ends);
        }
    }
    (link, outcome)
}

/// What is wrong with a script's interpreter, or with what env(1) starts in its stead, if it is there; that may be a script
/// itself.
fn interpreter<'a>(machine: &mut Machine, kept: &Kept, candidate: &'a Candidate) -> Option<Culprit<'a>> {
    let is_script = matches!(candidate.content, Content::Script(_)) && candidate.binfmt_misc.is_none();
    let own = candidate.interpreter.as_deref().filter(|_| is_script)?;
    fault(machine, kept, own).or_else(|| {
        let started = exec::sought(machine, candidate.env.as_ref()?)?;
        fault(machine, kept, started)
    })
}

/// The decisive error of a program that is there.
fn fault<'a>(machine: &mut Machine, kept: &Kept, program: &'a Candidate) -> Option<Culprit<'a>> {
    program.found()?;
    let outcome = exec::simulate(machine, program).ok()?;
    let (link, outcome) = linked(machine, kept, program, outcome);
    if outcome == Outcome::Starts {
        return None;
    }
    let of_its_own = interpreter(machine, kept, program);
    let link = link.as_ref().filter(|_| of_its_own.is_none() && !matches!(outcome, Outcome::Unknown { .. }));
    let finding = rules::of_interpreter(machine, program, outcome, link, of_its_own, kept.files.lost())?;
    Some(Culprit { program, outcome, finding })
}

/// What the kernel does with a file, which has a budget of its own from here on; a question is put to it only where the
/// answer decides.
pub fn outcome(machine: &mut Machine, files: &Files, path: &Path) -> (Candidate, Outcome) {
    files.begin();
    let formats = machine.formats();
    let mut candidate = candidate::open(machine.target.root, files, path, &formats);
    env::follow(machine.target, files, &formats, &mut candidate);
    loop {
        match exec::simulate(machine, &candidate) {
            Ok(Outcome::Starts) => {
                let outcome = forbidden(machine, &candidate).unwrap_or(Outcome::Starts);
                return (candidate, outcome);
            }
            Ok(outcome) => return (candidate, outcome),
            Err(question) => ask(machine, question),
        }
    }
}

/// What a security module of the kernel makes of a program that would start otherwise, where the kernel tells.
fn forbidden(machine: &Machine, candidate: &Candidate) -> Option<Outcome> {
    // A router's kernel does not know the question, and has no such module.
    if crate::ROUTER || machine.kernel().older_than((6, 14, 0)) {
        return None;
    }
    let (_, errno) = exec::forbidden(machine, candidate)?;
    Some(Outcome::Refused { errno, step: Step::Policy })
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
    env::in_path(target, path, 0o777).unwrap_or_else(|| path.to_path_buf())
}

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
    // Of one that cannot be looked up for want of rights it is not known.
    let missing = match root.stat(&folder) {
        Some(Ok(stat)) => stat.kind != FileKind::Directory,
        Some(Err(errno)) => errno != Errno::EACCES,
        None => false,
    };
    Some(Destination { folder, asked: asked.is_some(), missing, compressed_per_kib })
}
