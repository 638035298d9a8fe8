//! Packages for OpenWrt: a build, wrapped for each architecture that runs it, in the format that its releases take, with
//! an index that makes the folder a feed. Same input, same bytes.

mod adb;
mod apk;
#[cfg(test)]
mod feed;
mod index;
mod ipk;
mod sums;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

pub(crate) use sums::write as write_sums;

use crate::openwrt::{self, ARCHITECTURES, Arch, Cover};
use crate::targets::TARGETS;
use crate::{gates, sh};
use apk::Apk;
use ipk::{Data, Ipk};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The builds in target/dist to wrap (diag-mips, diag-aarch64, ...); all that are there where none is named.
    names: Vec<String>,
    /// List the architectures of OpenWrt and what each gets.
    #[arg(long)]
    list: bool,
}

/// OpenWrt's number of a packaging of the same version.
const RELEASE: u32 = 1;

/// What is said of a package.
#[derive(Clone)]
pub(crate) struct Meta {
    pub(crate) name: String,
    /// Version and release, as in `0.1.0-r1`.
    pub(crate) version: String,
    pub(crate) arch: String,
    pub(crate) description: String,
    pub(crate) license: String,
    pub(crate) section: String,
    /// The project's home, where Cargo.toml names it.
    pub(crate) url: Option<String>,
    /// The time in the package, in seconds since 1970.
    pub(crate) epoch: u64,
}

/// A file of a package.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Without a slash in front.
    pub(crate) path: String,
    /// The permissions.
    pub(crate) mode: u32,
    pub(crate) data: Vec<u8>,
}

impl Entry {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

/// The folders of files, sorted; the first is the top, whose name is empty.
fn folders(files: &[Entry]) -> Vec<String> {
    let mut folders = BTreeSet::from([String::new()]);
    for file in files {
        for (slash, _) in file.path.match_indices('/') {
            folders.extend(file.path.get(..slash).map(str::to_owned));
        }
    }
    folders.into_iter().collect()
}

/// The files right in a folder, sorted.
fn files_in<'a>(files: &'a [Entry], folder: &str) -> Vec<&'a Entry> {
    let mut found: Vec<&Entry> = files.iter().filter(|file| file.folder() == folder).collect();
    found.sort_by(|one, other| one.name().cmp(other.name()));
    found
}

fn installed_size(files: &[Entry]) -> u64 {
    files.iter().map(|file| file.data.len() as u64).sum()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn main(args: &Args) -> Result<()> {
    if args.list {
        print!("{}", list());
        return Ok(());
    }
    wrap(&args.names)
}

/// Wraps builds in target/dist, all that are there where none is named; then sums and sizes of everything there.
pub(crate) fn wrap(names: &[String]) -> Result<()> {
    let dist = sh::target("dist")?;
    let builds =
        TARGETS.iter().map(|target| target.name).filter(|name| openwrt::of_build(name).next().is_some());
    let all = builds.filter(|build| dist.join(build).is_file()).map(str::to_owned).collect();
    let every = names.is_empty();
    let names = if every { all } else { names.to_vec() };
    if names.is_empty() {
        bail!("no build is in {}: cargo xtask dist makes them", dist.display());
    }
    let packages = dist.join("packages");
    if every && packages.exists() {
        // Those of an architecture that has no build any more would stay.
        fs::remove_dir_all(&packages).with_context(|| format!("remove {}", packages.display()))?;
    }
    for name in &names {
        let archs: Vec<&Arch> = openwrt::of_build(name).collect();
        if archs.is_empty() {
            bail!("no architecture of OpenWrt runs {name}");
        }
        for package in write(&dist.join(name), &archs, &packages)? {
            let size = fs::metadata(&package)?.len();
            println!("{}: {size} bytes", package.display());
            if let Some(fault) = gates::PACKAGE.fault(size) {
                bail!("{}: {fault}", package.display());
            }
        }
    }
    write_sums(&dist)
}

/// One line for each architecture, sorted: the formats and the build, or why there is none.
fn list() -> String {
    let line = |arch: &Arch| {
        let named = [(arch.takes_ipk(), "ipk"), (arch.takes_apk(), "apk")];
        let named: Vec<&str> = named.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect();
        let (Cover::Build(build) | Cover::Not(build)) = arch.cover;
        format!("{:26} {:8} {build}\n", arch.name, named.join(","))
    };
    ARCHITECTURES.iter().map(line).collect()
}

/// Wraps a binary for architectures: `out/ARCH/diag_VERSION_ARCH.ipk` and `out/ARCH/diag-VERSION.apk`, each with its
/// index. Gives the packages' paths.
pub(crate) fn write(binary: &Path, archs: &[&Arch], out: &Path) -> Result<Vec<PathBuf>> {
    let data = fs::read(binary).with_context(|| format!("read {}", binary.display()))?;
    let files = [Entry { path: "usr/bin/diag".to_owned(), mode: 0o755, data }];
    let about = about()?;
    let data = Data::new(&files, about.epoch)?;
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Vec<PathBuf>> {
        let mut written = Vec::new();
        while let Some(arch) = archs.get(next.fetch_add(1, Ordering::Relaxed)) {
            written.extend(write_for(arch, &about, &files, &data, out)?);
        }
        Ok(written)
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut written = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let results =
            workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?);
        results.collect::<Result<Vec<_>>>()
    })?
    .concat();
    written.sort();
    Ok(written)
}

/// The size of the largest package that a build becomes.
pub(crate) fn largest(binary: &Path, archs: &[&Arch]) -> Result<u64> {
    let scratch = tempfile::tempdir().context("create a folder for packages")?;
    let packages = write(binary, archs, scratch.path())?;
    let sizes =
        packages.iter().map(|package| Ok(fs::metadata(package)?.len())).collect::<Result<Vec<_>>>()?;
    sizes.into_iter().max().context("no architecture of OpenWrt takes this build")
}

/// The packages for one architecture.
fn write_for(arch: &Arch, about: &Meta, files: &[Entry], data: &Data, out: &Path) -> Result<Vec<PathBuf>> {
    let meta = Meta { arch: arch.name.to_owned(), ..about.clone() };
    let folder = out.join(arch.name);
    // Packages of another version would stay in the feed without being in its index.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let mut written = Vec::new();
    if arch.takes_ipk() {
        let ipk = Ipk::new(&meta, data)?;
        let name = format!("{}_{}_{}.ipk", meta.name, meta.version, meta.arch);
        let path = folder.join(&name);
        index::write(&path, &ipk.bytes)?;
        index::write_opkg(&folder, &[index::listed(&name, &ipk.control, &ipk.bytes)])?;
        written.push(path);
    }
    if arch.takes_apk() {
        let apk = Apk::new(&meta, files)?;
        let bytes = apk.bytes()?;
        let path = folder.join(format!("{}-{}.apk", meta.name, meta.version));
        index::write(&path, &bytes)?;
        index::write_apk(&folder, &[apk.row(meta, bytes.len())])?;
        written.push(path);
    }
    Ok(written)
}

/// What Cargo.toml says of diag, for no architecture yet.
fn about() -> Result<Meta> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--format-version", "1", "--no-deps", "--locked"]).current_dir(sh::root());
    let metadata: serde_json::Value = serde_json::from_str(&sh::output(&mut cargo)?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let diag =
        packages.iter().find(|package| package["name"] == "diag").context("there is no package diag")?;
    let text = |field: &str| {
        diag[field].as_str().map(str::to_owned).with_context(|| format!("Cargo.toml has no {field}"))
    };
    Ok(Meta {
        name: text("name")?,
        version: format!("{}-r{RELEASE}", text("version")?),
        arch: String::new(),
        description: text("description")?,
        license: text("license")?,
        section: "utils".to_owned(),
        url: home(diag),
        epoch: epoch()?,
    })
}

/// The project's home: `homepage`, else `repository`. One with a placeholder, as `@OWNER@` is, names nothing.
fn home(package: &serde_json::Value) -> Option<String> {
    let named = ["homepage", "repository"].into_iter().filter_map(|field| package[field].as_str());
    named.filter(|url| url.matches('@').count() < 2).map(str::to_owned).next()
}

/// `SOURCE_DATE_EPOCH`; else the time of the last commit; else 0, for there is no other that is the same everywhere.
pub(crate) fn epoch() -> Result<u64> {
    if let Ok(epoch) = std::env::var("SOURCE_DATE_EPOCH") {
        return epoch.parse().with_context(|| format!("SOURCE_DATE_EPOCH is {epoch}, no number of seconds"));
    }
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"]).current_dir(sh::root());
    let Some(output) = git.output().ok().filter(|output| output.status.success()) else {
        sh::say("no commit, no SOURCE_DATE_EPOCH: the packages are of 1970");
        return Ok(0);
    };
    String::from_utf8_lossy(&output.stdout).trim().parse().context("git names no time of the last commit")
}

#[cfg(test)]
mod tests;
