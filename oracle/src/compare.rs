//! Whether diag and a kernel agree: decided here and nowhere else.
//!
//! | diag says | the kernel |
//! | --- | --- |
//! | refused E | execve(2) fails with E |
//! | killed S exec | S comes before execve's SIGTRAP |
//! | killed S start | it starts; S ends it at its first instruction, or just behind; where zeros do nothing (MIPS, ARM), behind them; where there are so many that the runner's clock is over before, it is *unfinished*, counted apart |
//! | killed S later | it starts; S ends it |
//! | exits N | it starts; it exits with N |
//! | endless | it starts; the runner's clock ends it |
//! | starts | it starts, its first instruction is fetched without a fault, and no page beyond the end of the file ends it |
//! | unknown | whatever: counted apart |
//!
//! A strong check on top: where what lies at the first instruction is the whole code of a base, and nothing tells the
//! kernel that it is code of another kind, it must run and exit with the base's status.
//!
//! What the first instruction *does* is no question of the loader: a program whose entry was moved into its own
//! headers starts and dies of them, and "starts" is right.

use crate::answer::{Answer, End, Started};
use crate::base::{INTERPRETER, PROGRAM};
use crate::case::Case;
use crate::edit::{Edit, Place};
use crate::model::{Model, Outcome};

/// What came of a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// They say the same.
    Agrees,
    /// The runner's clock was over before what diag foretells could happen.
    Unfinished,
    /// They do not.
    Disagrees,
    /// diag could not tell.
    Unknown,
}

/// Compares.
pub fn compare(case: &Case, model: &Model, answer: &Answer) -> Verdict {
    let agrees = match (&model.outcome, answer) {
        (Outcome::Unknown(_), _) => return Verdict::Unknown,
        (Outcome::Refused(said), Answer::Refused(seen)) => said == seen,
        (Outcome::Killed(said, when), Answer::KilledExec(seen)) => when == "exec" && said == seen,
        (Outcome::Killed(said, when), Answer::Started(started)) => {
            let slides = case.abi.slides_on_zeros() && started.first.iter().all(|byte| *byte == 0);
            if when == "start" && slides && started.end == End::Running {
                return Verdict::Unfinished;
            }
            dies(said, when, started, case.abi.slides_on_zeros())
        }
        (Outcome::Exits(status), Answer::Started(started)) => started.end == End::Exited(*status),
        (Outcome::Endless, Answer::Started(started)) => started.end == End::Running,
        (Outcome::Starts, Answer::Started(started)) => {
            !started.fetch_failed() && !lacks_a_page(started) && runs_its_code(case, started) != Some(false)
        }
        _ => false,
    };
    if agrees { Verdict::Agrees } else { Verdict::Disagrees }
}

fn dies(said: &str, when: &str, started: &Started, slides: bool) -> bool {
    let End::Killed { signal, .. } = &started.end else { return false };
    let zeros = !started.first.is_empty() && started.first.iter().all(|byte| *byte == 0);
    match when {
        "start" => signal == said && (started.died_at_once() || (slides && zeros)),
        "later" => signal == said,
        _ => false,
    }
}

/// BUS_ADRERR: the page is not in the file.
fn lacks_a_page(started: &Started) -> bool {
    matches!(&started.end, End::Killed { signal, at: Some((2, ..)) } if signal == "SIGBUS")
}

/// None where other code than a base's lies at the first instruction, or where it need not work; else whether it
/// exits as it should.
fn runs_its_code(case: &Case, started: &Started) -> Option<bool> {
    // The number of a system call, the byte order of code and what an address means are told by these.
    let kinds = ["EI_CLASS", "EI_DATA", "EI_OSABI", "e_machine", "e_flags"];
    let changes = |edit: &Edit| match edit {
        Edit::Set(_, Place::Header(name), _) => {
            kinds.contains(name) || (*name == "e_entry" && case.abi.entry_mark() != 0)
        }
        Edit::Set(_, Place::Byte(at), _) => *at < 64,
        _ => false,
    };
    if case.edits.iter().any(changes) {
        return None;
    }
    let status = [PROGRAM, INTERPRETER].into_iter().find(|status| {
        let code = case.abi.exits(*status);
        started.first.starts_with(&code)
    })?;
    Some(started.end == End::Exited(i32::from(status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(line: &str, outcome: Outcome, answer: &str) -> Verdict {
        let case = Case::parse(line).expect("a case");
        compare(&case, &Model { outcome, step: String::new() }, &Answer::parse(answer))
    }

    fn killed(signal: &str, when: &str) -> Outcome {
        Outcome::Killed(signal.into(), when.into())
    }

    #[test]
    fn what_agrees() {
        use Verdict::{Agrees, Disagrees, Unknown};
        let line = "x86-64 tiny:";
        let refused = || Outcome::Refused("ENOEXEC".into());
        assert_eq!(verdict(line, refused(), "refused ENOEXEC"), Agrees);
        assert_eq!(verdict(line, refused(), "refused EACCES"), Disagrees);
        assert_eq!(verdict(line, killed("SIGSEGV", "exec"), "killed-exec SIGSEGV"), Agrees);
        assert_eq!(verdict(line, killed("SIGSEGV", "start"), "killed-exec SIGSEGV"), Disagrees);
        let fetch = "started pc=0x78 killed SIGSEGV code=2 addr=0x78 pc=0x78";
        assert_eq!(verdict(line, killed("SIGSEGV", "start"), fetch), Agrees);
        assert_eq!(verdict(line, killed("SIGBUS", "start"), fetch), Disagrees);
        assert_eq!(verdict(line, killed("SIGSEGV", "exec"), fetch), Disagrees);
        assert_eq!(verdict(line, Outcome::Starts, fetch), Disagrees);
        let of_code = "started pc=0x78 first=00 killed SIGSEGV code=1 addr=0x0 pc=0x78";
        assert_eq!(verdict(line, Outcome::Starts, of_code), Agrees);
        let lives = "started pc=0x78 first=00 exited 0";
        assert_eq!(verdict(line, killed("SIGBUS", "later"), lives), Disagrees);
        assert_eq!(verdict("x86-64 reads:", killed("SIGBUS", "later"), lives), Disagrees);
        assert_eq!(verdict(line, killed("SIGILL", "later"), lives), Disagrees);
        let page = "started pc=0x78 first=00 killed SIGBUS code=2 addr=0x1000 pc=0x78";
        assert_eq!(verdict(line, killed("SIGBUS", "later"), page), Agrees);
        assert_eq!(verdict(line, Outcome::Starts, page), Disagrees);
        let far = "started pc=0x78 first=0000 killed SIGSEGV code=1 addr=0x1000 pc=0x1000";
        assert_eq!(verdict(line, killed("SIGSEGV", "start"), far), Disagrees);
        assert_eq!(verdict("mips tiny:", killed("SIGSEGV", "start"), far), Agrees);
        assert_eq!(verdict(line, Outcome::Unknown("a fact".into()), fetch), Unknown);
        assert_eq!(verdict(line, Outcome::Starts, "lost: No child processes"), Disagrees);
        let script = "x86-64 script: text=#!x86-64.tiny";
        assert_eq!(verdict(script, Outcome::Endless, "started pc=0x78 first=00 running"), Agrees);
        assert_eq!(verdict(script, Outcome::Endless, "started pc=0x78 first=00 exited 126"), Disagrees);
    }

    #[test]
    fn its_own_code_must_run() {
        let code = "started pc=0x78 first=bf2a000000b83c0000000f050f0b0000";
        let ends = |end: &str| verdict("x86-64 tiny:", Outcome::Starts, &format!("{code} {end}"));
        assert_eq!(ends("exited 42"), Verdict::Agrees);
        assert_eq!(ends("exited 43"), Verdict::Disagrees);
        assert_eq!(ends("killed SIGILL code=1 addr=0x80 pc=0x80"), Verdict::Disagrees);
        let other = "started pc=0x78 first=bb2a000000b8010000 exited 1";
        assert_eq!(verdict("x86-64 tiny:", Outcome::Starts, other), Verdict::Agrees);
    }
}
