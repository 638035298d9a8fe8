//! env(1) as a script's interpreter: what the line has it do, where it looks for what it is to start, and what is there.
//!
//! Sources: GNU coreutils 9.1 src/env.c; BusyBox 1.35 coreutils/env.c and libbb/appletlib.c; toybox 0.8.9
//! toys/posix/env.c; execvp(3) of glibc 2.36 (posix/execvpe.c) and of musl 1.2.5 (src/process/execvp.c).

mod line;

use alloc::boxed::Box;
use alloc::ffi::CString;
use alloc::vec::Vec;

use super::script::Line;
use super::{Candidate, Content, Files, Formats, last_name, open};
use crate::errno::Errno;
use crate::machine::{Libc, parts};
use crate::path::{Path, PathBuf, join};
use crate::target::{FileKind, Known, Target};
use line::{Command, Knows, Words};

/// What a shell has in PATH where nobody knows better: OpenWrt's, in /etc/profile.
pub const DEFAULT_PATH: &[u8] = b"/usr/sbin:/usr/bin:/sbin:/bin";
/// What other systems have in it beside those.
const OTHER_FOLDERS: [&[u8]; 4] = [b"/usr/local/bin", b"/usr/local/sbin", b"/opt/bin", b"/opt/sbin"];
/// What execvp(3) looks through where PATH is not set: confstr(3) of glibc, and musl.
const GLIBC_PATH: &[u8] = b"/bin:/usr/bin";
const MUSL_PATH: &[u8] = b"/usr/local/bin:/bin:/usr/bin";

/// Programs of one name that are opened: those behind them count only where all of these fail.
const PROGRAMS: usize = 8;
/// env in a script that env starts, and so on.
const DEPTH: u32 = 4;

/// What env does with the line of a script.
#[derive(Debug)]
pub struct EnvCall {
    /// Which env it is.
    pub env: Env,
    /// What it does.
    pub plan: Plan,
}

/// An implementation of env.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Env {
    /// GNU coreutils', or one that is like it.
    Gnu,
    /// BusyBox'.
    BusyBox,
    /// toybox', Android's.
    Toybox,
}

/// What env is to do.
#[derive(Debug)]
pub enum Plan {
    /// It starts nothing: it prints the environment, or its help.
    Prints,
    /// It does not know an option, or what `busybox` is to be.
    Refuses {
        /// Its exit status.
        status: u8,
        /// The option's letter; 0 for a long one, or for what is no option.
        option: u8,
    },
    /// `-C`: there is no such folder, or it may not be entered.
    NoFolder(Vec<u8>, Errno),
    /// It starts the script itself, which starts env, and so on.
    Itself,
    /// What it makes of the line is not known.
    Unknown,
    /// It starts a program.
    Starts(Box<Sought>),
}

/// A program that env starts.
#[derive(Debug)]
pub struct Sought {
    /// As the line names it.
    pub name: Vec<u8>,
    /// Where it is looked for; None for a name with a slash.
    pub folders: Option<Vec<u8>>,
    /// What is there under that name, in the order in which it is tried; the first that starts is started.
    pub found: Vec<Candidate>,
    /// The last folder has nothing of that name.
    pub ends_absent: bool,
    /// It could be found all the same: PATH is not known, and it lies here; or it is one of BusyBox' own programs.
    pub perhaps: Option<PathBuf>,
    /// execvp(3) hands to /bin/sh what the kernel does not know: glibc's does, musl's does not.
    pub tries_shell: Known<bool>,
}

/// The PATH that env looks through.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Search {
    /// That of who starts the script.
    Callers,
    /// There is none.
    Unset,
    /// The line sets it.
    Set(Vec<u8>),
}

impl Candidate {
    /// What env does, where the script, or the last of those that name each other, is for it.
    pub fn env_call(&self) -> Option<&EnvCall> {
        match &self.env {
            Some(call) => Some(call),
            None if matches!(self.content, Content::Script(_)) => self.interpreter.as_ref()?.env_call(),
            None => None,
        }
    }
}

/// Looks for what env is to start, where a script is for it: the script's, or that of the script that it names.
pub fn follow(target: Target<'_>, files: &Files, formats: &Formats<'_>, candidate: &mut Candidate) {
    let follower = Follower { target, files, formats };
    follower.follow(candidate, Vec::new(), DEPTH);
}

struct Follower<'a> {
    target: Target<'a>,
    files: &'a Files,
    formats: &'a Formats<'a>,
}

impl Follower<'_> {
    /// `words`: what follows the path of the script among its arguments.
    fn follow(&self, script: &mut Candidate, mut words: Words, depth: u32) {
        if script.binfmt_misc.is_some() {
            return;
        }
        let Content::Script(content) = &script.content else { return };
        let Line::Runs { argument, .. } = content.line(self.formats.script) else { return };
        let Some(interpreter) = &mut script.interpreter else { return };
        let path = script.path.as_bytes();
        words.push(path.to_vec());
        words.extend(argument.map(<[u8]>::to_vec));
        if matches!(interpreter.content, Content::Script(_)) {
            self.follow(interpreter, words, depth);
        } else {
            script.env = self.call(interpreter, words, path, depth).map(Box::new);
        }
    }

    /// What env does with its arguments; None where the interpreter is none.
    fn call(&self, interpreter: &Candidate, mut words: Words, script: &[u8], depth: u32) -> Option<EnvCall> {
        match last_name(interpreter.path.as_bytes()).1 {
            b"env" | b"genv" => {}
            _ if crate::ROUTER => return None,
            many => {
                if let Err(ends) = of_many(many, &mut words) {
                    return ends;
                }
            }
        }
        let file = last_name(interpreter.resolved.as_bytes()).1;
        let mut own = OwnFile { follower: self, candidate: interpreter, env: Env::Gnu };
        own.env = match file {
            _ if file.starts_with(b"busybox") => Env::BusyBox,
            _ if !crate::ROUTER && file.starts_with(b"toybox") => Env::Toybox,
            // `busybox --install` makes hard links.
            _ if own.holds(b"BusyBox v") == Some(true) => Env::BusyBox,
            _ => Env::Gnu,
        };
        let plan = match line::command(own.env, words, script, &own) {
            Ok(command) => self.seek(&own, command, depth),
            Err(plan) => plan,
        };
        Some(EnvCall { env: own.env, plan })
    }

    /// Looks for a program as execvp(3) does.
    fn seek(&self, own: &OwnFile<'_>, command: Command, depth: u32) -> Plan {
        let Command { name, rest, search, folder } = command;
        let Some(depth) = depth.checked_sub(1) else { return Plan::Unknown };
        let root = self.target.root;
        if let Some(folder) = &folder {
            match self.change_folder(Path::new(folder)) {
                Some(Ok(())) => {}
                Some(Err(errno)) => return Plan::NoFolder(folder.clone(), errno),
                None => return Plan::Unknown,
            }
        }
        let libc = own.libc();
        let callers = self.target.kernel.variable(c"PATH");
        let is_known = search != Search::Callers || callers.is_some();
        let folders = match search {
            _ if name.contains(&b'/') => None,
            Search::Set(path) => Some(path),
            Search::Callers => Some(callers.unwrap_or_else(|| DEFAULT_PATH.to_vec())),
            Search::Unset if libc == Some(Libc::Musl) => Some(MUSL_PATH.to_vec()),
            Search::Unset => Some(GLIBC_PATH.to_vec()),
        };
        let mut sought = Sought {
            name,
            folders,
            found: Vec::new(),
            ends_absent: true,
            perhaps: None,
            tries_shell: libc.map(|libc| libc == Libc::Glibc),
        };
        let from = Path::new(folder.as_deref().unwrap_or_default());
        let name = Path::new(&sought.name);
        // A name with a slash lies in no folder but its own. execvp(3) looks for no empty name.
        let folders = sought.folders.as_deref().unwrap_or_default();
        for folder in parts(folders, b':').filter(|_| !sought.name.is_empty()) {
            let path = join(from, &join(Path::new(folder), name));
            self.add(&path, &rest, depth, &mut sought.found, &mut sought.ends_absent);
        }
        if sought.found.is_empty() && sought.folders.is_some() && !sought.name.is_empty() {
            let others = OTHER_FOLDERS.iter().map(|folder| join(Path::new(*folder), name));
            let mut there = others.filter(|path| matches!(root.stat(path), Some(Ok(_))));
            // A router's build looks at the machine it runs on, whose PATH it has.
            sought.perhaps = if is_known || crate::ROUTER { None } else { there.next() };
            if sought.perhaps.is_none() && own.env != Env::Gnu && own.has_applet(&sought.name) {
                sought.perhaps = Some(own.candidate.resolved.clone());
            }
        }
        Plan::Starts(Box::new(sought))
    }

    /// chdir(2), which asks for the x bit of the folder, too.
    fn change_folder(&self, folder: &Path) -> Known<Result<(), Errno>> {
        match self.target.root.stat(folder)? {
            Ok(stat) if stat.kind == FileKind::Directory => {
                Some(self.target.root.may_execute(folder).unwrap_or(Ok(())))
            }
            Ok(_) => Some(Err(Errno::ENOTDIR)),
            Err(errno) => Some(Err(errno)),
        }
    }

    /// Opens what is at a path, if anything is, or nobody knows.
    fn add(&self, path: &Path, rest: &Words, depth: u32, found: &mut Vec<Candidate>, ends_absent: &mut bool) {
        let place = self.files.at(self.target.root, path);
        *ends_absent = matches!(place.stat, Some(Err(Errno::ENOENT)));
        if *ends_absent || found.len() >= PROGRAMS {
            return;
        }
        let mut program = open(self.target.root, self.files, path, self.formats);
        self.follow(&mut program, rest.clone(), depth);
        found.push(program);
    }
}

/// A regular file of that name in a folder of PATH, with one of these bits of a mode.
pub fn in_path(target: Target<'_>, name: &Path, bits: u32) -> Option<PathBuf> {
    let folders = target.kernel.variable(c"PATH").unwrap_or_else(|| DEFAULT_PATH.to_vec());
    for folder in parts(&folders, b':') {
        let path = join(Path::new(folder), name);
        match target.root.stat(&path) {
            Some(Ok(stat)) if stat.kind == FileKind::Regular && stat.mode & bits != 0 => return Some(path),
            _ => {}
        }
    }
    None
}

/// The program that a line is for: its interpreter, or what stands behind the options and variables of env.
pub fn program_of(line: &[u8]) -> &[u8] {
    let (name, rest) = word(line);
    let program = if last_name(name).1 == b"env" { word(command_of(rest)).0 } else { b"" };
    if program.is_empty() { name } else { program }
}

/// What stands behind options and variables for env.
pub fn command_of(mut line: &[u8]) -> &[u8] {
    loop {
        let (first, rest) = word(line);
        if !first.starts_with(b"-") && !first.contains(&b'=') && first != b"env" {
            return line.trim_ascii();
        }
        line = rest;
    }
}

/// The first word of a line, and what follows it.
pub fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | 0);
    let start = line.iter().position(|byte| !is_blank(byte)).unwrap_or(line.len());
    let line = line.get(start..).unwrap_or_default();
    line.split_at(line.iter().position(is_blank).unwrap_or(line.len()))
}

/// Takes away the words that make a program env which is many: by a name other than env's, its first argument tells it
/// which one it is to be. Else what comes of that; None where it is not env.
fn of_many(called: &[u8], words: &mut Words) -> Result<(), Option<EnvCall>> {
    let first = words.pop().ok_or(None)?;
    let is_box = called.starts_with(b"busybox") || called.starts_with(b"toybox");
    if called == b"coreutils" && first == b"--coreutils-prog-shebang=env" {
        words.pop();
    } else if is_box && first.starts_with(b"env ") {
        // No applet has a blank in its name.
        let env = if called.starts_with(b"toy") { Env::Toybox } else { Env::BusyBox };
        return Err(Some(EnvCall { env, plan: Plan::Refuses { status: 127, option: 0 } }));
    } else if !is_box || first != b"env" {
        return Err(None);
    }
    Ok(())
}

/// The file of an env.
struct OwnFile<'a> {
    follower: &'a Follower<'a>,
    candidate: &'a Candidate,
    env: Env,
}

impl OwnFile<'_> {
    /// Whether a text is in it; None where it cannot be read, or is too long.
    fn holds(&self, text: &[u8]) -> Known<bool> {
        let Follower { target, files, .. } = self.follower;
        files.open(target.root, &self.candidate.path, self.candidate.found()?)?.ok()?.holds(text)
    }

    /// Whether its texts have the name of a program that it is itself: BusyBox and toybox may start that one
    /// (FEATURE_PREFER_APPLETS), wherever it lies.
    fn has_applet(&self, name: &[u8]) -> bool {
        // getopt's table of shells has it as well (util-linux/getopt.c), and nobody else has such an applet without its link.
        name != b"bash" && self.holds(&[b"\0", name, b"\0"].concat()) == Some(true)
    }

    /// The C library whose execvp(3) it has; a static program's is not known.
    fn libc(&self) -> Option<Libc> {
        let loader = self.candidate.interpreter.as_ref()?;
        Libc::of_loader(loader.resolved.as_bytes()).or_else(|| Libc::of_loader(loader.path.as_bytes()))
    }
}

impl Knows for OwnFile<'_> {
    fn splits(&self) -> Known<bool> {
        if self.env != Env::Gnu {
            return Some(false);
        }
        match self.holds(b"split-string") {
            // Not even an old env is without this one.
            Some(false) if self.holds(b"ignore-environment") != Some(true) => None,
            known => known,
        }
    }

    fn variable(&self, name: &[u8]) -> Vec<u8> {
        let value = CString::new(name).ok().and_then(|name| self.follower.target.kernel.variable(&name));
        value.unwrap_or_default()
    }
}
