//! Folders of the project, and commands that fail with a sentence.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::scratch::Scratch;

/// The project's top folder.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// `target/NAME`, created when it is missing.
pub(crate) fn target(name: &str) -> Result<PathBuf> {
    let base = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let dir = std::path::absolute(base)?.join(name);
    std::fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
    Ok(dir)
}

/// A file of the folder that `DIAG_CACHE` names, where both exist.
pub(crate) fn cached(name: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env::var_os("DIAG_CACHE")?).join(name);
    file.is_file().then_some(file)
}

/// Runs a command to its end; a failure names the command and its status.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}

/// Runs a command to its end and gives what it wrote to stdout.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("start {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!("{command:?}: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program of that name is on PATH.
pub(crate) fn on_path(name: impl AsRef<OsStr>) -> bool {
    let name = name.as_ref();
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

/// Names in a folder's name what it is made of, where that is too long for it.
pub(crate) fn digest(text: impl AsRef<[u8]>) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Says on stderr what a task is about to do.
pub(crate) fn say(what: impl AsRef<str>) {
    eprintln!("xtask: {}", what.as_ref());
}

/// The folders that threads of this process are making or changing.
static BUSY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
static DONE: Condvar = Condvar::new();

/// A folder that no other thread of this process changes meanwhile.
pub(crate) struct Alone(PathBuf);

/// Waits until no other thread is at the folder.
pub(crate) fn alone(dir: &Path) -> Alone {
    let busy = BUSY.lock().unwrap_or_else(PoisonError::into_inner);
    let free = DONE.wait_while(busy, |busy| busy.contains(dir));
    free.unwrap_or_else(PoisonError::into_inner).insert(dir.to_path_buf());
    Alone(dir.to_path_buf())
}

impl Drop for Alone {
    fn drop(&mut self) {
        BUSY.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
        DONE.notify_all();
    }
}

/// Makes `dir` as a whole or not at all, and once: `fill` gets a new folder, which is renamed when all is in it.
/// So a build that was interrupted is never taken for a finished one.
pub(crate) fn build_dir(dir: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let _alone = alone(dir);
    if dir.is_dir() {
        return Ok(dir.to_path_buf());
    }
    let scratch = Scratch::open("build")?;
    let new = scratch.path().join("new");
    std::fs::create_dir(&new).with_context(|| format!("create {}", new.display()))?;
    fill(&new)?;
    std::fs::create_dir_all(dir.parent().context("a folder without a parent")?)?;
    // Another process may have been faster; then its folder serves.
    if let Err(error) = std::fs::rename(&new, dir) {
        ensure!(dir.is_dir(), "rename {} to {}: {error}", new.display(), dir.display());
    }
    Ok(dir.to_path_buf())
}

/// Runs a command to its end without its chatter; where it fails, the error ends with the last of it.
pub(crate) fn quiet(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("start {:?}", command.get_program()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n");
    bail!("{command:?}: {}\n{last}", output.status)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn a_folder_is_made_once_however_many_want_it() {
        let top = Scratch::open("test").unwrap();
        let (dir, made) = (top.path().join("made"), AtomicU32::new(0));
        let fill = |new: &Path| {
            made.fetch_add(1, Ordering::Relaxed);
            // Within one folder's making another may be made.
            build_dir(&top.path().join("inner"), |_| Ok(()))?;
            Ok(std::fs::write(new.join("file"), "whole")?)
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| build_dir(&dir, fill).unwrap());
            }
        });
        assert_eq!(made.load(Ordering::Relaxed), 1);
        assert_eq!(std::fs::read(dir.join("file")).unwrap(), b"whole");
    }
}
