//! What to build for PowerPC. The first that fits.

use alloc::string::String;

use crate::advice::Build;
use crate::candidate::Toolchain;
use crate::elf::ByteOrder;
use crate::machine::{Fpu, Machine};

pub(super) const PPC: &[Build] = &[
    Build {
        fits: |machine| machine.fpu().value == Some(Fpu::Hardware),
        names: &["powerpc", "ppc"],
        rust: Some("powerpc-unknown-linux-musl"),
        gnu: "powerpc-linux-gnu",
        others: &[(Toolchain::Zig, "powerpc-linux-musleabihf"), (Toolchain::Nim, "powerpc")],
        ..Build::new("powerpc")
    },
    Build {
        names: &["powerpc", "ppc"],
        rust: Some("powerpc-unknown-linux-musl"),
        rust_flags: "-Ctarget-feature=-hard-float",
        musl: "muslsf",
        options: "-msoft-float",
        others: &[(Toolchain::Zig, "powerpc-linux-musleabi"), (Toolchain::Nim, "powerpc")],
        ..Build::new("powerpc")
    },
];

const BIG: Build = Build {
    order: Some(ByteOrder::Big),
    names: &["ppc64", "powerpc64"],
    rust: Some("powerpc64-unknown-linux-musl"),
    gnu: "powerpc64-linux-gnu",
    options: "-mabi=elfv2",
    others: &[(Toolchain::Zig, "powerpc64-linux-musl"), (Toolchain::Nim, "powerpc64")],
    ..Build::new("powerpc64")
};

pub(super) const PPC64: &[Build] = &[
    // Go's compiler writes instructions of the POWER8 (its wiki, MinimumRequirements): no e5500 or G5 has them.
    Build { fits: |machine| !is_older(machine), go: Some("GOARCH=ppc64"), ..BIG },
    BIG,
    Build {
        names: &["ppc64le", "powerpc64le", "ppc64el"],
        go: Some("GOARCH=ppc64le"),
        rust: Some("powerpc64le-unknown-linux-musl"),
        gnu: "powerpc64le-linux-gnu",
        others: &[
            (Toolchain::Zig, "powerpc64le-linux-musl"),
            (Toolchain::Nim, "powerpc64el"),
            (Toolchain::DotNet, "ppc64le"),
            (Toolchain::Node, "ppc64le"),
        ],
        ..Build::new("powerpc64le")
    },
];

/// Whether the processor is known not to be a POWER8 or a later one: "e5500", "PPC970MP", "POWER7 (raw), altivec
/// supported" in /proc/cpuinfo, "power7" in AT_PLATFORM.
fn is_older(machine: &Machine) -> bool {
    let is_power8 = |name: &str| {
        let (family, rest) = name.split_at_checked(5).unwrap_or_default();
        let number = rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
        family.eq_ignore_ascii_case("power") && number.parse::<u8>().is_ok_and(|number| number >= 8)
    };
    let names = [machine.cpu().model.get().map(String::as_str), machine.platform().value];
    let mut known = names.into_iter().flatten().peekable();
    known.peek().is_some() && !known.any(is_power8)
}
