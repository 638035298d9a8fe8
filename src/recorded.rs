//! A recorded machine, in a folder or in a tar archive as `--record` makes it: the files it had, under their own paths
//! (`proc/cpuinfo`, `etc/openwrt_release`, `lib/`, `bin/`), and beside them what commands printed there:
//!
//! | file | what |
//! | --- | --- |
//! | `df` | the output of `df`, `df -k` or `df -h` |
//! | `uname` | the output of `uname -a`; the host name is not looked at |
//! | `auxv` | lines like `AT_HWCAP 0x88`, `AT_PLATFORM mips`, `AT_PAGESZ 4096` |
//! | `owners` | the output of `stat -c '%u %g %n' FILE...` |
//! | `capabilities` | the output of `getcap FILE...` |
//! | `labels` | the output of `stat -c '%C %n' FILE...`, where SELinux is |
//! | `env` | the output of `env` |
//! | `answers` | lines like `fp-instruction killed`, `mips-fp64 refused ENOEXEC`, `mips-nan2008 works` |
//! | `known` | how far the recording goes; without it, what is not in it is not on the machine |
//!
//! Each may be missing: then that is unknown. `machines/` holds some. A recording may be anybody's: links lead nowhere out
//! of it, nothing of it is written anywhere, and what is read of it is bounded.

#[cfg(feature = "every-machine")]
mod archive;
mod kernel;
mod known;
mod memory;
#[cfg(feature = "every-machine")]
mod plain;
mod texts;
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // A folder is all that it has.
pub(crate) mod tree;

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::path;
use std::rc::Rc;

#[cfg(feature = "every-machine")]
use crate::computer;
use crate::errno::Errno;
use crate::machine::Mount;
use crate::machine::gather::mounts;
use crate::path::{Path, PathBuf};
#[cfg(feature = "every-machine")]
use crate::target::Refusal;
use crate::target::{FileCapabilities, FileKind, Known, ReadAt, Root, Space, Stat, is_pseudo_fstype};
use texts::{capabilities, df, owner, text};
use tree::{Entry, Fault, Tree};

/// Names that are looked up on the way to one file before no more links are followed.
const STEPS: u32 = 4096;

/// A recorded machine.
#[derive(Clone, Debug)]
pub struct Recorded {
    tree: Tree,
    /// How far it goes; None: there is nothing else.
    known: OnceCell<Option<Rc<known::Known>>>,
    /// Of one that is known by its name alone.
    #[cfg(feature = "catalogue")]
    name: Option<String>,
    mounts: OnceCell<Vec<Mount>>,
    /// [`Root::take_refusal`].
    #[cfg(feature = "every-machine")]
    refusal: Refusal,
}

#[cfg(feature = "catalogue")]
pub(crate) use memory::{Body, Made, Told};

impl Recorded {
    /// The machine in that folder; nothing is read yet.
    pub const fn new(root: path::PathBuf) -> Self {
        Recorded::of(Tree::Folder(root))
    }

    /// The machine in a folder, a tar archive or a text; one sentence, which begins with "it", on what is none.
    #[cfg(feature = "every-machine")]
    pub fn open(path: &path::Path) -> Result<Self, String> {
        let cannot =
            |error: std::io::Error| format!("it cannot be opened: {}", computer::errno_of(&error).text());
        let found = path.metadata().map_err(cannot)?;
        if found.is_dir() {
            let recorded = Recorded::new(path.to_path_buf());
            return recorded.checked();
        }
        // What is a device or a FIFO would have to be waited for.
        if !found.is_file() {
            return Err(String::from("it is neither a file nor a folder"));
        }
        let file = std::fs::File::open(path).map_err(cannot)?;
        Recorded::read(&tree::on_disk(file), found.len())
    }

    /// The machine in an archive or a text of that many bytes.
    #[cfg(feature = "every-machine")]
    pub fn read(file: &Rc<dyn ReadAt>, size: u64) -> Result<Self, String> {
        let head = file.read_at(0, 512).map_err(|errno| format!("it cannot be read: {}", errno.text()))?;
        if archive::is_archive(&head) {
            let names = archive::read(file, size)?;
            return Recorded::of(Tree::Names(Rc::new(names))).checked();
        }
        if head.trim_ascii_start().starts_with(plain::START) {
            if size > plain::LIMIT {
                return Err(String::from("it is larger than any text of a machine"));
            }
            let text = text(&**file).map_err(|_| String::from("it cannot be read"))?;
            return Recorded::of_text(&text)?.checked();
        }
        let packed: [(&[u8], &str); 3] =
            [(b"\x1f\x8b", "gunzip"), (b"\xfd7zXZ", "unxz"), (b"\x28\xb5\x2f\xfd", "unzstd")];
        match packed.iter().find(|(magic, _)| head.starts_with(magic)) {
            Some((_, by)) => Err(format!("it is compressed: {by} unpacks it")),
            None => {
                Err(String::from("it is neither what diag --record gives nor a text of a machine's files"))
            }
        }
    }

    /// The machine that a text tells of.
    #[cfg(feature = "every-machine")]
    pub fn of_text(text: &[u8]) -> Result<Self, String> {
        let recorded = Recorded::of(Tree::Names(Rc::new(plain::read(text)?)));
        if recorded.tree.entry(Path::new("/known")).is_err() {
            // Nobody looked at what it does not have.
            let _ = recorded.known.set(Some(Rc::new(known::Known::parse(b""))));
        }
        Ok(recorded)
    }

    /// Anything of a machine is there.
    #[cfg(feature = "every-machine")]
    fn checked(self) -> Result<Self, String> {
        const ANY: [&str; 7] = ["/uname", "/proc", "/etc", "/lib", "/bin", "/df", "/system"];
        let is_there = |path: &&str| self.tree.entry(Path::new(path)).is_ok();
        if ANY.iter().any(is_there) {
            Ok(self)
        } else {
            Err(String::from("it has nothing of a machine: neither uname nor proc, etc, lib or bin"))
        }
    }

    const fn of(tree: Tree) -> Self {
        Recorded {
            tree,
            known: OnceCell::new(),
            #[cfg(feature = "catalogue")]
            name: None,
            mounts: OnceCell::new(),
            #[cfg(feature = "every-machine")]
            refusal: Refusal::new(),
        }
    }

    /// A file that lies beside the machine's own.
    fn note(&self, name: &str) -> Option<String> {
        let bytes = match &self.tree {
            // No link leads to one.
            #[cfg(feature = "every-machine")]
            Tree::Names(_) => {
                text(&*self.tree.open(Path::new(&[b"/", name.as_bytes()].concat())).ok()?).ok()?
            }
            _ => self.text(Path::new(name)).ok()?,
        };
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn known(&self) -> Option<&known::Known> {
        let read = || {
            let text = text(&*self.tree.open(Path::new("/known")).ok()?).ok()?;
            Some(Rc::new(known::Known::parse(&text)))
        };
        self.known.get_or_init(read).as_deref()
    }

    /// lstat(2) of a path that no link is a part of, and whether it leads on to another.
    fn entry(&self, path: &Path, leads_on: bool) -> Result<Entry, Fault> {
        match (self.tree.entry(path), self.known()) {
            (Err(Fault::Errno(Errno::ENOENT)), Some(known)) => known.entry(path, leads_on),
            (found, _) => found,
        }
    }

    /// Resolves symbolic links as the machine would, with the folder as its root. Gives the machine's path.
    fn locate(&self, path: &Path) -> Result<PathBuf, Fault> {
        if self.known().is_some_and(|known| known.is_absent(path)) {
            return Err(Fault::Errno(Errno::ENOENT));
        }
        // PATH_MAX.
        let is_long = |path: &Path| path.as_bytes().len() >= 4096;
        if is_long(path) {
            return Err(Fault::Errno(Errno::ENAMETOOLONG));
        }
        if self.is_plain(path) {
            return Ok(path.to_path_buf());
        }
        let mut todo = names(self.known().and_then(|known| known.link(path)).unwrap_or(path));
        let (mut links, mut steps) = (0_u32, 0_u32);
        let mut done = PathBuf::from("/");
        while let Some(name) = todo.pop_front() {
            steps = steps.saturating_add(1);
            if name == b".." {
                done.pop();
                continue;
            }
            let next = done.join(&name);
            match self.entry(&next, !todo.is_empty())? {
                Entry::Link(target) => {
                    links = links.saturating_add(1);
                    if links > 40 || steps > STEPS {
                        return Err(Fault::Errno(Errno::ELOOP));
                    }
                    if is_long(&target) {
                        return Err(Fault::Errno(Errno::ENAMETOOLONG));
                    }
                    if target.is_absolute() {
                        done = PathBuf::from("/");
                    }
                    for name in names(&target).into_iter().rev() {
                        todo.push_front(name);
                    }
                }
                Entry::Other(stat) if !todo.is_empty() && stat.kind != FileKind::Directory => {
                    return Err(Fault::Errno(Errno::ENOTDIR));
                }
                Entry::Other(_) => done = next,
            }
        }
        Ok(done)
    }

    /// What is at a path, whatever it lies on.
    fn there(&self, path: &Path) -> Result<(PathBuf, Stat), Fault> {
        let place = self.locate(path)?;
        match self.entry(&place, false)? {
            Entry::Other(stat) => Ok((place, stat)),
            // Somebody else changes the folder.
            Entry::Link(_) => Err(Fault::Unknown),
        }
    }

    /// A file of the machine's, whatever it lies on.
    fn file(&self, path: &Path) -> Result<Rc<dyn ReadAt>, Fault> {
        let (place, stat) = self.there(path)?;
        match stat.kind {
            FileKind::Regular => match self.tree.open(&place) {
                // It was left out.
                Err(Fault::Errno(Errno::ENOENT)) => Err(Fault::Unknown),
                opened => opened,
            },
            FileKind::Directory => Err(Fault::Errno(Errno::EISDIR)),
            _ => Err(Fault::Errno(Errno::EACCES)),
        }
    }

    /// A text file of the machine's.
    fn text(&self, path: &Path) -> Result<Vec<u8>, Fault> {
        text(&*self.file(path)?)
    }

    fn names(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Result<Vec<Vec<u8>>, Fault> {
        let (folder, stat) = self.there(folder)?;
        if stat.kind != FileKind::Directory {
            return Err(Fault::Errno(Errno::ENOTDIR));
        }
        let (mut names, is_whole) = self.known().map_or((Vec::new(), true), |known| known.names(&folder));
        if !is_whole {
            return Err(Fault::Unknown);
        }
        match self.tree.names(&folder) {
            Ok(more) => names.extend(more),
            // All was left out.
            Err(Fault::Errno(Errno::ENOENT)) => {}
            Err(fault) => return Err(fault),
        }
        names.retain(|name| keep(name));
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn stat_of(&self, path: &Path) -> Result<Stat, Fault> {
        let (place, mut stat) = self.there(path)?;
        let is_pseudo = || self.mount_of(&place).is_some_and(|mount| is_pseudo_fstype(&mount.fstype));
        // On the machine itself that is a link to the program that asks.
        if stat.kind == FileKind::Regular && place != Path::new("/proc/self/exe") && is_pseudo() {
            stat.kind = FileKind::Pseudo;
        }
        (stat.owner, stat.group) = self.note("owners").and_then(|text| owner(&text, &place)).unzip();
        Ok(stat)
    }

    fn regular(&self, path: &Path) -> Result<Rc<dyn ReadAt>, Fault> {
        match self.stat_of(path)?.kind {
            FileKind::Pseudo => Err(Fault::Errno(Errno::EACCES)),
            _ => self.file(path),
        }
    }

    /// As root: any one x bit of a file does, and a folder needs none (fs/namei.c `generic_permission`).
    fn access(&self, path: &Path) -> Result<(), Fault> {
        let stat = self.stat_of(path)?;
        let noexec = stat.kind == FileKind::Regular
            && self.mount_of(&self.locate(path)?).is_some_and(|mount| mount.has("noexec"));
        let is_closed = stat.kind != FileKind::Directory && stat.mode & 0o111 == 0;
        if noexec || is_closed { Err(Fault::Errno(Errno::EACCES)) } else { Ok(()) }
    }

    fn mounts(&self) -> &[Mount] {
        self.mounts.get_or_init(|| {
            self.text(Path::new("/proc/mounts")).map_or_else(|_| Vec::new(), |text| mounts::parse(&text))
        })
    }

    fn mount_of(&self, path: &Path) -> Option<&Mount> {
        let depth = |mount: &&Mount| mount.point.components().count();
        self.mounts().iter().filter(|mount| path.starts_with(&mount.point)).max_by_key(depth)
    }
}

/// The names of a path, with its `..`.
fn names(path: &Path) -> VecDeque<Vec<u8>> {
    let names = path.as_bytes().split(|byte| *byte == b'/');
    names.filter(|name| !matches!(*name, b"" | b".")).map(<[u8]>::to_vec).collect()
}

impl Recorded {
    /// What the target answers; nothing where this computer does not let it be read.
    fn told<T>(&self, path: &Path, found: Result<T, Fault>) -> Known<Result<T, Errno>> {
        match found {
            Ok(found) => Some(Ok(found)),
            Err(Fault::Errno(errno)) => Some(Err(errno)),
            Err(Fault::Unknown) => None,
            Err(Fault::Here(errno)) => {
                #[cfg(feature = "every-machine")]
                self.refusal.note(path, errno);
                let _ = (path, errno);
                None
            }
        }
    }
}

impl Root for Recorded {
    fn read(&self, path: &Path) -> Known<Result<Vec<u8>, Errno>> {
        self.told(path, self.text(path))
    }

    fn list(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Known<Result<Vec<Vec<u8>>, Errno>> {
        self.told(folder, self.names(folder, keep))
    }

    fn stat(&self, path: &Path) -> Known<Result<Stat, Errno>> {
        self.told(path, self.stat_of(path))
    }

    fn open(&self, path: &Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
        self.told(path, self.regular(path))
    }

    fn may_execute(&self, path: &Path) -> Known<Result<(), Errno>> {
        self.told(path, self.access(path))
    }

    fn resolve(&self, path: &Path) -> Known<Result<PathBuf, Errno>> {
        self.told(path, self.locate(path))
    }

    fn capabilities(&self, path: &Path) -> Known<Option<FileCapabilities>> {
        let place = self.locate(path).ok()?;
        Some(capabilities(&self.note("capabilities")?, &place))
    }

    fn label(&self, path: &Path) -> Option<Vec<u8>> {
        let place = self.locate(path).ok()?;
        let labels = self.note("labels")?;
        let mut lines = labels.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(_, file)| file.as_bytes() == place.as_bytes()).map(|(label, _)| label.into())
    }

    #[cfg(feature = "every-machine")]
    fn take_refusal(&self) -> Option<(PathBuf, Errno)> {
        self.refusal.take()
    }

    #[cfg(feature = "every-machine")]
    fn glibc(&self) -> Known<Vec<u8>> {
        Some(self.note("glibc")?.trim().into())
    }

    fn space(&self, folder: &Path) -> Known<Space> {
        let rows = df(&self.note("df")?);
        // df leaves out what has no blocks, so /proc must not be taken for a folder of the root file system.
        match self.mount_of(folder) {
            Some(mount) => rows.into_iter().rev().find(|(point, _)| *point == mount.point),
            None => rows
                .into_iter()
                .filter(|(point, _)| folder.starts_with(point))
                .max_by_key(|(point, _)| point.components().count()),
        }
        .map(|(_, space)| space)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside() {
        let root = std::env::temp_dir().join(format!("diag-recorded-{}", std::process::id()));
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, root.join(name)).expect("a link");
        std::fs::create_dir_all(root.join("a/b")).expect("a folder");
        std::fs::write(root.join("a/b/file"), "text").expect("a file");
        link("/a/b", "absolute");
        link("../../../../a", "up");
        link("loop", "loop");
        link("nowhere", "dangling");
        let system = Recorded::new(root.clone());
        let of = |path: &str| system.locate(Path::new(path)).map(|path| path.display().to_string());
        assert_eq!(of("/absolute/file"), Ok(String::from("/a/b/file")));
        assert_eq!(of("/up/b/../b/file"), Ok(String::from("/a/b/file")));
        assert_eq!(of("/../../etc/passwd"), Err(Fault::Errno(Errno::ENOENT)));
        assert_eq!(of("/loop"), Err(Fault::Errno(Errno::ELOOP)));
        assert_eq!(of("/dangling"), Err(Fault::Errno(Errno::ENOENT)));
        assert_eq!(of("/a/b/file/x"), Err(Fault::Errno(Errno::ENOTDIR)));
        assert_eq!(system.regular(Path::new("/a")).err(), Some(Fault::Errno(Errno::EISDIR)));
        assert_eq!(system.access(Path::new("/a/b/file")), Err(Fault::Errno(Errno::EACCES)));
        assert_eq!(system.names(Path::new("/absolute"), |_| true), Ok(vec![b"file".to_vec()]));
        assert_eq!(system.names(Path::new("/nowhere"), |_| true), Err(Fault::Errno(Errno::ENOENT)));
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
