//! The one file for every router: a shell script with the builds behind it.
//!
//! ```text
//! #!/bin/sh
//! { the first part: has the rest of the script its checksum? }
//! the script                                      launcher.sh
//! gzip'd build, gzip'd build, ...
//! ```
//!
//! Each start checks the script; unpacking checks all that is behind it, and then what was unpacked. A copy cut
//! short within the first part is a brace that nobody closes: a syntax error of the shell.

mod cases;
mod container;
mod race;
#[cfg(test)]
mod tests;
mod trials;

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use md5::Md5;
use sha2::{Digest, Sha256};

use super::build;
use crate::targets::{TARGETS, Target};
use crate::{gates, pack, sh};

pub(super) use trials::check;

const SCRIPT: &str = include_str!("launcher.sh");

/// A build as it stands in the one file.
struct Packed<'a> {
    target: &'a Target,
    /// Its place behind the script.
    offset: usize,
    length: usize,
    size: usize,
    sums: Sums,
}

/// As `sha256sum` and `md5sum` print them.
struct Sums {
    sha256: String,
    md5: String,
}

/// Where it lies.
pub(super) fn path() -> Result<PathBuf> {
    Ok(sh::target("dist")?.join("diag"))
}

/// Puts the routers' builds that are in `target/dist` together; gives a line about it.
pub(super) fn make() -> Result<String> {
    let mut builds = Vec::new();
    for target in TARGETS.iter().filter(|target| target.router) {
        if let Ok(elf) = fs::read(sh::target("dist")?.join(target.name)) {
            builds.push((target, elf));
        }
    }
    let file = assemble(&builds)?;
    build::write(&path()?, &file)?;
    let names = builds.iter().map(|(target, _)| target.name).collect::<Vec<_>>().join(", ");
    Ok(format!("diag: {}, of {names}", gates::ONE_FILE.of(file.len() as u64)))
}

/// The one file of these builds.
pub(super) fn assemble(builds: &[(&Target, Vec<u8>)]) -> Result<Vec<u8>> {
    assemble_with(SCRIPT, builds)
}

fn assemble_with(launcher: &str, builds: &[(&Target, Vec<u8>)]) -> Result<Vec<u8>> {
    let (mut payload, mut table) = (Vec::new(), Vec::new());
    for (target, elf) in builds {
        let gzipped = pack::gzip(elf)?;
        let (offset, length) = (payload.len(), gzipped.len());
        table.push(Packed { target, offset, length, size: elf.len(), sums: sums(elf) });
        payload.extend(gzipped);
    }
    let mut file = script(launcher, &table, &payload)?.into_bytes();
    file.extend(payload);
    if let Some(fault) = gates::ONE_FILE.fault(file.len() as u64) {
        bail!("diag: {fault}");
    }
    Ok(file)
}

fn script(launcher: &str, table: &[Packed], payload: &[u8]) -> Result<String> {
    let (first, rest) =
        launcher.split_at(launcher.find("\n}\n").context("launcher.sh has no first part")? + 3);
    let behind = sums(payload);
    let rest = rest
        .replace("@BUILDS@\n", &rows(table))
        .replace("@VERSION@", version()?)
        .replace("@PAYLOAD_SHA256@", &behind.sha256)
        .replace("@PAYLOAD_MD5@", &behind.md5);
    // A checksum as long as the true one, to know the length.
    let length = with_sums(first, &sums(b"")).len() + rest.len();
    let rest = number(&rest, "@HEAD__@", length)?;
    let first = with_sums(first, &sums(rest.as_bytes()));
    let first = number(&number(&first, "@HEAD__@", length)?, "@BODY__@", first.len() + 1)?;
    let script = first + &rest;
    ensure!(script.len() == length, "launcher.sh has another length than it says");
    let left =
        script.split('@').nth(1).filter(|word| word.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    ensure!(left.is_none_or(str::is_empty), "launcher.sh: @{}@ is not filled in", left.unwrap_or_default());
    Ok(script)
}

fn with_sums(first: &str, sums: &Sums) -> String {
    first.replace("@SHA256@", &sums.sha256).replace("@MD5@", &sums.md5)
}

/// Puts a number into a place of its own width, so that nothing behind it moves.
fn number(text: &str, place: &str, number: usize) -> Result<String> {
    let width = place.len();
    let words = format!("{number:<width$}");
    ensure!(words.len() == width, "{number} is too long for {place}");
    Ok(text.replace(place, &words))
}

fn rows(table: &[Packed]) -> String {
    table.iter().fold(String::new(), |mut rows, Packed { target, offset, length, size, sums }| {
        let (class, data) = (if target.bits == 64 { 2 } else { 1 }, if target.big_endian { 2 } else { 1 });
        let _ = writeln!(
            rows,
            "\t{class},{data},{},0) label='{}' && set -- {offset} {length} {size} \\\n\t\t{} {} ;;",
            target.e_machine.0, target.machine, sums.sha256, sums.md5
        );
        rows
    })
}

fn sums(data: &[u8]) -> Sums {
    let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Sums { sha256: hex(&Sha256::digest(data)), md5: hex(&Md5::digest(data)) }
}

/// diag's, from its Cargo.toml.
pub(super) fn version() -> Result<&'static str> {
    let manifest = include_str!("../../../Cargo.toml");
    let line = manifest.lines().find_map(|line| line.strip_prefix("version = "));
    Ok(line.context("Cargo.toml has no version")?.trim_matches('"'))
}
