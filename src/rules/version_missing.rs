use super::{Case, words};
use crate::finding::{Finding, Severity};

rule! {
    /// # What it means
    /// The program was linked with a newer library than the one on this machine: a version of its symbols is not there.
    /// # How it looks
    /// `./x: /lib/libc.so.6: version 'GLIBC_2.34' not found (required by ./x)`, status 1.
    /// # Why
    /// glibc's loader compares the versions that a program asks for (DT_VERNEED) with those that a library defines
    /// (DT_VERDEF) before anything runs. A program takes on the versions of the C library it is linked with.
    /// # Fix
    /// Build it where the C library is as old as this machine's, or statically: `CGO_ENABLED=0` for Go, a musl target for
    /// Rust and C.
    /// # Kernel source
    /// None: glibc elf/dl-version.c `_dl_check_map_versions`.
    "version-missing", check
}

const WORDS: &str = "\
%n needs version %0 of %1, which this machine's does not have
p DT_VERNEED=%2
k %l, status 1: %3: %1: version `%0' not found (required by %4)
> build it with a library as old as this machine's; or, to need none, 
rebuild";

fn check(case: &Case<'_>) -> Option<Finding> {
    let versions = &case.link?.versions;
    let first = versions.first()?;
    let names = words::names(&mut versions.iter().map(|version| version.name.as_slice()));
    Some(case.tell(
        Severity::Error,
        &[WORDS],
        &[&first.name, &first.of, &names, &case.candidate.path, &first.needed_by],
    ))
}
