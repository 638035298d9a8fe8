//! What to build for PowerPC. The first that fits.

use crate::advice::Build;
use crate::elf::ByteOrder;

pub(super) const PPC: &[Build] =
    &[Build { rust: Some("powerpc-unknown-linux-musl"), options: "-msoft-float", ..Build::new("powerpc") }];

pub(super) const PPC64: &[Build] = &[
    Build {
        order: Some(ByteOrder::Big),
        go: Some("GOARCH=ppc64"),
        rust: Some("powerpc64-unknown-linux-musl"),
        options: "-mabi=elfv2",
        ..Build::new("powerpc64")
    },
    Build {
        go: Some("GOARCH=ppc64le"),
        rust: Some("powerpc64le-unknown-linux-musl"),
        ..Build::new("powerpc64le")
    },
];
