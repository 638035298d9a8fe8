//! A computer without Linux: it has programs and recordings, and is itself no machine that a Linux program starts on. What is
//! public here is what [`live`](../live/index.html) has; `unix` and `windows` are where two systems differ.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub mod memory {
    //! The C library's heap.
    pub use std::alloc::System as Heap;
}
pub mod start;
pub mod stdio;

use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path;
use std::rc::Rc;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use crate::errno::Errno;
use crate::path::Path;
use crate::target::{FileKind, Kernel, Known, ReadAt, Root, Stat};

pub(crate) use system::inside;
pub use system::{own_path, target_path};

/// What std calls an error.
pub(crate) fn errno_of(error: &io::Error) -> Errno {
    match error.kind() {
        ErrorKind::NotFound => Errno::ENOENT,
        ErrorKind::PermissionDenied => Errno::EACCES,
        ErrorKind::NotADirectory => Errno::ENOTDIR,
        ErrorKind::StorageFull => Errno::ENOSPC,
        ErrorKind::BrokenPipe => Errno::EPIPE,
        ErrorKind::OutOfMemory => Errno::ENOMEM,
        ErrorKind::TimedOut => Errno::ETIMEDOUT,
        _ => Errno::EIO,
    }
}

/// This computer.
#[derive(Debug, Default)]
pub struct Here;

impl Here {
    /// Whether programs can be judged for this computer itself.
    pub const IS_MACHINE: bool = false;

    /// Nobody waits for another: which file systems may never answer is not known here.
    pub fn wait_for<'a>(&self, _: impl Iterator<Item = &'a Path> + Clone) -> Option<Result<u8, String>> {
        None
    }
}

/// The programs that are to be judged.
impl Root for Here {
    fn list(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Known<Result<Vec<Vec<u8>>, Errno>> {
        let names = || -> io::Result<Vec<Vec<u8>>> {
            let mut names = Vec::new();
            for entry in fs::read_dir(own_path(folder))? {
                names.push(entry?.file_name().into_encoded_bytes());
            }
            names.retain(|name| keep(name));
            names.sort_unstable();
            Ok(names)
        };
        Some(names().map_err(|error| errno_of(&error)))
    }

    fn stat(&self, path: &Path) -> Known<Result<Stat, Errno>> {
        let place = own_path(path);
        Some(place.metadata().map(|found| system::stat_of(&place, &found)).map_err(|error| errno_of(&error)))
    }

    /// Looked at before: a FIFO would be waited for.
    fn open(&self, path: &Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
        let place = own_path(path);
        let open = || match self.stat(path)?.map(|found| found.kind) {
            Ok(FileKind::Regular) => Some(File::open(&place).map_err(|error| errno_of(&error))),
            Ok(FileKind::Directory) => Some(Err(Errno::EISDIR)),
            Ok(_) => Some(Err(Errno::EACCES)),
            Err(errno) => Some(Err(errno)),
        };
        Some(open()?.map(|file| Rc::new(OpenFile(file)) as Rc<dyn ReadAt>))
    }
}

/// Nobody is asked.
impl Kernel for Here {
    fn variable(&self, name: &CStr) -> Option<Vec<u8>> {
        std::env::var_os(name.to_str().ok()?).map(std::ffi::OsString::into_encoded_bytes)
    }
}

/// What is at a place; None for a symbolic link.
pub(crate) fn lstat(place: &path::Path) -> Result<Option<Stat>, Errno> {
    let found = place.symlink_metadata().map_err(|error| errno_of(&error))?;
    Ok((!found.is_symlink()).then(|| system::stat_of(place, &found)))
}

/// Opens a file that was seen to be a regular one.
pub(crate) fn open_in_place(place: &path::Path) -> io::Result<OpenFile> {
    if place.symlink_metadata()?.is_file() {
        File::open(place).map(OpenFile)
    } else {
        Err(ErrorKind::PermissionDenied.into())
    }
}

/// An open file that is read at any offset.
pub struct OpenFile(pub File);

impl ReadAt for OpenFile {
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; len];
        let mut read = 0;
        while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match system::read_at(&self.0, rest, offset.saturating_add(read as u64)) {
                Ok(0) => break,
                Ok(more) => read = read.saturating_add(more),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if read == 0 => return Err(errno_of(&error)),
                Err(_) => break,
            }
        }
        bytes.truncate(read);
        Ok(bytes)
    }
}
