//! The folder of one case: what is compiled into it, what is damaged there, and its programs started, traced and judged.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::Image;

use super::host::{Family, Host, guard, limit_time, plain};
use super::{Traced, glibc, musl};

/// Enters a root folder in a mount namespace of its own, where /proc is. $ORIGIN needs that.
const ENTER: &str = r#"mount --bind /proc "$0/proc" && exec chroot "$0" /busybox sh -c 'cd "$0" && exec /busybox env "$@"' "$@""#;

/// What a step may fail of, in a sentence.
pub type Built<T = ()> = Result<T, String>;

/// A case in the making. Every path is relative to its folder.
#[derive(Debug)]
pub struct Kit<'a> {
    host: &'a Host,
    folder: PathBuf,
    seen: String,
    sources: AtomicUsize,
    is_guarded: bool,
}

impl<'a> Kit<'a> {
    /// An empty folder.
    pub fn new(host: &'a Host, name: &str, is_guarded: bool) -> Built<Kit<'a>> {
        let plain: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let folder = host.work.join(plain);
        let _ = fs::remove_dir_all(&folder);
        at(&folder, fs::create_dir_all(&folder))?;
        let below = match &host.root {
            Some(root) => Path::new("/").join(folder.strip_prefix(root).map_err(|error| error.to_string())?),
            None => folder.clone(),
        };
        let seen = below.to_str().ok_or("the folder's name is not UTF-8")?.to_owned();
        Ok(Kit { host, folder, seen, sources: AtomicUsize::new(0), is_guarded })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder, as programs see it.
    pub fn seen(&self) -> &str {
        &self.seen
    }

    /// The loader, as programs name it.
    pub fn loader(&self) -> &str {
        &self.host.loader
    }

    /// A path as programs see it, on this computer.
    pub fn path(&self, path: &str) -> PathBuf {
        match (&self.host.root, path.strip_prefix('/')) {
            (Some(root), Some(below)) => root.join(below),
            _ => self.folder.join(path),
        }
    }

    /// The absolute path of a file as programs see it, links followed.
    pub fn resolved(&self, path: &str) -> Built<String> {
        let path = self.path(path);
        let found = at(&path, fs::canonicalize(&path))?;
        let below = match &self.host.root {
            Some(root) => {
                let root = at(root, fs::canonicalize(root))?;
                let below = found.strip_prefix(root).map_err(|error| error.to_string())?;
                Path::new("/").join(below)
            }
            None => found,
        };
        Ok(below.to_string_lossy().into_owned())
    }

    /// Compiles a program; `$PWD` in a flag is the folder.
    pub fn program(&self, to: &str, code: &str, flags: &[&str]) -> Built {
        let (before, after) = &self.host.program;
        self.compile(to, code, before, flags, after)
    }

    /// Compiles a shared library. Its SONAME is the file's name, unless a flag says otherwise.
    pub fn library(&self, to: &str, code: &str, flags: &[&str]) -> Built {
        let name = to.rsplit('/').next().unwrap_or(to);
        let mut before = vec!["-shared".to_owned(), "-fPIC".to_owned()];
        if !flags.iter().any(|flag| flag.contains("-soname")) {
            before.push(format!("-Wl,-soname,{name}"));
        }
        self.compile(to, code, &before, flags, &self.host.library)
    }

    fn compile(&self, to: &str, code: &str, before: &[String], flags: &[&str], after: &[String]) -> Built {
        let number = self.sources.fetch_add(1, Ordering::Relaxed);
        let source = format!("source{number}.c");
        self.write(&source, code)?;
        self.folder_for(to)?;
        let (compiler, always) = self.host.cc.split_first().ok_or("no compiler")?;
        let mut cc = Command::new(compiler);
        cc.current_dir(&self.folder).stdin(Stdio::null()).args(always).args(before).arg(&source);
        cc.args(flags.iter().map(|flag| flag.replace("$PWD", &self.seen))).args(after).args(["-o", to]);
        let output = cc.output().map_err(|error| format!("{compiler} does not start: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{cc:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }

    /// A file of other content.
    pub fn write(&self, to: &str, content: impl AsRef<[u8]>) -> Built {
        self.folder_for(to)?;
        let file = self.folder.join(to);
        at(&file, fs::write(&file, content))
    }

    /// The bytes of a file.
    pub fn read(&self, from: &str) -> Built<Vec<u8>> {
        let file = self.path(from);
        at(&file, fs::read(&file))
    }

    /// Removes a file.
    pub fn remove(&self, what: &str) -> Built {
        let file = self.folder.join(what);
        at(&file, fs::remove_file(&file))
    }

    /// Moves a file.
    pub fn rename(&self, from: &str, to: &str) -> Built {
        self.folder_for(to)?;
        at(&self.folder.join(to), fs::rename(self.folder.join(from), self.folder.join(to)))
    }

    /// Copies a file.
    pub fn copy(&self, from: &str, to: &str) -> Built {
        self.folder_for(to)?;
        let from = self.path(from);
        at(&from, fs::copy(&from, self.folder.join(to)).map(drop))
    }

    /// Copies a file to an absolute path of the root folder, where there is one.
    pub fn install(&self, from: &str, to: &str) -> Built {
        let root = self.host.root.as_ref().ok_or("this computer is left as it is")?;
        let to = root.join(to.trim_start_matches('/'));
        let folder = to.parent().unwrap_or(root);
        at(folder, fs::create_dir_all(folder))?;
        at(&to, fs::copy(self.path(from), &to).map(drop))
    }

    /// A symbolic link.
    pub fn link(&self, content: &str, to: &str) -> Built {
        self.folder_for(to)?;
        let file = self.folder.join(to);
        at(&file, symlink(content, &file))
    }

    /// A folder.
    pub fn make_folder(&self, name: &str) -> Built {
        let folder = self.folder.join(name);
        at(&folder, fs::create_dir_all(&folder))
    }

    /// Changes an ELF file.
    pub fn damage(&self, what: &str, how: impl FnOnce(&mut Image) -> Option<()>) -> Built {
        let mut elf = Image::parse(self.read(what)?).ok_or_else(|| format!("{what} is no ELF file"))?;
        how(&mut elf).ok_or_else(|| format!("{what} has nothing to damage"))?;
        let file = self.folder.join(what);
        at(&file, fs::write(&file, elf.bytes))
    }

    /// Cuts a file to a part of its size: so many thousandths.
    pub fn cut(&self, what: &str, thousandths: usize) -> Built {
        let mut bytes = self.read(what)?;
        bytes.truncate(bytes.len() * thousandths / 1000);
        self.write(what, bytes)
    }

    fn folder_for(&self, to: &str) -> Built {
        let file = self.folder.join(to);
        let folder = file.parent().unwrap_or(&self.folder);
        at(folder, fs::create_dir_all(folder))
    }
}

/// Programs started there.
impl Kit<'_> {
    /// A program to be run in a case's folder.
    pub fn command(&self, program: &str, args: &[&str], env: &[(String, String)]) -> Command {
        let mut command = self.unguarded(program, args, env);
        // SAFETY: one system call, before execve(2).
        unsafe { command.pre_exec(limit_time) };
        if self.is_guarded {
            // SAFETY: one system call; what it sets stays until the end of the process, and goes to its children.
            unsafe { command.pre_exec(guard) };
        }
        command
    }

    fn unguarded(&self, program: &str, args: &[&str], env: &[(String, String)]) -> Command {
        let Some(root) = &self.host.root else {
            let mut command = plain(program);
            command.args(args).current_dir(&self.folder).envs(env.iter().cloned());
            return command;
        };
        let mut command = plain("unshare");
        command.args(["--mount", "sh", "-c", ENTER]).arg(root).arg(&self.seen);
        command.args(env.iter().map(|(name, value)| format!("{name}={value}"))).arg(program).args(args);
        command
    }

    /// The loader that a program names.
    fn interpreter(&self, program: &str) -> String {
        let text = || {
            let elf = Image::parse(std::fs::read(self.path(program)).ok()?)?;
            String::from_utf8(elf.interpreter()?.to_vec()).ok()
        };
        text().unwrap_or_else(|| self.host.loader.clone())
    }

    /// diag, asked of a program.
    pub fn diag(&self, program: &str, env: &[(String, String)]) -> Command {
        self.command(&self.host.diag.to_string_lossy(), &["--json", program], env)
    }

    /// What the loader tells of a program.
    pub fn trace(&self, program: &str, env: &[(String, String)]) -> Result<Traced, String> {
        match self.host.family {
            Family::Glibc => glibc::trace(&self.interpreter(program), &|more| {
                let env: Vec<_> = env.iter().chain(more).cloned().collect();
                self.command(program, &[], &env)
            }),
            Family::Musl => {
                let loader = self.interpreter(program);
                // Started like this, it takes $ORIGIN from its argument.
                let place = self.resolved(program)?;
                let mut command = self.command(&loader, &["--list", &place], env);
                let mut traced = musl::trace(&mut command, &loader)?;
                for library in traced.libraries.iter_mut().flatten() {
                    if library.needed_by.as_ref() == Some(&place) {
                        library.needed_by = Some(program.to_owned());
                    }
                }
                Ok(traced)
            }
        }
    }
}

fn at<T>(path: &Path, result: std::io::Result<T>) -> Built<T> {
    result.map_err(|error| format!("{}: {error}", path.display()))
}
