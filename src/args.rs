//! The arguments of the command line.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use crate::path::{Path, PathBuf};
use crate::text::{self, cut_bytes};

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

/// An option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opt {
    Json,
    Dest,
    Strict,
    Verbose,
    Quiet,
    Help,
    Version,
}

/// By name, and by letter.
const OPTIONS: [(&[u8], u8, Opt); 7] = [
    (b"json", 0, Opt::Json),
    (b"dest", 0, Opt::Dest),
    (b"strict", 0, Opt::Strict),
    (b"", b'v', Opt::Verbose),
    (b"", b'q', Opt::Quiet),
    (b"help", b'h', Opt::Help),
    (b"version", b'V', Opt::Version),
];

/// Reads the arguments, without the program's own name. By hand, for a library (lexopt) is 2,027 bytes of the package.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Command {
    let arguments: Vec<OsString> = arguments.collect();
    let mut args = Args::default();
    // At once: what a buffer leaves behind where it grows is as much again.
    args.programs.0.reserve(
        arguments.iter().fold(0, |sum, argument| argument.len().saturating_add(sum).saturating_add(1)),
    );
    match args.read(&arguments) {
        Ok(Some(text)) => Command::Print(text),
        Ok(None) if args.programs.is_empty() && (args.dest.is_some() || args.strict) => {
            let of_programs = if args.dest.is_some() { "--dest" } else { "--strict" };
            usage(&format!("{of_programs} wants a program to judge"))
        }
        Ok(None) => Command::Report(args),
        Err(problem) => usage(&problem),
    }
}

impl Args {
    /// Gives a text that is to be printed instead, or one sentence for a misuse.
    fn read(&mut self, arguments: &[OsString]) -> Result<Option<&'static str>, String> {
        let mut rest = arguments.iter().map(|argument| argument.as_bytes());
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
                let (name, value) = match cut_bytes(long, b'=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (long, None),
                };
                let is_called = |option: &&(&[u8], u8, Opt)| option.0 == name && !name.is_empty();
                match OPTIONS.iter().find(is_called) {
                    None => return Err(no_option("--", name)),
                    Some((.., Opt::Dest)) => {
                        let folder = value.or_else(|| rest.next()).ok_or("--dest wants a folder")?;
                        self.dest = Some(folder.to_vec().into());
                    }
                    Some(_) if value.is_some() => {
                        return Err(format!("--{} takes no value", text::printable(name)));
                    }
                    Some((.., option)) => {
                        if let Some(text) = self.set(*option) {
                            return Ok(Some(text));
                        }
                    }
                }
                continue;
            }
            let mut letters = argument;
            while let [before, letter, ..] = *letters {
                letters = letters.get(1..).unwrap_or_default();
                let is_called = |option: &&(&[u8], u8, Opt)| option.1 == letter && letter != 0;
                match OPTIONS.iter().find(is_called) {
                    None if letter == b'=' && before != b'-' => {
                        return Err(format!("-{} takes no value", text::printable(&[before])));
                    }
                    None => return Err(no_option("-", letters)),
                    Some((.., option)) => {
                        if let Some(text) = self.set(*option) {
                            return Ok(Some(text));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    fn set(&mut self, option: Opt) -> Option<&'static str> {
        match option {
            Opt::Json => self.json = true,
            Opt::Strict => self.strict = true,
            Opt::Verbose => self.verbose = self.verbose.saturating_add(1),
            Opt::Quiet => self.quiet = true,
            Opt::Help => return Some(HELP),
            Opt::Version => return Some(VERSION),
            // It has a value.
            Opt::Dest => {}
        }
        None
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
            (&["-=3"], "there is no option -=3"),
            (&["-json"], "there is no option -json"),
            (&["--=a"], "there is no option --"),
            (&["-q\u{e9}"], "there is no option -\u{e9}"),
        ] {
            assert_eq!(parsed(arguments), usage(problem), "{arguments:?}");
        }
    }
}
