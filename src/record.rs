//! `--record`: the machine as a tar archive, which `--on` reads elsewhere ([`crate::recorded`] says what is in it). It holds
//! nothing that identifies a person or a network, and is written as it is made: a router has no room for it.

mod code;
mod kept;
mod tar;

use std::fmt;

use crate::candidate::env::Plan;
use crate::candidate::{Candidate, EnvCall, Files, library};
use crate::cli::Programs;
use crate::elf::Encoding;
use crate::errno::Errno;
use crate::judge;
use crate::ldso::Kept;
use crate::machine::{Libc, Machine, Mount};
use crate::path::{Path, join};
use crate::report::Judged;
use crate::target::{FileKind, ReadAt, Stat, Target};
use crate::text;
use code::{Code, PIECE};
use kept::{LIBRARIES, OWN, PROGRAMS, TEXTS, Text, VARIABLES, WHOLE, is_private};
use tar::{BLOCK, FILE, LINK};

/// Bytes of an archive at most, without its names and texts, which take less than 4 MiB.
const LIMIT: u64 = 60 << 20;
/// Bytes of names that are listed.
const NAMES: usize = 1 << 20;
/// Bytes that are taken of a file that is no ELF file, and of diag's own.
const SMALL: u64 = 4096;
/// What `df -B1` has at its head.
const DF: &[u8] = b"Filesystem 1B-blocks Used Available Use% Mounted on\n";

/// Takes a part of the archive; a failure ends the recording.
pub type Out<'a> = &'a mut dyn FnMut(&[u8]) -> fmt::Result;

/// Records a machine: with these programs what they need of it, without any all libraries.
pub fn write(target: Target<'_>, programs: &Programs, out: Out<'_>) -> fmt::Result {
    let mut machine = judge::describe(target).machine;
    let home = target.kernel.variable(c"HOME").unwrap_or_default();
    let mut recording = Recording {
        target,
        out,
        home,
        left: LIMIT,
        known: Vec::new(),
        done: Vec::new(),
        wanted: Vec::new(),
        all: programs.is_empty(),
    };
    recording.loaders(&machine)?;
    let kept = Kept::default();
    // What the machine's own programs need comes first: there may be no room for all.
    let own = OWN.iter().map(Path::new).filter(|_| programs.is_empty());
    for path in own.chain(programs.iter()) {
        recording.look_at(judge::judge(&mut machine, &kept, path, None));
    }
    drop(kept);
    recording.notes(&machine)?;
    for text in TEXTS {
        recording.text(text.path.as_bytes(), text)?;
    }
    for path in std::mem::take(&mut recording.wanted) {
        recording.place(&path, true)?;
    }
    for folder in LIBRARIES {
        recording.folder(folder.as_bytes(), true)?;
    }
    for folder in PROGRAMS {
        recording.folder(folder.as_bytes(), false)?;
    }
    if cfg!(feature = "every-machine") {
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
    /// What was written, sorted.
    done: Vec<Vec<u8>>,
    /// Files whose content is wanted.
    wanted: Vec<Vec<u8>>,
    /// All libraries are.
    all: bool,
}

impl Recording<'_, '_> {
    /// Notes what a program needs.
    fn look_at(&mut self, judged: Judged) {
        self.want_chain(judged.candidate.interpreter.as_deref());
        // A router has its programs in folders that are listed.
        let call = judged.candidate.env_call().filter(|_| cfg!(feature = "every-machine"));
        if let Some(EnvCall { plan: Plan::Starts(sought), .. }) = call {
            for found in &sought.found {
                self.want_chain(Some(found));
            }
            for folder in sought.folders.iter().flat_map(|folders| folders.split(|byte| *byte == b':')) {
                let path = join(Path::new(folder), Path::new(&sought.name));
                if let Some(Err(Errno::ENOENT)) = self.target.root.stat(&path) {
                    self.say(b"absent ", path.as_bytes());
                }
            }
        }
        // The first one is the program.
        for object in judged.link.iter().flat_map(|link| link.objects.get(1..).unwrap_or_default()) {
            self.want(&object.path);
            for path in &object.tried {
                self.say(b"absent ", path);
            }
        }
    }

    /// An interpreter, and those that it has.
    fn want_chain(&mut self, first: Option<&Candidate>) {
        let mut next = first;
        while let Some(found) = next {
            match found.missing() {
                Some(Errno::ENOENT) => self.say(b"absent ", found.path.as_bytes()),
                _ => self.want(found.path.as_bytes()),
            }
            next = found.interpreter.as_deref();
        }
    }

    fn want(&mut self, path: &[u8]) {
        if path.starts_with(b"/") {
            self.wanted.push(path.to_vec());
        }
    }

    /// A line of the note `known`.
    fn say(&mut self, word: &[u8], path: &[u8]) {
        if !path.contains(&b'\n') && !is_private(path, &self.home) {
            self.known.extend_from_slice(word);
            self.known.extend_from_slice(path);
            self.known.push(b'\n');
        }
    }

    /// Whether something was not written before; from now on it was.
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
        let Some(header) = tar::header(path, FILE, 0o644, bytes.len() as u64, b"") else { return Ok(()) };
        (self.out)(&header)?;
        (self.out)(bytes)?;
        self.fill(bytes.len() as u64)
    }

    /// What is behind the last byte of a file.
    fn fill(&mut self, size: u64) -> fmt::Result {
        let zeros = [0; BLOCK];
        let behind = BLOCK.saturating_sub((size % BLOCK as u64) as usize) % BLOCK;
        (self.out)(zeros.get(..behind).unwrap_or_default())
    }

    /// What only a computer has that is no router.
    fn rest_of_hosts(&mut self) -> fmt::Result {
        // What somebody calls his own programs is not told.
        for folder in ["/usr/local/bin", "/usr/local/sbin"] {
            let is_empty = |names: Result<Vec<Vec<u8>>, Errno>| names.is_ok_and(|names| names.is_empty());
            if self.target.root.list(Path::new(folder), |_| true).is_some_and(is_empty) {
                self.folder(folder.as_bytes(), false)?;
            } else if let Some(Err(Errno::ENOENT)) = self.target.root.stat(Path::new(folder)) {
                self.say(b"absent ", folder.as_bytes());
            }
        }
        self.folder(b"/proc/sys/fs/binfmt_misc", false)
    }

    /// A text of the machine's.
    fn text(&mut self, path: &[u8], kept: &Text) -> fmt::Result {
        match self.target.root.read(Path::new(path)) {
            Some(Ok(text)) => {
                if kept.keys.is_empty() && is_private(&text, &self.home) {
                    return self.unknown(path);
                }
                let text = kept.of(&text);
                self.is_new(path);
                self.file(path, &text)
            }
            Some(Err(Errno::ENOENT | Errno::ENOTDIR)) => {
                self.say(b"absent ", path);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What commands would print.
    fn notes(&mut self, machine: &Machine) -> fmt::Result {
        let kernel = self.target.kernel;
        if let Some(uname) = kernel.uname() {
            // In the place of the host name.
            let text = ["Linux - ", &uname.release, " ", &uname.machine, "\n"].concat();
            self.file(b"/uname", text.as_bytes())?;
        }
        let auxv = kernel.auxv();
        let mut text = Vec::new();
        number(&mut text, "AT_HWCAP ", auxv.hwcap);
        number(&mut text, "AT_HWCAP2 ", auxv.hwcap2);
        number(&mut text, "AT_PAGESZ ", auxv.page_size);
        word(&mut text, "AT_PLATFORM ", auxv.platform.as_deref());
        word(&mut text, "AT_BASE_PLATFORM ", auxv.base_platform.as_deref());
        self.file(b"/auxv", &text)?;
        text.clear();
        for (question, fact) in &machine.answers {
            if let Some(answer) = fact.value {
                text.extend_from_slice(question.name().as_bytes());
                word(&mut text, " ", Some(&answer.words()));
            }
        }
        self.file(b"/answers", &text)?;
        if let Some(caller) = kernel.caller() {
            text.clear();
            for (name, real, effective) in
                [("Uid:\t", caller.uid, caller.euid), ("Gid:\t", caller.gid, caller.egid)]
            {
                number(&mut text, name, Some(real.into()));
                text.pop();
                number(&mut text, "\t", Some(effective.into()));
            }
            number(&mut text, "NoNewPrivs:\t", Some(caller.no_new_privs.into()));
            self.file(b"/proc/self/status", &text)?;
        }
        // A router has none.
        if cfg!(feature = "every-machine") {
            let limits = kernel.limits();
            text.clear();
            number(&mut text, "Max address space ", limits.address_space);
            number(&mut text, "Max data size ", limits.data);
            number(&mut text, "Max stack size ", limits.stack);
            self.file(b"/proc/self/limits", &text)?;
        }
        text.clear();
        for name in VARIABLES {
            if let Some(value) = kernel.variable(name) {
                // In the place of a person's folder stands another, of which nothing is known either.
                let is_shown =
                    !value.contains(&b'\n') && !is_private(&[&value, &b"/"[..]].concat(), &self.home);
                text.extend_from_slice(name.to_bytes());
                text.push(b'=');
                text.extend_from_slice(if is_shown { &value } else { b"/home" });
                text.push(b'\n');
            }
        }
        self.file(b"/env", &text)?;
        self.mounts(machine)
    }

    /// What is mounted, and what room there is: without what it is mounted from.
    fn mounts(&mut self, machine: &Machine) -> fmt::Result {
        let Some(mounts) = machine.mounts().get() else { return Ok(()) };
        let (mut text, mut df) = (Vec::new(), Vec::from(DF));
        for mount in mounts {
            let Mount { point, fstype, options, .. } = mount;
            let point = point.as_bytes();
            if is_private(&[point, b"/"].concat(), &self.home) || point.contains(&b'\n') {
                continue;
            }
            let mut line = [fstype.as_bytes(), b" "].concat();
            for byte in point {
                match byte {
                    b' ' => line.extend_from_slice(b"\\040"),
                    b'\t' => line.extend_from_slice(b"\\011"),
                    b'\\' => line.extend_from_slice(b"\\134"),
                    _ => line.push(*byte),
                }
            }
            let options = if is_private(options.as_bytes(), &self.home) { "rw" } else { options };
            for part in [&*line, b" ", fstype.as_bytes(), b" ", options.as_bytes(), b" 0 0\n"] {
                text.extend_from_slice(part);
            }
            if let Some(space) = machine.space(mount) {
                df.extend_from_slice(fstype.as_bytes());
                number(&mut df, " ", Some(space.size));
                df.pop();
                number(&mut df, " 0 ", Some(space.available));
                df.pop();
                df.extend_from_slice(b" 0% ");
                df.extend_from_slice(point);
                df.push(b'\n');
            }
        }
        self.file(b"/proc/mounts", &text)?;
        self.file(b"/df", &df)
    }

    /// The loaders, what they read, and the machine's own programs.
    fn loaders(&mut self, machine: &Machine) -> fmt::Result {
        for path in machine.loaders().get().map(Vec::as_slice).unwrap_or_default() {
            self.want(path.as_bytes());
            // musl's list of folders.
            let name = split(path.as_bytes()).1;
            if let Some(arch) = name.strip_suffix(b".so.1").filter(|name| name.starts_with(b"ld-musl-")) {
                self.text(&[b"/etc/", arch, b".path"].concat(), &WHOLE)?;
            }
        }
        for path in OWN {
            self.want(path.as_bytes());
        }
        // glibc's list of files.
        self.want(b"/etc/ld.so.cache");
        self.want(b"/opt/etc/ld.so.cache");
        for path in ["/etc/ld.so.cache", "/opt/etc/ld.so.cache", "/etc/ld.so.conf.d"] {
            match self.target.root.stat(Path::new(path)) {
                Some(Err(Errno::ENOENT)) => self.say(b"absent ", path.as_bytes()),
                Some(Ok(Stat { kind: FileKind::Directory, .. })) => self.say(b"unlisted ", path.as_bytes()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The names in a folder, with what they lead to; of one that holds libraries those that are libraries.
    fn folder(&mut self, folder: &[u8], of_libraries: bool) -> fmt::Result {
        let root = self.target.root;
        let place = match root.resolve(Path::new(folder)) {
            Some(Ok(place)) => place.into_vec(),
            Some(Err(Errno::ENOENT)) => {
                self.say(b"absent ", folder);
                return Ok(());
            }
            _ => return Ok(()),
        };
        if place != folder {
            self.link(folder, &place)?;
        }
        if self.known.len() > NAMES || !self.is_new(&[&place, &b"/"[..]].concat()) {
            return Ok(());
        }
        let Some(Ok(names)) = root.list(Path::new(&place), |name| !name.contains(&b'\n')) else {
            return Ok(());
        };
        self.say(if of_libraries { b"libraries " } else { b"folder " }, &place);
        for name in names {
            let path = join(Path::new(&place), Path::new(&name));
            let path = path.as_bytes();
            let is_library = holds(&name, b".so");
            if of_libraries && !is_library {
                if matches!(root.stat(Path::new(path)), Some(Ok(Stat { kind: FileKind::Directory, .. }))) {
                    if cfg!(feature = "every-machine") && (is_for_one(&name) || split(&place).1 == HWCAPS) {
                        self.folder(path, true)?;
                    } else {
                        self.say(b"unlisted ", path);
                    }
                }
                continue;
            }
            self.place(path, of_libraries && self.all)?;
        }
        Ok(())
    }

    /// What is at a path: a link, and what it leads to, or a file.
    fn place(&mut self, path: &[u8], is_wanted: bool) -> fmt::Result {
        let root = self.target.root;
        if is_private(path, &self.home) {
            return Ok(());
        }
        // Of diag itself the headers.
        if path == b"/proc/self/exe" {
            return self.head(path);
        }
        let place = match root.resolve(Path::new(path)) {
            Some(Ok(place)) => place.into_vec(),
            // A link that leads nowhere.
            Some(Err(Errno::ENOENT)) => return Ok(()),
            _ => return self.unknown(path),
        };
        if holds(path, b"/../") {
            return self.place(&place, is_wanted);
        }
        if place != path {
            // A folder above it may be the link.
            let (folder, name) = split(path);
            let Some(Ok(folder)) = root.resolve(Path::new(folder)) else { return self.unknown(path) };
            let there = join(&folder, Path::new(name));
            if there.as_bytes() != path {
                self.folders_above(path)?;
                return self.place(there.as_bytes(), is_wanted);
            }
            if !self.is_new(path) {
                return Ok(());
            }
            if is_private(&place, &self.home) {
                return self.unknown(path);
            }
            self.link(path, &place)?;
            return self.place(&place, is_wanted);
        }
        if !self.is_new(path) {
            return Ok(());
        }
        match root.stat(Path::new(path)) {
            Some(Ok(Stat { kind: FileKind::Pseudo, .. })) => self.text(path, &WHOLE),
            Some(Ok(stat)) if stat.kind == FileKind::Regular => self.content(path, &stat, is_wanted),
            Some(Ok(Stat { kind: FileKind::Directory, .. })) => {
                self.say(b"unlisted ", path);
                Ok(())
            }
            _ => self.unknown(path),
        }
    }

    /// The folders above a path that are links.
    fn folders_above(&mut self, path: &[u8]) -> fmt::Result {
        for (at, _) in path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/') {
            let folder = path.get(..at).unwrap_or_default();
            if let Some(Ok(place)) = self.target.root.resolve(Path::new(folder)) {
                if place.as_bytes() != folder {
                    return self.link(folder, place.as_bytes());
                }
            }
        }
        Ok(())
    }

    fn unknown(&mut self, path: &[u8]) -> fmt::Result {
        self.say(b"unknown ", path);
        Ok(())
    }

    /// A symbolic link; it leads there from wherever the recording lies.
    fn link(&mut self, path: &[u8], place: &[u8]) -> fmt::Result {
        if path.len() > 1 && !self.is_new(&[path, b"@"].concat()) {
            return Ok(());
        }
        let depth = path.iter().filter(|byte| **byte == b'/').count().saturating_sub(1);
        let mut to = b"../".repeat(depth);
        to.extend_from_slice(place.strip_prefix(b"/").unwrap_or(place));
        match tar::header(path, LINK, 0o777, 0, &to) {
            Some(header) => (self.out)(&header),
            None => self.unknown(path),
        }
    }

    /// A file: its content where that is wanted, else that it is there.
    fn content(&mut self, path: &[u8], stat: &Stat, is_wanted: bool) -> fmt::Result {
        if is_wanted {
            if self.is_taken(path, stat)? {
                return Ok(());
            }
            if cfg!(feature = "every-machine") {
                log::info!("left out of the recording: {}", text::path(Path::new(path)));
            }
        }
        let mut line = tar::octal(stat.mode.into()).to_vec();
        number(&mut line, " ", Some(stat.size));
        line.pop();
        line.push(b' ');
        line.extend_from_slice(path);
        self.say(b"left-out ", &line);
        Ok(())
    }

    /// Writes a file of the machine's, where it is one that a recording holds and there is room for it.
    fn is_taken(&mut self, path: &[u8], stat: &Stat) -> Result<bool, fmt::Error> {
        let takes = stat.size.saturating_add(2 * BLOCK as u64);
        let (root, files) = (self.target.root, Files::default());
        let Some(Ok(file)) = library::open(root, &files, Path::new(path)) else { return Ok(false) };
        let Some(Ok(bytes)) = root.open(Path::new(path)) else { return Ok(false) };
        let image = Encoding::of(&file.contents.ident()).map(|encoding| file.as_read_by(encoding));
        let is_cache = path.ends_with(CACHE);
        let is_held = image.is_some() || stat.size <= SMALL || is_cache;
        if !is_held || takes > self.left || (is_cache && self.names_people(&*bytes, stat.size)) {
            return Ok(false);
        }
        let Some(header) = tar::header(path, FILE, stat.mode, stat.size, b"") else { return Ok(false) };
        self.left = self.left.saturating_sub(takes);
        (self.out)(&header)?;
        // What a loader does is read from its constants.
        let image = image.as_deref().filter(|_| Libc::of_loader(path).is_none());
        let code = image.map(Code::of);
        self.bytes(&*bytes, stat.size, code.as_ref())?;
        Ok(true)
    }

    /// Whether something of a person's is named in a file.
    fn names_people(&self, file: &dyn ReadAt, size: u64) -> bool {
        let mut at = 0;
        while at < size {
            // No name of those folders is cut by two of these.
            let bytes = file.read_at(at, 2 * PIECE as usize).unwrap_or_default();
            if is_private(&bytes, &self.home) {
                return true;
            }
            at = at.saturating_add(PIECE);
        }
        false
    }

    /// The first bytes of a file.
    fn head(&mut self, path: &[u8]) -> fmt::Result {
        match self.target.root.open(Path::new(path)) {
            Some(Ok(file)) => self.file(path, &file.read_at(0, SMALL as usize).unwrap_or_default()),
            _ => Ok(()),
        }
    }

    /// The bytes of a file, without its code.
    fn bytes(&mut self, file: &dyn ReadAt, size: u64, code: Option<&Code<'_>>) -> fmt::Result {
        let mut at = 0;
        while at < size {
            let len = PIECE.min(size.saturating_sub(at)) as usize;
            let mut piece = Vec::new();
            if code.is_none_or(|code| !code.is_at(at)) {
                piece = file.read_at(at, len).unwrap_or_default();
            }
            // It may have become shorter.
            piece.resize(len, 0);
            (self.out)(&piece)?;
            at = at.saturating_add(PIECE);
        }
        self.fill(size)
    }
}

/// What glibc's list of files is called.
const CACHE: &[u8] = b"/ld.so.cache";

/// The folder of a path, and the name in it.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
    (path.get(..slash.max(1)).unwrap_or_default(), path.get(slash.saturating_add(1)..).unwrap_or_default())
}

fn holds(name: &[u8], part: &[u8]) -> bool {
    name.windows(part.len()).any(|window| window == part)
}

/// Its folder of libraries for better processors.
const HWCAPS: &[u8] = b"glibc-hwcaps";

/// Whether a folder of libraries is for one processor or another: Debian's, and those of glibc-hwcaps.
fn is_for_one(name: &[u8]) -> bool {
    (holds(name, b"-linux-") && !name.contains(&b'.')) || name == HWCAPS
}

/// A line of a name and a number; none without one.
fn number(text: &mut Vec<u8>, name: &str, number: Option<u64>) {
    let Some(mut rest) = number else { return };
    text.extend_from_slice(name.as_bytes());
    let start = text.len();
    loop {
        text.push(b'0' | (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.get_mut(start..).unwrap_or_default().reverse();
    text.push(b'\n');
}

/// The same of a name and a word.
fn word(text: &mut Vec<u8>, name: &str, word: Option<&str>) {
    if let Some(word) = word {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(word.as_bytes());
        text.push(b'\n');
    }
}
