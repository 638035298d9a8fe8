//! Whether a loader and diag agree.

use std::path::{Path, PathBuf};

use super::said::{Entry, Said, signal};
use super::{End, Library, Ran, Traced};
use crate::model::Outcome;

/// What glibc says of GNU_PROPERTY_X86_ISA_1_NEEDED. Only once it has loaded all does it look at that.
const TOO_LOW: &str = "CPU ISA level is lower than required";

/// Words of a loader, and the steps of diag's outcome that they may stand for.
const STEPS: &[(&str, &[&str])] = &[
    ("symbol not found", &["ld.so: symbol not found"]),
    ("undefined symbol", &["ld.so: symbol not found"]),
    ("not defined in file", &["ld.so: symbol not found"]),
    ("version `", &["ld.so: version not found"]),
    (TOO_LOW, &["ld.so: library unusable", "ld.so: refuses this machine"]),
    // A file for another machine is passed over, as if it were not there.
    ("No such file or directory", &["ld.so: library not found", "ld.so: library unusable"]),
    ("", &["ld.so: library unusable"]),
];

/// The end of a program, and the words for it.
pub fn start(ran: &Ran, traced: &Traced, said: &Said) -> Vec<String> {
    let mut wrong = Vec::new();
    let words = ran.decisive();
    let real =
        || format!("the program {}: {words:?}; diag: {}, {:?}", ran.end, said.model, said.codes("error"));
    match (ran.end, &said.model.outcome) {
        (End::Exited(0), Outcome::Starts) => {
            if !said.codes("error").is_empty() {
                wrong.push(real());
            }
            wrong.extend(later(traced, said));
        }
        (End::Exited(status), Outcome::Exits(said_status)) if status != 0 => {
            // An assertion of the loader's own.
            if words.starts_with("Inconsistency detected by ld.so") {
                return wrong;
            }
            let steps =
                STEPS.iter().find(|(part, _)| words.contains(part)).map_or(&[][..], |(_, steps)| steps);
            if status != *said_status || !steps.contains(&said.model.step.as_str()) {
                wrong.push(real());
            }
            if !said.quotes("error", words) {
                let errors = said.findings.iter().filter(|one| one.severity == "error").collect::<Vec<_>>();
                wrong.push(format!("diag does not quote {words:?}: {errors:?}"));
            }
        }
        (End::Killed(number), Outcome::Killed(name, _)) if signal(number) == *name => {}
        _ => wrong.push(real()),
    }
    wrong
}

/// Symbols that are bound only when they are first called are a warning, and nothing else is one.
fn later(traced: &Traced, said: &Said) -> Option<String> {
    let warned = said.findings.iter().any(|one| one.severity == "warning" && one.code == "symbol-missing");
    if warned == traced.unresolved_later.is_empty() {
        return Some(format!("bound later: {:?}; diag warns: {warned}", traced.unresolved_later));
    }
    let name = |said: &str| {
        said.trim_start_matches("undefined symbol: ").split([',', ' ']).next().map(str::to_owned)
    };
    let unnamed: Vec<&String> = traced
        .unresolved_later
        .iter()
        .filter(|symbol| name(symbol).is_none_or(|name| !said.quotes("warning", &name)))
        .collect();
    (unnamed.len() == traced.unresolved_later.len() && warned)
        .then(|| format!("bound later: {unnamed:?}; diag names none of them"))
}

/// The shared objects. `place` leads from a path as the program sees it to the file.
pub fn libraries(
    traced: &Traced,
    said: &Said,
    preloaded: &[&str],
    place: &dyn Fn(&str) -> PathBuf,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(real) = &traced.libraries else {
        return refused(traced, said);
    };
    let Some((loader, entries)) = said.libraries.split_first() else {
        if !real.is_empty() {
            wrong.push(format!("the loader lists {} libraries, diag none", real.len()));
        }
        return wrong;
    };
    if loader.state != "found" || loader.path.is_none() {
        wrong.push(format!("the first is to be the interpreter: {loader:?}"));
    }
    if entries.iter().any(|one| one.path == loader.path) {
        wrong.push(format!("the interpreter is listed twice: {entries:?}"));
    }
    let refused_later = said.quotes("error", TOO_LOW);
    let listed = |entry: &Entry| real.iter().any(|one| one.path == entry.path && one.path.is_some());
    let found = |entry: &&Entry| entry.state == "found" || refused_later && listed(entry);
    let paths: Vec<&str> = real.iter().filter_map(|one| one.path.as_deref()).collect();
    let said_paths: Vec<&str> = entries.iter().filter(found).filter_map(|one| one.path.as_deref()).collect();
    if paths != said_paths {
        wrong.push(format!(
            "found: the loader {}, diag {}",
            differing(&paths, &said_paths),
            differing(&said_paths, &paths)
        ));
    }
    let names: Vec<&str> =
        real.iter().filter(|one| one.path.is_none()).map(|one| one.name.as_str()).collect();
    let said_names: Vec<&str> =
        entries.iter().filter(|one| !found(one)).map(|one| one.name.as_str()).collect();
    if names != said_names {
        wrong.push(format!("not found: the loader {names:?}, diag {said_names:?}"));
    }
    for entry in entries {
        if entry.path.is_none() != (entry.state == "missing") {
            wrong.push(format!("the state and the path contradict each other: {entry:?}"));
        }
        let same = |one: &&Library| match &one.path {
            Some(_) => one.path == entry.path,
            None => one.name == entry.name,
        };
        if let Some(library) = real.iter().find(same) {
            wrong.extend(details(library, entry, preloaded, place));
        }
    }
    wrong
}

/// Two lists as they are, where they are short; else what only the first has.
fn differing(these: &[&str], those: &[&str]) -> String {
    if these.len() < 8 {
        return format!("{these:?}");
    }
    let only: Vec<_> = these.iter().filter(|one| !those.contains(one)).collect();
    if only.is_empty() {
        format!("{} of them, in another order", these.len())
    } else {
        format!("{only:?} and more")
    }
}

fn details(
    library: &Library,
    entry: &Entry,
    preloaded: &[&str],
    place: &dyn Fn(&str) -> PathBuf,
) -> Vec<String> {
    let mut wrong = Vec::new();
    // It tells a name as it has expanded it.
    if library.name != entry.name && !entry.name.contains('$') {
        wrong.push(format!("the name is {:?}, diag says {:?}", library.name, entry.name));
    }
    if let Some(needed_by) = &library.needed_by {
        if *needed_by != entry.needed_by && !preloaded.contains(&entry.name.as_str()) {
            wrong.push(format!("{} is needed by {needed_by}, diag says {}", entry.name, entry.needed_by));
        }
    }
    if let (Some(tried), false) = (&library.tried, library.name.contains('/')) {
        // A folder that is not there is left out the second time: what counts is the others.
        let counted = |paths: &[String]| {
            let is_there = |path: &&String| {
                let file = place(path);
                file.parent().is_some_and(Path::is_dir)
            };
            let mut paths: Vec<String> = paths.iter().filter(is_there).cloned().collect();
            paths.dedup();
            if entry.state == "unusable" {
                paths.retain(|path| Some(path) != entry.path.as_ref());
            }
            paths
        };
        let (real, said) = (counted(tried), counted(&entry.tried));
        if real != said {
            wrong.push(format!("{} was looked for at {real:?}, diag says {said:?}", entry.name));
        }
    }
    wrong
}

/// A loader that gives up on a file names it; diag must have it as unusable.
fn refused(traced: &Traced, said: &Said) -> Vec<String> {
    let words = traced.errors.first().map_or("", String::as_str);
    let Some((_, rest)) = words.split_once("error while loading shared libraries: ") else {
        return Vec::new();
    };
    let path = rest.split(": ").next().unwrap_or_default();
    // Of a program itself it speaks in the same words.
    let known = said.libraries.iter().any(|one| {
        let unusable = one.state == "unusable" && (one.path.as_deref() == Some(path) || one.name == path);
        unusable || one.state == "missing" && one.name == path
    });
    if known || words.starts_with(&format!("{path}:")) {
        return Vec::new();
    }
    vec![format!("the loader gives up on {path}; diag: {:?}", said.libraries)]
}
