//! Asks this computer's kernel. One runner serves many programs.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{fs, iter};

use crate::answer::Answer;

/// Its C source, for guests.
pub const SOURCE: &str = include_str!("runner.c");
/// Built for this computer.
const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/runner"));
/// Longer than any program here needs, and short enough for those that never end.
const CLOCK: &str = "1000";

/// Writes it to a file.
pub fn install(path: &Path) -> io::Result<()> {
    fs::write(path, PROGRAM)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// A runner that waits for names.
#[derive(Debug)]
pub struct Runner {
    child: Child,
    names: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Runner {
    /// Starts it in the current folder.
    pub fn start(program: &Path) -> io::Result<Runner> {
        Runner::with(program, &[])
    }

    /// One whose programs are killed before their first instruction.
    pub fn stopping(program: &Path) -> io::Result<Runner> {
        Runner::with(program, &["-x"])
    }

    fn with(program: &Path, options: &[&str]) -> io::Result<Runner> {
        let mut command = Command::new(program);
        command.args(["-b", "-t", CLOCK]).args(options).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (names, answers) = (child.stdin.take(), child.stdout.take());
        let answers = BufReader::new(answers.ok_or(io::ErrorKind::BrokenPipe)?);
        Ok(Runner { child, names, answers })
    }

    /// What the kernel does with a program.
    pub fn ask(&mut self, path: &[u8]) -> io::Result<Answer> {
        assert!(!path.contains(&b'\n'), "a path with a line end");
        let line: Vec<u8> = path.iter().copied().chain(iter::once(b'\n')).collect();
        self.names.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write_all(&line)?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err(io::Error::other("the runner has ended"));
        }
        Ok(Answer::parse(answer.trim_end()))
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        drop(self.names.take());
        let _ = self.child.wait();
    }
}
