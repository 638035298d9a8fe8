//! What to build for RISC-V. The first that fits.

use crate::advice::Build;
use crate::candidate::Toolchain;
use crate::elf::Class;

pub(super) const RISCV: &[Build] = &[
    Build {
        class: Some(Class::Elf64),
        names: &["riscv64", "riscv64gc"],
        go: Some("GOARCH=riscv64"),
        rust: Some("riscv64gc-unknown-linux-musl"),
        gnu: "riscv64-linux-gnu",
        options: "-march=rv64gc",
        android: Some("riscv64-linux-android"),
        others: &[
            (Toolchain::Zig, "riscv64-linux-musl"),
            (Toolchain::Nim, "riscv64"),
            (Toolchain::DotNet, "riscv64"),
            (Toolchain::Dart, "riscv64"),
            (Toolchain::Node, "riscv64"),
        ],
        ..Build::new("riscv64")
    },
    Build {
        class: Some(Class::Elf32),
        names: &["riscv32"],
        rust: Some("riscv32gc-unknown-linux-musl"),
        options: "-march=rv32gc -mabi=ilp32d",
        others: &[(Toolchain::Zig, "riscv32-linux-musl")],
        ..Build::new("riscv32")
    },
];
