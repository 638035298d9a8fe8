//! A place with a dynamic loader.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use nix::libc;
use nix::sys::resource::{Resource, setrlimit};

/// Which loader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// ld.so of the GNU C Library.
    Glibc,
    /// musl's libc.so.
    Musl,
}

/// This computer, or a root folder with another C library.
#[derive(Clone, Debug)]
pub struct Host {
    /// Which loader its programs name.
    pub family: Family,
    /// The loader, as its programs name it.
    pub loader: String,
    /// The folder that is the root for its programs. None for this computer's own.
    pub root: Option<PathBuf>,
    /// Where the cases' folders are made; below `root`.
    pub work: PathBuf,
    /// diag, as seen by programs there.
    pub diag: PathBuf,
    /// The compiler and what it is always given.
    pub cc: Vec<String>,
    /// What it is given before a program's own files, and after those.
    pub program: (Vec<String>, Vec<String>),
    /// What it is given after a library's own files.
    pub library: Vec<String>,
}

/// Whether the kernel knows PR_GET_MDWE.
pub(super) fn can_guard() -> bool {
    // SAFETY: numbers only.
    unsafe { libc::prctl(66, 0_u64, 0_u64, 0_u64, 0_u64) >= 0 }
}

/// PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN, since Linux 6.3.
pub(super) fn guard() -> io::Result<()> {
    // SAFETY: numbers only.
    let done = unsafe { libc::prctl(65, 1_u64, 0_u64, 0_u64, 0_u64) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Ends a process in any case.
pub(super) fn limit_time() -> io::Result<()> {
    /// Of the processor: more than anything takes that comes to an end.
    const SECONDS: u64 = 2;
    setrlimit(Resource::RLIMIT_CPU, SECONDS, SECONDS).map_err(io::Error::from)
}

/// A command without what cargo and others set for the loader of this computer.
pub fn plain(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LD_")) {
        command.env_remove(name);
    }
    command
}
