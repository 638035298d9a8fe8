//! What a kernel did with a program: the runner's line.

use std::fmt;

/// What became of execve(2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It failed, with this errno.
    Refused(String),
    /// It killed the process, past its point of no return.
    KilledExec(String),
    /// It succeeded.
    Started(Started),
    /// The runner could not tell.
    Lost(String),
}

/// A program that was started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Started {
    /// Where its first instruction is.
    pub pc: Option<u64>,
    /// Up to 16 bytes there; none where nothing can be read.
    pub first: Vec<u8>,
    /// Its end.
    pub end: End,
}

/// How a program ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// By itself.
    Exited(i32),
    /// By a signal.
    Killed {
        /// Its name.
        signal: String,
        /// si_code, si_addr, and where it struck.
        at: Option<(i32, u64, u64)>,
    },
    /// By the runner's clock.
    Running,
    /// At execve's SIGTRAP: it was not to run.
    Stopped,
}

/// si_code of a signal that the kernel sends for no particular address.
const SI_KERNEL: i32 = 0x80;

/// Whether two addresses are of one instruction: the lowest bits may select an instruction set, or be dropped.
fn same(one: u64, other: u64) -> bool {
    one & !3 == other & !3
}

impl Started {
    /// Whether the first instruction could not be had: the page is not there, or not to be executed, or the address
    /// is none. The fault is of that very address; an address error on MIPS names none.
    pub fn fetch_failed(&self) -> bool {
        let End::Killed { signal, at: Some((code, address, pc)) } = &self.end else { return false };
        let aligned = signal == "SIGBUS" && *code == SI_KERNEL;
        matches!(signal.as_str(), "SIGSEGV" | "SIGBUS")
            && self.pc.is_some_and(|first| same(first, *pc))
            && (same(*address, *pc) || aligned)
    }

    /// Whether it died at its first instruction, or just behind.
    pub fn died_at_once(&self) -> bool {
        match (&self.end, self.pc) {
            (End::Killed { at: Some((_, _, pc)), .. }, Some(first)) => pc.wrapping_sub(first & !3) < 16,
            (End::Killed { .. }, _) => true,
            _ => false,
        }
    }
}

impl Answer {
    /// Reads a line of the runner.
    pub fn parse(line: &str) -> Answer {
        let lost = || Answer::Lost(line.to_owned());
        let Some((kind, rest)) = line.split_once(' ') else { return lost() };
        match kind {
            "refused" => Answer::Refused(rest.to_owned()),
            "killed-exec" => Answer::KilledExec(rest.to_owned()),
            "started" => started(rest).map_or_else(lost, Answer::Started),
            _ => lost(),
        }
    }

    /// In a few words, without addresses: what two answers have in common.
    pub fn words(&self) -> String {
        match self {
            Answer::Refused(errno) => format!("refused {errno}"),
            Answer::KilledExec(signal) => format!("killed {signal} exec"),
            Answer::Lost(_) => "lost".to_owned(),
            Answer::Started(started) => match &started.end {
                End::Exited(status) => format!("started, exited {status}"),
                End::Running => "started, running".to_owned(),
                End::Stopped => "started".to_owned(),
                End::Killed { signal, .. } if started.fetch_failed() => {
                    format!("started, {signal} at the fetch of its first instruction")
                }
                End::Killed { signal, .. } if started.died_at_once() => {
                    format!("started, {signal} of its first instructions")
                }
                End::Killed { signal, .. } => format!("started, {signal}"),
            },
        }
    }
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn started(rest: &str) -> Option<Started> {
    let (mut pc, mut first, mut code, mut addr, mut end_pc) = (None, Vec::new(), None, None, None);
    let (mut end, mut words) = (None, rest.split(' '));
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some(("pc", value)) if end.is_none() => pc = Some(hex(value)?),
            Some(("pc", value)) => end_pc = Some(hex(value)?),
            Some(("addr", value)) => addr = Some(hex(value)?),
            Some(("code", value)) => code = Some(value.parse().ok()?),
            Some(("first", value)) => {
                let byte = |at: usize| u8::from_str_radix(value.get(at..at + 2)?, 16).ok();
                first = (0..value.len()).step_by(2).map(byte).collect::<Option<_>>()?;
            }
            _ => {
                end = Some(match word {
                    "exited" => End::Exited(words.next()?.parse().ok()?),
                    "running" => End::Running,
                    "stopped" => End::Stopped,
                    "killed" => End::Killed { signal: words.next()?.to_owned(), at: None },
                    _ => return None,
                });
            }
        }
    }
    let mut end = end?;
    if let End::Killed { at, .. } = &mut end {
        *at = code.zip(addr).zip(end_pc).map(|((code, addr), pc)| (code, addr, pc));
    }
    Some(Started { pc, first, end })
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Lost(why) => write!(f, "lost: {why}"),
            Answer::Started(Started { pc, first, end }) => {
                f.write_str(&self.words())?;
                if let Some(pc) = pc {
                    write!(f, "; begins at {pc:#x}")?;
                }
                if !first.is_empty() {
                    f.write_str(" with ")?;
                    first.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                }
                match end {
                    End::Killed { at: Some((code, address, pc)), .. } => {
                        write!(f, "; si_code {code}, si_addr {address:#x}, at {pc:#x}")
                    }
                    _ => Ok(()),
                }
            }
            other => f.write_str(&other.words()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_runner() {
        assert_eq!(Answer::parse("refused ENOEXEC").words(), "refused ENOEXEC");
        assert_eq!(Answer::parse("killed-exec SIGSEGV").words(), "killed SIGSEGV exec");
        assert_eq!(Answer::parse("started pc=0x10 first=2a00 exited 42").words(), "started, exited 42");
        assert!(matches!(Answer::parse("lost: No child processes"), Answer::Lost(_)));
        assert!(matches!(Answer::parse("started"), Answer::Lost(_)));
        let line = "started pc=0x400078 killed SIGSEGV code=2 addr=0x400078 pc=0x400078";
        let Answer::Started(started) = Answer::parse(line) else { panic!() };
        assert!(started.fetch_failed() && started.died_at_once());
        let line = "started pc=0x400078 first=00 killed SIGSEGV code=1 addr=0x0 pc=0x400078";
        let Answer::Started(started) = Answer::parse(line) else { panic!() };
        assert!(!started.fetch_failed() && started.died_at_once());
        assert_eq!(started.first, [0]);
    }
}
