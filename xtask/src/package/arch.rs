//! Which of OpenWrt's package architectures runs which build. The names are OpenWrt's, of every release since 17.01
//! (15.05 names boards instead, and knows no architecture in its release file).

/// Formats in which the releases that have an architecture take packages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Formats {
    /// Up to 24.10.
    pub(crate) ipk: bool,
    /// From 25.12 on.
    pub(crate) apk: bool,
}

/// The builds, and the architectures whose routers run each: a static program needs the CPU and the kernel, never the
/// C library, so soft float serves machines with an FPU as well.
const BUILDS: [(&str, &[&str]); 10] = [
    ("diag-mips", &["mips_24kc", "mips_4kec", "mips_mips32"]),
    ("diag-mipsel", &["mipsel_24kc", "mipsel_24kc_24kf", "mipsel_74kc", "mipsel_mips32"]),
    ("diag-mips64", &["mips64_mips64r2", "mips64_octeon", "mips64_octeonplus"]),
    (
        "diag-armv5",
        &[
            "arm_arm1136j-s",
            "arm_arm1176jzf-s_vfp",
            "arm_arm926ej-s",
            "arm_cortex-a15_neon-vfpv4",
            "arm_cortex-a5",
            "arm_cortex-a53_neon-vfpv4",
            "arm_cortex-a5_neon-vfpv4",
            "arm_cortex-a5_vfpv4",
            "arm_cortex-a7",
            "arm_cortex-a7_neon-vfpv4",
            "arm_cortex-a7_vfpv4",
            "arm_cortex-a8_neon",
            "arm_cortex-a8_vfpv3",
            "arm_cortex-a9",
            "arm_cortex-a9_neon",
            "arm_cortex-a9_vfpv3",
            "arm_cortex-a9_vfpv3-d16",
            "arm_mpcore",
            "arm_mpcore_vfp",
            "arm_xscale",
        ],
    ),
    (
        "diag-aarch64",
        &[
            "aarch64_armv8-a",
            "aarch64_cortex-a53",
            "aarch64_cortex-a72",
            "aarch64_cortex-a76",
            "aarch64_generic",
        ],
    ),
    ("diag-i586", &["i386_pentium", "i386_pentium-mmx", "i386_pentium4"]),
    ("diag-x86_64", &["x86_64"]),
    ("diag-riscv64", &["riscv64_generic", "riscv64_riscv64"]),
    ("diag-powerpc", &["powerpc_405", "powerpc_440", "powerpc_464fp", "powerpc_8540", "powerpc_8548"]),
    ("diag-loongarch64", &["loongarch64_generic"]),
];

/// The architectures that no build fits, each with the reason.
pub(crate) const UNCOVERED: [(&str, &str); 8] = [
    ("arc_arc700", "Rust has no standard library for ARC on Linux"),
    ("arc_archs", "Rust has no standard library for ARC on Linux"),
    ("arm_fa526", "ARMv4: diag-armv5 uses instructions that came with ARMv5"),
    ("armeb_xscale", "big-endian ARMv5, for which Rust has no target"),
    ("mips64_mips64", "MIPS64 release 1, a board of QEMU's; diag-mips64 is release 2"),
    ("mips64el_mips64", "a board of QEMU's, no device"),
    ("mips64el_mips64r2", "a board of QEMU's, no device"),
    (
        "powerpc64_e5500",
        "64-bit big-endian PowerPC whose kernel runs no 32-bit programs; there is no build for it",
    ),
];

/// What ended before packages became .apk.
const ENDED: [&str; 19] = [
    "aarch64_armv8-a",
    "arc_arc700",
    "arc_archs",
    "arm_arm1136j-s",
    "arm_cortex-a5",
    "arm_cortex-a53_neon-vfpv4",
    "arm_cortex-a5_neon-vfpv4",
    "arm_cortex-a8_neon",
    "arm_cortex-a9_vfpv3",
    "arm_mpcore",
    "arm_mpcore_vfp",
    "i386_pentium",
    "mips64_mips64",
    "mips64_octeon",
    "mips64el_mips64",
    "mips_4kec",
    "powerpc_405",
    "powerpc_440",
    "powerpc_8540",
];

/// The architectures whose routers run a build; none where there is no such build.
pub(crate) fn archs_of(build: &str) -> &'static [&'static str] {
    BUILDS.iter().find(|(name, _)| *name == build).map_or(&[], |(_, archs)| archs)
}

/// The builds that packages are made of.
pub(crate) fn builds() -> impl Iterator<Item = &'static str> {
    BUILDS.iter().map(|(build, _)| *build)
}

/// The formats in which the releases with that architecture take packages.
pub(crate) fn formats(arch: &str) -> Formats {
    match arch {
        // The name under which 25.12 goes on with riscv64_riscv64.
        "riscv64_generic" => Formats { ipk: false, apk: true },
        "riscv64_riscv64" => Formats { ipk: true, apk: false },
        _ => Formats { ipk: true, apk: !ENDED.contains(&arch) },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn covered() -> Vec<&'static str> {
        builds().flat_map(archs_of).copied().collect()
    }

    #[test]
    fn every_architecture_is_in_one_place() {
        let uncovered = UNCOVERED.map(|(arch, _)| arch);
        let all: Vec<&str> = covered().into_iter().chain(uncovered).collect();
        let unique: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(unique.len(), all.len());
        assert!(ENDED.iter().all(|arch| unique.contains(arch)));
        // 35 are current, 20 more were since 17.01.
        assert_eq!(all.iter().filter(|arch| formats(arch).apk).count(), 35);
        assert_eq!(all.len(), 55);
    }

    #[test]
    fn names_that_changed() {
        assert_eq!(formats("mips_24kc"), Formats { ipk: true, apk: true });
        assert_eq!(formats("mips_4kec"), Formats { ipk: true, apk: false });
        assert_eq!(formats("riscv64_generic"), Formats { ipk: false, apk: true });
        assert!(archs_of("diag-mips").contains(&"mips_4kec"));
        assert!(archs_of("diag-s390x").is_empty());
    }

    #[test]
    fn four_current_ones_have_no_build() {
        let current = UNCOVERED.map(|(arch, _)| arch).into_iter().filter(|arch| formats(arch).apk);
        let expected = ["arm_fa526", "armeb_xscale", "mips64el_mips64r2", "powerpc64_e5500"];
        assert_eq!(current.collect::<Vec<_>>(), expected);
    }
}
