//! What QEMU plays for each kernel, and where the kernel is from: a table.

use super::Kernel;
use super::kernel::{LINUX_5_10, LINUX_6_12, Linux};

/// A computer of QEMU's with a kernel for it.
#[derive(Clone, Copy)]
pub(super) struct Machine {
    /// The kernel's name on the command line.
    pub(super) name: &'static str,
    /// What the programs of its root are built for, as Debian names it.
    pub(super) arch: &'static str,
    /// The program of QEMU, without `qemu-system-`, and what Debian has it in.
    pub(super) qemu: &'static str,
    pub(super) package: &'static str,
    pub(super) board: &'static str,
    /// Where nobody asks for another.
    pub(super) cpu: &'static str,
    /// MiB, where nobody asks for another amount, and at most.
    pub(super) memory: u32,
    /// The kernel's terminal.
    pub(super) console: &'static str,
    pub(super) wires: Wires,
    pub(super) root: Root,
    pub(super) source: Source,
    /// Modules that the root and the wires need, where the kernel does not have them built in.
    pub(super) modules: &'static [&'static str],
}

/// How the commands' output and their results get out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wires {
    /// The second and the third serial port: about 450 KB/s.
    Serial,
    /// Two ports of a virtio console, a device that is named `virtio-serial-` and this.
    Virtio(&'static str),
}

impl Wires {
    /// The guest's names of the two, in /dev.
    pub(super) fn devices(self) -> [&'static str; 2] {
        match self {
            Self::Serial => ["ttyS1", "ttyS2"],
            Self::Virtio(_) => ["vport0p1", "vport0p2"],
        }
    }
}

/// What the guest's root is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// OpenWrt's, with a BusyBox and a libc built here.
    OpenWrt,
    /// An initramfs with Debian's static BusyBox.
    Plain,
}

/// Where a kernel is from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// Built here, of Debian's source.
    Here(&'static Linux),
    /// Debian's packages of an architecture, each by a regular expression for its name.
    Debian(&'static str, &'static [&'static str]),
}

/// A Malta board with a kernel without FPU support.
const MALTA: Machine = Machine {
    name: "mipsel",
    arch: "mipsel",
    qemu: "mipsel",
    package: "qemu-system-mips",
    board: "malta",
    cpu: "24Kc",
    // These kernels use the first 256 MiB.
    memory: 256,
    console: "ttyS0",
    wires: Wires::Serial,
    root: Root::OpenWrt,
    source: Source::Here(&LINUX_6_12),
    modules: &[],
};

/// The same with one of Debian's kernels, whose drivers are modules.
const MALTA_DEBIAN: Machine = Machine { modules: &["loop", "squashfs", "overlay"], ..MALTA };

/// 64 bits; the root's programs have 32.
const MALTA64: Machine = Machine {
    name: "mips64el",
    qemu: "mips64el",
    cpu: "5KEf",
    source: Source::Debian("mips64el", &[r"^linux-image-6\.1\..*[0-9]-5kc-malta$"]),
    ..MALTA_DEBIAN
};

/// A board of QEMU's own, with virtio devices.
const VIRT: Machine = Machine {
    name: "arm64",
    arch: "arm64",
    qemu: "aarch64",
    package: "qemu-system-arm",
    board: "virt",
    cpu: "cortex-a57",
    memory: 1024,
    console: "ttyAMA0",
    wires: Wires::Virtio("pci"),
    root: Root::Plain,
    source: Source::Debian("arm64", &[r"^linux-image-6\.1\..*[0-9]-arm64$"]),
    modules: &["virtio_pci", "virtio_console"],
};

const ARMHF: Machine = Machine {
    name: "armhf",
    arch: "armhf",
    qemu: "arm",
    cpu: "cortex-a15",
    // Its PCI bus is beyond what a kernel without LPAE reaches.
    wires: Wires::Virtio("device"),
    source: Source::Debian("armhf", &[r"^linux-image-6\.1\..*[0-9]-armmp$"]),
    modules: &["virtio_mmio", "virtio_console"],
    ..VIRT
};

const RISCV64: Machine = Machine {
    name: "riscv64",
    arch: "riscv64",
    qemu: "riscv64",
    package: "qemu-system-misc",
    cpu: "rv64",
    console: "ttyS0",
    source: Source::Debian(
        "riscv64",
        &[
            r"^linux-base-[0-9].*[0-9]-riscv64$",
            r"^linux-binary-[0-9].*[0-9]-riscv64$",
            r"^linux-modules-[0-9].*[0-9]-riscv64$",
        ],
    ),
    ..VIRT
};

/// Pages of 64 KiB.
const PPC64EL: Machine = Machine {
    name: "ppc64el",
    arch: "ppc64el",
    qemu: "ppc64",
    package: "qemu-system-ppc",
    board: "pseries",
    cpu: "power9",
    // Each small file takes a page.
    memory: 3072,
    console: "hvc0",
    source: Source::Debian("ppc64el", &[r"^linux-image-6\.1\..*[0-9]-powerpc64le$"]),
    ..VIRT
};

impl Kernel {
    pub(super) fn machine(self) -> Machine {
        let debian = Source::Debian;
        match self {
            Self::Mips => Machine { name: "mips", arch: "mips", qemu: "mips", ..MALTA },
            Self::Mipsel => MALTA,
            Self::MipsOld => {
                Machine { name: "mips-5.10", source: Source::Here(&LINUX_5_10), ..Self::Mips.machine() }
            }
            Self::MipselOld => Machine { name: "mipsel-5.10", source: Source::Here(&LINUX_5_10), ..MALTA },
            Self::MipselFpu => Machine {
                name: "mipsel-fpu",
                source: debian("mipsel", &["^linux-image-[0-9].*-4kc-malta$"]),
                ..MALTA_DEBIAN
            },
            Self::Mips64el => MALTA64,
            Self::Mips64elNew => Machine {
                name: "mips64el-6.12",
                source: debian("mips64el", &[r"^linux-image-6\.12\..*-5kc-malta$"]),
                ..MALTA64
            },
            Self::Arm64 => VIRT,
            Self::Arm64Pages16k => Machine {
                name: "arm64-16k",
                // The first CPU of QEMU's that knows such pages; its pointer authentication the quick way.
                cpu: "max,pauth-impdef=on",
                source: debian("arm64", &[r"^linux-image-6\.12\..*[0-9]-arm64-16k$"]),
                ..VIRT
            },
            Self::Armhf => ARMHF,
            Self::Riscv64 => RISCV64,
            Self::Ppc64el => PPC64EL,
            Self::Ppc64elPages4k => Machine {
                name: "ppc64el-4k",
                source: debian("ppc64el", &[r"^linux-image-6\.12\..*[0-9]-powerpc64le$"]),
                ..PPC64EL
            },
        }
    }
}
