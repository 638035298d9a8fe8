//! What may be asked of a target: its files, and its kernel. A live machine answers by looking, a recorded one from a
//! folder, a test from values. Nothing here reads or runs anything by itself.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ffi::CStr;

use crate::elf::ByteOrder;
use crate::errno::Errno;
pub use crate::machine::capability::Capability;
use crate::path::{Path, PathBuf};

/// An answer; None where it is not known. What is unknown is never taken for its absence: a file that nobody looked for
/// is not [`Errno::ENOENT`].
pub type Known<T> = Option<T>;

/// The target that a program is judged for.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// Its files.
    pub root: &'a dyn Root,
    /// Its kernel.
    pub kernel: &'a dyn Kernel,
}

impl<'a> Target<'a> {
    /// One that answers for its files and for its kernel.
    pub fn new(both: &'a (impl Root + Kernel)) -> Target<'a> {
        Target { root: both, kernel: both }
    }
}

/// A file of which nothing is known because of who asks ([`Errno::is_of_who_asks`]), and why: of several the first.
#[derive(Clone, Debug, Default)]
pub struct Refusal(RefCell<Option<(PathBuf, Errno)>>);

impl Refusal {
    /// None yet.
    pub const fn new() -> Refusal {
        Refusal(RefCell::new(None))
    }

    /// Notes one.
    pub fn note(&self, path: &Path, errno: Errno) {
        // Nobody keeps it borrowed; borrow_mut() would be a way to panic all the same.
        if let Ok(mut first) = self.0.try_borrow_mut() {
            first.get_or_insert_with(|| (path.to_path_buf(), errno));
        }
    }

    /// What was noted; it is not told again.
    pub fn take(&self) -> Option<(PathBuf, Errno)> {
        self.0.try_borrow_mut().ok()?.take()
    }
}

/// The target's files, as far as they are known: what a target does not answer is not known.
pub trait Root {
    /// The first 64 KiB at least of a small text file of the machine's own (/proc/cpuinfo, /etc/openwrt_release). Never of one
    /// whose name a program chose: that may be a file of the kernel's.
    fn read(&self, _: &Path) -> Known<Result<Vec<u8>, Errno>> {
        None
    }
    /// The names in a folder that are to be kept, sorted.
    fn list(&self, _: &Path, _: fn(&[u8]) -> bool) -> Known<Result<Vec<Vec<u8>>, Errno>> {
        None
    }
    /// stat(2): symbolic links are followed.
    fn stat(&self, _: &Path) -> Known<Result<Stat, Errno>> {
        None
    }
    /// Opens a regular file to read it; never blocks. What the kernel makes up ([`FileKind::Pseudo`]) is not opened.
    fn open(&self, _: &Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
        None
    }
    /// faccessat(2) with X_OK and AT_EACCESS: may the caller execute it; a noexec mount counts.
    fn may_execute(&self, _: &Path) -> Known<Result<(), Errno>> {
        None
    }
    /// execveat(2) with AT_EXECVE_CHECK (Linux 6.14), which starts nothing: what the kernel and its security modules would say
    /// to an execve(2). None where it cannot be asked.
    fn may_start(&self, _: &Path) -> Known<Result<(), Errno>> {
        None
    }
    /// The absolute path with symbolic links resolved.
    fn resolve(&self, _: &Path) -> Known<Result<PathBuf, Errno>> {
        None
    }
    /// Whether a file is none of the target's yet: it lies on another machine, and is to be brought to that path.
    fn is_to_come(&self, _: &Path) -> bool {
        false
    }
    /// What the file's attribute `security.capability` gives; `Some(None)` where it has none that counts here.
    fn capabilities(&self, _: &Path) -> Known<Option<FileCapabilities>> {
        None
    }
    /// The file's attribute `security.selinux`, its label; None where it has none, or is not known.
    fn label(&self, _: &Path) -> Option<Vec<u8>> {
        None
    }
    /// The release of glibc ("2.31"), where its files are not known and this is: of a machine by name.
    #[cfg(feature = "every-machine")]
    fn glibc(&self) -> Known<Vec<u8>> {
        None
    }
    /// [`Refusal::take`].
    fn take_refusal(&self) -> Option<(PathBuf, Errno)> {
        None
    }
    /// statvfs(3) of a folder.
    fn space(&self, _: &Path) -> Known<Space> {
        None
    }
}

/// What the target's kernel tells a process, and does with its programs.
pub trait Kernel {
    /// uname(2).
    fn uname(&self) -> Known<Uname> {
        None
    }
    /// The ELF auxiliary vector of a process of this machine, getauxval(3).
    fn auxv(&self) -> Auxv {
        Auxv::default()
    }
    /// getrlimit(2).
    fn limits(&self) -> Limits {
        Limits::default()
    }
    /// Who starts programs from here.
    fn caller(&self) -> Known<Caller> {
        None
    }
    /// A variable of the environment that a program started from here inherits.
    fn variable(&self, _: &CStr) -> Option<Vec<u8>> {
        None
    }
    /// Puts a question to the kernel; None where it cannot be put.
    fn ask(&self, _: Capability) -> Known<Answer> {
        None
    }
    /// Whether the asking program, where it runs on that very machine, is itself what the question is about.
    fn proven_by_own_build(&self, _: Capability) -> bool {
        false
    }
    /// The byte order of the asking program, where it runs on that very machine.
    fn own_byte_order(&self) -> Option<ByteOrder> {
        None
    }
    /// The name by which alone the machine is known, as `--on` takes it (`debian:11/armhf`): what it answers is what machines of
    /// that name have, and nobody asked one. None for a machine that was looked at.
    fn catalogue_name(&self) -> Option<&str> {
        None
    }
}

/// The bytes of an open file.
pub trait ReadAt {
    /// Up to `len` bytes from an offset on; fewer where the file ends.
    ///
    /// # Errors
    ///
    /// pread(2) fails, be it behind what it could read.
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno>;
    /// Whether somebody holds it open for writing: ETXTBSY at execve(2).
    fn open_for_writing(&self) -> Known<bool> {
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
    /// st_ino.
    pub inode: u64,
    /// st_uid; None: not known.
    pub owner: Known<u32>,
    /// st_gid.
    pub group: Known<u32>,
}

/// Capabilities of a file, capabilities(7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileCapabilities {
    /// The flag `e`.
    pub effective: bool,
    /// Any is in its permitted set.
    pub permitted: bool,
}

/// Who starts a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Caller {
    /// getuid(2).
    pub uid: u32,
    /// geteuid(2).
    pub euid: u32,
    /// getgid(2).
    pub gid: u32,
    /// getegid(2).
    pub egid: u32,
    /// prctl(2), PR_GET_NO_NEW_PRIVS.
    pub no_new_privs: bool,
}

/// S_IFMT, and what of S_IFREG the kernel makes up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// S_IFREG.
    Regular,
    /// S_IFREG on a [pseudo file system](is_pseudo).
    Pseudo,
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
            FileKind::Pseudo => "a file of the kernel's own",
            FileKind::Directory => "a directory",
            FileKind::Fifo => "a FIFO",
            FileKind::Socket => "a socket",
            FileKind::CharDevice => "a character device",
            FileKind::BlockDevice => "a block device",
        }
    }
}

/// A file system whose files the kernel makes up when they are opened and read: to read one may take what it tells
/// (/proc/kmsg), start something, or wait. By its name in /proc/mounts, and by its f_type (linux/magic.h).
struct PseudoFileSystem {
    fstype: &'static str,
    magic: u32,
}

const fn pseudo(fstype: &'static str, magic: u32) -> PseudoFileSystem {
    PseudoFileSystem { fstype, magic }
}

/// The magic number of procfs.
pub const PROC_SUPER_MAGIC: u32 = 0x9fa0;

static PSEUDO: [PseudoFileSystem; 22] = [
    pseudo("proc", PROC_SUPER_MAGIC),
    pseudo("sysfs", 0x6265_6572),
    pseudo("tracefs", 0x7472_6163),
    pseudo("debugfs", 0x6462_6720),
    pseudo("securityfs", 0x7363_6673),
    pseudo("selinuxfs", 0xf97c_ff8c),
    pseudo("smackfs", 0x4341_5d53),
    pseudo("configfs", 0x6265_6570),
    pseudo("cgroup", 0x27_e0eb),
    pseudo("cgroup2", 0x6367_7270),
    pseudo("cpuset", 0x27_e0eb),
    pseudo("resctrl", 0x0765_5821),
    pseudo("bpf", 0xcafe_4a11),
    pseudo("binfmt_misc", 0x4249_4e4d),
    pseudo("fusectl", 0x6573_5543),
    pseudo("efivarfs", 0xde5e_81e4),
    pseudo("pstore", 0x6165_676c),
    pseudo("mqueue", 0x1980_0202),
    pseudo("nsfs", 0x6e73_6673),
    pseudo("nfsd", 0x6e66_7364),
    pseudo("rpc_pipefs", 0x6759_6969),
    pseudo("usbfs", 0x9fa2),
];

/// Whether a file system of that f_type is one.
pub fn is_pseudo(magic: u32) -> bool {
    PSEUDO.iter().any(|known| known.magic == magic)
}

/// Whether a file system of that name in /proc/mounts is one.
pub fn is_pseudo_fstype(fstype: &str) -> bool {
    PSEUDO.iter().any(|known| known.fstype == fstype)
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
    /// The release that a personality has uname(2) tell in place of the true one ([`Uname::release`]).
    pub told: Option<String>,
    /// "5.15.167".
    pub release: String,
    /// "mips" for both byte orders.
    pub machine: String,
}

/// Soft limits in bytes, u64::MAX where there is none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// RLIMIT_AS.
    pub address_space: Option<u64>,
    /// RLIMIT_DATA.
    pub data: Option<u64>,
    /// RLIMIT_STACK.
    pub stack: Option<u64>,
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
    /// AT_BASE_PLATFORM.
    pub base_platform: Option<String>,
    /// AT_PAGESZ, bytes.
    pub page_size: Option<u64>,
}

/// What became of the tiny program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It ran to its end.
    Works,
    /// execve(2) refused it.
    Refused(Errno),
    /// It was killed: by SIGILL, SIGBUS, SIGSEGV, SIGTRAP or SIGSYS.
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

/// A target of which nothing is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Root for Nothing {}

impl Kernel for Nothing {}
