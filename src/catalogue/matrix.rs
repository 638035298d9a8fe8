//! `--on all`: programs for every kind of machine in the catalogue.

use super::musl::Libcs;
use super::{Entry, Match, architectures, find, systems};
use crate::cli::worse;
use crate::judge;
use crate::ldso::Kept;
use crate::machine::Machine;
use crate::on::{self, Carried};
use crate::path::{Path, PathBuf};
use crate::report::Verdict;
use crate::report::matrix::{Cell, Row};
use crate::target::{Root, Target};

/// The kinds of machines: each architecture that OpenWrt has packages for, in its newest release, and how many devices of
/// that release it covers; 15.05 had them by target. And each release of another system for each architecture.
pub fn kinds() -> Vec<(Entry, usize)> {
    let of_openwrt = architectures()
        .filter(|known| known.releases().any(|release| release != "15.05"))
        .filter_map(|known| Some((Match::of_architecture(known).with(None).ok()?, known.devices)));
    of_openwrt.chain(systems::systems().map(|system| (system.entry(), 0))).collect()
}

/// What `--on all` is limited to: "openwrt", "debian"; none where it is all of them.
///
/// # Errors
///
/// There is no such kind: a sentence.
pub fn kind(name: &str) -> Result<Option<&'static str>, String> {
    let Some(wanted) = name.strip_prefix("all:") else { return Ok(None) };
    if wanted.eq_ignore_ascii_case(OPENWRT) {
        return Ok(Some(OPENWRT));
    }
    let known = || [vec![OPENWRT], systems::names()].concat().join(", ");
    systems::named(wanted)
        .map(Some)
        .ok_or_else(|| format!("the catalogue has no kind of machine that is called so; it has {}", known()))
}

const OPENWRT: &str = "openwrt";

/// What becomes of each program on each machine: the kinds, those of one system where it is limited to that, and those that are asked for by name besides.
///
/// # Errors
///
/// One that is asked for is no machine: a sentence.
pub fn judge(
    here: &dyn Root,
    programs: &[&Path],
    dest: Option<&Path>,
    kind: Option<&str>,
    required: &[&str],
) -> Result<Vec<Row>, String> {
    let is_wanted = |entry: &Entry| kind.is_none_or(|kind| kind == kind_of(entry));
    let mut machines: Vec<(String, Entry, usize)> = kinds()
        .into_iter()
        .filter(|(entry, _)| is_wanted(entry))
        .map(|(entry, devices)| {
            let name = entry.system.map_or_else(|| entry.architecture.name.into(), |own| own.whole_name());
            (name, entry, devices)
        })
        .collect();
    for name in required {
        if !machines.iter().any(|(known, ..)| known == name) {
            let entry = find(name).map_err(|why| format!("{name} is no machine: {why}"))?;
            machines.push((String::from(*name), entry, 1));
        }
    }
    let libcs = Libcs::default();
    let mut rows = Vec::new();
    let mut foreign: Vec<Foreign> = Vec::new();
    for (name, entry, devices) in machines {
        let folder = dest.unwrap_or(Path::new(on::FOLDER));
        let processor = processor(&entry);
        let is_foreign = |path: &Path| {
            let is_it = |known: &&Foreign| Some(known.processor) == processor && known.path == *path;
            foreign.iter().find(is_it).map(|known| known.code)
        };
        let known: Vec<Option<&'static str>> = programs.iter().map(|path| is_foreign(path)).collect();
        if known.iter().all(Option::is_some) {
            let cells = programs.iter().zip(known);
            let cells =
                cells.map(|(path, code)| Cell { path: path.to_path_buf(), verdict: Verdict::Fails, code });
            rows.push(Row { name, kind: kind_of(&entry), devices, cells: cells.collect() });
            continue;
        }
        let recorded = entry.machine_with(&libcs)?;
        let carried = Carried::new(here, &recorded, folder);
        let mut machine = Machine::new(Target { root: &carried, kernel: &recorded });
        machine.only_codes = true;
        let kept = Kept::default();
        let mut cells = Vec::new();
        for path in programs {
            carried.take_next(path, &machine, &kept);
            let judged = judge::judge(&mut machine, &kept, path, Some(folder));
            let verdict = judged.verdict();
            let decisive = judged.findings.first().filter(|_| verdict == Verdict::Fails);
            let code = decisive.map(|found| found.code.name());
            // A kernel of 64 bits may have been built to run programs of 32.
            let is_of_processor = |code: &&str| {
                OF_PROCESSORS.contains(code) || *code == "wrong-word-size" && !entry.architecture.is_64
            };
            if let (Some(processor), Some(code)) = (processor, code.filter(is_of_processor)) {
                foreign.push(Foreign { processor, path: path.to_path_buf(), code });
            }
            cells.push(Cell { path: path.to_path_buf(), verdict, code });
        }
        rows.push(Row { name, kind: kind_of(&entry), devices, cells });
    }
    Ok(rows)
}

/// What refuses a program whatever the release of the kernel and of the C library: the check of its ELF header.
const OF_PROCESSORS: [&str; 2] = ["wrong-architecture", "wrong-byte-order"];

/// A program that processors of a kind do not run, and the finding.
struct Foreign {
    processor: (&'static str, bool, bool, bool),
    path: PathBuf,
    code: &'static str,
}

/// A kind of processor: `uname -m`, byte order and word size; and whether nothing of binfmt_misc is there. None of a device,
/// of which more is known.
fn processor(entry: &Entry) -> Option<(&'static str, bool, bool, bool)> {
    let of = &entry.architecture;
    let lacks_misc = entry.system.is_some() || super::text::is_since(entry.release, "19.07");
    entry.device.is_none().then_some((of.uname, of.is_big, of.is_64, lacks_misc))
}

fn kind_of(entry: &Entry) -> &'static str {
    entry.system.map_or(OPENWRT, |system| system.name)
}

/// The exit status of a release check: 0 where on each of these at least one program starts, 1 where on one none does, 2
/// where that is not known.
pub fn status(rows: &[Row], required: &[&str]) -> u8 {
    let of = |row: &Row| {
        let has = |verdict| row.cells.iter().any(|cell| cell.verdict == verdict);
        match () {
            () if has(Verdict::Starts) => 0,
            () if has(Verdict::Unknown) => 2,
            () => 1,
        }
    };
    rows.iter().filter(|row| required.contains(&row.name.as_str())).map(of).fold(0, worse)
}
