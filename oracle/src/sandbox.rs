//! Where programs of unknown effect run: a private mount namespace with a file system in memory, and a process that
//! is nobody. Mode bits, vm.mmap_min_addr and the overcommit reserve depend on who asks, so diag's model and the
//! runner are both in it.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::{env, fs, io};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, chown};

use crate::folder::{Folder, misc_rules};
use crate::host::abis;
use crate::runner;

/// uid and gid of nobody.
pub const NOBODY: u32 = 65534;

/// A folder with the runner in it, and one for cases.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // What a computer has or has not, each by itself.
pub struct Sandbox {
    root: PathBuf,
    /// Whether file systems could be mounted: then the folder `noexec` lies on one.
    pub mounts: bool,
    /// Whether binfmt_misc is this sandbox's own, and has the rules of [`crate::folder::misc_rules`].
    pub misc: bool,
    /// Whether /usr/bin/env knows `-S`, as GNU's does.
    pub env: bool,
    /// Whether the caller is root, and the programs can be nobody's.
    pub is_root: bool,
}

impl Sandbox {
    /// Enters a mount namespace of its own, where it may. Only for a process of one thread. For root's own rights there
    /// is no user namespace, and so no binfmt_misc: the rules would be the whole computer's.
    pub fn enter(nobody: bool) -> io::Result<Sandbox> {
        let is_root = Uid::effective().is_root();
        let root = env::temp_dir().join(format!("diag-oracle-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root)?;
        let user = (nobody || !is_root) && enter_user(is_root).is_ok();
        let mounts = (user || is_root) && is_private() && memory(&root, MsFlags::empty()).is_ok();
        let misc = user && mounts && misc().is_ok();
        let cases = root.join("cases");
        fs::create_dir_all(cases.join("noexec"))?;
        runner::install(&root.join("runner"))?;
        let mounts = mounts && memory(&cases.join("noexec"), MsFlags::MS_NOEXEC).is_ok();
        let owner = is_root.then_some((Uid::from_raw(NOBODY), Gid::from_raw(NOBODY)));
        for folder in [&cases, &cases.join("noexec")] {
            if let Some((uid, gid)) = owner {
                chown(folder, Some(uid), Some(gid))?;
            }
        }
        let env = Command::new("/usr/bin/env").args(["-S", "true"]).stderr(Stdio::null()).status();
        let env = env.is_ok_and(|status| status.success());
        Ok(Sandbox { root, mounts, misc, env, is_root })
    }

    /// Runs this very program again, with other arguments: in the folder of cases, as nobody where that can be chosen.
    pub fn again<S: AsRef<OsStr>>(&self, nobody: bool, arguments: &[S]) -> io::Result<ExitStatus> {
        let mut command = Command::new("/proc/self/exe");
        // As the runner gives it to the programs.
        command.args(arguments).current_dir(self.root.join("cases")).env("PATH", "/usr/bin:/bin");
        if nobody && self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.status()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.mounts {
            for mounted in [&self.root.join("cases/noexec"), &self.root] {
                let _ = umount2(mounted, MntFlags::MNT_DETACH);
            }
        }
        let _ = Folder::remove(&self.root.join("cases"));
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// A user namespace: root keeps every user in it, another one only itself.
fn enter_user(is_root: bool) -> io::Result<()> {
    let (uid, gid) = (Uid::effective(), Gid::effective());
    if !is_root {
        unshare(CloneFlags::CLONE_NEWUSER)?;
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
        return fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"));
    }
    // More than oneself can only be mapped from outside.
    let me = format!("/proc/{}", std::process::id());
    let script =
        format!("read go && for map in uid gid; do echo 0 0 4294967295 >{me}/${{map}}_map || exit; done");
    let mut outside = Command::new("sh").arg("-c").arg(script).stdin(Stdio::piped()).spawn()?;
    let entered = unshare(CloneFlags::CLONE_NEWUSER);
    let mut go = outside.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    if entered.is_ok() {
        go.write_all(b"go\n")?;
    }
    drop(go);
    let mapped = outside.wait()?.success();
    entered?;
    if mapped { Ok(()) } else { Err(io::Error::other("the users could not be mapped")) }
}

/// A mount namespace.
fn is_private() -> bool {
    let none: Option<&Path> = None;
    unshare(CloneFlags::CLONE_NEWNS).is_ok()
        && mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).is_ok()
}

/// binfmt_misc of the user namespace (Linux 6.7 on), with our rules.
fn misc() -> io::Result<()> {
    let none: Option<&Path> = None;
    let folder = Path::new("/proc/sys/fs/binfmt_misc");
    mount(Some("oracle"), folder, Some("binfmt_misc"), MsFlags::empty(), none)?;
    let abi = abis().into_iter().next().ok_or(io::ErrorKind::Unsupported)?;
    misc_rules(abi).into_iter().try_for_each(|rule| fs::write(folder.join("register"), rule))
}

/// A file system in memory.
fn memory(place: &Path, flags: MsFlags) -> nix::Result<()> {
    mount(Some("oracle"), place, Some("tmpfs"), flags | MsFlags::MS_NOSUID, Some("mode=755"))
}
