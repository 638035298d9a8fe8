//! The arguments of the command line.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use lexopt::{Arg, Parser};

use crate::path::PathBuf;
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
    // At once: what a list leaves behind where it grows is as much again.
    let args = Args { programs: Vec::with_capacity(arguments.size_hint().0), ..Args::default() };
    let mut parser = Parser::from_args(arguments);
    read(args, &mut parser).unwrap_or_else(|error| usage(&misuse(&error)))
}

fn read(mut args: Args, parser: &mut Parser) -> Result<Command, lexopt::Error> {
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(program) => args.programs.push(program.into_vec().into()),
            Arg::Long("json") => args.json = true,
            Arg::Long("dest") => args.dest = Some(parser.value()?.into_vec().into()),
            Arg::Short('v') => args.verbose = args.verbose.saturating_add(1),
            Arg::Short('q') => args.quiet = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(HELP)),
            Arg::Short('V') | Arg::Long("version") => return Ok(Command::Print(VERSION)),
            unknown => return Err(unknown.unexpected()),
        }
    }
    if args.dest.is_some() && args.programs.is_empty() {
        return Ok(usage("--dest wants a program to judge"));
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
        assert_eq!(args.programs, ["a", "-", "-x"].map(PathBuf::from));
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
        assert_eq!(args.programs, ["", "a b", "", "a"].map(PathBuf::from));
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
            (&["-v=3"], "-v takes no value"),
        ] {
            assert_eq!(parsed(arguments), usage(problem), "{arguments:?}");
        }
    }
}
