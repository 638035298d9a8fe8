//! Folders that are needed for a while, in target/scratch/: what is made of one is renamed out of it, or gone with it.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Once;

use anyhow::{Context, Result};
use nix::fcntl::{Flock, FlockArg};
use tempfile::TempDir;

use crate::sh;

/// A folder that is removed when this is dropped, or by the next task, where the one that made it was killed: root folders
/// of Debian are many, and fill a disk.
pub(crate) struct Scratch {
    dir: TempDir,
    /// Held as long as somebody is at the folder: no process that ends keeps it.
    _lock: Flock<File>,
}

impl Scratch {
    /// A new one; its name begins with what it is for.
    pub(crate) fn open(of: &str) -> Result<Scratch> {
        static SWEEP: Once = Once::new();
        let all = sh::target("scratch")?;
        SWEEP.call_once(|| sweep(&all));
        Scratch::open_in(&all, of)
    }

    fn open_in(all: &Path, of: &str) -> Result<Scratch> {
        // Until it has its own lock, a folder looks like one that nobody is at.
        let _all = lock(all, FlockArg::LockExclusive).with_context(|| format!("lock {}", all.display()))?;
        let dir = tempfile::Builder::new().prefix(&format!("{of}-")).tempdir_in(all);
        let dir = dir.with_context(|| format!("create a folder in {}", all.display()))?;
        let lock = lock(dir.path(), FlockArg::LockExclusiveNonblock);
        let lock = lock.with_context(|| format!("lock {}", dir.path().display()))?;
        Ok(Scratch { dir, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

fn lock(folder: &Path, how: FlockArg) -> Result<Flock<File>> {
    Flock::lock(File::open(folder)?, how).map_err(|(_, errno)| errno.into())
}

/// Removes the folders that nobody is at. What cannot be removed stays: it is in nobody's way.
fn sweep(all: &Path) {
    let Ok(_all) = lock(all, FlockArg::LockExclusive) else { return };
    for left in fs::read_dir(all).into_iter().flatten().flatten() {
        if lock(&left.path(), FlockArg::LockExclusiveNonblock).is_ok() {
            let _ = fs::remove_dir_all(left.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_task_left_is_swept_and_what_is_in_use_is_not() {
        let all = tempfile::tempdir().unwrap();
        let left = all.path().join("left");
        fs::create_dir_all(left.join("usr/bin")).unwrap();
        let used = Scratch::open_in(all.path(), "used").unwrap();
        fs::write(used.path().join("file"), "").unwrap();
        sweep(all.path());
        assert!(!left.exists());
        assert!(used.path().join("file").exists());
        let path = used.path().to_path_buf();
        drop(used);
        assert!(!path.exists());
    }
}
