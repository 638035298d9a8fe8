//! What a test cannot try on this computer is said where people see it.

use std::io::{self, Write as _};

/// Not by `println!` or `eprintln!`: of a test that passes nobody is shown what they print.
pub(crate) fn skipped(what: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED {what}");
}
