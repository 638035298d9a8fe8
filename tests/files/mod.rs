//! Files on disk for the tests, and a machine that has nothing else.
#![allow(dead_code, unreachable_pub)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diag::candidate::script::Rules;
use diag::candidate::{self, Candidate, Formats};
use diag::elf::Encoding;
use diag::errno::Errno;
use diag::live::OpenFile;
use diag::target::{FileKind, Known, ReadAt, Root, Stat};

/// This machine's files, and nothing else of it.
pub struct Files;

fn errno(error: &std::io::Error) -> Errno {
    match error.kind() {
        std::io::ErrorKind::NotFound => Errno::ENOENT,
        std::io::ErrorKind::PermissionDenied => Errno::EACCES,
        _ => Errno::EOTHER,
    }
}

fn here(path: &diag::path::Path) -> &Path {
    Path::new(OsStr::from_bytes(path.as_bytes()))
}

impl Root for Files {
    fn read(&self, path: &diag::path::Path) -> Known<Result<Vec<u8>, Errno>> {
        Some(fs::read(here(path)).map_err(|e| errno(&e)))
    }
    fn stat(&self, path: &diag::path::Path) -> Known<Result<Stat, Errno>> {
        Some(fs::metadata(here(path)).map_err(|e| errno(&e)).map(|m| {
            let kind = if m.is_file() {
                FileKind::Regular
            } else if m.is_dir() {
                FileKind::Directory
            } else {
                FileKind::CharDevice
            };
            Stat {
                kind,
                mode: m.permissions().mode() & 0o7777,
                size: m.len(),
                device: 0,
                inode: 0,
                owner: None,
                group: None,
            }
        }))
    }
    fn open(&self, path: &diag::path::Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
        let file = File::open(here(path)).map_err(|e| errno(&e));
        Some(file.map(|file| Rc::new(OpenFile(file)) as Rc<dyn ReadAt>))
    }
    fn may_execute(&self, _: &diag::path::Path) -> Known<Result<(), Errno>> {
        Some(Ok(()))
    }
    fn resolve(&self, path: &diag::path::Path) -> Known<Result<diag::path::PathBuf, Errno>> {
        let resolved = here(path).canonicalize().map_err(|e| errno(&e));
        Some(resolved.map(|path| path.into_os_string().into_vec().into()))
    }
}

/// Reads a file as a candidate.
pub fn open(path: &Path, encodings: &[Encoding]) -> Candidate {
    let formats = Formats { encodings, script: Rules::LATEST, binfmt_misc: &[], reach: None };
    let kept = candidate::Files::default();
    candidate::open(&Files, &kept, diag::path::Path::new(path.as_os_str().as_bytes()), &formats)
}

/// A file in a folder of the test's own, removed at the end.
pub struct Temp(pub PathBuf);

impl Temp {
    /// Writes the file.
    pub fn new(name: &str, bytes: &[u8]) -> Temp {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        // One of its own: another test removes its folder at any time.
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("diag-elf-{}-{made}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        Temp(path)
    }
    /// Reads it as a candidate.
    pub fn open(&self, encodings: &[Encoding]) -> Candidate {
        open(&self.0, encodings)
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_dir(self.0.parent().unwrap());
    }
}
