//! The facts that can be known of a machine.

use alloc::string::String;
use core::cell::OnceCell;
use core::fmt;
use core::num::NonZeroU64;

use crate::elf::{ByteOrder, Class, Encoding};
use crate::path::PathBuf;
use crate::target::Space;

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
    pub isa: Fact<Words>,
    /// "ASEs implemented".
    pub ases: Fact<Words>,
    /// "Options implemented" (MIPS, kernel 5.17 on).
    pub options: Fact<Words>,
    /// "Features" (ARM, LoongArch) or "flags" (x86).
    pub features: Fact<Words>,
    /// "CPU architecture" (ARM): 5, 6, 7, 8.
    pub arm_architecture: Fact<u32>,
    /// "CPU part" (ARM): the core, by its designer's number.
    pub part: Fact<String>,
}

/// Words with one blank between them, as the kernel prints them: x86 has some 150 flags.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Words(pub(super) String);

impl Words {
    /// Each word.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
    }

    /// Whether one of them is this.
    pub fn has(&self, word: &str) -> bool {
        self.0.split(' ').any(|known| known == word)
    }
}

impl fmt::Display for Words {
    /// With one blank between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.iter().enumerate() {
            f.write_str(if index > 0 { " " } else { "" })?;
            f.write_str(word)?;
        }
        Ok(())
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Words {
        Words(String::from(text))
    }
}

/// The kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KernelFacts {
    /// Its release.
    pub release: Fact<Release>,
    /// What uname(2) tells in its place.
    pub told: Option<Release>,
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
}

/// A kernel release.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    /// As it was given: "4.14.151".
    pub text: String,
    /// Its first three numbers.
    pub version: Version,
}

/// Major, minor and patch number of a Linux release.
pub type Version = (u8, u8, u16);

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
    /// CommitLimit: what may be had in all where overcommit is 2.
    pub commit_limit: Fact<u64>,
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
    /// "rw,noexec".
    pub options: String,
    /// It is on another machine, or behind a process that may hang, or lies below such a mount: statvfs(3) could block
    /// for ever.
    pub remote: bool,
    /// [`Machine::space`], once it was looked at.
    pub space: OnceCell<Option<Space>>,
}

impl Mount {
    /// Each option.
    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.options.split(',')
    }

    /// Whether an option is set.
    pub fn has(&self, option: &str) -> bool {
        self.options().any(|set| set == option)
    }

    /// Whether it compresses what is written, so that a file takes less than its length.
    pub fn compresses(&self) -> bool {
        ["jffs2", "ubifs", "btrfs", "bcachefs"].contains(&self.fstype.as_str())
    }

    /// Whether its files take RAM.
    pub fn is_ram(&self) -> bool {
        ["tmpfs", "ramfs", "rootfs"].contains(&self.fstype.as_str())
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

/// Whether a list is known to have a word.
pub(crate) fn lists(list: &Fact<Words>, word: &str) -> bool {
    list.get().is_some_and(|words| words.has(word))
}

impl KernelFacts {
    /// The size of a page; 4 KiB where it is not known.
    pub fn page(&self) -> NonZeroU64 {
        self.page_size.value.and_then(NonZeroU64::new).unwrap_or(NonZeroU64::MIN.saturating_add(4095))
    }

    /// Whether the release is known to be older than a version; a kernel of unknown release counts as new.
    pub fn older_than(&self, version: Version) -> bool {
        self.release.get().is_some_and(|release| release.version < version)
    }

    /// The release that a program is told.
    pub fn uname(&self) -> Option<&Release> {
        self.told.as_ref().or(self.release.get())
    }
}
