//! `--record`: the machine as a tar archive, which `--on` reads elsewhere ([`crate::recorded`] says what is in it). It holds
//! nothing that identifies a person or a network, and is written as it is made: a router has no room for it.

mod code;
mod kept;
mod notes;
mod tar;

use std::fmt;

use crate::candidate::env::Plan;
use crate::candidate::{Candidate, EnvCall, Files, last_name, library};
use crate::cli::Programs;
use crate::elf::Encoding;
use crate::errno::Errno;
use crate::judge;
use crate::ldso::Kept;
use crate::machine::{Libc, Machine, holds};
use crate::path::{Path, join};
use crate::report::Judged;
use crate::target::{FileKind, Stat, Target};
use crate::text;
use code::PIECE;
use kept::{LIBRARIES, OWN, PROGRAMS, TEXTS, Text, WHOLE, is_private};
use tar::BLOCK;

/// Bytes of an archive at most, without its names and texts, which take less than 4 MiB.
const LIMIT: u64 = 60 << 20;
/// Bytes of names that are listed.
const NAMES: usize = 1 << 20;
/// Bytes that are taken of a file that is no ELF file, and of diag's own.
const SMALL: usize = 4096;
/// Of a list of libraries.
const CACHE_SIZE: u64 = if cfg!(feature = "every-machine") { 4 << 20 } else { 256 << 10 };
/// Whether it is no router's build.
const EVERY: bool = cfg!(feature = "every-machine");

/// Takes a part of the archive; a failure ends the recording.
pub type Out<'a> = &'a mut dyn FnMut(&[u8]) -> fmt::Result;

/// Records a machine: with these programs what they need of it, without any all libraries.
pub fn write(target: Target<'_>, programs: &Programs, out: Out<'_>) -> fmt::Result {
    let mut machine = judge::describe(target).machine;
    let home = target.kernel.variable(c"HOME").unwrap_or_default();
    let mut recording = Recording { target, out, home, left: LIMIT, known: Vec::new(), done: Vec::new() };
    recording.notes(&machine)?;
    for text in TEXTS {
        recording.text(text.path.as_bytes(), text)?;
    }
    recording.loaders(&machine)?;
    let kept = Kept::default();
    // What the machine's own programs need comes first: there may be no room for all.
    let own = OWN.iter().map(Path::new).filter(|_| EVERY && programs.is_empty());
    for path in own.chain(programs.iter()) {
        recording.needs(&judge::judge(&mut machine, &kept, path, None))?;
    }
    drop(kept);
    for folder in LIBRARIES {
        recording.folder(folder.as_bytes(), true, programs.is_empty())?;
    }
    for folder in PROGRAMS {
        recording.folder(folder.as_bytes(), false, false)?;
    }
    if EVERY {
        recording.rest_of_hosts()?;
    }
    let known = std::mem::take(&mut recording.known);
    recording.file(b"/known", &known)?;
    (recording.out)(&[0; 2 * BLOCK])
}

struct Recording<'a, 'b> {
    target: Target<'a>,
    out: Out<'b>,
    /// $HOME.
    home: Vec<u8>,
    /// Bytes that there is room for.
    left: u64,
    /// The note `known`.
    known: Vec<u8>,
    /// What was looked at, sorted.
    done: Vec<Vec<u8>>,
}

impl Recording<'_, '_> {
    /// Takes what a program needs.
    fn needs(&mut self, judged: &Judged) -> fmt::Result {
        self.chain(judged.candidate.interpreter.as_deref())?;
        // A router has its programs in folders that are listed.
        let call = judged.candidate.env_call().filter(|_| EVERY);
        if let Some(EnvCall { plan: Plan::Starts(sought), .. }) = call {
            for found in &sought.found {
                self.chain(Some(found))?;
            }
            for folder in sought.folders.iter().flat_map(|folders| folders.split(|byte| *byte == b':')) {
                self.place(join(Path::new(folder), Path::new(&sought.name)).as_bytes(), false)?;
            }
        }
        // The first one is the program.
        for object in judged.link.iter().flat_map(|link| link.objects.get(1..).unwrap_or_default()) {
            self.place(&object.path, true)?;
            // One that was passed over may be there, for another machine.
            for path in &object.tried {
                self.place(path, true)?;
            }
        }
        Ok(())
    }

    /// Takes an interpreter, and those that it has.
    fn chain(&mut self, first: Option<&Candidate>) -> fmt::Result {
        let mut next = first;
        while let Some(found) = next {
            self.place(found.path.as_bytes(), true)?;
            next = found.interpreter.as_deref();
        }
        Ok(())
    }

    /// A line of the note `known`.
    fn say(&mut self, word: &[u8], path: &[u8]) {
        if !path.contains(&b'\n') && !is_private(path, &self.home) {
            self.known.extend_from_slice(word);
            self.known.extend_from_slice(path);
            self.known.push(b'\n');
        }
    }

    /// Whether something was not looked at before; from now on it was.
    fn is_new(&mut self, path: &[u8]) -> bool {
        match self.done.binary_search_by(|known| known.as_slice().cmp(path)) {
            Ok(_) => false,
            Err(at) => {
                self.done.insert(at, path.to_vec());
                true
            }
        }
    }

    /// Writes a file that is in memory.
    fn file(&mut self, path: &[u8], bytes: &[u8]) -> fmt::Result {
        let Some(header) = tar::header(path, 0o644, bytes.len() as u64) else { return Ok(()) };
        (self.out)(&header)?;
        (self.out)(bytes)?;
        self.fill(bytes.len() as u64)
    }

    /// What is behind the last byte of a file.
    fn fill(&mut self, size: u64) -> fmt::Result {
        let behind = BLOCK.wrapping_sub(length(size & 511)) & 511;
        (self.out)([0; BLOCK].get(..behind).unwrap_or_default())
    }

    /// A text of the machine's.
    fn text(&mut self, path: &[u8], kept: &Text) -> fmt::Result {
        match self.target.root.read(Path::new(path)) {
            Some(Ok(text)) if !kept.keys.is_empty() || !is_private(&text, &self.home) => {
                self.file(path, &kept.of(&text))
            }
            Some(Err(Errno::ENOENT)) => {
                self.say(b"absent ", path);
                Ok(())
            }
            _ => {
                self.say(b"unknown ", path);
                Ok(())
            }
        }
    }

    /// The loaders, what they read, and the machine's own programs.
    fn loaders(&mut self, machine: &Machine) -> fmt::Result {
        for path in machine.loaders().get().map(Vec::as_slice).unwrap_or_default() {
            self.place(path.as_bytes(), true)?;
            // musl's list of folders.
            let name = last_name(path.as_bytes()).1;
            if let Some(arch) = name.strip_suffix(b".so.1").filter(|name| name.starts_with(b"ld-musl-")) {
                self.text(&[b"/etc/", arch, b".path"].concat(), &WHOLE)?;
            }
        }
        // glibc's lists of files, and where its configuration is.
        for path in ["/etc/ld.so.cache", "/opt/etc/ld.so.cache", "/etc/ld.so.conf.d"] {
            self.place(path.as_bytes(), true)?;
        }
        for path in OWN {
            self.place(path.as_bytes(), true)?;
        }
        // Of diag itself the headers: it may be all that tells the byte order.
        let own = Path::new("/proc/self/exe");
        match self.target.root.open(own) {
            Some(Ok(file)) => self.file(own.as_bytes(), &file.read_at(0, SMALL).unwrap_or_default()),
            _ => Ok(()),
        }
    }

    /// What only a computer has that is no router.
    fn rest_of_hosts(&mut self) -> fmt::Result {
        // What somebody calls his own programs is not told.
        for folder in ["/usr/local/bin", "/usr/local/sbin"] {
            let is_empty = |names: Result<Vec<Vec<u8>>, Errno>| names.is_ok_and(|names| names.is_empty());
            if self.target.root.list(Path::new(folder), |_| true).is_some_and(is_empty) {
                self.folder(folder.as_bytes(), false, false)?;
            } else if let Some(Err(Errno::ENOENT)) = self.target.root.stat(Path::new(folder)) {
                self.say(b"absent ", folder.as_bytes());
            }
        }
        self.folder(b"/proc/sys/fs/binfmt_misc", false, false)
    }

    /// The names in a folder, with what they lead to; of one that holds libraries those that are libraries.
    fn folder(&mut self, folder: &[u8], of_libraries: bool, is_wanted: bool) -> fmt::Result {
        let root = self.target.root;
        // What it leads to, where it is a link.
        self.place(folder, false)?;
        let Some(Ok(place)) = root.resolve(Path::new(folder)) else { return Ok(()) };
        let place = place.into_vec();
        if self.known.len() > NAMES || !self.is_new(&[&*place, b"/"].concat()) {
            return Ok(());
        }
        let Some(Ok(names)) = root.list(Path::new(&place), |name| !name.contains(&b'\n')) else {
            return Ok(());
        };
        self.say(if of_libraries { b"libraries " } else { b"folder " }, &place);
        for name in names {
            let path = [&*place, b"/", &*name].concat();
            if !of_libraries || holds(&name, b".so") {
                self.place(&path, is_wanted)?;
            } else if matches!(root.stat(Path::new(&path)), Some(Ok(Stat { kind: FileKind::Directory, .. })))
            {
                // Debian's folders for one processor, and glibc's for better ones.
                let is_debians = holds(&name, b"-linux-") && !name.contains(&b'.');
                if EVERY && (is_debians || name == HWCAPS || last_name(&place).1 == HWCAPS) {
                    self.folder(&path, true, is_wanted)?;
                } else {
                    self.say(b"unlisted ", &path);
                }
            }
        }
        Ok(())
    }

    /// What is at a path: a file, a folder, or what a link leads to.
    fn place(&mut self, path: &[u8], is_wanted: bool) -> fmt::Result {
        if !path.starts_with(b"/") || is_private(path, &self.home) || !self.is_new(path) {
            return Ok(());
        }
        let root = self.target.root;
        let found = Path::new(path);
        let (place, stat) = match (root.resolve(found), root.stat(found)) {
            (Some(Ok(place)), Some(Ok(stat))) => (place.into_vec(), stat),
            (_, Some(Err(Errno::ENOENT | Errno::ENOTDIR))) => {
                self.say(b"absent ", path);
                return Ok(());
            }
            _ => {
                self.say(b"unknown ", path);
                return Ok(());
            }
        };
        if place != path {
            if is_private(&place, &self.home) || holds(path, b" -> ") {
                self.say(b"unknown ", path);
                return Ok(());
            }
            self.say(b"link ", &[path, b" -> ", &*place].concat());
            if !self.is_new(&place) {
                return Ok(());
            }
        }
        match stat.kind {
            FileKind::Directory => self.say(b"unlisted ", &place),
            FileKind::Pseudo => return self.text(&place, &WHOLE),
            FileKind::Regular => return self.content(&place, &stat, is_wanted),
            _ => self.say(b"unknown ", &place),
        }
        Ok(())
    }

    /// A file: its content where that is wanted, else that it is there.
    fn content(&mut self, path: &[u8], stat: &Stat, is_wanted: bool) -> fmt::Result {
        if is_wanted {
            if self.is_taken(path, stat)? {
                return Ok(());
            }
            if EVERY {
                log::info!("left out of the recording: {}", text::path(Path::new(path)));
            }
        }
        let line = format!("left-out {:o} {} ", stat.mode, stat.size);
        self.say(line.as_bytes(), path);
        Ok(())
    }

    /// Writes a file of the machine's, where it is one that a recording holds and there is room for it.
    fn is_taken(&mut self, path: &[u8], stat: &Stat) -> Result<bool, fmt::Error> {
        let size = stat.size;
        let takes = size.saturating_add(1024);
        let (root, files, found) = (self.target.root, Files::default(), Path::new(path));
        let Some(Ok(file)) = library::open(root, &files, found) else { return Ok(false) };
        let Some(Ok(bytes)) = root.open(found) else { return Ok(false) };
        let image = Encoding::of(&file.contents.ident()).map(|encoding| file.as_read_by(encoding));
        let is_cache = path.ends_with(b"/ld.so.cache");
        // Of a text in the place of a program or a library the first line counts.
        let is_line = image.is_none() && !is_cache;
        let is_small = is_cache && size <= CACHE_SIZE || size <= SMALL as u64;
        let is_held = match &image {
            Some(_) => true,
            None => is_small && !is_private(&bytes.read_at(0, length(size)).unwrap_or_default(), &self.home),
        };
        let (true, Some(header)) = (is_held && takes <= self.left, tar::header(path, stat.mode, size)) else {
            return Ok(false);
        };
        self.left = self.left.saturating_sub(takes);
        (self.out)(&header)?;
        // What a loader does is read from all of it.
        let image = image.filter(|_| Libc::of_loader(path).is_none());
        let code = image.as_ref().and_then(|image| code::of(image));
        let mut at = 0;
        while at < size {
            let len = length(PIECE.min(size.saturating_sub(at)));
            let mut piece = Vec::new();
            if !image.as_ref().is_some_and(|image| code::is_at(image, code, at)) {
                piece = bytes.read_at(at, len).unwrap_or_default();
            }
            // It may have become shorter.
            piece.resize(len, 0);
            if is_line {
                let end = piece.iter().position(|byte| *byte == b'\n').unwrap_or(64);
                piece.iter_mut().skip(end).for_each(|byte| *byte = b'\n');
            }
            (self.out)(&piece)?;
            at = at.saturating_add(PIECE);
        }
        self.fill(size)?;
        Ok(true)
    }
}

/// glibc's folder of libraries for better processors.
const HWCAPS: &[u8] = b"glibc-hwcaps";

fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
