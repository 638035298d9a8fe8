//! The largest programs of Debian, in a root folder of its release: none of them meets a limit of a judgement.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use diag::budget::{Amounts, LIMITS};
use diag::exec::{Missing, Outcome};
use diag::judge;
use diag::ldso::Kept;
use diag::machine::Machine;
use diag::target::Target;
use oracle::tally::Tally;

use super::Job;
use super::places::Place;

const SUITE: &str = "bookworm";
const PACKAGES: [&str; 5] = ["chromium", "clang-14", "ghc", "libreoffice-writer", "llvm-14"];
/// Bytes of a file that is judged.
const LEAST: u64 = 1 << 20;
/// Programs that are among them.
const PROGRAMS: [&str; 4] = [
    "/usr/lib/chromium/chromium",
    "/usr/lib/ghc/bin/ghc",
    "/usr/lib/libreoffice/program/soffice.bin",
    "/usr/lib/llvm-14/bin/clang",
];

pub(super) fn jobs() -> Vec<Job<'static>> {
    vec![Box::new(|| super::tally("giants of Debian", check))]
}

fn check(tally: &mut Tally) -> Result<()> {
    let place = Place::open(SUITE, "amd64", &PACKAGES)?;
    let recorded = place.machine();
    let mut facts = Machine::new(Target::new(&recorded));
    let kept = Kept::default();
    let mut files = Vec::new();
    find(&place.root().join("usr"), &mut files)?;
    let named = PROGRAMS.iter().map(|path| place.root().join(&path[1..]));
    files.extend(named.filter(|path| path.exists()));
    files.sort();
    files.dedup();
    let mut most: BTreeMap<&str, (usize, PathBuf)> = BTreeMap::new();
    for file in &files {
        let inside = Path::new("/").join(file.strip_prefix(place.root())?);
        let path = inside.to_str().context("a plain name")?;
        let judged = judge::judge(&mut facts, &kept, &diag::path::PathBuf::from(path), None);
        let spent = kept.files.budget().spent();
        let each = amounts(spent).into_iter().zip(amounts(LIMITS));
        for ((name, spent), (_, limit)) in each {
            // What is told is none that decides.
            tally.check(spent < limit || name == "told", || format!("{path}: {spent} of {limit} {name}"));
            let known = most.entry(name).or_default();
            if spent >= known.0 {
                *known = (spent, inside.clone());
            }
        }
        let is_cut = matches!(
            judged.outcome,
            Outcome::Unknown {
                missing: Missing::TooMuchToRead | Missing::TooManyFiles | Missing::TooManyNames
            }
        );
        tally.check(!is_cut, || format!("{path}: {:?}", judged.outcome));
        if PROGRAMS.contains(&path) {
            tally.note(format!("{path}: {spent:?}"));
        }
    }
    for path in PROGRAMS {
        let is_there = files.contains(&place.root().join(&path[1..]));
        tally.check(is_there, || format!("{path} is not there"));
    }
    for (name, (spent, path)) in most {
        tally.note(format!("of {} files most {name}: {spent}, {}", files.len(), path.display()));
    }
    Ok(())
}

fn amounts(of: Amounts) -> [(&'static str, usize); 5] {
    [("steps", of.steps), ("bytes", of.bytes), ("files", of.files), ("kept", of.kept), ("told", of.told)]
}

/// ELF files of some size, those of a folder and of the folders in it.
fn find(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() {
            find(&path, found)?;
        } else if kind.is_file() && entry.metadata()?.len() >= LEAST {
            let mut magic = [0; 4];
            let is_read = File::open(&path)?.read_exact(&mut magic).is_ok();
            if is_read && magic == *b"\x7fELF" {
                found.push(path);
            }
        }
    }
    Ok(())
}
