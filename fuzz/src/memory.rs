//! A target from memory: a recorded machine, and files put on it that may be larger than any disk.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CStr;
use std::rc::Rc;

use diag::recorded::Recorded;
use diag_core::errno::Errno;
use diag_core::path::{Path, PathBuf};
use diag_core::target::{
    Answer, Auxv, Caller, Capability, FileKind, Kernel, Known, Limits, ReadAt, Root, Space, Stat, Uname,
};

/// A file: its first bytes, and patterns that are repeated over parts of the rest. Between them it is a hole of zeros.
#[derive(Clone, Default)]
pub struct File {
    /// From its beginning on.
    pub head: Vec<u8>,
    /// Where a pattern begins and ends, and its bytes.
    pub parts: Vec<(u64, u64, Vec<u8>)>,
}

impl File {
    /// Bytes.
    pub fn size(&self) -> u64 {
        self.parts.iter().map(|part| part.1).fold(self.head.len() as u64, u64::max)
    }

    /// Those bytes from an offset on that it has.
    fn bytes(&self, offset: u64, len: usize) -> Vec<u8> {
        let small = |bytes: u64| usize::try_from(bytes).expect("less than was asked for");
        let len = self.size().saturating_sub(offset).min(len as u64);
        let end = offset.saturating_add(len);
        let mut bytes = vec![0; small(len)];
        let mut put = |from: u64, to: u64, source: &[u8]| {
            let (first, last) = (from.max(offset), to.min(end));
            if first < last && !source.is_empty() {
                let begin = small((first - from) % source.len() as u64);
                let mut there = &mut bytes[small(first - offset)..small(last - offset)];
                let mut rest = &source[begin..];
                while !there.is_empty() {
                    let count = rest.len().min(there.len());
                    there[..count].copy_from_slice(&rest[..count]);
                    (there, rest) = (&mut there[count..], source);
                }
            }
        };
        put(0, self.head.len() as u64, &self.head);
        for (from, to, pattern) in &self.parts {
            put(*from, *to, pattern);
        }
        bytes
    }
}

impl From<Vec<u8>> for File {
    fn from(head: Vec<u8>) -> File {
        File { head, parts: Vec::new() }
    }
}

/// What a target has been asked for.
#[derive(Default)]
pub struct Asked {
    /// Bytes read of open files.
    pub bytes: Cell<u64>,
    /// Files looked up and opened.
    pub files: Cell<u64>,
    /// Calls of any kind.
    pub calls: Cell<u64>,
    /// Which call fails, from 0 on, whether those behind it do, and what of.
    pub fails: Cell<Option<(u64, bool, Errno)>>,
    /// The call that failed first, and the path.
    pub failed: RefCell<Option<(&'static str, Vec<u8>)>>,
}

impl Asked {
    fn file(&self) {
        self.files.set(self.files.get() + 1);
    }

    fn call(&self, name: &'static str, path: &[u8]) -> Result<(), Errno> {
        let number = self.calls.replace(self.calls.get() + 1);
        match self.fails.get() {
            Some((which, goes_on, errno)) if number == which || goes_on && number > which => {
                self.failed.borrow_mut().get_or_insert((name, path.to_vec()));
                Err(errno)
            }
            _ => Ok(()),
        }
    }
}

struct Open {
    path: Vec<u8>,
    file: Rc<File>,
    asked: Rc<Asked>,
}

impl ReadAt for Open {
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        self.asked.call("pread", &self.path)?;
        let bytes = self.file.bytes(offset, len);
        self.asked.bytes.set(self.asked.bytes.get() + bytes.len() as u64);
        Ok(bytes)
    }
}

#[derive(Clone)]
struct Entry {
    stat: Stat,
    resolved: PathBuf,
    file: Rc<File>,
}

/// A recorded machine, read once.
#[derive(Clone)]
pub struct Machine {
    recorded: Rc<Files>,
    /// Files that were put there.
    put: Files,
    uname: Known<Uname>,
    auxv: Auxv,
    spaces: Rc<BTreeMap<Vec<u8>, Space>>,
    answers: Rc<Vec<(Capability, Answer)>>,
    asked: Rc<Asked>,
}

/// By their paths.
type Files = BTreeMap<Vec<u8>, Entry>;

thread_local! {
    static MACHINES: RefCell<BTreeMap<&'static str, Machine>> = const { RefCell::new(BTreeMap::new()) };
}

impl Machine {
    /// The one in that folder of machines/.
    pub fn of(name: &'static str) -> Machine {
        let machine = MACHINES.with(|machines| {
            machines.borrow_mut().entry(name).or_insert_with(|| Machine::read(name)).clone()
        });
        Machine { asked: Rc::default(), ..machine }
    }

    fn read(name: &str) -> Machine {
        let root = crate::folder("../machines").join(name);
        let recorded = Recorded::new(root.clone());
        let (mut files, mut spaces) = (Files::new(), BTreeMap::new());
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder of machines/") {
                let place = entry.expect("a folder of machines/").path();
                let inside = place.strip_prefix(&root).expect("it lies there").to_str().expect("plain names");
                let path = PathBuf::from(format!("/{inside}"));
                let (Some(Ok(stat)), Some(Ok(resolved))) = (recorded.stat(&path), recorded.resolve(&path))
                else {
                    continue;
                };
                if place.is_dir() {
                    folders.push(place.clone());
                }
                let file = Rc::new(File::from(std::fs::read(&place).unwrap_or_default()));
                let path = path.into_vec();
                spaces.extend(recorded.space(Path::new(&path)).map(|space| (path.clone(), space)));
                files.insert(path, Entry { stat, resolved, file });
            }
        }
        let answers =
            Capability::ALL.iter().filter_map(|question| Some((*question, recorded.ask(*question)?)));
        Machine {
            recorded: Rc::new(files),
            put: Files::new(),
            uname: recorded.uname(),
            auxv: recorded.auxv(),
            spaces: Rc::new(spaces),
            answers: Rc::new(answers.collect()),
            asked: Rc::default(),
        }
    }

    /// What uname(2) tells of the processor.
    pub fn set_processor(&mut self, name: &str) {
        if let Some(uname) = &mut self.uname {
            name.clone_into(&mut uname.machine);
        }
    }

    /// Puts a file there, executable for all.
    pub fn put(&mut self, path: &str, file: File) {
        let kind = self.recorded.get(path.as_bytes()).map_or(FileKind::Regular, |entry| entry.stat.kind);
        let (size, inode) = (file.size(), 1_000_000 + self.put.len() as u64);
        let stat = Stat { kind, mode: 0o755, size, device: 1, inode, owner: Some(0), group: Some(0) };
        let entry = Entry { stat, resolved: path.into(), file: Rc::new(file) };
        self.put.insert(path.as_bytes().to_vec(), entry);
    }

    /// Makes a file that was put there somebody else's, and set-user-ID: who starts it starts it with other rights.
    pub fn set_user_id(&mut self, path: &str) {
        if let Some(entry) = self.put.get_mut(path.as_bytes()) {
            entry.stat = Stat { mode: 0o4755, owner: Some(1000), ..entry.stat };
        }
    }

    /// What it has been asked for.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    fn call(&self, name: &'static str, path: &Path) -> Result<(), Errno> {
        self.asked.call(name, path.as_bytes())
    }

    fn entry(&self, path: &Path) -> Result<&Entry, Errno> {
        let path = path.as_bytes();
        self.put.get(path).or_else(|| self.recorded.get(path)).ok_or(Errno::ENOENT)
    }

    /// The names in a folder; those that its own folders begin with, too.
    fn names(&self, folder: &Path) -> BTreeSet<Vec<u8>> {
        let folder = [folder.as_bytes().strip_suffix(b"/").unwrap_or(folder.as_bytes()), b"/"].concat();
        let behind = |files: &Files| -> Vec<Vec<u8>> {
            let inside = files.range(folder.clone()..).map_while(|(path, _)| path.strip_prefix(&folder[..]));
            inside.filter_map(|path| path.split(|byte| *byte == b'/').next().map(<[u8]>::to_vec)).collect()
        };
        behind(&self.put).into_iter().chain(behind(&self.recorded)).collect()
    }
}

impl Root for Machine {
    fn read(&self, path: &Path) -> Known<Result<Vec<u8>, Errno>> {
        let bytes = |entry: &Entry| entry.file.bytes(0, 1 << 16);
        Some(self.call("read", path).and_then(|()| self.entry(path).map(bytes)))
    }
    fn list(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Known<Result<Vec<Vec<u8>>, Errno>> {
        let names = self.names(folder);
        let is_there = !names.is_empty();
        let kept = || names.into_iter().filter(|name| keep(name)).collect();
        Some(self.call("getdents", folder).and_then(|()| is_there.then(kept).ok_or(Errno::ENOENT)))
    }
    fn stat(&self, path: &Path) -> Known<Result<Stat, Errno>> {
        self.asked.file();
        if let Err(errno) = self.call("stat", path) {
            return Some(Err(errno));
        }
        let folder = Stat {
            kind: FileKind::Directory,
            mode: 0o755,
            size: 0,
            device: 1,
            inode: 1,
            owner: Some(0),
            group: Some(0),
        };
        let found = self.entry(path).map(|entry| entry.stat);
        Some(found.or_else(|errno| if self.names(path).is_empty() { Err(errno) } else { Ok(folder) }))
    }
    fn open(&self, path: &Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
        self.asked.file();
        if let Err(errno) = self.call("open", path) {
            return Some(Err(errno));
        }
        let open = |entry: &Entry| -> Rc<dyn ReadAt> {
            let (path, file) = (path.as_bytes().to_vec(), Rc::clone(&entry.file));
            Rc::new(Open { path, file, asked: Rc::clone(&self.asked) })
        };
        Some(self.entry(path).map(open))
    }
    fn may_execute(&self, path: &Path) -> Known<Result<(), Errno>> {
        Some(self.call("faccessat", path).and_then(|()| self.entry(path).map(drop)))
    }
    fn resolve(&self, path: &Path) -> Known<Result<PathBuf, Errno>> {
        Some(self.call("readlink", path).and_then(|()| self.entry(path).map(|entry| entry.resolved.clone())))
    }
    fn space(&self, folder: &Path) -> Known<Space> {
        self.spaces.get(folder.as_bytes()).copied()
    }
}

impl Kernel for Machine {
    fn uname(&self) -> Known<Uname> {
        self.uname.clone()
    }
    fn auxv(&self) -> Auxv {
        self.auxv.clone()
    }
    fn limits(&self) -> Limits {
        Limits::default()
    }
    fn caller(&self) -> Known<Caller> {
        Some(Caller::default())
    }
    fn variable(&self, name: &CStr) -> Option<Vec<u8>> {
        (name == c"PATH").then(|| b"/usr/sbin:/usr/bin:/sbin:/bin".to_vec())
    }
    fn ask(&self, question: Capability) -> Known<Answer> {
        let mut answers = self.answers.iter();
        Some(answers.find(|(known, _)| *known == question).map_or(Answer::Works, |(_, answer)| *answer))
    }
}
