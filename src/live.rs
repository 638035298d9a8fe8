//! The machine that `diag` runs on. Only these rooms use nix, rustix and the live system:
//!
//! | module | what it holds |
//! | --- | --- |
//! | `files` | stat, open, list, what a file lies on |
//! | `kernel` | uname, the auxiliary vector, limits |
//! | `ask`, `tiny_elf` | questions put to the kernel by a tiny program of diag's own, and these programs |
//! | [`start`], [`stdio`] | what comes before everything else; stdout and stderr |

mod ask;
mod errno;
mod files;
mod kernel;
pub mod start;
pub mod stdio;
mod tiny_elf;

use std::env;
use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

pub use files::OpenFile;

use crate::elf::ByteOrder;
use crate::errno::Errno;
use crate::system::{Answer, Auxv, FileKind, Limits, Question, ReadAt, Space, Stat, System, Uname};

/// The machine that `diag` runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Live;

impl System for Live {
    fn read(&self, path: &Path) -> Result<Vec<u8>, Errno> {
        let file = files::open(path, |kind| matches!(kind, FileKind::Regular | FileKind::Pseudo))?;
        // A file of the kernel's own is one piece where it is read in one.
        let mut bytes = Vec::with_capacity(4096);
        file.take(65536).read_to_end(&mut bytes).map_err(|error| errno::of_io(&error))?;
        Ok(bytes)
    }

    fn entries(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Option<Vec<OsString>> {
        files::names(folder, keep)
    }

    fn stat(&self, path: &Path) -> Result<Stat, Errno> {
        files::stat(path)
    }

    fn open(&self, path: &Path) -> Result<Rc<dyn ReadAt>, Errno> {
        Ok(Rc::new(OpenFile(files::open(path, |kind| kind == FileKind::Regular)?)))
    }

    fn may_execute(&self, path: &Path) -> Result<(), Errno> {
        files::may_execute(path)
    }

    fn open_for_writing(&self, path: &Path) -> Option<bool> {
        files::open_for_writing(path)
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, Errno> {
        files::resolve(path)
    }

    fn space(&self, folder: &Path) -> Option<Space> {
        files::space(folder)
    }

    fn uname(&self) -> Option<Uname> {
        kernel::uname()
    }

    fn auxv(&self) -> Auxv {
        kernel::auxv()
    }

    fn limits(&self) -> Limits {
        kernel::limits()
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        env::var_os(name).map(OsString::into_vec)
    }

    fn search_path(&self) -> Vec<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into());
        env::split_paths(&path).collect()
    }

    fn ask(&self, question: Question) -> Option<Answer> {
        ask::answer(&tiny_elf::file(Some(question))?, &tiny_elf::file(None)?)
    }

    fn is_itself(&self, question: Question) -> bool {
        tiny_elf::is_diag_itself(question)
    }

    fn own_byte_order(&self) -> Option<ByteOrder> {
        Some(tiny_elf::OWN.encoding.order)
    }
}
