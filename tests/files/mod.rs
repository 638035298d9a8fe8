//! Files on disk for the tests, and a machine that has nothing else.
#![allow(dead_code, unreachable_pub)]

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use diag::candidate::script::Rules;
use diag::candidate::{self, Candidate, Handlers};
use diag::elf::Encoding;
use diag::errno::Errno;
use diag::live::OpenFile;
use diag::system::{Answer, Auxv, FileKind, Question, ReadAt, Space, Stat, System, Uname};

/// This machine's files, and nothing else of it.
pub struct Files;

fn errno(error: &std::io::Error) -> Errno {
    match error.kind() {
        std::io::ErrorKind::NotFound => Errno::ENOENT,
        std::io::ErrorKind::PermissionDenied => Errno::EACCES,
        _ => Errno::EOTHER,
    }
}

impl System for Files {
    fn read(&self, path: &Path) -> Result<Vec<u8>, Errno> {
        fs::read(path).map_err(|e| errno(&e))
    }
    fn entries(&self, _: &Path, _: fn(&[u8]) -> bool) -> Option<Vec<OsString>> {
        None
    }
    fn stat(&self, path: &Path) -> Result<Stat, Errno> {
        let m = fs::metadata(path).map_err(|e| errno(&e))?;
        let kind = if m.is_file() {
            FileKind::Regular
        } else if m.is_dir() {
            FileKind::Directory
        } else {
            FileKind::CharDevice
        };
        Ok(Stat { kind, mode: m.permissions().mode() & 0o7777, size: m.len(), device: 0, inode: 0 })
    }
    fn open(&self, path: &Path) -> Result<Rc<dyn ReadAt>, Errno> {
        let file = File::open(path).map_err(|e| errno(&e))?;
        Ok(Rc::new(OpenFile(file)))
    }
    fn may_execute(&self, _: &Path) -> Result<(), Errno> {
        Ok(())
    }
    fn open_for_writing(&self, _: &Path) -> Option<bool> {
        None
    }
    fn resolve(&self, path: &Path) -> Result<PathBuf, Errno> {
        path.canonicalize().map_err(|e| errno(&e))
    }
    fn space(&self, _: &Path) -> Option<Space> {
        None
    }
    fn uname(&self) -> Option<Uname> {
        None
    }
    fn auxv(&self) -> Auxv {
        Auxv::default()
    }
    fn search_path(&self) -> Vec<PathBuf> {
        Vec::new()
    }
    fn ask(&self, _: Question) -> Option<Answer> {
        None
    }
}

/// Reads a file as a candidate.
pub fn open(path: &Path, encodings: &[Encoding]) -> Candidate {
    let handlers = Handlers { encodings: encodings.to_vec(), script: Rules::LATEST, binfmt_misc: &[] };
    candidate::open(&Files, path, &handlers)
}

/// A file in a folder of the test's own, removed at the end.
pub struct Temp(pub PathBuf);

impl Temp {
    /// Writes the file.
    pub fn new(name: &str, bytes: &[u8]) -> Temp {
        let folder = std::env::temp_dir().join(format!("diag-elf-{}", std::process::id()));
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
