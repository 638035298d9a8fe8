//! What may be asked of a machine while it is described and judged. The live machine
//! ([`crate::machine::probe::Live`]) answers by looking, a recorded one ([`crate::machine::recorded::Recorded`])
//! from a folder. Nothing here reads or runs anything by itself.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::elf::ByteOrder;
use crate::errno::Errno;

/// A machine that can be asked.
pub trait System {
    /// The first 64 KiB of a small text file (/proc/cpuinfo, /etc/openwrt_release).
    fn read(&self, path: &Path) -> Result<Vec<u8>, Errno>;
    /// The names in a folder that are to be kept, sorted; None where it cannot be listed.
    fn entries(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Option<Vec<OsString>>;
    /// stat(2): symbolic links are followed.
    fn stat(&self, path: &Path) -> Result<Stat, Errno>;
    /// Opens a regular file to read it; never blocks.
    fn open(&self, path: &Path) -> Result<File, Errno>;
    /// faccessat(2) with X_OK and AT_EACCESS: may the caller execute it; a noexec mount counts.
    fn may_execute(&self, path: &Path) -> Result<(), Errno>;
    /// Whether somebody holds the file open for writing: ETXTBSY at execve(2). None where that cannot be told.
    fn open_for_writing(&self, path: &Path) -> Option<bool>;
    /// The absolute path with symbolic links resolved.
    fn resolve(&self, path: &Path) -> Result<PathBuf, Errno>;
    /// statvfs(3) of a folder.
    fn space(&self, folder: &Path) -> Option<Space>;
    /// uname(2).
    fn uname(&self) -> Option<Uname>;
    /// The ELF auxiliary vector of a process of this machine, getauxval(3).
    fn auxv(&self) -> Auxv;
    /// PATH.
    fn search_path(&self) -> Vec<PathBuf>;
    /// Puts a question to the kernel; None where it cannot be put.
    fn ask(&self, question: Question) -> Option<Answer>;
    /// The byte order of the asking program, where it runs on that very machine.
    fn own_byte_order(&self) -> Option<ByteOrder> {
        None
    }
}

/// What is at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// What kind of file.
    pub kind: FileKind,
    /// Permission bits, 0o7777.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
    /// st_dev.
    pub device: u64,
}

/// S_IFMT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// S_IFREG.
    Regular,
    /// S_IFDIR.
    Directory,
    /// S_IFIFO.
    Fifo,
    /// S_IFSOCK.
    Socket,
    /// S_IFCHR.
    CharDevice,
    /// S_IFBLK.
    BlockDevice,
}

impl FileKind {
    /// With its article, to stand in a sentence.
    pub const fn name(self) -> &'static str {
        match self {
            FileKind::Regular => "a regular file",
            FileKind::Directory => "a directory",
            FileKind::Fifo => "a FIFO",
            FileKind::Socket => "a socket",
            FileKind::CharDevice => "a character device",
            FileKind::BlockDevice => "a block device",
        }
    }
}

/// Room on a file system, in bytes; what `df` shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// f_blocks.
    pub size: u64,
    /// f_bavail: what an unprivileged user may still take.
    pub available: u64,
}

/// Fields of uname(2), without the host name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uname {
    /// "Linux".
    pub sysname: String,
    /// "5.15.167".
    pub release: String,
    /// "mips" for both byte orders.
    pub machine: String,
}

/// Entries of the auxiliary vector that describe the machine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Auxv {
    /// AT_HWCAP.
    pub hwcap: Option<u64>,
    /// AT_HWCAP2.
    pub hwcap2: Option<u64>,
    /// AT_PLATFORM.
    pub platform: Option<String>,
    /// AT_PAGESZ, bytes.
    pub page_size: Option<u64>,
}

/// A fact that only the kernel can tell. It is found by starting a tiny ELF file of our own which has just that
/// property and exits at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question {
    /// Does a floating-point instruction work? A 32-bit MIPS program that executes `mtc1` and exits.
    FpInstruction,
    /// Is EF_MIPS_FP64 accepted? CONFIG_MIPS_O32_FP64_SUPPORT.
    MipsFp64,
    /// Is EF_MIPS_NAN2008 accepted? `mips_use_nan_2008`.
    MipsNan2008,
    /// Is a file without EF_MIPS_NAN2008 accepted? `mips_use_nan_legacy`.
    MipsNanLegacy,
}

impl Question {
    /// All of them.
    pub const ALL: [Question; 4] =
        [Question::FpInstruction, Question::MipsFp64, Question::MipsNan2008, Question::MipsNanLegacy];

    /// The name it has in the report and in a recorded machine.
    pub const fn name(self) -> &'static str {
        match self {
            Question::FpInstruction => "fp-instruction",
            Question::MipsFp64 => "mips-fp64",
            Question::MipsNan2008 => "mips-nan2008",
            Question::MipsNanLegacy => "mips-nan-legacy",
        }
    }
}

/// What became of the tiny program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It ran to its end.
    Works,
    /// execve(2) refused it.
    Refused(Errno),
    /// It was killed by SIGILL or another signal.
    Killed,
}

impl Answer {
    /// As in the report and in a recorded machine: "works", "killed", "refused ENOEXEC".
    pub fn words(self) -> String {
        match self {
            Answer::Works => "works".to_owned(),
            Answer::Killed => "killed".to_owned(),
            Answer::Refused(errno) => format!("refused {}", errno.name()),
        }
    }
}
