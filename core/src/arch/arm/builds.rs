//! What to build for ARM. The first that fits.

use crate::advice::Build;
use crate::elf::ByteOrder;
use crate::machine::{Machine, lists};

pub(super) const ARM: &[Build] = &[
    Build { order: Some(ByteOrder::Big), options: "-march=armv5te", ..Build::new("armeb") },
    Build {
        fits: is_v7_vfpv3,
        go: Some("GOARCH=arm GOARM=7"),
        rust: Some("armv7-unknown-linux-musleabihf"),
        options: "-march=armv7-a -mfpu=vfpv3-d16 -mfloat-abi=hard",
        ..Build::new("arm")
    },
    Build {
        fits: is_v6_vfp,
        go: Some("GOARCH=arm GOARM=6"),
        rust: Some("arm-unknown-linux-musleabihf"),
        options: "-march=armv6 -mfpu=vfp -mfloat-abi=hard",
        ..Build::new("arm")
    },
    Build {
        fits: is_v7,
        go: Some("GOARCH=arm GOARM=5"),
        rust: Some("armv7-unknown-linux-musleabi"),
        options: "-march=armv7-a -mfloat-abi=soft",
        ..Build::new("arm")
    },
    Build {
        go: Some("GOARCH=arm GOARM=5"),
        rust: Some("armv5te-unknown-linux-musleabi"),
        options: "-march=armv5te -mfloat-abi=soft",
        ..Build::new("arm")
    },
];

pub(super) const AARCH64: &[Build] = &[Build {
    order: Some(ByteOrder::Little),
    go: Some("GOARCH=arm64"),
    rust: Some("aarch64-unknown-linux-musl"),
    ..Build::new("aarch64")
}];

fn is_v7(machine: &Machine) -> bool {
    machine.cpu().arm_architecture.value >= Some(7)
}

fn is_v7_vfpv3(machine: &Machine) -> bool {
    is_v7(machine)
        && ["vfpv3", "vfpv3d16", "vfpv4", "neon"].iter().any(|name| lists(&machine.cpu().features, name))
}

/// A Cortex-A9 without VFP (bcm53xx) is a GOARM=5 machine.
fn is_v6_vfp(machine: &Machine) -> bool {
    machine.cpu().arm_architecture.value >= Some(6) && lists(&machine.cpu().features, "vfp")
}
