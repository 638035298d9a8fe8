//! Whether a loader and diag agree.

use std::path::{Path, PathBuf};

use nix::libc;

use super::said::{Entry, Said, signal};
use super::{End, Library, Ran, Traced};
use crate::model::Outcome;

/// What glibc says of GNU_PROPERTY_X86_ISA_1_NEEDED. Only once it has loaded all does it look at that.
const TOO_LOW: &str = "CPU ISA level is lower than required";

/// What musl says of PT_TLS, behind how many bytes its release takes for all of them.
const NO_TLS: &str = "thread-local storage: Out of memory";

/// Words of a loader, and the steps of diag's outcome that they may stand for.
const STEPS: &[(&str, &[&str])] = &[
    ("symbol not found", &["ld.so: symbol not found"]),
    ("undefined symbol", &["ld.so: symbol not found"]),
    ("not defined in file", &["ld.so: symbol not found"]),
    ("version `", &["ld.so: version not found"]),
    ("reloc type 0x", &["ld.so: relocation"]),
    ("unsupported relocation type", &["ld.so: relocation"]),
    ("DT_RELR without GLIBC_ABI_DT_RELR", &["ld.so: relocation"]),
    ("unsupported version ", &["ld.so: version not found"]),
    (TOO_LOW, &["ld.so: library unusable", "ld.so: refuses to start it"]),
    ("Fatal glibc error: ", &["ld.so: refuses to start it"]),
    ("TLS data structures", &["ld.so: tables of a file"]),
    (NO_TLS, &["ld.so: tables of a file"]),
    // A file for another machine is passed over, as if it were not there.
    ("No such file or directory", &["ld.so: library not found", "ld.so: library unusable"]),
    // An empty name.
    ("Error loading shared library : Invalid argument", &["ld.so: library not found"]),
    // Where no folder was looked in, there is no errno.
    ("cannot open shared object file", &["ld.so: library not found"]),
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
            // An assertion of the loader's own: the line in its source differs from release to release.
            if let Some((_, condition)) = words.split_once("Assertion `") {
                if status != *said_status || !said.quotes("error", condition) {
                    wrong.push(real());
                }
                return wrong;
            }
            let steps =
                STEPS.iter().find(|(part, _)| words.contains(part)).map_or(&[][..], |(_, steps)| steps);
            if status != *said_status || !steps.contains(&said.model.step.as_str()) {
                wrong.push(real());
            }
            let words = if words.ends_with(NO_TLS) { NO_TLS } else { words };
            if !said.quotes("error", words) {
                let errors = said.findings.iter().filter(|one| one.severity == "error").collect::<Vec<_>>();
                wrong.push(format!("diag does not quote {words:?}: {errors:?}"));
            }
        }
        (End::Killed(number), Outcome::Killed(name, _)) if signal(number) == *name => {}
        // RLIMIT_CPU
        (End::Killed(_) | End::Exited(1..), Outcome::Fails)
        | (End::Killed(libc::SIGKILL), Outcome::Endless) => {}
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
fn differing(list: &[&str], other: &[&str]) -> String {
    if list.len() < 8 {
        return format!("{list:?}");
    }
    let only: Vec<_> = list.iter().filter(|one| !other.contains(one)).collect();
    if only.is_empty() {
        format!("{} of them, in another order", list.len())
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
    // Of relocations of the program itself it tells no name.
    if rest.starts_with("unexpected ") {
        return Vec::new();
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linking::said::Finding;
    use crate::model::Model;

    const MISSING: &str = "./x: error while loading shared libraries: libfoo.so: cannot open shared object file: \
                           No such file or directory";

    fn library(name: &str, path: Option<&str>) -> Library {
        Library {
            name: name.to_owned(),
            path: path.map(str::to_owned),
            needed_by: Some("./x".to_owned()),
            tried: Some(vec!["/usr/tried.so".to_owned(), "/no/such/folder/tried.so".to_owned()]),
        }
    }

    fn real() -> (Ran, Traced) {
        let libraries = vec![
            library("libfoo.so", None),
            library("liba.so", Some("/a/liba.so")),
            library("libb.so", Some("/b/libb.so")),
        ];
        let ran = Ran { end: End::Exited(127), output: Vec::new(), words: vec![MISSING.to_owned()] };
        (ran, Traced { libraries: Some(libraries), ..Traced::default() })
    }

    /// What a perfect diag says.
    fn said() -> Said {
        let entry = |library: &Library| Entry {
            name: library.name.clone(),
            path: library.path.clone(),
            needed_by: "./x".to_owned(),
            state: if library.path.is_some() { "found" } else { "missing" }.to_owned(),
            tried: vec!["/usr/tried.so".to_owned()],
        };
        let mut libraries = vec![entry(&library("/lib/ld.so", Some("/lib/ld.so")))];
        libraries.extend(real().1.libraries.iter().flatten().map(entry));
        let finding = Finding {
            code: "library-missing".to_owned(),
            severity: "error".to_owned(),
            evidence: vec![format!("its loader then ends it: {MISSING}")],
        };
        let model = Model { outcome: Outcome::Exits(127), step: "ld.so: library not found".to_owned() };
        Said { verdict: "fails".to_owned(), model, findings: vec![finding], libraries }
    }

    fn all(said: &Said) -> Vec<String> {
        let (ran, traced) = real();
        let mut wrong = start(&ran, &traced, said);
        wrong.extend(libraries(&traced, said, &[], &|path| PathBuf::from(path)));
        wrong
    }

    #[test]
    fn a_perfect_answer_agrees() {
        assert_eq!(all(&said()), Vec::<String>::new());
    }

    #[test]
    fn nothing_that_is_wrong_passes() {
        type Change = (&'static str, fn(&mut Said));
        let changes: &[Change] = &[
            ("status", |said| said.model.outcome = Outcome::Exits(1)),
            ("outcome", |said| said.model.outcome = Outcome::Starts),
            ("step", |said| said.model.step = "ld.so: symbol not found".to_owned()),
            ("words", |said| said.findings.iter_mut().for_each(|one| one.evidence.clear())),
            ("severity", |said| said.findings.iter_mut().for_each(|one| one.severity = "note".to_owned())),
            ("one less", |said| drop(said.libraries.pop())),
            ("none", |said| said.libraries.clear()),
            ("order", |said| said.libraries.swap(2, 3)),
            ("path", |said| said.libraries[3].path = Some("/c/libb.so".to_owned())),
            ("name", |said| said.libraries[3].name = "libc.so".to_owned()),
            ("needed_by", |said| said.libraries[3].needed_by = "/a/liba.so".to_owned()),
            ("tried", |said| said.libraries[3].tried.clear()),
            ("not missing", |said| drop(said.libraries.remove(1))),
            ("state", |said| said.libraries[1].state = "found".to_owned()),
            ("no interpreter", |said| drop(said.libraries.remove(0))),
            ("the interpreter twice", |said| said.libraries.push(said.libraries[0].clone())),
        ];
        for (what, change) in changes {
            let mut said = said();
            change(&mut said);
            assert!(!all(&said).is_empty(), "{what}");
        }
    }

    #[test]
    fn what_is_bound_later_is_a_warning() {
        let ran = Ran { end: End::Exited(0), output: Vec::new(), words: Vec::new() };
        let later = vec!["undefined symbol: foo, version V1".to_owned()];
        let traced = Traced { unresolved_later: later, ..Traced::default() };
        let mut said = Said { findings: Vec::new(), ..said() };
        said.model = Model { outcome: Outcome::Starts, step: String::new() };
        assert!(!start(&ran, &traced, &said).is_empty());
        assert!(start(&ran, &Traced::default(), &said).is_empty());
        let (code, severity) = ("symbol-missing".to_owned(), "warning".to_owned());
        said.findings.push(Finding { code, severity, evidence: vec!["foo".to_owned()] });
        assert!(start(&ran, &traced, &said).is_empty());
        assert!(!start(&ran, &Traced::default(), &said).is_empty());
    }
}
