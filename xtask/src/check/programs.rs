//! Real programs of Debian's releases, in places of each of these releases, with and without /etc/ld.so.cache: whether
//! the loader there starts them and what libraries it takes, against what diag says.

mod around;
mod musl;
mod releases;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use oracle::linking::host::Family;
use oracle::linking::{self, End, Ran, compare};
use oracle::tally::Tally;

use super::places::Place;
use super::{Args, Job};
use table::{PROGRAMS, Program, ROWS, Row};

/// Of each architecture by itself: what is named, or what each change has to pass.
pub(super) fn jobs(args: &Args) -> Vec<Job<'_>> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for row in &ROWS {
        let is_named = args.archs.iter().any(|name| name == row.arch);
        let whole = is_named || args.full && args.archs.is_empty();
        let suites = if whole { row.suites } else { row.each_change };
        if !suites.is_empty() && (is_named || args.archs.is_empty()) {
            jobs.push(Box::new(move || {
                super::tally(format!("programs of Debian, {}", row.arch), |tally| check(row, suites, tally))
            }));
        }
    }
    let is_named = args.archs.iter().any(|name| name == "amd64");
    if is_named || args.archs.is_empty() {
        jobs.push(Box::new(|| super::tally("settings around programs", around::check)));
    }
    if wants_musl(args) {
        jobs.push(Box::new(|| super::tally("programs of PyPI and npm, musl", musl::check)));
    }
    jobs
}

/// The same programs by the catalogue, which has the releases by name.
pub(super) fn of_releases(args: &Args) -> Vec<Job<'_>> {
    let named = ["amd64", "arm64", "armhf", "i386"].into_iter().filter(|arch| {
        if args.archs.is_empty() {
            args.full || *arch == "amd64"
        } else {
            args.archs.iter().any(|name| name == arch)
        }
    });
    let job = |arch: &'static str| -> Job<'_> {
        Box::new(move || {
            super::tally(format!("releases of Debian by name, {arch}"), |tally| releases::check(arch, tally))
        })
    };
    let mut jobs: Vec<Job<'_>> = named.map(job).collect();
    if wants_musl(args) {
        jobs.push(Box::new(|| super::tally("Alpine and OpenWrt by name, musl", releases::by_musl)));
    }
    jobs
}

/// Whether programs of musl are asked for.
fn wants_musl(args: &Args) -> bool {
    args.archs.iter().any(|name| name == "musl") || args.full && args.archs.is_empty()
}

/// A program in a place.
struct Placed {
    path: String,
    args: &'static [&'static str],
    /// All that it needs belongs to it there, so it ends with status 0 if it starts.
    is_home: bool,
}

fn check(row: &Row, suites: &[&str], tally: &mut Tally) -> Result<()> {
    let packages: Vec<&str> = PROGRAMS.iter().map(|program| program.package).collect();
    let mut places = Vec::new();
    for suite in suites {
        let place = Place::open(suite, row.arch, &packages).and_then(|place| {
            set_apart(place.root())?;
            Ok((*suite, place))
        });
        places.extend(tally.attempt(place));
    }
    for (suite, place) in &places {
        for (other, from) in &places {
            let is_home = suite == other;
            let of = if is_home { String::new() } else { format!("/of/{other}") };
            if !is_home {
                PROGRAMS.iter().try_for_each(|program| bring(from.root(), place.root(), program, &of))?;
            }
            let there =
                |program: &Program| Placed { path: of.clone() + program.path, args: program.args, is_home };
            let programs: Vec<Placed> = PROGRAMS.iter().map(there).collect();
            place.make_cache()?;
            let whole = judge_all(place, &programs, &format!("of {other} in {suite}"), tally);
            // What does not run at home proves nothing elsewhere.
            tally.check(!is_home || whole == programs.len(), || format!("not all start in {suite}"));
            place.remove_cache()?;
            judge_all(place, &programs, &format!("of {other} in {suite} without ld.so.cache"), tally);
        }
    }
    Ok(())
}

/// Judges programs of a place; how many start.
fn judge_all(place: &Place, programs: &[Placed], which: &str, tally: &mut Tally) -> usize {
    let (mut started, mut agreed) = (0, 0);
    for program in programs {
        let Some(judged) = tally.attempt(judge(place, program)) else { continue };
        started += usize::from(judged.starts);
        agreed += usize::from(judged.wrong.is_empty());
        tally.check(judged.wrong.is_empty(), || {
            format!("{}, of those {which}: {}", program.path, judged.wrong.join("; "))
        });
    }
    tally.note(format!(
        "{} programs {which}: {started} start, {} do not; of {agreed} diag says what the loader does",
        programs.len(),
        programs.len() - started
    ));
    started
}

/// Libraries that many need.
const APART: [&str; 2] = ["libz.so.1", "libpcre2-8.so.0"];
/// And one that is there in several builds.
const OF_LEVELS: &str = "libselinux.so.1";
/// For which of these, tells a processor; a loader knows those of its architecture.
const LEVELS: [&str; 9] =
    ["x86-64-v2", "x86-64-v3", "x86-64-v4", "power9", "power10", "z13", "z14", "z15", "z16"];

/// Moves some libraries into a folder that only /etc/ld.so.cache leads to, and copies one into glibc-hwcaps.
fn set_apart(root: &Path) -> Result<()> {
    let apart = root.join("usr/lib/apart");
    fs::create_dir(&apart)?;
    fs::write(root.join("etc/ld.so.conf.d/apart.conf"), "/usr/lib/apart\n")?;
    let folders = fs::read_dir(root.join("usr/lib"))?.collect::<Result<Vec<_>, _>>()?;
    let of_arch = folders.iter().find(|folder| folder.path().join(OF_LEVELS).exists());
    let folder = of_arch.context("no folder of the architecture's libraries")?.path();
    for level in LEVELS {
        let new = folder.join("glibc-hwcaps").join(level);
        fs::create_dir_all(&new)?;
        fs::copy(folder.join(OF_LEVELS), new.join(OF_LEVELS))?;
    }
    let mut moved = 0;
    for file in fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()? {
        let name = file.file_name();
        if APART.iter().any(|library| name.to_string_lossy().starts_with(library)) {
            fs::rename(file.path(), apart.join(&name))?;
            moved += 1;
        }
    }
    ensure!(moved == 2 * APART.len(), "{moved} files and links of {APART:?}");
    Ok(())
}

/// Brings a program, and nothing else, from one root folder into a folder of another.
fn bring(from: &Path, to: &Path, program: &Program, folder: &str) -> Result<()> {
    let inside = |root: &Path, path: &str| -> PathBuf { root.join(path.trim_start_matches('/')) };
    let new = inside(to, &format!("{folder}{}", program.path));
    fs::create_dir_all(new.parent().context("a program has a folder")?)?;
    // Links of Debian's programs are relative, within their folder.
    let file = fs::canonicalize(inside(from, program.path)).with_context(|| program.path.to_owned())?;
    fs::hard_link(file, &new).or_else(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
    })?;
    Ok(())
}

/// What became of a program in a place.
struct Judged {
    starts: bool,
    /// Where the loader and diag disagree.
    wrong: Vec<String>,
}

/// Starts a program, has it traced and judged.
fn judge(place: &Place, program: &Placed) -> Result<Judged> {
    let Placed { path, args, is_home } = program;
    let mut ran = linking::run(&mut place.command(path, args)).map_err(|error| anyhow!(error))?;
    // Beside what is of another release a program may give up by itself.
    let may_give_up = !is_home && place.family() == Family::Glibc && !lacks_symbol(&ran);
    if ran.end != End::Exited(0) && may_give_up && place.begins(path, args)? {
        ran.end = End::Exited(0);
    }
    let traced = place.trace(path)?;
    let said = place.judge(path)?;
    let mut wrong = compare::start(&ran, &traced, &said);
    let file = |path: &str| place.root().join(path.trim_start_matches('/'));
    wrong.extend(compare::libraries(&traced, &said, &[], &file));
    Ok(Judged { starts: ran.end == End::Exited(0), wrong })
}

/// Symbols may be bound when they are first called, which is the loader's affair still.
fn lacks_symbol(ran: &Ran) -> bool {
    ran.decisive().contains(": symbol lookup error: ")
}
