//! A place with a dynamic loader.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use nix::libc;
use testkit::Image;

use super::kit::Kit;
use super::{Traced, glibc, musl};

/// Which loader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// ld.so of the GNU C Library.
    Glibc,
    /// musl's libc.so.
    Musl,
}

/// This computer, or a root folder with another C library.
#[derive(Clone, Debug)]
pub struct Host {
    /// Which loader its programs name.
    pub family: Family,
    /// The loader, as its programs name it.
    pub loader: String,
    /// The folder that is the root for its programs. None for this computer's own.
    pub root: Option<PathBuf>,
    /// Where the cases' folders are made; below `root`.
    pub work: PathBuf,
    /// diag, as seen by programs there.
    pub diag: PathBuf,
    /// The compiler and what it is always given.
    pub cc: Vec<String>,
    /// What it is given before a program's own files, and after those.
    pub program: (Vec<String>, Vec<String>),
    /// What it is given after a library's own files.
    pub library: Vec<String>,
}

/// Enters a root folder in a mount namespace of its own, where /proc is. $ORIGIN needs that.
const ENTER: &str = r#"mount --bind /proc "$0/proc" && exec chroot "$0" /busybox sh -c 'cd "$0" && exec /busybox env "$@"' "$@""#;

/// Whether the kernel knows PR_GET_MDWE.
pub(super) fn can_guard() -> bool {
    // SAFETY: numbers only.
    unsafe { libc::prctl(66, 0_u64, 0_u64, 0_u64, 0_u64) >= 0 }
}

/// PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN, since Linux 6.3.
fn guard() -> io::Result<()> {
    // SAFETY: numbers only.
    let done = unsafe { libc::prctl(65, 1_u64, 0_u64, 0_u64, 0_u64) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A command without what cargo and others set for the loader of this computer.
pub fn plain(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LD_")) {
        command.env_remove(name);
    }
    command
}

impl Host {
    /// A program to be run in a case's folder.
    pub fn command(&self, kit: &Kit, program: &str, args: &[&str], env: &[(String, String)]) -> Command {
        let mut command = self.unguarded(kit, program, args, env);
        if kit.is_guarded() {
            // SAFETY: one system call; what it sets stays until the end of the process, and goes to its children.
            unsafe { command.pre_exec(guard) };
        }
        command
    }

    fn unguarded(&self, kit: &Kit, program: &str, args: &[&str], env: &[(String, String)]) -> Command {
        let Some(root) = &self.root else {
            let mut command = plain(program);
            command.args(args).current_dir(kit.folder()).envs(env.iter().cloned());
            return command;
        };
        let mut command = plain("unshare");
        command.args(["--mount", "sh", "-c", ENTER]).arg(root).arg(kit.seen());
        command.args(env.iter().map(|(name, value)| format!("{name}={value}"))).arg(program).args(args);
        command
    }

    /// The loader that a program names.
    fn interpreter(&self, kit: &Kit, program: &str) -> String {
        let text = || {
            let elf = Image::parse(std::fs::read(kit.path(program)).ok()?)?;
            String::from_utf8(elf.interpreter()?.to_vec()).ok()
        };
        text().unwrap_or_else(|| self.loader.clone())
    }

    /// diag, asked of a program.
    pub fn diag(&self, kit: &Kit, program: &str, env: &[(String, String)]) -> Command {
        self.command(kit, &self.diag.to_string_lossy(), &["--json", program], env)
    }

    /// What the loader tells of a program.
    pub fn trace(&self, kit: &Kit, program: &str, env: &[(String, String)]) -> Result<Traced, String> {
        match self.family {
            Family::Glibc => glibc::trace(&self.interpreter(kit, program), &|more| {
                let env: Vec<_> = env.iter().chain(more).cloned().collect();
                self.command(kit, program, &[], &env)
            }),
            Family::Musl => {
                let loader = self.interpreter(kit, program);
                // Started like this, it takes $ORIGIN from its argument.
                let place = kit.resolved(program)?;
                let mut command = self.command(kit, &loader, &["--list", &place], env);
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
