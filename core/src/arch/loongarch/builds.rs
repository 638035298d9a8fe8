//! What to build for LoongArch. The first that fits.

use super::worlds::{self, World};
use crate::advice::Build;
use crate::candidate::Toolchain;
use crate::elf::Class;
use crate::machine::Machine;

pub(super) const LOONGARCH: &[Build] = &[
    // The old world (ABI 1.0) came before the ports of Go, Rust and the C libraries: they made none for it.
    Build {
        class: Some(Class::Elf64),
        fits: is_old_world,
        names: &["loong64-abi1", "loong64-abi1.0", "loongarch64 of the old world"],
        gcc: "",
        ..Build::new("loongarch64")
    },
    Build {
        class: Some(Class::Elf64),
        fits: |machine| !is_old_world(machine),
        names: &["loong64", "loongarch64", "loong64-abi2"],
        go: Some("GOARCH=loong64"),
        rust: Some("loongarch64-unknown-linux-musl"),
        gnu: "loongarch64-linux-gnu",
        others: &[
            (Toolchain::Zig, "loongarch64-linux-musl"),
            (Toolchain::Nim, "loongarch64"),
            (Toolchain::DotNet, "loongarch64"),
            (Toolchain::Node, "loong64"),
        ],
        ..Build::new("loongarch64")
    },
];

/// What today's compilers build does not run there.
fn is_old_world(machine: &Machine) -> bool {
    worlds::of_machine(machine) == Some(World::Old)
}
