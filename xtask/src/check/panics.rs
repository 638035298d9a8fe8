//! The core has no way to panic but those that are listed, each with its reason: on a router a panic is a bare signal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SymbolKind};
use rustc_demangle::demangle;

use super::Job;
use crate::sh;

/// `# REASON` lines, and below each what it goes for: `FUNCTION OF CORE OR ALLOC <- FUNCTION THAT CALLS IT`.
const LISTED: &str = include_str!("panics.txt");

/// What core and alloc end a program by, but for the want of memory, at which the allocator ends it before.
const PANICS: [&str; 9] = [
    "core::panicking::",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::result::unwrap_failed",
    "core::slice::index::slice_",
    "core::str::slice_error_fail",
    "core::cell::panic_",
    "panic_for_nonpositive_argument",
    "assert_failed",
];

pub(super) fn jobs() -> Vec<Job<'static>> {
    vec![Box::new(|| super::holds("ways to panic of the core", check))]
}

/// Builds the core without link-time optimization and looks for what its object refers to.
fn check() -> Result<()> {
    let folder = sh::target("panics")?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(sh::root()).env("CARGO_TARGET_DIR", &folder).env("CARGO_PROFILE_RELEASE_LTO", "off");
    cargo.env("CARGO_PROFILE_RELEASE_STRIP", "none").env("CARGO_INCREMENTAL", "0");
    let deps = folder.join("release/deps");
    // One of an older build would be looked at, too; and cargo makes none where it takes the last build for this one.
    for path in objects(&deps)? {
        fs::remove_file(path)?;
    }
    for known in fs::read_dir(folder.join("release/.fingerprint")).into_iter().flatten() {
        let known = known?.path();
        if known.file_name().is_some_and(|name| name.to_string_lossy().starts_with("diag-core-")) {
            fs::remove_dir_all(known)?;
        }
    }
    sh::say("diag-core: its ways to panic");
    cargo.args(["rustc", "--quiet", "--locked", "--release", "--package", "diag-core", "--lib"]);
    sh::run(cargo.args([
        "--",
        "--emit=obj,metadata,link",
        "-Cembed-bitcode=no",
        "-Cforce-frame-pointers=no",
    ]))?;
    let mut found = BTreeSet::new();
    for path in objects(&deps)? {
        found.extend(panics(&path)?);
    }
    ensure!(!found.is_empty(), "no object in {}", deps.display());
    let listed = listed();
    let new: Vec<&String> = found.iter().filter(|one| !listed.contains_key(one.as_str())).collect();
    let gone: Vec<&&str> = listed.keys().filter(|one| !found.contains(**one)).collect();
    ensure!(new.is_empty(), "not in xtask/src/check/panics.txt:\n{new:#?}");
    ensure!(gone.is_empty(), "in xtask/src/check/panics.txt, and not in the core:\n{gone:#?}");
    sh::say(format!("diag-core: {} ways to panic, each with its reason", found.len()));
    Ok(())
}

/// The core's own objects in a folder.
fn objects(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("diag_core") && path.extension().is_some_and(|extension| extension == "o") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Each with its reason.
fn listed() -> BTreeMap<&'static str, &'static str> {
    let mut reason = "";
    let mut listed = BTreeMap::new();
    for line in LISTED.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("# ") {
            Some(text) => reason = text,
            None => {
                listed.insert(line, reason);
            }
        }
    }
    listed
}

/// What an object's functions refer to.
fn panics(path: &Path) -> Result<BTreeSet<String>> {
    let data = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let file = object::File::parse(&*data)?;
    let name = |symbol: &object::Symbol<'_, '_>| -> Option<String> {
        Some(format!("{:#}", demangle(symbol.name().ok()?)))
    };
    let mut found = BTreeSet::new();
    for section in file.sections() {
        // Each function has a section of its own, so that the linker can drop it.
        let functions: Vec<_> = file
            .symbols()
            .filter(|symbol| {
                symbol.kind() == SymbolKind::Text && symbol.section_index() == Some(section.index())
            })
            .collect();
        for (at, relocation) in section.relocations() {
            let RelocationTarget::Symbol(index) = relocation.target() else { continue };
            let target = file.symbol_by_index(index)?;
            let Some(called) = name(&target).filter(|_| target.is_undefined()) else { continue };
            if !PANICS.iter().any(|panic| called.contains(panic)) {
                continue;
            }
            let by = functions.iter().filter(|function| function.address() <= at);
            let by = by.max_by_key(|function| function.address()).and_then(name);
            found.insert(format!("{called} <- {}", by.unwrap_or_default()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_reason() {
        assert!(!listed().is_empty());
        for (one, reason) in listed() {
            assert!(one.contains(" <- ") && reason.len() > 20, "{one}: {reason:?}");
        }
    }
}
