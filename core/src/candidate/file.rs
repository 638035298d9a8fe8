//! Files that were read, kept from one program to the next: a thousand programs read libc once.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, OnceCell, RefCell};
use core::fmt;
use core::mem::size_of;

use super::contents::{Contents, Lost, Shared};
use super::reader::Reader;
use super::{Damage, Go, Image, Origin, Toolchain, Upx, damage, go, program, upx};
use crate::budget::Budget;
use crate::elf::{Attributes, ByteOrder, Encoding, ProgramHeader};
use crate::errno::Errno;
use crate::machine::holds;
use crate::path::{Path, PathBuf};
use crate::target::{Known, Root, Stat};

/// Bytes that are kept at most.
const LIMIT: usize = if cfg!(feature = "every-machine") { 1 << 20 } else { 256 << 10 };
/// Files that are kept at most: they stay open.
const FILES: usize = if cfg!(feature = "every-machine") { 128 } else { 32 };
/// Paths of which it is kept what is there.
const PATHS: usize = if cfg!(feature = "every-machine") { 256 } else { 16 };
/// What is read of a file in the search of a text, and at once.
const SCAN: usize = 16 << 20;
const STEP: usize = 4096;

/// What is at a path: asked once, for what many programs name.
pub struct Place {
    path: PathBuf,
    /// stat(2).
    pub stat: Known<Result<Stat, Errno>>,
    resolved: OnceCell<PathBuf>,
    may_execute: OnceCell<Known<Result<(), Errno>>>,
}

impl Place {
    /// The absolute path with symbolic links resolved; as it is named where that fails.
    pub(super) fn resolved(&self, root: &dyn Root) -> &Path {
        self.resolved.get_or_init(|| match root.resolve(&self.path) {
            Some(Ok(resolved)) => resolved,
            _ => self.path.clone(),
        })
    }

    /// faccessat(2) with X_OK.
    pub(super) fn may_execute(&self, root: &dyn Root) -> Known<Result<(), Errno>> {
        *self.may_execute.get_or_init(|| root.may_execute(&self.path))
    }
}

/// Bytes that are kept of a file: they count among those of all files until it is dropped.
#[derive(Default)]
pub(super) struct Held {
    pub(super) shared: Rc<Shared>,
    own: Cell<usize>,
}

impl Held {
    /// Whether so many more may be kept; they count from now on.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let sum = self.shared.held.get().saturating_add(bytes);
        let fits = sum <= LIMIT;
        if fits {
            self.shared.held.set(sum);
            self.own.set(self.own.get().saturating_add(bytes));
        }
        fits
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.shared.held.set(self.shared.held.get().saturating_sub(bytes));
        self.own.set(self.own.get().saturating_sub(bytes));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give_back(self.own.get());
    }
}

/// What packed a file, what became of it on the way, and what Go left in it.
type Made = (Option<Upx>, Damage, Option<Go>);

/// What is in a file, whatever machine it is for: read and decoded when it is asked for, once.
pub struct File {
    /// What it is.
    pub stat: Stat,
    /// Its bytes.
    pub contents: Contents,
    images: RefCell<Vec<Rc<Image>>>,
    made: OnceCell<Box<Made>>,
    origin: OnceCell<Origin>,
    busy: OnceCell<Known<bool>>,
}

impl File {
    /// Decoded as an ELF file in an encoding, whatever EI_CLASS and EI_DATA say. A header cut short reads as zeros, as in
    /// the kernel's buffer.
    pub fn as_read_by(&self, encoding: Encoding) -> Rc<Image> {
        if let Some(image) = self.images.borrow().iter().find(|image| image.encoding == encoding) {
            return Rc::clone(image);
        }
        let image = program::image(&mut Reader::headers(&self.contents), encoding);
        // What was cut short is not for the next program.
        if self.contents.budget().was_cut().is_none() && self.contents.held.take(bytes_of(&image)) {
            self.images.borrow_mut().push(Rc::clone(&image));
        }
        image
    }

    /// Whether a text is in it; None where it is longer than what is read.
    pub(crate) fn holds(&self, text: &[u8]) -> Known<bool> {
        self.any(text.len(), &|bytes| holds(bytes, text))
    }

    /// Whether one of its parts is such; two of them have `shared` bytes in common.
    pub(crate) fn any(&self, shared: usize, is: &dyn Fn(&[u8]) -> bool) -> Known<bool> {
        let mut reader = Reader::new(&self.contents, ByteOrder::Little, 0, SCAN);
        reader.once();
        let mut at: usize = 0;
        loop {
            let len = STEP.saturating_add(shared);
            let bytes = reader.up_to(at, len);
            if is(bytes) {
                return Some(true);
            }
            if bytes.len() < len {
                return (self.stat.size <= SCAN as u64).then_some(false);
            }
            at = at.saturating_add(STEP);
        }
    }

    /// Whether somebody holds it open for writing.
    pub(super) fn open_for_writing(&self) -> Known<bool> {
        *self.busy.get_or_init(|| self.contents.open_for_writing())
    }

    /// What made it, by one of its images.
    pub(super) fn origin(&self, image: &Image, go: Option<&Go>) -> &Origin {
        self.origin.get_or_init(|| {
            if let Some(go) = go {
                return Origin { toolchain: Toolchain::Go, detail: go.version.clone() };
            }
            let reader = &mut Reader::headers(&self.contents);
            let sections = program::sections(reader, image.encoding, &image.header);
            program::origin(reader, image, &sections)
        })
    }

    /// What packed it, what became of it on the way, and what Go left in it, by one of its images.
    pub(super) fn made_by(&self, image: &Image) -> &Made {
        self.made.get_or_init(|| {
            let reader = &mut Reader::headers(&self.contents);
            let packed = upx::find(reader, image, self.stat.size);
            let sections = program::sections(reader, image.encoding, &image.header);
            let go = go::find(reader, image, &sections);
            let damage = damage::find(reader, image, &sections, self.stat.size, go.is_some());
            Box::new((packed, damage, go))
        })
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("stat", &self.stat).finish_non_exhaustive()
    }
}

/// The bytes that an image takes, about.
// Inlined, it is there twice: 390 bytes on a router.
#[inline(never)]
pub(crate) fn bytes_of(image: &Image) -> usize {
    let mut bytes =
        size_of::<Image>().saturating_add(size_of::<ProgramHeader>().saturating_mul(image.table().len()));
    bytes = bytes.saturating_add(image.attributes.as_ref().map_or(0, Attributes::bytes));
    if let Some(dynamic) = &image.dynamic {
        bytes = bytes.saturating_add(size_of::<(u32, u64)>().saturating_mul(dynamic.entries.len()));
        for name in &dynamic.needed {
            bytes = bytes.saturating_add(size_of::<Vec<u8>>()).saturating_add(name.len());
        }
        let len = |text: &Option<Vec<u8>>| text.as_ref().map_or(0, Vec::len);
        bytes = bytes.saturating_add(len(&dynamic.soname));
        bytes = bytes.saturating_add(len(&dynamic.rpath)).saturating_add(len(&dynamic.runpath));
    }
    bytes
}

/// The files that were read last, as many as [`LIMIT`] has room for.
#[derive(Default)]
pub struct Files {
    /// The one that was used last stands last.
    list: RefCell<Vec<Rc<File>>>,
    /// The same of paths.
    places: RefCell<Vec<Rc<Place>>>,
    shared: Rc<Shared>,
}

impl Files {
    /// Another judgement begins.
    pub(crate) fn begin(&self) {
        // What was cut short is not for the next one; a router is asked for one.
        if !crate::ROUTER && self.budget().was_cut().is_some() {
            self.places.borrow_mut().clear();
        }
        self.shared.begin();
    }

    /// What the judgement was refused first.
    pub(crate) fn lost(&self) -> Vec<Lost> {
        self.shared.lost()
    }

    /// What is left to the judgement that uses them.
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// What is at a path.
    pub fn at(&self, root: &dyn Root, path: &Path) -> Rc<Place> {
        let mut places = self.places.borrow_mut();
        let known = take(&mut places, &|place| place.path.as_bytes() == path.as_bytes());
        let place = known.unwrap_or_else(|| {
            Rc::new(Place {
                path: path.to_path_buf(),
                stat: if self.budget().file() { self.told(path, root.stat(path)) } else { None },
                resolved: OnceCell::new(),
                may_execute: OnceCell::new(),
            })
        });
        if places.len() >= PATHS {
            places.remove(0);
        }
        places.push(Rc::clone(&place));
        place
    }

    /// A regular file of which stat(2) tells this.
    pub fn open(&self, root: &dyn Root, path: &Path, stat: &Stat) -> Known<Result<Rc<File>, Errno>> {
        if let Some(known) = self.known(path, &|known| known == stat) {
            return Some(Ok(known));
        }
        self.make_room();
        if !self.budget().file() {
            return None;
        }
        let opened = match self.told(path, root.open(path))? {
            Ok(opened) => opened,
            Err(errno) => return Some(Err(errno)),
        };
        let held = Held { shared: Rc::clone(&self.shared), own: Cell::default() };
        let file = Rc::new(File {
            stat: *stat,
            contents: Contents::new(path, opened, held),
            images: RefCell::default(),
            made: OnceCell::new(),
            origin: OnceCell::new(),
            busy: OnceCell::new(),
        });
        self.list.borrow_mut().push(Rc::clone(&file));
        Some(Ok(file))
    }

    /// One that was opened before, by its device and inode; opened once more where it was too long ago.
    pub fn again(&self, root: &dyn Root, path: &Path, id: (u64, u64)) -> Option<Rc<File>> {
        self.make_room();
        let known = self.known(path, &|known| (known.device, known.inode) == id);
        if known.is_some() {
            return known;
        }
        if !self.budget().file() {
            return None;
        }
        let Some(Ok(stat)) = &root.stat(path) else { return None };
        self.open(root, path, stat)?.ok()
    }

    /// Does not keep a program that was judged: what many programs name is to stay. A router is asked for one at a time.
    pub fn forget(&self, path: &Path) {
        if !cfg!(feature = "every-machine") {
            return;
        }
        take(&mut self.list.borrow_mut(), &|file| file.contents.path == path.as_bytes());
        take(&mut self.places.borrow_mut(), &|place| place.path.as_bytes() == path.as_bytes());
    }

    /// An answer, whose error is noted.
    pub(crate) fn told<T>(&self, path: &Path, answer: Known<Result<T, Errno>>) -> Known<Result<T, Errno>> {
        if let Some(Err(errno)) = answer {
            self.shared.lose(path.as_bytes(), errno);
        }
        answer
    }

    fn known(&self, path: &Path, is_it: &dyn Fn(&Stat) -> bool) -> Option<Rc<File>> {
        let mut list = self.list.borrow_mut();
        let known = take(&mut list, &|file| is_it(&file.stat) && file.contents.path == path.as_bytes())?;
        list.push(Rc::clone(&known));
        Some(known)
    }

    /// Drops the files that were not used for the longest time.
    fn make_room(&self) {
        let mut list = self.list.borrow_mut();
        // A quarter is left for what is read next.
        while list.len() >= FILES || (self.shared.held.get() > LIMIT / 4 * 3 && !list.is_empty()) {
            list.remove(0);
        }
    }
}

/// Takes one out of a list whose last is the one that was used last.
fn take<T>(list: &mut Vec<Rc<T>>, is_it: &dyn Fn(&T) -> bool) -> Option<Rc<T>> {
    let at = list.iter().rposition(|one| is_it(one))?;
    Some(list.remove(at))
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;
    use crate::elf::{ByteOrder, Class};
    use crate::target::{FileKind, ReadAt};

    const ENCODING: Encoding = Encoding { order: ByteOrder::Little, class: Class::Elf64 };

    /// A file of zeros of any size.
    struct Zeros(u64);

    impl ReadAt for Zeros {
        fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
            Ok(vec![0; usize::try_from(self.0.saturating_sub(offset)).unwrap().min(len)])
        }
    }

    /// Has a file of that size at each path, and counts how often one is opened.
    struct Disk(u64, Cell<usize>);

    impl Root for Disk {
        fn stat(&self, _: &Path) -> Known<Result<Stat, Errno>> {
            Some(Ok(Stat {
                kind: FileKind::Regular,
                mode: 0o755,
                size: self.0,
                device: 1,
                inode: 1,
                owner: None,
                group: None,
            }))
        }
        fn open(&self, _: &Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
            self.1.set(self.1.get() + 1);
            Some(Ok(Rc::new(Zeros(self.0))))
        }
    }

    fn open(files: &Files, disk: &Disk, path: &str) -> Rc<File> {
        let path = Path::new(path);
        files.open(disk, path, &disk.stat(path).unwrap().unwrap()).unwrap().unwrap()
    }

    /// Reads a part that is kept where there is room.
    fn part(file: &File, at: usize, size: usize) -> bool {
        Reader::new(&file.contents, ByteOrder::Little, at, size).bytes_at(0, size).is_some()
    }

    #[test]
    fn a_thousand_look_ups_open_a_file_once() {
        let (files, mut disk) = (Files::default(), Disk(60_000, Cell::new(0)));
        for index in 0..1000 {
            let file = open(&files, &disk, "/lib/libc.so");
            assert!(
                part(&file, 8000, 2000) && Rc::ptr_eq(&file.as_read_by(ENCODING), &file.as_read_by(ENCODING))
            );
            assert!(files.again(&disk, Path::new("/lib/libc.so"), (1, 1)).is_some());
            // Others come and go.
            open(&files, &disk, &format!("/bin/{}", index / 100));
        }
        assert_eq!(disk.1.get(), 11);
        // It is another one now.
        disk.0 = 50_000;
        assert_eq!(open(&files, &disk, "/lib/libc.so").stat.size, 50_000);
        assert_eq!(disk.1.get(), 12);
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let (files, disk) = (Files::default(), Disk(1 << 40, Cell::new(0)));
        let size = LIMIT / 16;
        for index in 0..30 {
            assert!(part(&open(&files, &disk, "/lib/libc.so"), 8192, size));
            assert!(part(&open(&files, &disk, &format!("/lib/{index}")), 8192, size));
        }
        assert_eq!(disk.1.get(), 31, "libc.so stays");
        open(&files, &disk, "/lib/29");
        assert_eq!(disk.1.get(), 31);
        open(&files, &disk, "/lib/0");
        assert_eq!(disk.1.get(), 32);
    }

    #[test]
    fn no_file_takes_more_than_there_is() {
        let (files, disk) = (Files::default(), Disk(1 << 40, Cell::new(0)));
        for index in 0..FILES * 3 {
            files.budget().begin();
            let file = open(&files, &disk, &format!("/lib/{index}"));
            for at in 0..40 {
                assert!(part(&file, 8192 + at * (32 << 10), 32 << 10));
            }
            assert!(files.shared.held.get() <= LIMIT, "{index}");
            assert!(files.list.borrow().len() <= FILES);
        }
        drop(files.list.take());
        assert_eq!(files.shared.held.get(), 0, "all was given back");
    }
}
