//! What was checked, and what did not hold: of every kind of check, here and in xtask.

use std::fmt;

/// The checks of one subject.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    name: String,
    checks: usize,
    failures: Vec<String>,
    notes: Vec<String>,
}

impl Tally {
    /// Of a subject: a kernel, a loader, a build.
    pub fn new(name: impl Into<String>) -> Tally {
        Tally { name: name.into(), ..Tally::default() }
    }

    /// One check; `what` says in full what is wrong. A failure is printed at once.
    pub fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        self.checks += 1;
        if !holds {
            let what = what();
            println!("{}: FAILED: {what}", self.name);
            self.failures.push(what);
        }
    }

    /// Something that has to work before anything can be checked: an error is a failure.
    pub fn attempt<T, E: fmt::Display>(&mut self, what: Result<T, E>) -> Option<T> {
        match what {
            Ok(value) => Some(value),
            Err(error) => {
                // anyhow's errors say by this why they came to be.
                self.check(false, || format!("{error:#}"));
                None
            }
        }
    }

    /// The same where it is all that there is to check.
    pub fn holds<E: fmt::Display>(&mut self, what: Result<(), E>) {
        if self.attempt(what).is_some() {
            self.checks += 1;
        }
    }

    /// A figure worth keeping.
    pub fn note(&mut self, what: impl Into<String>) {
        let what = what.into();
        println!("{}: {what}", self.name);
        self.notes.push(what);
    }

    /// Of what.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether all holds, and is not nothing.
    pub fn passed(&self) -> bool {
        self.failures.is_empty() && self.checks > 0
    }

    /// What does not hold.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The figures.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// `lab mips, files: 512 passed, 0 failed`.
    pub fn summary(&self) -> String {
        let failed = self.failures.len();
        format!("{}: {} passed, {failed} failed", self.name, self.checks - failed)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        self.failures.iter().chain(&self.notes).try_for_each(|line| write!(f, "\n{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_checked_is_nothing_passed() {
        let mut tally = Tally::new("a kernel");
        tally.note("a figure");
        assert!(!tally.passed());
        tally.holds(Ok::<(), String>(()));
        assert!(tally.passed());
        assert_eq!(tally.to_string(), "a kernel: 1 passed, 0 failed\na figure");
    }

    #[test]
    fn one_failure_is_enough() {
        let mut tally = Tally::new("a kernel");
        tally.check(true, || unreachable!());
        assert_eq!(tally.attempt(Err::<(), _>("no answer")), None);
        assert!(!tally.passed());
        assert_eq!(tally.summary(), "a kernel: 1 passed, 1 failed");
        assert!(tally.to_string().ends_with("\nno answer"));
    }
}
