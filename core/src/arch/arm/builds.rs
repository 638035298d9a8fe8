//! What to build for ARM. The first that fits.

use crate::advice::Build;
use crate::candidate::Toolchain;
use crate::elf::ByteOrder;
use crate::elf::consts::EM_AARCH64;
use crate::machine::{Machine, lists};

/// What soft-float builds for ARMv5 are called, which every ARM runs.
const V5: &[&str] = &["armv5", "armel", "arm-v5", "arm32-v5"];
/// No Zig: its 0.17.1 links no program of its own for an ARM926 (an undefined symbol).
const SOFT: &[(Toolchain, &str)] = &[(Toolchain::Nim, "arm")];

pub(super) const ARM: &[Build] = &[
    Build {
        order: Some(ByteOrder::Big),
        names: &["armeb"],
        musl: "musleabi",
        options: "-march=armv5te",
        others: &[(Toolchain::Zig, "armeb-linux-musleabi")],
        ..Build::new("armeb")
    },
    Build {
        fits: is_v7_vfpv3,
        names: &["armv7", "armhf", "arm-v7", "arm32-v7a", "armv7l"],
        go: Some("GOARCH=arm GOARM=7"),
        rust: Some("armv7-unknown-linux-musleabihf"),
        musl: "musleabihf",
        gnu: "arm-linux-gnueabihf",
        options: "-march=armv7-a -mfpu=vfpv3-d16 -mfloat-abi=hard",
        android: Some("armv7-linux-androideabi"),
        others: &[
            (Toolchain::Zig, "arm-linux-musleabihf"),
            (Toolchain::Nim, "arm"),
            (Toolchain::DotNet, "arm"),
            (Toolchain::Dart, "arm"),
            (Toolchain::Node, "armv7l"),
            (Toolchain::Pascal, "arm"),
        ],
        ..Build::new("arm")
    },
    Build {
        fits: is_v6_vfp,
        names: &["armv6", "arm-v6", "arm32-v6"],
        go: Some("GOARCH=arm GOARM=6"),
        rust: Some("arm-unknown-linux-musleabihf"),
        musl: "musleabihf",
        options: "-march=armv6 -mfpu=vfp -mfloat-abi=hard",
        others: &[(Toolchain::Zig, "arm-linux-musleabihf -Dcpu=arm1176jzf_s"), (Toolchain::Nim, "arm")],
        ..Build::new("arm")
    },
    Build {
        fits: is_v7,
        names: V5,
        go: Some("GOARCH=arm GOARM=5"),
        rust: Some("armv7-unknown-linux-musleabi"),
        musl: "musleabi",
        gnu: "arm-linux-gnueabi",
        options: "-march=armv7-a -mfloat-abi=soft",
        others: SOFT,
        ..Build::new("arm")
    },
    Build {
        names: V5,
        go: Some("GOARCH=arm GOARM=5"),
        rust: Some("armv5te-unknown-linux-musleabi"),
        musl: "musleabi",
        gnu: "arm-linux-gnueabi",
        options: "-march=armv5te -mfloat-abi=soft",
        others: SOFT,
        ..Build::new("arm")
    },
];

pub(super) const AARCH64: &[Build] = &[Build {
    order: Some(ByteOrder::Little),
    names: &["arm64", "aarch64", "arm64-v8a", "armv8"],
    go: Some("GOARCH=arm64"),
    rust: Some("aarch64-unknown-linux-musl"),
    gnu: "aarch64-linux-gnu",
    android: Some("aarch64-linux-android"),
    others: &[
        (Toolchain::Zig, "aarch64-linux-musl"),
        (Toolchain::Nim, "arm64"),
        (Toolchain::Swift, "aarch64-swift-linux-musl"),
        (Toolchain::DotNet, "arm64"),
        (Toolchain::Graal, "aarch64"),
        (Toolchain::Dart, "arm64"),
        (Toolchain::Bun, "arm64"),
        (Toolchain::Deno, "aarch64"),
        (Toolchain::Node, "arm64"),
        (Toolchain::Pascal, "aarch64"),
    ],
    ..Build::new("aarch64")
}];

/// A processor under a 64-bit kernel is ARMv8: it has what ARMv7 has, VFPv4 and NEON among it, under other names.
fn is_v8(machine: &Machine) -> bool {
    machine.e_machine() == Some(EM_AARCH64)
}

fn is_v7(machine: &Machine) -> bool {
    is_v8(machine) || machine.cpu().arm_architecture.value >= Some(7)
}

fn is_v7_vfpv3(machine: &Machine) -> bool {
    let has_vfpv3 =
        || ["vfpv3", "vfpv3d16", "vfpv4", "neon"].iter().any(|name| lists(&machine.cpu().features, name));
    is_v8(machine) || is_v7(machine) && has_vfpv3()
}

/// A Cortex-A9 without VFP (bcm53xx) is a GOARM=5 machine.
fn is_v6_vfp(machine: &Machine) -> bool {
    let is_v6 = || machine.cpu().arm_architecture.value >= Some(6) && lists(&machine.cpu().features, "vfp");
    is_v8(machine) || is_v6()
}
