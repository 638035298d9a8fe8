//! Programs of Debian's releases, judged for each of these releases by its name (`--on debian:11/amd64`), against what the
//! loaders say in their places.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use diag::catalogue;
use diag::judge;
use diag::ldso::Kept;
use diag::live::Live;
use diag::machine::Machine;
use diag::on::Carried;
use diag::path::Path;
use diag::report::Verdict;
use diag::target::Target;
use object::Object as _;
use oracle::linking::{self, End};
use oracle::tally::Tally;

use super::super::places::Place;
use super::table::{PROGRAMS, Program};
use super::{bring, lacks_symbol, musl};

/// A release's number and its name.
const RELEASES: [(&str, &str); 3] = [("11", "bullseye"), ("12", "bookworm"), ("13", "trixie")];

/// Packages that need little: some of their programs need the C library alone, some libraries beside it.
const PACKAGES: [&str; 13] = [
    "bash",
    "bzip2",
    "coreutils",
    "dash",
    "diffutils",
    "findutils",
    "gawk",
    "grep",
    "gzip",
    "ninja-build",
    "perl-base",
    "sed",
    "tar",
];

/// What the catalogue says, beside what happens.
pub(super) fn check(arch: &str, tally: &mut Tally) -> Result<()> {
    let mut places = Vec::new();
    for (number, suite) in RELEASES {
        let place = Place::open(suite, arch, &PACKAGES).map(|place| (number, suite, place));
        places.extend(tally.attempt(place));
    }
    let programs = || PROGRAMS.iter().filter(|program| PACKAGES.contains(&program.package));
    for (number, _, place) in &places {
        let mut counts = [0_usize; 3];
        for (_, of, from) in &places {
            for program in programs() {
                let folder = format!("/of/{of}");
                bring(from.root(), place.root(), program, &folder)?;
                let said = said(&format!("debian:{number}/{arch}"), from, program.path)?;
                counts[usize::from(said.0.status())] += 1;
                let real = real(place, program, &folder)?;
                tally.check(agree(&said, &real), || {
                    format!("{} of {of} in {number}: diag says {said:?}, the loader {real:?}", program.path)
                });
            }
        }
        let [starts, fails, unknown] = counts;
        tally.note(format!("debian:{number}/{arch}: {starts} start, {fails} do not, {unknown} are unknown"));
        tally.check(starts > 0 && (fails > 0 || *number == "13"), || format!("{number} tells nothing"));
    }
    Ok(())
}

/// Programs of musl and of glibc, judged for Alpine and OpenWrt by name. Neither is there: Debian's musl 1.2.3 and 1.2.5 stands
/// in for the same release of theirs, without glibc's loader. None of these programs asks for what 1.2.5 adds to 1.2.4, so
/// that each starts with both or with neither.
pub(super) fn by_musl(tally: &mut Tally) -> Result<()> {
    let of_musl = |release: &str| {
        let title = format!("musl {release}");
        let systems = catalogue::systems().filter(move |system| {
            system.architecture == "x86_64" && system.title().split(',').next() == Some(&title)
        });
        let mut names: Vec<String> = systems.map(|system| system.whole_name()).collect();
        let of_openwrt: &[&str] = match release {
            "1.2.3" => &["22.03"],
            "1.2.4" => &["23.05"],
            _ => &["24.10", "25.12"],
        };
        names.extend(of_openwrt.iter().map(|release| format!("x86/64@{release}")));
        names
    };
    for ((suite, _), (same, older)) in musl::RELEASES.iter().zip([("1.2.3", ""), ("1.2.5", "1.2.4")]) {
        let packages = [&["musl"], &PACKAGES[..]].concat();
        let place = Place::open(suite, "amd64", &packages)?;
        let mut programs: Vec<(String, &[&str])> = PROGRAMS
            .iter()
            .filter(|program| PACKAGES.contains(&program.package))
            .map(|program| (program.path.to_owned(), program.args))
            .collect();
        for package in &musl::PACKAGES {
            package.place(place.root())?;
            programs.extend(package.paths().map(|path| (path, package.args)));
        }
        std::fs::remove_file(place.root().join(GLIBC.trim_start_matches('/'))).context(GLIBC)?;
        let older = if older.is_empty() { Vec::new() } else { of_musl(older) };
        let mut counts = [0_usize; 3];
        for (path, args) in &programs {
            let starts = place.command(path, args).output().is_ok_and(|output| output.status.success());
            for name in of_musl(same).iter().chain(&older) {
                let said = said(name, &place, path)?;
                counts[usize::from(said.0.status())] += 1;
                let holds = match said {
                    (Verdict::Starts, _) => starts,
                    (Verdict::Fails, _) => !starts,
                    // Which libraries are installed the catalogue has not.
                    (Verdict::Unknown, code) => {
                        code == Some("libraries-not-followed") && needs_more_than_musl(&place, path)?
                    }
                };
                tally.check(holds, || {
                    format!("{path} on {name}: diag says {said:?}; starts with Debian's musl: {starts}")
                });
            }
        }
        let [start, fail, unknown] = counts;
        tally.note(format!("by musl of {suite}: {start} start, {fail} do not, {unknown} are unknown"));
        tally.check(counts.iter().all(|count| *count > 0), || format!("{suite} tells nothing"));
    }
    Ok(())
}

/// glibc's loader on x86-64.
const GLIBC: &str = "/lib64/ld-linux-x86-64.so.2";

/// Whether the program has a DT_NEEDED that is not the C library.
fn needs_more_than_musl(place: &Place, program: &str) -> Result<bool> {
    let content = std::fs::read(place.root().join(program.trim_start_matches('/')))?;
    for library in object::File::parse(&*content)?.import_libraries()? {
        if !library?.name().starts_with(b"libc.") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The verdict by the catalogue, and the code of what is decisive.
fn said(name: &str, from: &Place, program: &str) -> Result<(Verdict, Option<&'static str>)> {
    let recorded = catalogue::find(name).and_then(|entry| entry.machine()).map_err(|why| anyhow!(why))?;
    let file: PathBuf = std::fs::canonicalize(from.root().join(program.trim_start_matches('/')))?;
    let path = Path::new(file.to_str().context("a path is text")?);
    let (live, folder) = (Live::default(), Path::new("/"));
    let carried = Carried::new(&live, &recorded, folder);
    carried.take(path);
    let mut machine = Machine::new(Target { root: &carried, kernel: &recorded });
    let judged = judge::judge(&mut machine, &Kept::default(), path, Some(folder));
    Ok((judged.verdict(), judged.findings.first().map(|found| found.code.name())))
}

/// What happens.
#[derive(Debug)]
enum Real {
    Starts,
    /// The loader misses a version of the C library.
    Version,
    /// It does not start for another reason.
    Otherwise(String),
}

fn real(place: &Place, program: &Program, folder: &str) -> Result<Real> {
    let path = format!("{folder}{}", program.path);
    let ran = linking::run(&mut place.command(&path, program.args)).map_err(|error| anyhow!(error))?;
    let words = ran.decisive();
    let is_of_libc = ["GLIBC_", "not found (required by"].iter().all(|part| words.contains(part));
    Ok(match () {
        () if ran.end == End::Exited(0) => Real::Starts,
        () if words.contains("version `") && is_of_libc => Real::Version,
        () if !lacks_symbol(&ran) && place.begins(&path, program.args)? => Real::Starts,
        () => Real::Otherwise(words.to_owned()),
    })
}

/// What is unknown is not wrong where libraries are needed that only some have; all else has to be what happens.
fn agree((verdict, code): &(Verdict, Option<&str>), real: &Real) -> bool {
    match (verdict, real) {
        (Verdict::Starts, Real::Starts) => true,
        (Verdict::Fails, Real::Version) => *code == Some("version-missing"),
        // A library that is missing, or too old as well, is told first.
        (Verdict::Fails, Real::Otherwise(words)) => {
            words.contains("cannot open shared object file") || words.contains(": version `")
        }
        (Verdict::Unknown, Real::Starts | Real::Otherwise(_)) => *code == Some("libraries-not-followed"),
        _ => false,
    }
}
