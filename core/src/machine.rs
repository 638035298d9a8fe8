//! The facts of a machine. Pure values: [`gather`] fills them in.

pub mod binfmt_misc;
mod bytes;
mod c_library;
pub mod cpuinfo;
pub(crate) mod family;
pub mod gather;
mod lazy;
pub(crate) mod x86;

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use binfmt_misc::BinfmtRule;
pub use bytes::word;
pub(crate) use bytes::{after, below, decimal, holds, is_below, parts};
pub use c_library::Libc;
pub use lazy::Lazy;

use crate::candidate::Handlers;
use crate::candidate::script::Rules;
use crate::elf::{ByteOrder, Class, Encoding};
use crate::system::{Answer, Question, Space};

/// A value, or none, and where it was looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact<T> {
    /// None: unknown.
    pub value: Option<T>,
    /// A file, a system call, or how it was worked out.
    pub source: &'static str,
}

impl<T> Fact<T> {
    /// A fact with its source.
    pub const fn new(value: Option<T>, source: &'static str) -> Self {
        Fact { value, source }
    }

    /// The value, where it is known.
    pub const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

/// All that is known of a machine. A group of facts is gathered when the first of it is looked at.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The processor, as /proc/cpuinfo tells.
    pub cpu: Lazy<Cpu>,
    /// The kernel.
    pub kernel: Lazy<Kernel>,
    /// What the machine's own programs are: the ELF header of /proc/self/exe or /bin/busybox.
    pub userland: Lazy<Fact<Abi>>,
    /// AT_HWCAP.
    pub hwcap: Fact<u64>,
    /// AT_HWCAP2.
    pub hwcap2: Fact<u64>,
    /// AT_PLATFORM.
    pub platform: Fact<String>,
    /// Do floating-point instructions work.
    pub fpu: Lazy<Fact<Fpu>>,
    /// What the kernel answered when it was asked.
    pub answers: Vec<(Question, Fact<Answer>)>,
    /// The enabled rules of binfmt_misc. Several that match are tried in an order that the kernel does not tell.
    pub binfmt_misc: Lazy<Fact<Vec<BinfmtRule>>>,
    /// Memory.
    pub memory: Lazy<Memory>,
    /// Resource limits of the asking process, and so of a program that its shell starts.
    pub limits: Lazy<Limits>,
    /// What is mounted, in the order of /proc/mounts.
    pub mounts: Lazy<Fact<Vec<Mount>>>,
    /// The C library of the machine's own programs.
    pub libc: Lazy<Fact<Libc>>,
    /// Dynamic loaders present, by path.
    pub loaders: Lazy<Fact<Vec<String>>>,
    /// What OpenWrt says of itself.
    pub openwrt: Lazy<OpenWrt>,
}

/// The processor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cpu {
    /// "system type" (MIPS), "Hardware" (ARM), "platform" (PowerPC): the chip.
    pub system_type: Fact<String>,
    /// "machine": the board, from the device tree.
    pub machine: Fact<String>,
    /// "cpu model" (MIPS), "model name" (x86, ARM), "cpu" (PowerPC), "uarch" (RISC-V).
    pub model: Fact<String>,
    /// "isa": `mips32r2`, or RISC-V's string as one word.
    pub isa: Lazy<Fact<Vec<String>>>,
    /// "ASEs implemented".
    pub ases: Lazy<Fact<Vec<String>>>,
    /// "Options implemented" (MIPS, kernel 5.17 on).
    pub options: Lazy<Fact<Vec<String>>>,
    /// "Features" (ARM, LoongArch) or "flags" (x86).
    pub features: Lazy<Fact<Vec<String>>>,
    /// "CPU architecture" (ARM): 5, 6, 7, 8.
    pub arm_architecture: Fact<u32>,
}

/// The kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kernel {
    /// Release, as uname(2) gives it.
    pub release: Fact<Release>,
    /// `uname -m`.
    pub machine: Fact<String>,
    /// e_machine of its own programs, from `uname -m`.
    pub e_machine: Fact<u16>,
    /// Its own word size; the userland's can be smaller.
    pub class: Fact<Class>,
    /// Its byte order: that of the userland it runs.
    pub byte_order: Fact<ByteOrder>,
    /// AT_PAGESZ, bytes.
    pub page_size: Fact<u64>,
    /// /proc/sys/vm/mmap_min_addr.
    pub mmap_min_addr: Lazy<Fact<u64>>,
}

/// A kernel release.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    /// As it was given: "4.14.151".
    pub text: String,
    /// Its first three numbers.
    pub version: (u32, u32, u32),
}

/// What a machine's programs are made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Abi {
    /// EM_MIPS, EM_ARM...
    pub e_machine: u16,
    /// Word size and byte order.
    pub encoding: Encoding,
    /// e_flags.
    pub e_flags: u32,
}

/// Whether floating-point instructions work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fpu {
    /// The processor executes them.
    Hardware,
    /// The kernel emulates them: slow, but they work.
    Emulated,
    /// They bring SIGILL.
    Absent,
}

impl Fpu {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Fpu::Hardware => "hardware",
            Fpu::Emulated => "emulated",
            Fpu::Absent => "absent",
        }
    }
}

/// Memory, in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    /// MemTotal.
    pub total: Fact<u64>,
    /// MemAvailable; before Linux 3.14 MemFree + Cached.
    pub available: Fact<u64>,
    /// SwapTotal.
    pub swap: Fact<u64>,
    /// vm.overcommit_memory: 0 by a rule of thumb, 1 always, 2 never.
    pub overcommit: Fact<u64>,
    /// CommitLimit - Committed_AS: what may still be had where overcommit is 2.
    pub commit: Fact<u64>,
}

/// getrlimit(2), soft limits in bytes; u64::MAX is no limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// RLIMIT_AS.
    pub address_space: Fact<u64>,
    /// RLIMIT_DATA.
    pub data: Fact<u64>,
    /// RLIMIT_STACK.
    pub stack: Fact<u64>,
}

/// A mounted file system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// "/dev/mtdblock6", "overlayfs:/overlay".
    pub device: String,
    /// Where.
    pub point: PathBuf,
    /// "jffs2", "tmpfs"...
    pub fstype: String,
    /// "rw", "noexec"...
    pub options: Vec<String>,
    /// None where it was not asked or not told.
    pub space: Lazy<Option<Space>>,
}

impl Mount {
    /// Whether an option is set.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|o| o == option)
    }

    /// Whether it compresses what is written, so that a file takes less than its length.
    pub fn compresses(&self) -> bool {
        matches!(self.fstype.as_str(), "jffs2" | "ubifs" | "btrfs" | "bcachefs")
    }

    /// Whether its files take RAM.
    pub fn is_ram(&self) -> bool {
        matches!(self.fstype.as_str(), "tmpfs" | "ramfs" | "rootfs")
    }
}

/// /etc/openwrt_release, /etc/os-release and /tmp/sysinfo.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenWrt {
    /// DISTRIB_RELEASE.
    pub release: Fact<String>,
    /// DISTRIB_TARGET: "ramips/mt7620".
    pub target: Fact<String>,
    /// DISTRIB_ARCH: "mipsel_24kc".
    pub arch: Fact<String>,
    /// /tmp/sysinfo/board_name.
    pub board: Fact<String>,
    /// /tmp/sysinfo/model.
    pub model: Fact<String>,
}

/// Whether a list has a word.
pub(crate) fn lists(list: &Fact<Vec<String>>, word: &str) -> bool {
    list.get().is_some_and(|words| words.iter().any(|listed| listed == word))
}

impl Kernel {
    /// The size of a page; 4 KiB where it is not known.
    pub fn page(&self) -> NonZeroU64 {
        self.page_size.value.and_then(NonZeroU64::new).unwrap_or(NonZeroU64::MIN.saturating_add(4095))
    }

    /// Whether the release is known to be older than a version; a kernel of unknown release counts as new.
    pub fn older_than(&self, version: (u32, u32, u32)) -> bool {
        self.release.get().is_some_and(|release| release.version < version)
    }
}

impl Machine {
    /// The mount that a path lies on: the last one whose point is a prefix.
    pub fn mount_of(&self, path: &Path) -> Option<&Mount> {
        let above = self.mounts.get()?.iter().filter(|mount| is_below(path, &mount.point));
        // Of points that are prefixes of one path the longest is the deepest; of equal ones the last hides the others.
        above.max_by_key(|mount| mount.point.as_os_str().len())
    }

    /// The mount whose device holds what is written below a folder: for an overlay the one of its upper layer.
    pub fn storage_of(&self, folder: &Path) -> Option<&Mount> {
        let mount = self.mount_of(folder)?;
        let upper = mount.options.iter().find_map(|option| option.strip_prefix("upperdir="));
        match upper {
            Some(upper) if mount.fstype == "overlay" => self.mount_of(Path::new(upper)).or(Some(mount)),
            _ => Some(mount),
        }
    }

    /// Byte order of the kernel.
    pub fn byte_order(&self) -> Option<ByteOrder> {
        self.kernel.byte_order.value
    }

    /// e_machine of the machine: the kernel's, or the userland's where `uname -m` tells nothing.
    pub fn e_machine(&self) -> Option<u16> {
        self.kernel.e_machine.value.or_else(|| self.userland.value.map(|abi| abi.e_machine))
    }

    /// The ways in which this kernel decodes an ELF file: its own layout, then the 32-bit one of its compatibility
    /// handler.
    pub fn encodings(&self) -> Vec<Encoding> {
        let Some(order) = self.byte_order() else { return Vec::new() };
        match self.kernel.class.value {
            Some(Class::Elf32) => vec![Encoding { order, class: Class::Elf32 }],
            Some(Class::Elf64) => {
                vec![Encoding { order, class: Class::Elf64 }, Encoding { order, class: Class::Elf32 }]
            }
            None => Vec::new(),
        }
    }

    /// How this kernel reads a file.
    pub fn handlers(&self) -> Handlers<'_> {
        let script = self.kernel.release.get().map_or(Rules::LATEST, |release| Rules::of(release.version));
        Handlers {
            encodings: self.encodings(),
            script,
            binfmt_misc: self.binfmt_misc.get().map(Vec::as_slice).unwrap_or_default(),
        }
    }

    /// What the kernel answered; None where it was not asked yet.
    pub fn answer(&self, question: Question) -> Option<&Fact<Answer>> {
        self.answers.iter().find(|(asked, _)| *asked == question).map(|(_, fact)| fact)
    }
}
