//! OpenWrt's package architectures: which releases have each, and which build runs on all its machines.

use Cover::{Build, Not};

/// What there is for an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cover {
    /// The build of this name runs on all its machines: a static program needs the CPU and the kernel, never the C
    /// library, so soft float serves machines with an FPU as well.
    Build(&'static str),
    /// None does, for this reason.
    Not(&'static str),
}

const ARMV4: &str = "ARMv4, 8 machines: the build for ARM has instructions of ARMv5TE";
const ARMEB: &str = "big-endian ARM: Rust has no such target with a C library, and OpenWrt no Rust";
const ARC: &str = "ARC: Rust has no such target; gone after 24.10";
const MIPS64_R1: &str = "MIPS64 R1, a board of QEMU's alone, gone after 19.07; the build is R2";
const MIPS64EL: &str = "little-endian MIPS64, a board of QEMU's alone: no room in the one file";
const POWERPC64: &str =
    "64-bit PowerPC, 2 machines, whose kernels run no 32-bit programs: no room in the one file";

/// An architecture.
pub(crate) struct Arch {
    /// Its name (`DISTRIB_ARCH`).
    pub(crate) name: &'static str,
    pub(crate) cover: Cover,
    /// The releases that have it.
    releases: &'static str,
}

const fn row(name: &'static str, cover: Cover, releases: &'static str) -> Arch {
    Arch { name, cover, releases }
}

/// All since 17.01 (15.05 names boards instead, and knows no architecture in its release file).
pub(crate) static ARCHITECTURES: [Arch; 55] = [
    row("aarch64_armv8-a", Build("diag-aarch64"), "17.01"),
    row("aarch64_cortex-a53", Build("diag-aarch64"), "18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("aarch64_cortex-a72", Build("diag-aarch64"), "18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("aarch64_cortex-a76", Build("diag-aarch64"), "24.10 25.12 master"),
    row("aarch64_generic", Build("diag-aarch64"), "18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("arc_arc700", Not(ARC), "17.01 18.06 19.07 21.02"),
    row("arc_archs", Not(ARC), "17.01 18.06 19.07 21.02 22.03 23.05 24.10"),
    row("arm_arm1136j-s", Build("diag-armv5"), "17.01"),
    row(
        "arm_arm1176jzf-s_vfp",
        Build("diag-armv5"),
        "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master",
    ),
    row("arm_arm926ej-s", Build("diag-armv5"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row(
        "arm_cortex-a15_neon-vfpv4",
        Build("diag-armv5"),
        "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master",
    ),
    row("arm_cortex-a5", Build("diag-armv5"), "17.01"),
    row("arm_cortex-a53_neon-vfpv4", Build("diag-armv5"), "17.01"),
    row("arm_cortex-a5_neon-vfpv4", Build("diag-armv5"), "18.06"),
    row("arm_cortex-a5_vfpv4", Build("diag-armv5"), "18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("arm_cortex-a7", Build("diag-armv5"), "21.02 22.03 23.05 24.10 25.12 master"),
    row(
        "arm_cortex-a7_neon-vfpv4",
        Build("diag-armv5"),
        "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master",
    ),
    row("arm_cortex-a7_vfpv4", Build("diag-armv5"), "22.03 23.05 24.10 25.12 master"),
    row("arm_cortex-a8_neon", Build("diag-armv5"), "19.07"),
    row("arm_cortex-a8_vfpv3", Build("diag-armv5"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("arm_cortex-a9", Build("diag-armv5"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("arm_cortex-a9_neon", Build("diag-armv5"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("arm_cortex-a9_vfpv3", Build("diag-armv5"), "17.01 18.06"),
    row("arm_cortex-a9_vfpv3-d16", Build("diag-armv5"), "19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("arm_fa526", Not(ARMV4), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("arm_mpcore", Build("diag-armv5"), "17.01 18.06 19.07 21.02 22.03 23.05"),
    row("arm_mpcore_vfp", Build("diag-armv5"), "17.01 18.06 19.07"),
    row("arm_xscale", Build("diag-armv5"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("armeb_xscale", Not(ARMEB), "17.01 18.06 24.10 25.12 master"),
    row("i386_pentium", Build("diag-i586"), "17.01 18.06 19.07"),
    row("i386_pentium-mmx", Build("diag-i586"), "21.02 22.03 23.05 24.10 25.12 master"),
    row("i386_pentium4", Build("diag-i586"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("loongarch64_generic", Build("diag-loongarch64"), "24.10 25.12 master"),
    row("mips64_mips64", Not(MIPS64_R1), "17.01 18.06 19.07"),
    row("mips64_mips64r2", Build("diag-mips64"), "21.02 22.03 23.05 24.10 25.12 master"),
    row("mips64_octeon", Build("diag-mips64"), "17.01 18.06"),
    row("mips64_octeonplus", Build("diag-mips64"), "19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("mips64el_mips64", Not(MIPS64EL), "17.01 18.06 19.07"),
    row("mips64el_mips64r2", Not(MIPS64EL), "21.02 22.03 23.05 24.10 25.12 master"),
    row("mips_24kc", Build("diag-mips"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("mips_4kec", Build("diag-mips"), "21.02 22.03 23.05 24.10"),
    row("mips_mips32", Build("diag-mips"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("mipsel_24kc", Build("diag-mipsel"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("mipsel_24kc_24kf", Build("diag-mipsel"), "18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("mipsel_74kc", Build("diag-mipsel"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("mipsel_mips32", Build("diag-mipsel"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("powerpc64_e5500", Not(POWERPC64), "22.03 23.05 24.10 25.12 master"),
    row("powerpc_405", Build("diag-powerpc"), "17.01"),
    row("powerpc_440", Build("diag-powerpc"), "17.01"),
    row("powerpc_464fp", Build("diag-powerpc"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
    row("powerpc_8540", Build("diag-powerpc"), "17.01 18.06 19.07 21.02 22.03"),
    row("powerpc_8548", Build("diag-powerpc"), "23.05 24.10 25.12 master"),
    row("riscv64_generic", Build("diag-riscv64"), "25.12 master"),
    row("riscv64_riscv64", Build("diag-riscv64"), "23.05 24.10"),
    row("x86_64", Build("diag-x86_64"), "17.01 18.06 19.07 21.02 22.03 23.05 24.10 25.12 master"),
];

impl Arch {
    /// Whether a release of it takes packages for opkg: those up to 24.10 do.
    pub(crate) fn takes_ipk(&self) -> bool {
        self.releases.split(' ').any(|release| release < "25")
    }

    /// Whether one takes packages for apk: those from 25.12 on do.
    pub(crate) fn takes_apk(&self) -> bool {
        self.releases.split(' ').any(|release| release >= "25")
    }
}

/// The architectures whose routers run a build.
pub(crate) fn of_build(build: &str) -> impl Iterator<Item = &'static Arch> {
    ARCHITECTURES.iter().filter(move |arch| matches!(arch.cover, Build(of) if of == build))
}

/// Those of these names.
#[cfg(test)]
pub(crate) fn named(names: &[&str]) -> Vec<&'static Arch> {
    ARCHITECTURES.iter().filter(|arch| names.contains(&arch.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::TARGETS;

    #[test]
    fn each_architecture_has_one_row() {
        assert!(ARCHITECTURES.is_sorted_by(|one, other| one.name < other.name));
        assert_eq!(ARCHITECTURES.iter().filter(|arch| arch.releases.ends_with("master")).count(), 35);
    }

    #[test]
    fn a_build_is_one_of_the_routers_and_of_the_family() {
        for arch in &ARCHITECTURES {
            let Build(build) = arch.cover else { continue };
            let target = TARGETS.iter().find(|target| target.name == build).unwrap();
            assert!(target.router, "{}", arch.name);
            let family = arch.name.split('_').next().unwrap();
            let of_triple = match target.triple.split('-').next().unwrap() {
                "armv5te" => "arm",
                "i586" => "i386",
                "riscv64gc" => "riscv64",
                "x86_64" => "x86",
                other => other,
            };
            assert_eq!(family, of_triple, "{}", arch.name);
        }
    }

    #[test]
    fn each_router_build_serves_an_architecture() {
        for target in TARGETS.iter().filter(|target| target.router) {
            assert!(of_build(target.name).next().is_some(), "{}", target.name);
        }
    }

    #[test]
    fn formats_by_release() {
        let takes = |name| {
            let arch = ARCHITECTURES.iter().find(|arch| arch.name == name).unwrap();
            (arch.takes_ipk(), arch.takes_apk())
        };
        assert_eq!(takes("mips_24kc"), (true, true));
        assert_eq!(takes("mips_4kec"), (true, false));
        // The name under which 25.12 goes on with riscv64_riscv64.
        assert_eq!(takes("riscv64_generic"), (false, true));
        assert_eq!(takes("riscv64_riscv64"), (true, false));
    }
}
