//! OpenWrt's part of the catalogue, from a checkout.
//!
//! `make` evaluates the targets' own Makefiles, as `make prepare-tmpinfo` of OpenWrt has them dumped: so macros, inheritance and
//! conditions are what they are in a build. What is dumped of a device lacks its SoC and the size of its partition, so
//! include/image.mk is copied, and a few lines are added to what it dumps; the checkout itself is only read.

mod rows;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{host, sh};
use rows::{Architecture, Device};

/// What OpenWrt calls the first line of a device in include/image.mk, and what is added behind it.
const FIRST: &str = "Target-Profile: DEVICE_$(1)\n";
const ADDED: &str = "\
Diag-Title: $(DEVICE_TITLE)
Diag-Others: $(foreach n,0 1 2 3 4 5,$(if $(DEVICE_ALT$(n)_MODEL),$(DEVICE_ALT$(n)_VENDOR) $(DEVICE_ALT$(n)_MODEL) $(DEVICE_ALT$(n)_VARIANT) |))
Diag-SoC: $(SOC)
Diag-Size: $(IMAGE_SIZE)
Diag-Names: $(SUPPORTED_DEVICES)
Diag-Broken: $(BROKEN)
";

/// Writes what the checkout has into both tables, as that of a release; what other releases have stays.
pub(super) fn update(checkout: &Path, release: &str, catalogue: &Path) -> Result<()> {
    let dumped = dump(checkout)?;
    let found = rows::read(&dumped, release)?;
    ensure!(!found.devices.is_empty(), "{} has no devices: is it OpenWrt?", checkout.display());
    sh::say(format!("{} devices of {} architectures", found.devices.len(), found.architectures.len()));
    let (devices, architectures) =
        (catalogue.join("openwrt-devices.tsv"), catalogue.join("openwrt-architectures.tsv"));
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("read {}", path.display()));
    let (old_devices, old_architectures) = (read(&devices)?, read(&architectures)?);
    let devices_now = Device::merge(&old_devices, found.devices, release);
    let counts = count(&devices_now);
    fs::write(
        &architectures,
        Architecture::merge(&old_architectures, found.architectures, release, &counts),
    )?;
    fs::write(&devices, devices_now)?;
    Ok(())
}

/// How many devices each architecture has in each release.
fn count(devices: &str) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for row in devices.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        if let (Some(architecture), Some(releases)) = (columns.get(4), columns.get(8)) {
            for release in releases.split(' ') {
                *counts.entry(((*architecture).to_owned(), release.to_owned())).or_default() += 1;
            }
        }
    }
    counts
}

/// What all targets of a checkout say of themselves and of their devices.
fn dump(checkout: &Path) -> Result<String> {
    host::ensure(&[("make", "make")])?;
    let checkout = fs::canonicalize(checkout).with_context(|| checkout.display().to_string())?;
    let scratch = tempfile::tempdir().context("create a folder beside the checkout")?;
    let top = scratch.path();
    for entry in fs::read_dir(&checkout)? {
        let entry = entry?;
        if !["include", "tmp", ".git"].iter().any(|name| entry.file_name() == *name) {
            symlink(entry.path(), top.join(entry.file_name()))?;
        }
    }
    sh::run(Command::new("cp").arg("-r").arg(checkout.join("include")).arg(top))?;
    fs::create_dir(top.join("tmp"))?;
    let image = top.join("include/image.mk");
    let text = fs::read_to_string(&image).context("read include/image.mk")?;
    ensure!(text.contains(FIRST), "include/image.mk dumps no devices: releases since 17.01 do");
    fs::write(&image, text.replacen(FIRST, &format!("{FIRST}{ADDED}"), 1))?;
    let mut dumped = String::new();
    for target in sorted(&checkout.join("target/linux"))? {
        if !checkout.join("target/linux").join(&target).join("Makefile").is_file() {
            continue;
        }
        let mut make = Command::new("make");
        make.args(["-r", "-s", "-C"]).arg(top.join("target/linux").join(&target));
        make.args(["V=s", "DUMP=1", "TARGET_BUILD=1"]).arg(format!("TOPDIR={}", top.display()));
        // What a make around this one has set is not OpenWrt's.
        make.env_remove("MAKEFLAGS").env_remove("MAKELEVEL").env_remove("MFLAGS");
        dumped.push_str(&sh::output(&mut make).with_context(|| format!("target/linux/{target}"))?);
    }
    Ok(dumped)
}

fn sorted(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{}: is it OpenWrt?", folder.display()))?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests;
