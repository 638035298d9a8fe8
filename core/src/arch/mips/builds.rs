//! What to build for MIPS. The first that fits. A kernel runs programs of its own byte order only.

use crate::advice::Build;
use crate::elf::{ByteOrder, Class};
use crate::machine::{Fpu, Machine, lists};

pub(super) const MIPS: &[Build] = &[
    #[cfg(any(feature = "every-machine", target_endian = "big"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Big),
        fits: has_fpu,
        go: Some("GOARCH=mips GOMIPS=hardfloat"),
        rust: Some("mips-unknown-linux-musl"),
        options: "-march=mips32 -mhard-float",
        ..Build::new("mips")
    },
    #[cfg(any(feature = "every-machine", target_endian = "big"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Big),
        fits: is_r2,
        go: Some("GOARCH=mips GOMIPS=softfloat"),
        rust: Some("mips-unknown-linux-musl"),
        options: "-march=mips32r2 -msoft-float",
        ..Build::new("mips")
    },
    #[cfg(any(feature = "every-machine", target_endian = "big"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Big),
        go: Some("GOARCH=mips GOMIPS=softfloat"),
        rust: Some("mips-unknown-linux-musl"),
        options: "-march=mips32 -msoft-float",
        ..Build::new("mips")
    },
    #[cfg(any(feature = "every-machine", target_endian = "big"))]
    Build {
        order: Some(ByteOrder::Big),
        go: Some("GOARCH=mips64 GOMIPS64=softfloat"),
        rust: Some("mips64-openwrt-linux-musl"),
        options: "-msoft-float",
        ..Build::new("mips64")
    },
    #[cfg(any(feature = "every-machine", target_endian = "little"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Little),
        fits: has_fpu,
        go: Some("GOARCH=mipsle GOMIPS=hardfloat"),
        rust: Some("mipsel-unknown-linux-musl"),
        options: "-march=mips32 -mhard-float",
        ..Build::new("mipsel")
    },
    #[cfg(any(feature = "every-machine", target_endian = "little"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Little),
        fits: is_r2,
        go: Some("GOARCH=mipsle GOMIPS=softfloat"),
        rust: Some("mipsel-unknown-linux-musl"),
        options: "-march=mips32r2 -msoft-float",
        ..Build::new("mipsel")
    },
    #[cfg(any(feature = "every-machine", target_endian = "little"))]
    Build {
        class: Some(Class::Elf32),
        order: Some(ByteOrder::Little),
        go: Some("GOARCH=mipsle GOMIPS=softfloat"),
        rust: Some("mipsel-unknown-linux-musl"),
        options: "-march=mips32 -msoft-float",
        ..Build::new("mipsel")
    },
    #[cfg(any(feature = "every-machine", target_endian = "little"))]
    Build {
        order: Some(ByteOrder::Little),
        go: Some("GOARCH=mips64le GOMIPS64=softfloat"),
        options: "-msoft-float",
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
