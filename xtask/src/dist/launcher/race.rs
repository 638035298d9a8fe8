//! Somebody who may rename what is in /tmp, since it has no sticky bit, puts his program in the place of the one file's
//! while that runs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

use super::SCRIPT;
use super::container::Container;
use super::trials::StandIn;

/// Starts of the one file in each shell.
const ROUNDS: u32 = 100;

/// Of the one file that he must beat: he did within 60 whenever it was tried.
const NAIVE_ROUNDS: u32 = 1000;

/// His program: that it ran can be seen even where its output is not.
const PROGRAM: &str = "#!/bin/sh\n: >/keep/beaten\necho beaten\n";

/// The one file without what it does against him.
pub(super) fn naive() -> Result<String> {
    let guard = "if stable \"$where\"; then";
    ensure!(SCRIPT.matches(guard).count() == 1, "launcher.sh has no {guard:?}");
    Ok(SCRIPT.replace(guard, "if true; then"))
}

/// Gives the counts, and the faults. That he is quick enough is seen by the one file that does nothing against him.
pub(super) fn run(container: &Container, stand_in: &StandIn) -> Result<(String, Vec<String>)> {
    let mut faults = Vec::new();
    let naive = race(container, None, "naive", NAIVE_ROUNDS, stand_in)?;
    ensure!(naive.beaten, "in {} rounds nobody beat even a one file without a guard", naive.rounds);
    let (mut rounds, mut refused, mut swaps) = (0, 0, 0);
    for shell in [None, Some("/bin/dash"), Some("/bin/mksh")] {
        let raced = race(container, shell, "diag", ROUNDS, stand_in)?;
        if raced.beaten {
            faults.push(format!("{shell:?}: what somebody put into /tmp was run"));
        }
        if raced.rounds != ROUNDS || !raced.odd.is_empty() {
            faults.push(format!(
                "{shell:?}: after {} of {ROUNDS} rounds: {}",
                raced.rounds,
                raced.odd.join("\n")
            ));
        }
        rounds += raced.rounds;
        refused += raced.refused;
        swaps += raced.swaps;
    }
    let said =
        format!("{rounds} starts in a /tmp where {swaps} times something was swapped ({refused} refused)");
    println!("diag: {said}; without a guard it was beaten in round {}", naive.rounds);
    Ok((said, faults))
}

struct Raced {
    rounds: u32,
    refused: u32,
    swaps: u32,
    beaten: bool,
    /// What is neither the build's answer nor a refusal.
    odd: Vec<String>,
}

fn race(
    container: &Container,
    shell: Option<&str>,
    file: &str,
    rounds: u32,
    stand_in: &StandIn,
) -> Result<Raced> {
    let tmp = tempfile::tempdir().context("create a folder to be /tmp")?;
    fs::set_permissions(tmp.path(), fs::Permissions::from_mode(0o777))?;
    let base = Path::new(&stand_in.name).file_name().context("a stand-in without a name")?;
    let attacker = Attacker::start(tmp.path(), &base.to_string_lossy());
    let mut container = container.clone();
    container.tmp = Some(tmp.path().to_path_buf());
    container.shell = shell.map(PathBuf::from);
    let output = container.run(&format!(
        "n=0; while [ $n -lt {rounds} ] && [ ! -e /keep/beaten ]; do n=$((n + 1)); \
         said=$(/work/{file} x 2>/keep/err); echo \"$? $said $(head -n 1 /keep/err)\"; done; \
         [ ! -e /keep/beaten ] || echo beaten"
    ));
    let swaps = attacker.end()?;
    let said = String::from_utf8_lossy(&output?.stdout).into_owned();
    let mut raced = Raced { rounds: 0, refused: 0, swaps, beaten: false, odd: Vec::new() };
    for line in said.lines() {
        if line == "beaten" {
            raced.beaten = true;
            continue;
        }
        raced.rounds += 1;
        match line.split_once(' ') {
            // The shell may say that the folder which it was to open has gone.
            Some(("37", said)) if said.starts_with("<x> ") => {}
            Some(("126", _)) => raced.refused += 1,
            _ => raced.odd.push(line.to_owned()),
        }
    }
    Ok(raced)
}

struct Attacker {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u32>,
}

impl Attacker {
    fn start(tmp: &Path, base: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (tmp, base, stopped) = (tmp.to_path_buf(), base.to_owned(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut swaps = 0;
            while !stopped.load(Ordering::Relaxed) {
                for entry in fs::read_dir(&tmp).into_iter().flatten().flatten() {
                    if entry.file_name().to_string_lossy().starts_with(&base) {
                        swaps += u32::from(swap(&tmp, &entry.path(), swaps).is_ok());
                    }
                }
            }
            swaps
        });
        Self { stop, thread }
    }

    /// How often he put something in another's place.
    fn end(self) -> Result<u32> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the attacker's thread panicked"))
    }
}

/// Puts his folder, or a link to it, in the place of what is there, for some time, and then back.
fn swap(tmp: &Path, place: &Path, swaps: u32) -> std::io::Result<()> {
    let [stolen, folder, link] = ["stolen", "folder", "link"].map(|name| tmp.join(name));
    let _ = fs::remove_dir_all(&stolen);
    if !folder.exists() {
        fs::create_dir(&folder)?;
        fs::write(folder.join("diag"), PROGRAM)?;
        fs::set_permissions(folder.join("diag"), fs::Permissions::from_mode(0o755))?;
        chown(&folder, Some(65534), Some(65534))?;
    }
    if link.symlink_metadata().is_err() {
        symlink("/tmp/folder", &link)?;
    }
    let his = if swaps % 3 == 0 { link } else { folder };
    fs::rename(place, &stolen)?;
    let put = fs::rename(&his, place);
    // From nothing to about what a step of the script takes.
    thread::sleep(Duration::from_micros(u64::from(swaps % 16) * 200));
    if put.is_ok() {
        fs::rename(place, &his)?;
    }
    fs::rename(&stolen, place)?;
    put
}
