//! A machine for the one file: BusyBox of any architecture with its applets, in namespaces of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::{host, sh};

const SCRIPT: &str = include_str!("container.sh");

/// What the one file calls, and what the trials do.
const APPLETS: &str = "sh ash head tail sha256sum md5sum grep gunzip mkdir mktemp chmod mv rm rmdir ls id uname printf \
                       cat chown cp ln mkfifo mount sed sleep sort touch umount wc";

#[derive(Clone)]
pub(super) struct Container {
    busybox: PathBuf,
    /// What is /work there.
    work: PathBuf,
    /// Of the tmpfs on /tmp.
    pub(super) options: &'static str,
    /// A folder of this computer to be /tmp, instead of the tmpfs.
    pub(super) tmp: Option<PathBuf>,
    /// QEMU's program, where this computer's kernel does not run BusyBox.
    pub(super) qemu: Option<&'static str>,
    /// Another shell than BusyBox's, of this computer.
    pub(super) shell: Option<PathBuf>,
}

impl Container {
    pub(super) fn new(busybox: PathBuf, work: &Path) -> Self {
        Self { busybox, work: work.to_path_buf(), options: "size=8m", tmp: None, qemu: None, shell: None }
    }

    pub(super) fn work(&self) -> &Path {
        &self.work
    }

    /// Runs commands there to their end; fails where the container itself could not be made.
    pub(super) fn run(&self, commands: &str) -> Result<Output> {
        let root = tempfile::tempdir().context("create a folder for the container")?;
        let mut user = UserNamespace::new()?;
        let mut enter = Command::new("timeout");
        enter.args(["300", "nsenter", "--user", "--target", &user.0.id().to_string(), "-S", "0", "-G", "0"]);
        enter.args(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c"]);
        enter.arg(SCRIPT.replace("APPLETS", APPLETS)).arg("container").arg(root.path());
        // The marks part the container's own failures from the commands'.
        enter
            .arg(format!("echo container >&2; {commands}"))
            .arg(&self.busybox)
            .arg(self.options)
            .arg(&self.work);
        enter.arg(match self.qemu {
            Some(qemu) => {
                host::ensure(&[(qemu, "qemu-user")])?;
                format!("/usr/bin/{qemu}")
            }
            None => String::new(),
        });
        for path in [&self.shell, &self.tmp] {
            enter.arg(path.as_deref().unwrap_or(Path::new("")));
        }
        let mut output = enter.stdin(Stdio::null()).output().context("start timeout")?;
        user.end();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match said.strip_prefix("container\n") {
            Some(rest) => output.stderr = rest.as_bytes().to_vec(),
            None => bail!("a container for the one file: {said}"),
        }
        Ok(output)
    }
}

/// A user namespace with all of this computer's users, kept by a sleeping process: what is mounted in it is nobody
/// else's, formats of binaries included (since Linux 6.7).
struct UserNamespace(Child);

impl UserNamespace {
    fn new() -> Result<Self> {
        host::ensure(&[("unshare", "util-linux"), ("nsenter", "util-linux")])?;
        let mut unshare = Command::new("unshare");
        unshare
            .args(["--user", "sh", "-c", "echo; exec sleep 600"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = unshare.spawn().context("start unshare")?;
        let mut ready = [0];
        let mut stdout = child.stdout.take().context("unshare without output")?;
        let read = std::io::Read::read(&mut stdout, &mut ready).context("unshare")?;
        let user = Self(child);
        ensure!(read == 1, "unshare --user: this computer allows no user namespaces");
        for map in ["uid_map", "gid_map"] {
            fs::write(format!("/proc/{}/{map}", user.0.id()), "0 0 65536\n")
                .context("as root only: map the users")?;
        }
        Ok(user)
    }

    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for UserNamespace {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether formats of binaries can be registered for a container alone.
pub(super) fn emulates() -> Result<bool> {
    let release = sh::output(Command::new("uname").arg("-r"))?;
    let mut numbers = release.split(['.', '-']).map_while(|word| word.trim().parse::<u32>().ok());
    let kernel = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    Ok(kernel >= (6, 7) && fs::read_to_string("/proc/filesystems")?.contains("binfmt_misc"))
}
