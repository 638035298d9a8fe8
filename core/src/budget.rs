//! What one judgement may cost, whatever a file claims: 4 KiB on a disk can name a table of a terabyte, or a million
//! folders. Past a limit nothing more is read, and the outcome is `unknown` and says what was cut.

mod guard;

use core::cell::Cell;

use crate::exec::Missing;
pub use guard::Guard;
#[cfg(diag_fuzz)]
pub use guard::take_out;

/// Amounts of a judgement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amounts {
    /// Looks at what was read: entries of tables, strings, comparisons of names.
    pub steps: usize,
    /// Bytes read.
    pub bytes: usize,
    /// Paths looked up, and files opened.
    pub files: usize,
    /// Bytes kept of what files name and declare.
    pub kept: usize,
    /// Bytes kept only to be told: places where a library was looked for.
    pub told: usize,
}

/// The most of each. Of the 1,700 programs of a Debian computer (gcc, git, rustc among them) none takes more than an eighth
/// of any.
pub const LIMITS: Amounts = if cfg!(diag_fuzz) {
    // libFuzzer tries thousands of files a second.
    Amounts { steps: 1 << 16, bytes: 1 << 20, files: 1 << 7, kept: 96 << 10, told: 2 << 10 }
} else if cfg!(feature = "every-machine") {
    Amounts { steps: 1 << 26, bytes: 512 << 20, files: 1 << 16, kept: 2 << 20, told: 32 << 10 }
} else {
    Amounts { steps: 1 << 22, bytes: 32 << 20, files: 1 << 12, kept: 320 << 10, told: 16 << 10 }
};

/// Chunks of 256 bytes, kept in 400, that are written to in the rehearsal of a loader. What it was begun to find out is not
/// known then; what else was found stands.
pub(crate) const CHUNKS_WRITTEN: usize = if cfg!(diag_fuzz) { 1 << 5 } else { 1 << 13 };

/// What a symbol takes, and what is done of lists that are searched in a step.
pub(crate) const STEPS_OF_A_SYMBOL: usize = 2;
pub(crate) const VERSIONS_OF_A_STEP: usize = 32;
pub(crate) const SLOTS_OF_A_STEP: usize = 64;
/// More than most files have.
pub(crate) const SEGMENTS_OF_A_STEP: usize = 16;

/// What is left of [`LIMITS`], and what was cut short.
#[derive(Debug)]
pub struct Budget {
    steps: Cell<usize>,
    bytes: Cell<usize>,
    files: Cell<usize>,
    kept: Cell<usize>,
    told: Cell<usize>,
    cut: Cell<Option<Missing>>,
}

impl Default for Budget {
    fn default() -> Budget {
        let [steps, bytes, files, kept, told] = [const { Cell::new(0) }; 5];
        let budget = Budget { steps, bytes, files, kept, told, cut: Cell::new(None) };
        budget.begin();
        budget
    }
}

impl Budget {
    /// Another judgement begins.
    pub(crate) fn begin(&self) {
        self.steps.set(LIMITS.steps);
        self.bytes.set(LIMITS.bytes);
        self.files.set(LIMITS.files);
        self.kept.set(LIMITS.kept);
        self.told.set(LIMITS.told);
        self.cut.set(None);
    }

    /// Takes some steps; false where there are none left.
    #[cfg_attr(feature = "every-machine", inline)]
    #[cfg_attr(not(feature = "every-machine"), inline(never))]
    pub(crate) fn steps(&self, count: usize) -> bool {
        take(&self.steps, count) || Guard::Steps.is_out() || self.cut(Missing::TooMuchToRead)
    }

    /// Takes bytes that are to be read.
    pub(crate) fn read(&self, count: usize) -> bool {
        take(&self.bytes, count) || Guard::Bytes.is_out() || self.cut(Missing::TooMuchToRead)
    }

    /// Takes a path that is to be looked up, or a file that is to be opened.
    pub(crate) fn file(&self) -> bool {
        take(&self.files, 1) || Guard::Files.is_out() || self.cut(Missing::TooManyFiles)
    }

    /// Takes bytes that are to be kept of what the outcome depends on.
    pub(crate) fn keep(&self, count: usize) -> bool {
        take(&self.kept, count) || Guard::Kept.is_out() || self.cut(Missing::TooManyNames)
    }

    /// Takes bytes that are to be kept to be told; where there is no room for them, nothing is cut short.
    pub(crate) fn may_tell(&self, count: usize) -> bool {
        take(&self.told, count) || Guard::Told.is_out()
    }

    /// The outcome is not known from now on, for that reason. False, to be given on.
    // Inlined at each of its callers it is 300 bytes more on a router.
    #[inline(never)]
    pub(crate) fn cut(&self, what: Missing) -> bool {
        if self.cut.get().is_none() {
            self.cut.set(Some(what));
        }
        false
    }

    /// What was cut short first.
    pub(crate) fn was_cut(&self) -> Option<Missing> {
        self.cut.get()
    }

    /// What was taken since it began.
    pub fn spent(&self) -> Amounts {
        let spent = |most: usize, left: &Cell<usize>| most.saturating_sub(left.get());
        Amounts {
            steps: spent(LIMITS.steps, &self.steps),
            bytes: spent(LIMITS.bytes, &self.bytes),
            files: spent(LIMITS.files, &self.files),
            kept: spent(LIMITS.kept, &self.kept),
            told: spent(LIMITS.told, &self.told),
        }
    }
}

fn take(left: &Cell<usize>, count: usize) -> bool {
    let rest = left.get().checked_sub(count);
    left.set(rest.unwrap_or_default());
    rest.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_stays_spent_until_the_next_judgement() {
        let budget = Budget::default();
        assert!(budget.steps(LIMITS.steps - 1) && budget.steps(1) && budget.was_cut().is_none());
        assert!(!budget.steps(1));
        assert!(!budget.read(LIMITS.bytes + 1) && !budget.read(1), "what does not fit takes the rest");
        assert_eq!(budget.was_cut(), Some(Missing::TooMuchToRead), "the first counts");
        assert_eq!(budget.spent().steps, LIMITS.steps);
        budget.begin();
        assert!(budget.steps(1) && budget.read(1) && budget.file() && budget.was_cut().is_none());
        assert_eq!(budget.spent(), Amounts { steps: 1, bytes: 1, files: 1, kept: 0, told: 0 });
    }

    #[test]
    fn what_is_only_told_cuts_nothing() {
        let budget = Budget::default();
        assert!(!budget.may_tell(LIMITS.told + 1) && budget.was_cut().is_none());
        assert!(!budget.keep(LIMITS.kept + 1));
        assert_eq!(budget.was_cut(), Some(Missing::TooManyNames));
    }
}
