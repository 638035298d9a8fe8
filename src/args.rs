//! The arguments of the command line.

#[cfg(feature = "every-machine")]
mod completions;
mod options;

use std::ffi::OsString;

#[cfg(feature = "every-machine")]
pub use completions::script;
pub use options::{HELP, OPERANDS, OPTIONS, Row, SHELLS, Value};
use options::{KNOWN, Known, Opt};

#[cfg(feature = "every-machine")]
use crate::advice::targets::Kind;
use crate::path::{Path, PathBuf};
use crate::text::{self, cut_bytes};

/// `diag --version`.
pub const VERSION: &str = concat!("diag ", env!("CARGO_PKG_VERSION"), "\n");

/// What was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Do this.
    Do(Args),
    /// Print what has this shell complete the options, and exit with 0.
    #[cfg(feature = "every-machine")]
    Complete(&'static str),
    /// Print this and exit with 0.
    Print(&'static str),
    /// Say this on stderr and exit with 2.
    Usage(String),
}

/// What to report, and how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Args {
    /// The programs, as given.
    pub programs: Programs,
    /// As JSON.
    pub json: bool,
    /// As if installed there.
    pub dest: Option<PathBuf>,
    /// The machine that is judged for, where it is not this one.
    pub on: Option<PathBuf>,
    /// The machines, with commas between, on each of which at least one of the programs has to start.
    pub require: Option<String>,
    /// What starts and will most likely die counts as failing.
    pub strict: bool,
    /// How often -v was given.
    pub verbose: u8,
    /// -q.
    pub quiet: bool,
    /// What is to be done.
    pub task: Task,
}

/// What is to be done with the programs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Task {
    /// They are judged; without any, the machine is described.
    #[default]
    Report,
    /// This machine is recorded, with what they need of it.
    Record,
    /// They are names of files on a release page, of which those for the machine are told.
    Pick,
    /// What one toolchain calls the machine is told.
    #[cfg(feature = "every-machine")]
    Targets(Kind),
}

/// Paths one behind the other, each with a NUL at its end, which no argument holds: ten thousand of them take little more
/// than their bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Programs(Vec<u8>);

impl Programs {
    /// Adds one; what stands behind a NUL is cut off.
    pub(crate) fn push(&mut self, path: &[u8]) {
        let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
        self.0.extend_from_slice(path);
        self.0.push(0);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Path> + Clone {
        self.0
            .split_inclusive(|byte| *byte == 0)
            .map(|path| Path::new(path.strip_suffix(b"\0").unwrap_or(path)))
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Programs {
    fn from_iter<I: IntoIterator<Item = T>>(paths: I) -> Self {
        let mut programs = Programs::default();
        paths.into_iter().for_each(|path| programs.push(path.as_ref()));
        programs
    }
}

/// Reads the arguments, without the program's own name. By hand, for a library (lexopt) is 2,027 bytes of the package.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Command {
    let arguments: Vec<OsString> = arguments.collect();
    let mut args = Args::default();
    // At once: what a buffer leaves behind where it grows is as much again.
    args.programs.0.reserve(
        arguments.iter().fold(0, |sum, argument| argument.len().saturating_add(sum).saturating_add(1)),
    );
    match args.read(&arguments) {
        Ok(Some(other)) => other,
        Ok(None) if args.programs.is_empty() && (args.dest.is_some() || args.strict) => {
            let of_programs = if args.dest.is_some() { "--dest" } else { "--strict" };
            usage(&format!("{of_programs} wants a program to judge"))
        }
        #[cfg(feature = "every-machine")]
        Ok(None) if args.require.is_some() && !args.is_on_all() => usage("--require goes with --on all"),
        #[cfg(feature = "every-machine")]
        Ok(None) if args.is_on_all() && args.programs.is_empty() => {
            usage("--on all wants a program to judge")
        }
        Ok(None)
            if args.task == Task::Record
                && (args.json || args.quiet || args.strict || args.dest.is_some() || args.on.is_some()) =>
        {
            usage("--record takes no other option than -v")
        }
        Ok(None)
            if args.task == Task::Pick
                && (args.programs.is_empty() || args.dest.is_some() || args.strict) =>
        {
            usage("--pick wants the names of files, and takes no --dest nor --strict")
        }
        #[cfg(feature = "every-machine")]
        Ok(None) if matches!(args.task, Task::Targets(_)) && (!args.programs.is_empty() || args.json) => {
            usage("--targets takes no PROGRAM and no --json")
        }
        Ok(None) => Command::Do(args),
        Err(problem) => usage(&problem),
    }
}

impl Args {
    #[cfg(feature = "every-machine")]
    fn is_on_all(&self) -> bool {
        self.on.as_ref().is_some_and(|on| on.as_bytes() == b"all" || on.as_bytes().starts_with(b"all:"))
    }

    /// Gives what is to be done instead of a report, or one sentence for a misuse.
    fn read(&mut self, arguments: &[OsString]) -> Result<Option<Command>, String> {
        let mut rest = arguments.iter().map(|argument| argument.as_encoded_bytes());
        let mut only_programs = false;
        while let Some(argument) = rest.next() {
            if only_programs || argument == b"-" || !argument.starts_with(b"-") {
                self.programs.push(argument);
                continue;
            }
            if argument == b"--" {
                only_programs = true;
                continue;
            }
            if let Some(long) = argument.strip_prefix(b"--") {
                let (name, mut value) = match cut_bytes(long, b'=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (long, None),
                };
                let is_called = |option: &&Known| option.long == name && !name.is_empty();
                let Some(option) = KNOWN.iter().find(is_called) else { return Err(no_option("--", name)) };
                if option.value == Value::None {
                    if value.is_some() {
                        return Err(format!("--{} takes no value", text::printable(name)));
                    }
                } else {
                    value = Some(value.or_else(|| rest.next()).ok_or_else(|| option.wanted())?);
                }
                if let Some(other) = self.set(option, value.unwrap_or_default())? {
                    return Ok(Some(other));
                }
                continue;
            }
            let mut letters = argument;
            while let [before, letter, ..] = *letters {
                letters = letters.get(1..).unwrap_or_default();
                let is_called = |option: &&Known| option.letter == letter && letter != 0;
                match KNOWN.iter().find(is_called) {
                    None if letter == b'=' && before != b'-' => {
                        return Err(format!("-{} takes no value", text::printable(&[before])));
                    }
                    None => return Err(no_option("-", letters)),
                    Some(option) => {
                        if let Some(other) = self.set(option, b"")? {
                            return Ok(Some(other));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    #[cfg_attr(not(feature = "every-machine"), allow(clippy::unnecessary_wraps))]
    fn set(&mut self, option: &Known, value: &[u8]) -> Result<Option<Command>, String> {
        match option.opt {
            Opt::Json => self.json = true,
            Opt::Strict => self.strict = true,
            Opt::Record => self.task = Task::Record,
            Opt::Pick => self.task = Task::Pick,
            #[cfg(feature = "every-machine")]
            Opt::Targets => self.task = Task::Targets(Kind::called(option.word(value)?)),
            Opt::Verbose => self.verbose = self.verbose.saturating_add(1),
            Opt::Quiet => self.quiet = true,
            Opt::Dest => self.dest = Some(value.to_vec().into()),
            Opt::Help => return Ok(Some(Command::Print(HELP))),
            Opt::Version => return Ok(Some(Command::Print(VERSION))),
            #[cfg(feature = "every-machine")]
            Opt::Require => self.require = Some(String::from_utf8_lossy(value).into_owned()),
            #[cfg(feature = "every-machine")]
            Opt::On => self.on = Some(value.to_vec().into()),
            #[cfg(feature = "every-machine")]
            Opt::Completions => return Ok(Some(Command::Complete(option.word(value)?))),
            // No router's build has them.
            #[cfg(not(feature = "every-machine"))]
            Opt::Completions | Opt::Targets | Opt::On | Opt::Require => {}
        }
        Ok(None)
    }
}

fn no_option(dashes: &str, name: &[u8]) -> String {
    format!("there is no option {dashes}{}", text::printable(name))
}

fn usage(problem: &str) -> Command {
    Command::Usage(format!("{problem}; see diag --help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Command {
        parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn options_and_programs() {
        let Command::Do(args) = parsed(&["-vv", "a", "--json", "--dest", "/opt", "-", "--", "-x"]) else {
            panic!()
        };
        assert!(args.programs.iter().eq(["a", "-", "-x"].map(Path::new)));
        assert_eq!((args.verbose, args.json, args.dest), (2, true, Some(PathBuf::from("/opt"))));
        assert_eq!(parsed(&["--dest=/tmp", "a"]), parsed(&["--dest", "/tmp", "a"]));
        assert_eq!(parsed(&["-vq", "a"]), parsed(&["-q", "a", "-v"]));
        assert_eq!(
            (parsed(&["-qh", "-x"]), parsed(&["--version"])),
            (Command::Print(HELP), Command::Print(VERSION))
        );
    }

    #[test]
    fn programs_are_as_given() {
        let Command::Do(args) = parsed(&["", "a b", "", "a"]) else { panic!() };
        assert!(args.programs.iter().eq(["", "a b", "", "a"].map(Path::new)));
        assert!(!args.programs.is_empty() && Programs::default().is_empty());
        assert_eq!(Programs::default().iter().count(), 0);
    }

    #[test]
    fn a_misuse_is_one_sentence() {
        // No router's build has them.
        let completions = if cfg!(feature = "every-machine") {
            "--completions wants bash, zsh or fish"
        } else {
            "there is no option --completions"
        };
        for (arguments, problem) in [
            (&["--explain"][..], "there is no option --explain"),
            (&["--record", "--json"], "--record takes no other option than -v"),
            (&["-vx"], "there is no option -x"),
            (&["--ex\x1bplain"], "there is no option --ex\\x1bplain"),
            (&["--dest"], "--dest wants a folder"),
            (&["--completions=tcsh"], completions),
            (&["--dest", "/"], "--dest wants a program to judge"),
            (&["--json=yes"], "--json takes no value"),
            (&["--strict"], "--strict wants a program to judge"),
            (&["-v=3"], "-v takes no value"),
            (&["-=3"], "there is no option -=3"),
            (&["-json"], "there is no option -json"),
            (&["--=a"], "there is no option --"),
            (&["-q\u{e9}"], "there is no option -\u{e9}"),
        ] {
            assert_eq!(parsed(arguments), usage(problem), "{arguments:?}");
        }
    }
}
