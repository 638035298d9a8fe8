//! The machine that `diag` runs on. Only these rooms use nix, rustix and the live system:
//!
//! | module | what it holds |
//! | --- | --- |
//! | `files` | stat, open, list, what a file lies on |
//! | `kernel` | uname, the auxiliary vector, limits |
//! | `ask`, `tiny_elf` | questions put to the kernel by a tiny program of diag's own, and these programs |
//! | [`memory`] | what is said where memory ends |
//! | `remote`, `patience` | file systems that may never answer, and the child that waits for them |
//! | [`start`], [`stdio`] | what comes before everything else; stdout and stderr |
//!
//! Where there is no Linux, `src/other_os.rs` has what is public here: both are [`crate::computer`].

mod ask;
mod errno;
mod files;
mod kernel;
pub mod memory;
mod patience;
mod remote;
pub mod start;
pub mod stdio;
mod tiny_elf;

use std::cell::OnceCell;
#[cfg(feature = "every-machine")]
use std::ffi::OsStr;
use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path;
use std::rc::Rc;

pub(crate) use errno::errno_of;
pub use files::OpenFile;
#[cfg_attr(not(feature = "every-machine"), allow(unused_imports))] // A folder is all that it has.
pub(crate) use files::{inside, lstat, open_in_place};

use crate::elf::ByteOrder;
use crate::errno::Errno;
use crate::path::{Path, PathBuf};
use crate::target::{
    Answer, Auxv, Caller, Capability, FileCapabilities, FileKind, Kernel, Known, Limits, ReadAt, Refusal,
    Root, Space, Stat, Uname,
};

/// The machine that `diag` runs on.
#[derive(Debug, Default)]
pub struct Live {
    devices: files::Devices,
    /// /proc/self/fd.
    descriptors: OnceCell<Option<OwnedFd>>,
    /// [`ask::knows_check`].
    can_ask: OnceCell<bool>,
    /// [`Root::take_refusal`].
    refusal: Refusal,
}

/// This computer.
pub type Here = Live;

impl Live {
    /// Whether programs can be judged for this computer itself.
    pub const IS_MACHINE: bool = true;

    /// Has a child do the work where it may wait for ever for one of these paths: gives its exit status, or one sentence on
    /// why there is none. None for who does the work.
    pub fn wait_for<'a>(
        &self,
        mut paths: impl Iterator<Item = &'a Path> + Clone,
    ) -> Option<Result<u8, String>> {
        let remote = remote::on_the_way(self, paths.clone());
        if remote.is_empty() {
            return None;
        }
        let keeps = paths.any(|path| path.as_bytes().windows(4).any(|part| part == b"/fd/"));
        match patience::part(keeps) {
            patience::Part::Parent(child) => Some(child.pass_on(&remote)),
            patience::Part::Child => None,
        }
    }
}

/// And back.
#[cfg(feature = "every-machine")]
pub fn own_path(path: &Path) -> path::PathBuf {
    path::PathBuf::from(OsStr::from_bytes(path.as_bytes()))
}

/// A path of this computer, where it is the target.
pub fn target_path(path: &path::Path) -> PathBuf {
    PathBuf::from(path.as_os_str().as_bytes())
}

/// And back, for a system call. No file has NUL in its name.
fn here(path: &Path) -> Result<CString, Errno> {
    CString::new(path.as_bytes()).map_err(|_| Errno::ENOENT)
}

impl Live {
    /// What a call says of a path; nothing where that is not about the path.
    fn told<T>(&self, path: &Path, call: impl FnOnce(&CStr) -> Result<T, Errno>) -> Known<Result<T, Errno>> {
        match here(path).and_then(|path| call(&path)) {
            Err(errno) if !self.tells(path, errno) => None,
            told => Some(told),
        }
    }

    /// Whether that says anything about the path.
    fn tells(&self, path: &Path, errno: Errno) -> bool {
        let is_of_who_asks = errno.is_of_who_asks();
        if is_of_who_asks {
            self.refusal.note(path, errno);
        }
        !is_of_who_asks
    }
}

impl Root for Live {
    fn read(&self, path: &Path) -> Known<Result<Vec<u8>, Errno>> {
        self.told(path, |path| self.devices.read(path))
    }

    fn list(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Known<Result<Vec<Vec<u8>>, Errno>> {
        self.told(folder, |folder| files::names(folder, keep))
    }

    fn stat(&self, path: &Path) -> Known<Result<Stat, Errno>> {
        self.told(path, |path| self.devices.stat(path))
    }

    fn open(&self, path: &Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
        let open = |path: &CStr| self.devices.open(path, |kind| kind == FileKind::Regular);
        self.told(path, |path| Ok(Rc::new(OpenFile(open(path)?)) as Rc<dyn ReadAt>))
    }

    fn may_execute(&self, path: &Path) -> Known<Result<(), Errno>> {
        self.told(path, files::may_execute)
    }

    fn may_start(&self, path: &Path) -> Known<Result<(), Errno>> {
        let plain = tiny_elf::file(None)?;
        let can_ask = *self.can_ask.get_or_init(|| ask::knows_check(&plain));
        can_ask.then(|| here(path).and_then(|path| ask::may_start(&path)))
    }

    fn resolve(&self, path: &Path) -> Known<Result<PathBuf, Errno>> {
        let own = self.descriptors.get_or_init(files::own_descriptors);
        self.told(path, |path| files::resolve(path, own.as_ref()))
    }

    fn take_refusal(&self) -> Option<(PathBuf, Errno)> {
        self.refusal.take()
    }

    fn capabilities(&self, path: &Path) -> Known<Option<FileCapabilities>> {
        // On a router it is root that starts programs.
        if cfg!(feature = "every-machine") { files::capabilities(&here(path).ok()?) } else { None }
    }

    fn label(&self, path: &Path) -> Option<Vec<u8>> {
        if cfg!(feature = "every-machine") { files::label(&here(path).ok()?) } else { None }
    }

    fn space(&self, folder: &Path) -> Known<Space> {
        files::space(&here(folder).ok()?)
    }
}

impl Kernel for Live {
    fn uname(&self) -> Known<Uname> {
        kernel::uname(&self.devices)
    }

    fn auxv(&self) -> Auxv {
        kernel::auxv()
    }

    fn limits(&self) -> Limits {
        kernel::limits()
    }

    fn caller(&self) -> Known<Caller> {
        Some(kernel::caller())
    }

    fn variable(&self, name: &CStr) -> Option<Vec<u8>> {
        kernel::variable(name)
    }

    fn ask(&self, question: Capability) -> Known<Answer> {
        ask::answer(&tiny_elf::file(Some(question))?, &tiny_elf::file(None)?)
    }

    fn proven_by_own_build(&self, question: Capability) -> bool {
        tiny_elf::proven_by_own_build(question)
    }

    fn own_byte_order(&self) -> Option<ByteOrder> {
        Some(tiny_elf::BUILT_FOR.encoding.order)
    }
}
