//! Which build each of OpenWrt's package architectures takes.

use Cover::{Build, Not};

/// What there is for an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cover {
    /// The build of this name runs on all its machines.
    Build(&'static str),
    /// None does, for this reason.
    Not(&'static str),
}

const PENDING: &str = "64-bit big-endian MIPS: soft float does not link with zig's libraries, and the build with hard float has not been tried";
const ARMV4: &str = "ARMv4, 8 machines: the build for ARM has instructions of ARMv5TE";
const ARMEB: &str = "big-endian ARM: Rust has no such target with a C library, and OpenWrt no Rust";
const ARC: &str = "ARC: Rust has no such target; gone after 24.10";
const MIPS64_R1: &str = "MIPS64 R1, a board of QEMU's alone, gone after 19.07; the build is R2";
const MIPS64EL: &str =
    "little-endian MIPS64 without FPU, a board of QEMU's alone: Rust has no soft-float target";
const POWERPC64: &str =
    "64-bit big-endian PowerPC, 2 machines: not tried yet, and their kernels run no 32-bit programs";

/// Every architecture since 17.01, by its name (`DISTRIB_ARCH`).
pub(crate) const ARCHITECTURES: &[(&str, Cover)] = &[
    ("aarch64_armv8-a", Build("diag-aarch64")),
    ("aarch64_cortex-a53", Build("diag-aarch64")),
    ("aarch64_cortex-a72", Build("diag-aarch64")),
    ("aarch64_cortex-a76", Build("diag-aarch64")),
    ("aarch64_generic", Build("diag-aarch64")),
    ("arc_arc700", Not(ARC)),
    ("arc_archs", Not(ARC)),
    ("arm_arm1136j-s", Build("diag-armv5")),
    ("arm_arm1176jzf-s_vfp", Build("diag-armv5")),
    ("arm_arm926ej-s", Build("diag-armv5")),
    ("arm_cortex-a15_neon-vfpv4", Build("diag-armv5")),
    ("arm_cortex-a5", Build("diag-armv5")),
    ("arm_cortex-a53_neon-vfpv4", Build("diag-armv5")),
    ("arm_cortex-a5_neon-vfpv4", Build("diag-armv5")),
    ("arm_cortex-a5_vfpv4", Build("diag-armv5")),
    ("arm_cortex-a7", Build("diag-armv5")),
    ("arm_cortex-a7_neon-vfpv4", Build("diag-armv5")),
    ("arm_cortex-a7_vfpv4", Build("diag-armv5")),
    ("arm_cortex-a8_neon", Build("diag-armv5")),
    ("arm_cortex-a8_vfpv3", Build("diag-armv5")),
    ("arm_cortex-a9", Build("diag-armv5")),
    ("arm_cortex-a9_neon", Build("diag-armv5")),
    ("arm_cortex-a9_vfpv3", Build("diag-armv5")),
    ("arm_cortex-a9_vfpv3-d16", Build("diag-armv5")),
    ("arm_fa526", Not(ARMV4)),
    ("arm_mpcore", Build("diag-armv5")),
    ("arm_mpcore_vfp", Build("diag-armv5")),
    ("arm_xscale", Build("diag-armv5")),
    ("armeb_xscale", Not(ARMEB)),
    ("i386_pentium", Build("diag-i586")),
    ("i386_pentium-mmx", Build("diag-i586")),
    ("i386_pentium4", Build("diag-i586")),
    ("loongarch64_generic", Build("diag-loongarch64")),
    ("mips64_mips64", Not(MIPS64_R1)),
    ("mips64_mips64r2", Not(PENDING)),
    ("mips64_octeon", Not(PENDING)),
    ("mips64_octeonplus", Not(PENDING)),
    ("mips64el_mips64", Not(MIPS64EL)),
    ("mips64el_mips64r2", Not(MIPS64EL)),
    ("mips_24kc", Build("diag-mips")),
    ("mips_4kec", Build("diag-mips")),
    ("mips_mips32", Build("diag-mips")),
    ("mipsel_24kc", Build("diag-mipsel")),
    ("mipsel_24kc_24kf", Build("diag-mipsel")),
    ("mipsel_74kc", Build("diag-mipsel")),
    ("mipsel_mips32", Build("diag-mipsel")),
    ("powerpc64_e5500", Not(POWERPC64)),
    ("powerpc_405", Build("diag-powerpc")),
    ("powerpc_440", Build("diag-powerpc")),
    ("powerpc_464fp", Build("diag-powerpc")),
    ("powerpc_8540", Build("diag-powerpc")),
    ("powerpc_8548", Build("diag-powerpc")),
    ("riscv64_generic", Build("diag-riscv64")),
    ("riscv64_riscv64", Build("diag-riscv64")),
    ("x86_64", Build("diag-x86_64")),
];

/// The list that the table must cover: a name and its releases a line.
#[cfg(test)]
const NAMES: &str = include_str!("openwrt.txt");

#[cfg(test)]
mod tests {
    use super::super::targets::TARGETS;
    use super::*;

    fn listed() -> impl Iterator<Item = (&'static str, &'static str)> {
        NAMES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '))
    }

    #[test]
    fn each_architecture_has_one_row_and_each_row_an_architecture() {
        let mut names: Vec<&str> = listed().map(|(name, _)| name).collect();
        names.sort_unstable();
        let rows: Vec<&str> = ARCHITECTURES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, rows);
        assert_eq!(listed().filter(|(_, releases)| releases.ends_with("master")).count(), 35);
    }

    #[test]
    fn a_build_is_one_of_the_routers_and_of_the_family() {
        for (name, cover) in ARCHITECTURES {
            let Build(build) = cover else { continue };
            let target = TARGETS.iter().find(|target| target.name == *build).unwrap();
            assert!(target.gate.is_some(), "{name}");
            let family = name.split('_').next().unwrap();
            let of_triple = match target.triple.split('-').next().unwrap() {
                "armv5te" => "arm",
                "i586" => "i386",
                "riscv64gc" => "riscv64",
                "x86_64" => "x86",
                other => other,
            };
            assert_eq!(family, of_triple, "{name}");
        }
    }

    #[test]
    fn each_router_build_serves_an_architecture() {
        for target in TARGETS.iter().filter(|target| target.gate.is_some()) {
            assert!(ARCHITECTURES.iter().any(|(_, cover)| *cover == Build(target.name)), "{}", target.name);
        }
    }
}
