//! macOS, and whatever else is a Unix.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::path;

use crate::path::{Path, PathBuf};
use crate::target::{FileKind, Stat};

/// An argument as it is.
pub(super) fn argument(argument: OsString) -> OsString {
    argument
}

/// A path of this computer, as a target has them.
pub fn target_path(path: &path::Path) -> PathBuf {
    PathBuf::from(path.as_os_str().as_bytes())
}

/// And back.
pub fn own_path(path: &Path) -> path::PathBuf {
    path::PathBuf::from(OsStr::from_bytes(path.as_bytes()))
}

/// Where a folder of this computer keeps an absolute path of another; None for a name that no file can have here.
pub(crate) fn inside(root: &path::Path, path: &Path) -> Option<path::PathBuf> {
    let bytes = path.as_bytes();
    Some(root.join(OsStr::from_bytes(bytes.strip_prefix(b"/").unwrap_or(bytes))))
}

pub(super) fn stat_of(_: &path::Path, found: &Metadata) -> Stat {
    let kind = match found.file_type() {
        kind if kind.is_file() => FileKind::Regular,
        kind if kind.is_dir() => FileKind::Directory,
        kind if kind.is_fifo() => FileKind::Fifo,
        kind if kind.is_socket() => FileKind::Socket,
        kind if kind.is_block_device() => FileKind::BlockDevice,
        _ => FileKind::CharDevice,
    };
    Stat {
        kind,
        mode: found.mode() & 0o7777,
        size: found.len(),
        device: found.dev(),
        inode: found.ino(),
        owner: Some(found.uid()),
        group: Some(found.gid()),
    }
}

pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    file.read_at(bytes, offset)
}

pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// By another descriptor: std's stdout takes a closed one for a place that swallows all.
pub(super) fn write_stdout(text: &[u8]) -> io::Result<()> {
    File::from(io::stdout().as_fd().try_clone_to_owned()?).write_all(text)
}
