//! The guards of a judgement by name. Where diag is fuzzed (`--cfg diag_fuzz`), one of them can be taken out, to show that
//! fuzzing finds what it is there for; everywhere else they all stand, and this is nothing.

macro_rules! guards {
    ($($(#[$meta:meta])* $guard:ident $name:literal),* $(,)?) => {
        /// One of them.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Guard {
            $($(#[$meta])* $guard,)*
        }

        impl Guard {
            /// Each, and its name.
            pub const ALL: &[(Guard, &str)] = &[$((Guard::$guard, $name)),*];
        }
    };
}

guards! {
    /// [`super::Amounts::steps`]
    Steps "steps",
    /// [`super::Amounts::bytes`]
    Bytes "bytes",
    /// [`super::Amounts::files`]
    Files "files",
    /// [`super::Amounts::kept`]
    Kept "kept",
    /// [`super::Amounts::told`]
    Told "told",
    /// Relocations are steps.
    Relocations "relocations",
    /// Hashes of a chain of DT_GNU_HASH are steps.
    Chains "chains",
    /// Bytes of a string are steps.
    Strings "strings",
    /// Places looked at in a table of symbols are steps.
    Probes "probes",
    /// Symbols that are copied are sorted, and not looked through for each symbol.
    Copies "copies",
    /// An object has so many versions at most, and to look through them are steps.
    Versions "versions",
    /// So many missing versions are told at most.
    Missing "missing",
    /// Folders of a list are steps.
    Folders "folders",
    /// What a rehearsal of a loader reads are steps, and what it writes is kept.
    Rehearsal "rehearsal",
    /// A program that is its own loader has none.
    OwnLoader "own-loader",
}

#[cfg(diag_fuzz)]
static OUT: core::sync::atomic::AtomicU8 = core::sync::atomic::AtomicU8::new(u8::MAX);

/// From now on that one is not there.
#[cfg(diag_fuzz)]
pub fn take_out(guard: Guard) {
    OUT.store(guard as u8, core::sync::atomic::Ordering::Relaxed);
}

impl Guard {
    /// Whether it is taken out.
    #[inline]
    #[cfg_attr(not(diag_fuzz), allow(clippy::unused_self))]
    pub(crate) fn is_out(self) -> bool {
        #[cfg(diag_fuzz)]
        return OUT.load(core::sync::atomic::Ordering::Relaxed) == self as u8;
        #[cfg(not(diag_fuzz))]
        false
    }

    /// What it has to count, where it is there.
    #[inline]
    pub(crate) fn counts(self, steps: usize) -> usize {
        if self.is_out() { 0 } else { steps }
    }

    /// What it lets through, where it is there.
    #[inline]
    pub(crate) fn at_most(self, limit: usize) -> usize {
        if self.is_out() { usize::MAX } else { limit }
    }
}
