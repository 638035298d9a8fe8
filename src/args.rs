//! The arguments of the command line.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use lexopt::{Arg, Parser};

use crate::path::{Path, PathBuf};
use crate::text;

/// `diag --help`.
pub const HELP: &str = "\
Says why a program will not start on this machine, and what to do.

usage: diag [OPTIONS] [PROGRAM...]

  no PROGRAM     describe this machine, and what to build for it
  PROGRAM...     say whether each would start here, and if not why

      --json     the report as one JSON document
      --dest DIR judge as if the program were installed in DIR
      --strict   what starts and will most likely die counts as failing
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
    pub programs: Programs,
    /// As JSON.
    pub json: bool,
    /// As if installed there.
    pub dest: Option<PathBuf>,
    /// What starts and will most likely die counts as failing.
    pub strict: bool,
    /// How often -v was given.
    pub verbose: u8,
    /// -q.
    pub quiet: bool,
}

/// Paths one behind the other, each with a NUL at its end, which no argument holds: ten thousand of them take little more
/// than their bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Programs(Vec<u8>);

impl Programs {
    fn push(&mut self, path: &[u8]) {
        self.0.extend_from_slice(path);
        self.0.push(0);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Path> {
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

/// Reads the arguments, without the program's own name.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Command {
    // lexopt takes its arguments from an iterator that it may keep.
    let arguments: Vec<OsString> = arguments.collect();
    let mut args = Args::default();
    // At once: what a buffer leaves behind where it grows is as much again.
    args.programs.0.reserve(
        arguments.iter().fold(0, |sum, argument| argument.len().saturating_add(sum).saturating_add(1)),
    );
    read(args, &mut Parser::from_args(arguments)).unwrap_or_else(|error| usage(&misuse(&error)))
}

fn read(mut args: Args, parser: &mut Parser) -> Result<Command, lexopt::Error> {
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(program) => args.programs.push(program.as_bytes()),
            Arg::Long("json") => args.json = true,
            Arg::Long("strict") => args.strict = true,
            Arg::Long("dest") => args.dest = Some(parser.value()?.into_vec().into()),
            Arg::Short('v') => args.verbose = args.verbose.saturating_add(1),
            Arg::Short('q') => args.quiet = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(HELP)),
            Arg::Short('V') | Arg::Long("version") => return Ok(Command::Print(VERSION)),
            unknown => return Err(unknown.unexpected()),
        }
    }
    let of_programs = if args.dest.is_some() { "--dest" } else { "--strict" };
    if args.programs.is_empty() && (args.dest.is_some() || args.strict) {
        return Ok(usage(&format!("{of_programs} wants a program to judge")));
    }
    Ok(Command::Report(args))
}

/// One sentence for each misuse.
fn misuse(error: &lexopt::Error) -> String {
    match error {
        lexopt::Error::MissingValue { .. } => "--dest wants a folder".to_owned(),
        lexopt::Error::UnexpectedOption(option) => {
            format!("there is no option {}", text::printable(option.as_bytes()))
        }
        lexopt::Error::UnexpectedValue { option, .. } => {
            format!("{} takes no value", text::printable(option.as_bytes()))
        }
        // No other comes of a parser that reads no numbers.
        _ => "the arguments are not understood".to_owned(),
    }
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
        let Command::Report(args) = parsed(&["-vv", "a", "--json", "--dest", "/opt", "-", "--", "-x"]) else {
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
        let Command::Report(args) = parsed(&["", "a b", "", "a"]) else { panic!() };
        assert!(args.programs.iter().eq(["", "a b", "", "a"].map(Path::new)));
        assert!(!args.programs.is_empty() && Programs::default().is_empty());
        assert_eq!(Programs::default().iter().count(), 0);
    }

    #[test]
    fn a_misuse_is_one_sentence() {
        for (arguments, problem) in [
            (&["--on"][..], "there is no option --on"),
            (&["-vx"], "there is no option -x"),
            (&["--ex\x1bplain"], "there is no option --ex\\x1bplain"),
            (&["--dest"], "--dest wants a folder"),
            (&["--dest", "/"], "--dest wants a program to judge"),
            (&["--json=yes"], "--json takes no value"),
            (&["--strict"], "--strict wants a program to judge"),
            (&["-v=3"], "-v takes no value"),
        ] {
            assert_eq!(parsed(arguments), usage(problem), "{arguments:?}");
        }
    }
}
