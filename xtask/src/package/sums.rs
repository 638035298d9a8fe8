//! What a release says of its files: SHA256SUMS, and SIZES.md.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::{hex, index};
use crate::targets::TARGETS;
use crate::{openwrt, pack};

const SUMS: &str = "SHA256SUMS";
const SIZES: &str = "SIZES.md";

/// Writes SIZES.md, and SHA256SUMS of all that is released of `dist` in the form that `sha256sum -c` reads.
pub(crate) fn write(dist: &Path) -> Result<()> {
    let mut files = Vec::new();
    collect(dist, "", &mut files)?;
    files.retain(|(name, _)| name != SUMS && name != SIZES && !is_for_others(name));
    files.push((SIZES.to_owned(), sizes(&files)?.into_bytes()));
    files.sort();
    index::write(&dist.join(SIZES), &files.iter().find(|(name, _)| name == SIZES).context("no sizes")?.1)?;
    let line = |(name, data): &(String, Vec<u8>)| format!("{}  {name}\n", hex(&Sha256::digest(data)));
    index::write(&dist.join(SUMS), files.iter().map(line).collect::<String>().as_bytes())
}

/// Whether it is a build for no router: what else was asked for lies here, too, and is not released.
fn is_for_others(name: &str) -> bool {
    TARGETS.iter().any(|target| target.name == name && !target.router)
}

/// A row for each file that is no package, with the largest packages made of it.
fn sizes(files: &[(String, Vec<u8>)]) -> Result<String> {
    let mut rows = Vec::new();
    for (name, data) in files.iter().filter(|(name, _)| !name.contains('/')) {
        let row = format!("| {name} | {} | {} |", data.len(), pack::gzip(data)?.len());
        rows.push(format!("{row} {} | {} |\n", largest(files, name, ".ipk"), largest(files, name, ".apk")));
    }
    rows.sort();
    let head = "| file | bytes | after gzip -9 | largest .ipk | largest .apk |\n\
                | --- | ---: | ---: | ---: | ---: |\n";
    Ok(head.to_owned() + &rows.concat())
}

/// The size of the largest package of a build, as text.
fn largest(files: &[(String, Vec<u8>)], build: &str, end: &str) -> String {
    let of_build = |name: &str| {
        let mut parts = name.split('/');
        let arch = parts.nth(1).unwrap_or_default();
        name.starts_with("packages/")
            && name.ends_with(end)
            && openwrt::of_build(build).any(|of| of.name == arch)
    };
    let sizes = files.iter().filter(|(name, _)| of_build(name)).map(|(_, data)| data.len());
    sizes.max().map(|size| size.to_string()).unwrap_or_default()
}

/// The files below a folder: paths relative to the first one, and contents.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name().into_string().ok().context("a file name that is no text")?;
        if entry.file_type()?.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), files)?;
        } else {
            let data = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            files.push((format!("{prefix}{name}"), data));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::sh;

    #[test]
    fn sha256sum_agrees() {
        let dist = tempfile::tempdir().unwrap();
        let path = |name: &str| dist.path().join(name);
        fs::create_dir_all(path("packages/mips_24kc")).unwrap();
        fs::create_dir_all(path("packages/x86_64")).unwrap();
        let package = "packages/mips_24kc/diag-1-r1.apk";
        for name in ["diag", "diag-mips", package, "packages/mips_24kc/Packages", "packages/x86_64/a.apk"] {
            fs::write(path(name), name).unwrap();
        }
        fs::write(path("diag-mips64el"), "not released").unwrap();
        write(dist.path()).unwrap();
        // A second run finds what the first one wrote.
        write(dist.path()).unwrap();
        let check = ["--check", "--strict", "--quiet", SUMS];
        sh::run(Command::new("sha256sum").args(check).current_dir(dist.path())).unwrap();
        assert_eq!(fs::read_to_string(path(SUMS)).unwrap().lines().count(), 6);
        let sizes = fs::read_to_string(path(SIZES)).unwrap();
        assert_eq!(sizes.lines().count(), 4, "{sizes}");
        assert!(sizes.contains(&format!("| diag-mips | 9 | 29 |  | {} |", package.len())), "{sizes}");
        fs::write(path("diag"), "other").unwrap();
        let mut check = Command::new("sha256sum");
        let status = check.args(["--check", "--status", SUMS]).current_dir(dist.path()).status().unwrap();
        assert!(!status.success());
    }
}
