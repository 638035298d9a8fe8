//! The command line: what was asked, and one call that does it.

use std::ffi::{OsStr, OsString};
use std::mem::ManuallyDrop;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::candidate::{self, Candidate, sample};
use crate::errno::Errno;
use crate::linker::{self, Link};
use crate::loader::{self, Outcome};
use crate::machine::{Machine, Mount, below, family, probe};
use crate::report::{self, Judged, Style};
use crate::rules::{self, Case, Destination};
use crate::system::{FileKind, Question, System};
use crate::text;

/// `diag --help`.
pub const HELP: &str = "\
Says why a program will not start on this machine, and what to do.

usage: diag [OPTIONS] [PROGRAM...]

  no PROGRAM     describe this machine, and what to build for it
  PROGRAM...     say whether each would start here, and if not why

      --json     the report as one JSON document
      --dest DIR judge as if the program were installed in DIR
  -v             more: every fact
  -q             only the first line of each program
  -h, --help     this text
  -V, --version  the version

exit status: 0 every program would start, 1 at least one would not,
             2 could not tell
";

/// `diag --version`.
pub const VERSION: &str = concat!("diag ", env!("CARGO_PKG_VERSION"), "\n");

/// What was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// A report.
    Report(Args),
    /// Print this and exit with 0.
    Print(&'static str),
    /// Say this on stderr and exit with 2.
    Usage(String),
}

/// What to report, and how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Args {
    /// The programs, as given.
    pub programs: Vec<PathBuf>,
    /// As JSON.
    pub json: bool,
    /// As if installed there.
    pub dest: Option<PathBuf>,
    /// How often -v was given.
    pub verbose: u8,
    /// -q.
    pub quiet: bool,
}

/// Reads the arguments, without the program's own name.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Command {
    let mut args = Args::default();
    let mut arguments = arguments;
    let mut only_programs = false;
    while let Some(argument) = arguments.next() {
        let bytes = argument.as_bytes();
        if only_programs || !bytes.starts_with(b"-") || bytes == b"-" {
            args.programs.push(PathBuf::from(argument));
            continue;
        }
        // Compared as a whole: a `match` on bytes is code for each of them.
        let is = |option: &str| bytes == option.as_bytes();
        if is("--") {
            only_programs = true;
        } else if is("--json") {
            args.json = true;
        } else if is("--help") {
            return Command::Print(HELP);
        } else if is("--version") {
            return Command::Print(VERSION);
        } else if is("--dest") {
            let Some(folder) = arguments.next() else { return usage("--dest wants a folder") };
            args.dest = Some(PathBuf::from(folder));
        } else if let Some(folder) = bytes.strip_prefix(b"--dest=") {
            args.dest = Some(PathBuf::from(OsStr::from_bytes(folder)));
        } else if bytes.starts_with(b"--") {
            return unknown(bytes);
        } else if let Some(command) = short(&mut args, bytes.get(1..).unwrap_or_default()) {
            return command;
        }
    }
    if args.dest.is_some() && args.programs.is_empty() {
        return usage("--dest wants a program to judge");
    }
    Command::Report(args)
}

fn unknown(option: &[u8]) -> Command {
    usage(&text::concat(&["there is no option ", &text::printable(option)]))
}

/// Letters behind one dash; None where there is more to read.
fn short(args: &mut Args, letters: &[u8]) -> Option<Command> {
    for letter in letters {
        match letter {
            b'v' => args.verbose = args.verbose.saturating_add(1),
            b'q' => args.quiet = true,
            b'h' => return Some(Command::Print(HELP)),
            b'V' => return Some(Command::Print(VERSION)),
            _ => return Some(unknown(&[b'-', *letter])),
        }
    }
    None
}

fn usage(problem: &str) -> Command {
    Command::Usage(text::concat(&[problem, "; see diag --help"]))
}

/// A finished report, and the exit status it stands for.
pub struct Output {
    /// For stdout.
    pub text: String,
    /// 0, 1 or 2.
    pub status: u8,
}

/// A machine, and what was found out of each program on it.
pub struct Report {
    /// The machine, with what the kernel answered on the way.
    pub machine: Machine,
    /// One for each argument, in their order.
    pub programs: Vec<Judged>,
}

/// Describes the machine and judges the programs.
pub fn judge_all(system: &dyn System, args: &Args) -> Report {
    let mut report = Report { machine: probe::machine(system), programs: Vec::new() };
    if args.programs.is_empty() {
        ask_all(system, &mut report.machine);
    }
    for path in &args.programs {
        let judged = judge(system, &mut report.machine, path, args.dest.as_deref());
        report.programs.push(judged);
    }
    report
}

/// Does a whole job and writes the report.
pub fn run(system: &dyn System, args: &Args, style: Style) -> Output {
    // Left to the end of the process: what frees all of it is code, too.
    let report = ManuallyDrop::new(judge_all(system, args));
    let Report { machine, programs } = &*report;
    let text = if args.json {
        report::json::write(machine, programs)
    } else if programs.is_empty() {
        report::text::machine(machine, style)
    } else {
        report::text::programs(machine, programs, style)
    };
    Output { text, status: status(programs) }
}

/// 1 wins over 2, and 2 over 0.
fn status(judged: &[Judged]) -> u8 {
    let all = || judged.iter().map(|judged| judged.verdict().status());
    if all().any(|status| status == 1) { 1 } else { all().max().unwrap_or(0) }
}

/// A description of the machine is also a saved profile: it carries every answer that can decide there.
fn ask_all(system: &dyn System, machine: &mut Machine) {
    let (Some(e_machine), Some(class)) = (machine.e_machine(), machine.kernel.class.value) else { return };
    for &question in Question::ALL.iter().filter(|question| question.concerns(e_machine, class)) {
        ask(system, machine, question);
    }
}

fn ask(system: &dyn System, machine: &mut Machine, question: Question) {
    log::debug!("asking the kernel: {}", question.name());
    probe::ask(system, machine, question);
}

/// What the kernel does with a file; a question is put to it only where the answer decides.
pub fn outcome(system: &dyn System, machine: &mut Machine, path: &Path) -> (Candidate, Outcome) {
    let candidate = candidate::open(system, path, &machine.handlers());
    loop {
        match loader::exec(machine, &candidate) {
            Ok(outcome) => return (candidate, outcome),
            Err(question) => ask(system, machine, question),
        }
    }
}

/// Judges one program.
fn judge(system: &dyn System, machine: &mut Machine, given: &Path, dest: Option<&Path>) -> Judged {
    let path = locate(system, given);
    log::info!("reading {}", text::path(&path));
    let (candidate, outcome) = outcome(system, machine, &path);
    if let Some(question) = loader::further_question(machine, &candidate) {
        ask(system, machine, question);
    }
    let destination = destination(system, machine, &candidate, dest);
    let mut link = linker::link(system, machine, &candidate);
    let asks = link.as_ref().filter(|_| outcome == Outcome::Starts).and_then(|link| link.asks);
    if let Some(question) = asks.filter(|question| family::X86 && machine.answer(*question).is_none()) {
        ask(system, machine, question);
        link = linker::link(system, machine, &candidate);
    }
    let known = link.as_ref().filter(|_| !matches!(outcome, Outcome::Unknown { .. }));
    let outcome = match (outcome, known.and_then(Link::outcome)) {
        (Outcome::Starts, Some(ends)) => ends,
        _ => outcome,
    };
    let case = Case::new(machine, &candidate, outcome, destination.as_ref(), known);
    let findings = rules::run(case);
    Judged { given: given.to_path_buf(), candidate, outcome, link, findings }
}

/// A name without a slash that is no file here is looked up in PATH, as the shell does.
fn locate(system: &dyn System, path: &Path) -> PathBuf {
    if text::has(path.as_os_str().as_bytes(), b'/') || system.stat(path).is_ok() {
        return path.to_path_buf();
    }
    for folder in system.search_path() {
        let found = below(&folder, path.as_os_str().as_bytes());
        if system.stat(&found).is_ok_and(|stat| stat.kind == FileKind::Regular) {
            return found;
        }
    }
    path.to_path_buf()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Command {
        parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn options_and_programs() {
        let Command::Report(args) = parsed(&["-vv", "a", "--json", "--dest", "/opt", "--", "-x"]) else {
            panic!()
        };
        assert_eq!(args.programs, [PathBuf::from("a"), PathBuf::from("-x")]);
        assert_eq!((args.verbose, args.json, args.dest), (2, true, Some(PathBuf::from("/opt"))));
        assert_eq!(parsed(&["--dest=/tmp", "a"]), parsed(&["--dest", "/tmp", "a"]));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for arguments in [&["--on"][..], &["--run"], &["-x"], &["--dest"], &["--dest", "/"], &["--explain"]] {
            assert!(matches!(parsed(arguments), Command::Usage(_)), "{arguments:?}");
        }
    }
}
