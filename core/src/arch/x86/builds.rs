//! What to build for x86. The first that fits.

use crate::advice::Build;
use crate::machine::{Machine, lists};

pub(super) const I386: &[Build] = &[
    Build {
        fits: has_sse2,
        go: Some("GOARCH=386"),
        rust: Some("i686-unknown-linux-musl"),
        options: "-march=i686",
        ..Build::new("i486")
    },
    Build {
        go: Some("GOARCH=386 GO386=softfloat"),
        rust: Some("i586-unknown-linux-musl"),
        options: "-march=i586",
        ..Build::new("i486")
    },
];

pub(super) const X86_64: &[Build] =
    &[Build { go: Some("GOARCH=amd64"), rust: Some("x86_64-unknown-linux-musl"), ..Build::new("x86_64") }];

fn has_sse2(machine: &Machine) -> bool {
    lists(&machine.cpu().features, "sse2")
}
