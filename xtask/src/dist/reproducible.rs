//! Whether the same sources in another folder become the same bytes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{package, sh};

/// Builds the named ones here and in a copy of what git tracks; everything in target/dist where none is named.
pub(super) fn check(names: &[String]) -> Result<()> {
    let copy = sh::target("reproducible")?.join("a copy in a folder with a longer name");
    if copy.exists() {
        fs::remove_dir_all(&copy).with_context(|| format!("remove {}", copy.display()))?;
    }
    copy_sources(&copy)?;
    fs::create_dir_all(copy.join("target"))?;
    symlink(sh::target("tools")?, copy.join("target/tools"))?;
    let epoch = package::epoch()?.to_string();
    for folder in [&sh::root(), &copy] {
        let mut cargo = Command::new("cargo");
        cargo.args(["run", "--quiet", "--locked", "--package", "xtask", "--", "dist"]).args(names);
        cargo.current_dir(folder).env("SOURCE_DATE_EPOCH", &epoch);
        if folder == &copy {
            cargo.env_remove("CARGO_TARGET_DIR");
        }
        sh::run(&mut cargo)?;
    }
    compare(names, &sh::target("dist")?, &copy.join("target/dist"))?;
    fs::remove_dir_all(&copy).with_context(|| format!("remove {}", copy.display()))
}

fn compare(names: &[String], here: &Path, there: &Path) -> Result<()> {
    let all: Vec<String> = match names {
        [] => vec!["diag".to_owned(), "SHA256SUMS".to_owned()],
        names => names.to_vec(),
    };
    for name in &all {
        let [one, other] = [here, there].map(|dist| fs::read(dist.join(name)));
        ensure!(one? == other?, "{name} is not the same from another folder");
        println!("{name}: the same bytes from another folder");
    }
    Ok(())
}

fn copy_sources(to: &Path) -> Result<()> {
    let list = sh::output(Command::new("git").args(["ls-files", "-z"]).current_dir(sh::root()))?;
    for name in list.split_terminator('\0') {
        let (from, to) = (sh::root().join(name), to.join(name));
        fs::create_dir_all(to.parent().context("a file in no folder")?)?;
        fs::copy(&from, &to).with_context(|| format!("copy {}", from.display()))?;
    }
    Ok(())
}
