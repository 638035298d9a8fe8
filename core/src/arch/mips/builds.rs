//! What to build for MIPS. The first that fits. A kernel runs programs of its own byte order only.

use crate::advice::Build;
use crate::candidate::Toolchain;
use crate::elf::{ByteOrder, Class};
use crate::machine::{Fpu, Machine, lists};

pub(super) const MIPS: &[Build] = &[
    #[cfg(any(feature = "every-machine", target_endian = "big"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Big),
        fits: has_fpu,
        names: &["mips-hardfloat", "mips_hardfloat", "mips", "mips32"],
        go: Some("GOARCH=mips GOMIPS=hardfloat"),
        rust: Some("mips-unknown-linux-musl"),
        musl: "musl",
        gnu: "mips-linux-gnu",
        options: "-march=mips32 -mhard-float",
        others: &[(Toolchain::Zig, "mips-linux-musleabihf"), (Toolchain::Nim, "mips")],
        ..Build::new("mips")
    },
    #[cfg(any(feature = "every-machine", target_endian = "big"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Big),
        fits: is_r2,
        names: &["mips-softfloat", "mips_softfloat", "mips-sf", "mips32"],
        go: Some("GOARCH=mips GOMIPS=softfloat"),
        rust: Some("mips-unknown-linux-musl"),
        musl: "muslsf",
        options: "-march=mips32r2 -msoft-float",
        others: &[(Toolchain::Zig, "mips-linux-musleabi"), (Toolchain::Nim, "mips")],
        ..Build::new("mips")
    },
    #[cfg(any(feature = "every-machine", target_endian = "big"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Big),
        names: &["mips-softfloat", "mips_softfloat", "mips-sf", "mips32"],
        go: Some("GOARCH=mips GOMIPS=softfloat"),
        rust: Some("mips-unknown-linux-musl"),
        musl: "muslsf",
        options: "-march=mips32 -msoft-float",
        others: &[(Toolchain::Zig, "mips-linux-musleabi -Dcpu=mips32"), (Toolchain::Nim, "mips")],
        ..Build::new("mips")
    },
    #[cfg(any(feature = "every-machine", target_endian = "big"))]
    Build {
        class: Some(Class::Elf64),
        order: Some(ByteOrder::Big),
        fits: has_fpu,
        names: &["mips64-hardfloat", "mips64_hardfloat", "mips64"],
        go: Some("GOARCH=mips64 GOMIPS64=hardfloat"),
        rust: Some("mips64-openwrt-linux-musl"),
        musl: "musl",
        gnu: "mips64-linux-gnuabi64",
        options: "-mabi=64",
        others: &[(Toolchain::Zig, "mips64-linux-muslabi64")],
        ..Build::new("mips64")
    },
    #[cfg(any(feature = "every-machine", target_endian = "big"))]
    Build {
        class: Some(Class::Elf64),
        order: Some(ByteOrder::Big),
        names: &["mips64-softfloat", "mips64_softfloat"],
        go: Some("GOARCH=mips64 GOMIPS64=softfloat"),
        rust: Some("mips64-openwrt-linux-musl"),
        musl: "muslsf",
        options: "-mabi=64 -msoft-float",
        others: &[],
        ..Build::new("mips64")
    },
    #[cfg(any(feature = "every-machine", target_endian = "little"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Little),
        fits: has_fpu,
        names: &["mipsle-hardfloat", "mipsle_hardfloat", "mipsle", "mipsel"],
        go: Some("GOARCH=mipsle GOMIPS=hardfloat"),
        rust: Some("mipsel-unknown-linux-musl"),
        musl: "musl",
        gnu: "mipsel-linux-gnu",
        options: "-march=mips32 -mhard-float",
        others: &[(Toolchain::Zig, "mipsel-linux-musleabihf"), (Toolchain::Nim, "mipsel")],
        ..Build::new("mipsel")
    },
    #[cfg(any(feature = "every-machine", target_endian = "little"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Little),
        fits: is_r2,
        names: &["mipsle-softfloat", "mipsle_softfloat", "mipsle-sf", "mips32le"],
        go: Some("GOARCH=mipsle GOMIPS=softfloat"),
        rust: Some("mipsel-unknown-linux-musl"),
        musl: "muslsf",
        options: "-march=mips32r2 -msoft-float",
        others: &[(Toolchain::Zig, "mipsel-linux-musleabi"), (Toolchain::Nim, "mipsel")],
        ..Build::new("mipsel")
    },
    #[cfg(any(feature = "every-machine", target_endian = "little"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Little),
        names: &["mipsle-softfloat", "mipsle_softfloat", "mipsle-sf", "mips32le"],
        go: Some("GOARCH=mipsle GOMIPS=softfloat"),
        rust: Some("mipsel-unknown-linux-musl"),
        musl: "muslsf",
        options: "-march=mips32 -msoft-float",
        others: &[(Toolchain::Zig, "mipsel-linux-musleabi -Dcpu=mips32"), (Toolchain::Nim, "mipsel")],
        ..Build::new("mipsel")
    },
    #[cfg(any(feature = "every-machine", target_endian = "little"))]
    Build {
        class: Some(Class::Elf64),
        order: Some(ByteOrder::Little),
        fits: has_fpu,
        names: &["mips64le-hardfloat", "mips64le_hardfloat", "mips64le", "mips64el"],
        go: Some("GOARCH=mips64le GOMIPS64=hardfloat"),
        rust: Some("mips64el-unknown-linux-muslabi64"),
        musl: "musl",
        gnu: "mips64el-linux-gnuabi64",
        options: "-mabi=64",
        others: &[(Toolchain::Zig, "mips64el-linux-muslabi64")],
        ..Build::new("mips64el")
    },
    #[cfg(any(feature = "every-machine", target_endian = "little"))]
    Build {
        class: Some(Class::Elf64),
        order: Some(ByteOrder::Little),
        names: &["mips64le-softfloat", "mips64le_softfloat"],
        go: Some("GOARCH=mips64le GOMIPS64=softfloat"),
        rust: Some("mips64el-unknown-linux-muslabi64"),
        rust_flags: "-Ctarget-feature=+soft-float",
        musl: "muslsf",
        options: "-mabi=64 -msoft-float",
        others: &[],
        ..Build::new("mips64el")
    },
];

/// Soft float runs everywhere; hard float only where there is an FPU, and no stock OpenWrt kernel emulates one.
fn has_fpu(machine: &Machine) -> bool {
    machine.fpu().value == Some(Fpu::Hardware)
}

fn is_r2(machine: &Machine) -> bool {
    lists(&machine.cpu().isa, "mips32r2")
}
