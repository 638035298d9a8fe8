//! Go of three of Debian's releases, unpacked but not installed, and what it builds.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::table::Arch;
use crate::{debian, samples, sh};

/// Debian's Go of a release.
pub(super) struct Release {
    pub(super) suite: &'static str,
    /// The 19 of "go1.19".
    pub(super) minor: u8,
}

/// A program, and what it was built by.
pub(super) struct Program {
    pub(super) minor: u8,
    pub(super) level: &'static str,
    pub(super) path: PathBuf,
}

impl Program {
    /// `go1.19-v2`.
    pub(super) fn name(&self) -> String {
        name(self.minor, self.level)
    }
}

fn name(minor: u8, level: &str) -> String {
    format!("go1.{minor}-{}", if level.is_empty() { "default" } else { level })
}

/// What a release builds for an architecture, of each level that it has.
pub(super) fn programs(release: &Release, arch: &Arch) -> Result<Vec<Program>> {
    let all = arch.levels(release).map(|level| {
        let path = program(release, arch, level).with_context(|| {
            format!("Go 1.{}, GOARCH={} {}={level}", release.minor, arch.goarch, arch.variable)
        })?;
        Ok(Program { minor: release.minor, level, path })
    });
    all.collect()
}

fn program(release: &Release, arch: &Arch, level: &str) -> Result<PathBuf> {
    let minor = release.minor;
    let root = root(release)?;
    let dir = sh::target("go/programs")?.join(format!("{}-{}", arch.goarch, name(minor, level)));
    let dir = sh::build_dir(&dir, |new| {
        sh::say(format!("Go 1.{minor}: hello for {} {}", arch.goarch, level));
        let source = new.join("hello.go");
        fs::write(&source, samples::hello_source())?;
        // Nothing of it is of use to another level.
        let cache = tempfile::tempdir().context("create a folder for Go's cache")?;
        let mut go = Command::new(root.join("bin/go"));
        go.args(["build", "-trimpath", "-o"]).arg(new.join("hello")).arg(source);
        go.env("GOCACHE", cache.path()).env("GOROOT", &root).env("GOARCH", arch.goarch);
        for variable in VARIABLES {
            go.env_remove(variable);
        }
        if !level.is_empty() {
            go.env(arch.variable, level);
        }
        go.envs([("GO111MODULE", "off"), ("CGO_ENABLED", "0"), ("GOOS", "linux"), ("GOENV", "off")]);
        sh::quiet(go.env("GOTOOLCHAIN", "local").env("GOPATH", cache.path().join("path")))
    })?;
    Ok(dir.join("hello"))
}

/// What else would change what is built.
const VARIABLES: [&str; 10] = [
    "GOFLAGS",
    "GOARM",
    "GO386",
    "GOAMD64",
    "GOARM64",
    "GOMIPS",
    "GOMIPS64",
    "GOPPC64",
    "GORISCV64",
    "GOEXPERIMENT",
];

/// GOROOT.
fn root(release: &Release) -> Result<PathBuf> {
    let (suite, version) = (release.suite, format!("1.{}", release.minor));
    let packages = [format!("golang-{version}-go"), format!("golang-{version}-src")];
    let folder = debian::fetch_from(suite, &packages.each_ref().map(String::as_str))
        .with_context(|| format!("Go {version} cannot be had, nothing of it was tried"))?;
    Ok(folder.join(format!("usr/lib/go-{version}")))
}
