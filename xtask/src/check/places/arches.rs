//! Debian's architectures.

use crate::check::machine::{NO_GP, NO_PIC};

/// An architecture of Debian.
pub(super) struct Arch {
    /// Debian's word.
    pub(super) name: &'static str,
    /// QEMU's, behind `qemu-`.
    pub(super) qemu: &'static str,
    /// `-cpu` of QEMU: one that Debian's programs run on. None where this computer's processor runs them.
    pub(super) cpu: Option<&'static str>,
    /// zig's words for the program that reads the facts.
    pub(super) zig: &'static [&'static str],
    /// The loader that programs of glibc name.
    pub(super) glibc: &'static str,
    /// The loader that programs of musl name.
    pub(super) musl: &'static str,
}

/// By its name.
pub(super) fn find(name: &str) -> Option<&'static Arch> {
    ARCHES.iter().find(|arch| arch.name == name)
}

const ARCHES: [Arch; 10] = [
    Arch {
        name: "amd64",
        qemu: "x86_64",
        cpu: None,
        zig: &["-target", "x86_64-linux-musl"],
        glibc: "/lib64/ld-linux-x86-64.so.2",
        musl: "/lib/ld-musl-x86_64.so.1",
    },
    Arch {
        name: "i386",
        qemu: "i386",
        cpu: None,
        zig: &["-target", "x86-linux-musl", "-mcpu=i486"],
        glibc: "/lib/ld-linux.so.2",
        musl: "/lib/ld-musl-i386.so.1",
    },
    Arch {
        name: "armhf",
        qemu: "arm",
        cpu: Some("cortex-a15"),
        zig: &["-target", "arm-linux-musleabi", "-mcpu=arm926ej_s+soft_float"],
        glibc: "/lib/ld-linux-armhf.so.3",
        musl: "/lib/ld-musl-armhf.so.1",
    },
    Arch {
        name: "armel",
        qemu: "arm",
        cpu: Some("arm926"),
        zig: &["-target", "arm-linux-musleabi", "-mcpu=arm926ej_s+soft_float"],
        glibc: "/lib/ld-linux.so.3",
        musl: "/lib/ld-musl-arm.so.1",
    },
    Arch {
        name: "arm64",
        qemu: "aarch64",
        cpu: Some("cortex-a72"),
        zig: &["-target", "aarch64-linux-musl"],
        glibc: "/lib/ld-linux-aarch64.so.1",
        musl: "/lib/ld-musl-aarch64.so.1",
    },
    Arch {
        name: "ppc64el",
        qemu: "ppc64le",
        cpu: Some("power9"),
        zig: &["-target", "powerpc64le-linux-musl"],
        glibc: "/lib64/ld64.so.2",
        musl: "/lib/ld-musl-powerpc64le.so.1",
    },
    Arch {
        name: "s390x",
        qemu: "s390x",
        cpu: Some("qemu"),
        zig: &["-target", "s390x-linux-musl"],
        glibc: "/lib/ld64.so.1",
        musl: "/lib/ld-musl-s390x.so.1",
    },
    Arch {
        name: "riscv64",
        qemu: "riscv64",
        cpu: Some("rv64"),
        zig: &["-target", "riscv64-linux-musl"],
        glibc: "/lib/ld-linux-riscv64-lp64d.so.1",
        musl: "/lib/ld-musl-riscv64.so.1",
    },
    Arch {
        name: "mips64el",
        qemu: "mips64el",
        cpu: Some("MIPS64R2-generic"),
        zig: &["-target", "mips64el-linux-muslabi64", "-mcpu=mips64", NO_PIC, NO_GP],
        glibc: "/lib64/ld.so.1",
        musl: "/lib/ld-musl-mips64el.so.1",
    },
    Arch {
        name: "mipsel",
        qemu: "mipsel",
        cpu: Some("24Kf"),
        zig: &["-target", "mipsel-linux-musleabi", "-mcpu=mips32+soft_float", NO_PIC, NO_GP],
        glibc: "/lib/ld.so.1",
        musl: "/lib/ld-musl-mipsel.so.1",
    },
];
