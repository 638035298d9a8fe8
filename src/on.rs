//! `--on`: a program of this computer, judged for another machine. It is read here, and stands there in the folder that it
//! is to be installed in; whatever else is asked is the machine's.

use std::cell::RefCell;
use std::rc::Rc;

use crate::candidate::last_name;
use crate::errno::Errno;
use crate::ldso::Kept;
use crate::machine::Machine;
use crate::path::{Path, PathBuf, join};
use crate::target::{FileCapabilities, FileKind, Known, ReadAt, Refusal, Root, Space, Stat};

/// Where a program lies on another machine, unless --dest says where: its root file system, as a package's would.
pub const FOLDER: &str = "/";

/// The files of another machine, with one of this computer's among them.
pub struct Carried<'a> {
    /// This computer.
    pub here: &'a dyn Root,
    /// The other machine.
    pub there: &'a dyn Root,
    /// The folder that it is to be in there.
    pub folder: &'a Path,
    /// The program, by its path on this computer.
    program: RefCell<PathBuf>,
    /// [`Root::take_refusal`].
    refusal: Refusal,
}

impl<'a> Carried<'a> {
    /// None of this computer's files is among them yet.
    pub fn new(here: &'a dyn Root, there: &'a dyn Root, folder: &'a Path) -> Carried<'a> {
        Carried { here, there, folder, program: RefCell::default(), refusal: Refusal::new() }
    }

    /// This one is, in the place of the last.
    pub fn take(&self, program: &Path) {
        *self.program.borrow_mut() = program.to_path_buf();
    }

    /// The same once some are judged. The machine may have a file of that path, which tells what its programs are.
    pub fn take_next(&self, program: &Path, machine: &Machine, kept: &Kept) {
        let _ = (machine.kernel(), machine.userland(), machine.libc(), machine.loaders());
        kept.files.forget(program);
        self.take(program);
    }

    fn is_it(&self, path: &Path) -> bool {
        let program = self.program.borrow();
        !program.as_bytes().is_empty() && path.as_bytes() == program.as_bytes()
    }

    /// What this computer says of the program: that its own medium does not deliver it is nothing of the machine's.
    fn of_here<T>(&self, path: &Path, answer: Known<Result<T, Errno>>) -> Known<Result<T, Errno>> {
        match answer {
            Some(Err(errno)) if errno.is_of_the_medium() => {
                self.refusal.note(path, errno);
                None
            }
            answer => answer,
        }
    }

    /// A path there: one that is not absolute begins in the program's folder.
    fn place(&self, path: &Path) -> PathBuf {
        join(self.folder, path)
    }
}

impl Root for Carried<'_> {
    fn read(&self, path: &Path) -> Known<Result<Vec<u8>, Errno>> {
        self.there.read(&self.place(path))
    }

    fn list(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Known<Result<Vec<Vec<u8>>, Errno>> {
        self.there.list(&self.place(folder), keep)
    }

    /// A copy of it: whose it is here and what may be done with it do not go with it.
    fn stat(&self, path: &Path) -> Known<Result<Stat, Errno>> {
        if !self.is_it(path) {
            return self.there.stat(&self.place(path));
        }
        let stat = self.of_here(path, self.here.stat(path))?;
        Some(stat.map(|stat| match stat.kind {
            FileKind::Regular => Stat { mode: 0o755, owner: None, group: None, ..stat },
            _ => stat,
        }))
    }

    fn open(&self, path: &Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
        if !self.is_it(path) {
            return self.there.open(&self.place(path));
        }
        let open = self.of_here(path, self.here.open(path))?;
        Some(open.map(|file| Rc::new(Brought(file)) as Rc<dyn ReadAt>))
    }

    fn may_execute(&self, path: &Path) -> Known<Result<(), Errno>> {
        // Of a noexec mount the folder is told.
        if self.is_it(path) { Some(Ok(())) } else { self.there.may_execute(&self.place(path)) }
    }

    fn resolve(&self, path: &Path) -> Known<Result<PathBuf, Errno>> {
        if !self.is_it(path) {
            return self.there.resolve(&self.place(path));
        }
        let name = Path::new(last_name(path.as_bytes()).1);
        let folder = match self.there.resolve(self.folder) {
            Some(Ok(resolved)) => resolved,
            _ => self.folder.to_path_buf(),
        };
        Some(Ok(join(&folder, name)))
    }

    fn is_to_come(&self, path: &Path) -> bool {
        self.is_it(path)
    }

    fn capabilities(&self, path: &Path) -> Known<Option<FileCapabilities>> {
        if self.is_it(path) { Some(None) } else { self.there.capabilities(&self.place(path)) }
    }

    fn label(&self, path: &Path) -> Option<Vec<u8>> {
        if self.is_it(path) { None } else { self.there.label(&self.place(path)) }
    }

    fn take_refusal(&self) -> Option<(PathBuf, Errno)> {
        let own = self.refusal.take();
        own.or(self.here.take_refusal()).or(self.there.take_refusal())
    }

    fn glibc(&self) -> Known<Vec<u8>> {
        self.there.glibc()
    }

    fn space(&self, folder: &Path) -> Known<Space> {
        self.there.space(&self.place(folder))
    }
}

/// The program, as it will lie there: who writes to it here does not write to that copy.
struct Brought(Rc<dyn ReadAt>);

impl ReadAt for Brought {
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        self.0.read_at(offset, len)
    }

    fn open_for_writing(&self) -> Known<bool> {
        Some(false)
    }
}
