//! What to build for x86. The first that fits.

use crate::advice::Build;
use crate::candidate::Toolchain;
use crate::machine::{Machine, lists};

pub(super) const I386: &[Build] = &[
    Build {
        fits: has_sse2,
        names: &["386", "i386", "i686", "x86", "ia32"],
        go: Some("GOARCH=386"),
        rust: Some("i686-unknown-linux-musl"),
        gnu: "i686-linux-gnu",
        options: "-march=i686",
        android: Some("i686-linux-android"),
        others: &[(Toolchain::Zig, "x86-linux-musl"), (Toolchain::Nim, "i386"), (Toolchain::Pascal, "i386")],
        ..Build::new("i486")
    },
    Build {
        names: &["386-softfloat", "386_softfloat", "i586"],
        go: Some("GOARCH=386 GO386=softfloat"),
        rust: Some("i586-unknown-linux-musl"),
        options: "-march=i586",
        others: &[
            (Toolchain::Zig, "x86-linux-musl -Dcpu=pentium"),
            (Toolchain::Nim, "i386"),
            (Toolchain::Pascal, "i386"),
        ],
        ..Build::new("i486")
    },
];

const V1: Build = Build {
    names: &["amd64", "x86_64", "x64"],
    go: Some("GOARCH=amd64"),
    rust: Some("x86_64-unknown-linux-musl"),
    gnu: "x86_64-linux-gnu",
    android: Some("x86_64-linux-android"),
    others: &[
        (Toolchain::Zig, "x86_64-linux-musl"),
        (Toolchain::Nim, "amd64"),
        (Toolchain::Swift, "x86_64-swift-linux-musl"),
        (Toolchain::DotNet, "x64"),
        (Toolchain::Graal, "x86-64"),
        (Toolchain::Dart, "x64"),
        (Toolchain::Bun, "x64-baseline"),
        (Toolchain::Deno, "x86_64"),
        (Toolchain::Node, "x64"),
        (Toolchain::Pascal, "x86_64"),
    ],
    ..Build::new("x86_64")
};

/// What is for every x86-64 comes first: a page that has levels has that one, too.
pub(super) const X86_64: &[Build] = &[
    // Some call the build for v3 so, and have another word for this one.
    Build {
        fits: |machine| !has_level(machine, 6),
        names: &["amd64", "x86_64", "amd64-v1", "amd64-compatible"],
        ..V1
    },
    V1,
    Build { fits: |machine| has_level(machine, 6), names: &["amd64-v3", "amd64v3", "x86_64-v3"], ..V1 },
    Build { fits: |machine| has_level(machine, 2), names: &["amd64-v2", "amd64v2", "x86_64-v2"], ..V1 },
];

fn has_sse2(machine: &Machine) -> bool {
    lists(&machine.cpu().features, "sse2")
}

/// Whether the processor is known to have what GNU_PROPERTY_X86_ISA_1_NEEDED would ask for.
fn has_level(machine: &Machine, needed: u32) -> bool {
    machine.cpu().features.value.is_some() && super::isa::lacks_level(machine, needed).is_none()
}
