//! The router builds: small static binaries that run on a bare router, checked for what they promise. The same for
//! other machines, without a promise about the size; and for computers without Linux, which judge for others.

mod build;
mod bytes;
mod check;
mod code;
mod explain;
pub(crate) mod hosts;
mod launcher;
mod memory;
mod mips;
mod powerpc;
mod reproducible;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use diag::args::script;
use hosts::{HOSTS, Host};

use crate::openwrt::{ARCHITECTURES, Cover};
use crate::targets::{TARGETS, Target};
use crate::{cores, package, sh};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The binaries to build (diag-mips, diag-macos-aarch64, ...); the routers', Windows' and macOS's where none is named.
    names: Vec<String>,
    /// Check instead that the same sources in another folder become the same bytes.
    #[arg(long)]
    check_reproducible: bool,
    /// Check instead that the one file runs in BusyBox ash on every machine, in want of space and memory too.
    #[arg(long)]
    check_launcher: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    if args.check_reproducible {
        return reproducible::check(&args.names);
    }
    if args.check_launcher {
        // Of the builds that are there.
        launcher::make()?;
        println!("{}", launcher_check()?);
        return Ok(());
    }
    let names: Vec<&str> = args.names.iter().map(String::as_str).collect();
    if names.is_empty() {
        return release(&[]);
    }
    let (hosts, targets): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| host(name).is_some());
    let mut faults = checked_hosts(&hosts.into_iter().filter_map(host).collect::<Vec<_>>())?;
    if !targets.is_empty() {
        faults.extend(checked(&select(&targets)?)?);
    }
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n       ")) }
}

/// Builds the named ones (all routers', Windows' and macOS's where none is) with their checks, and makes of them what is
/// released: the one file, the packages, the manual page, the completions, sums and sizes.
pub(crate) fn release(names: &[&str]) -> Result<()> {
    let targets = select(names)?;
    let hosts: Vec<&Host> = HOSTS.iter().filter(|_| names.is_empty()).collect();
    // A router's build of other sources would get into it as well.
    for target in TARGETS.iter().filter(|target| target.router) {
        let file = sh::target("dist")?.join(target.name);
        if file.exists() && !targets.iter().any(|other| other.name == target.name) {
            fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
        }
    }
    // What was built for them before is of other sources as well.
    for file in HOSTS.iter().map(|host| sh::target("dist").map(|dist| dist.join(host.name))) {
        let file = file?;
        if file.exists() && hosts.is_empty() {
            fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
        }
    }
    let mut faults = checked(&targets)?;
    faults.extend(checked_hosts(&hosts)?);
    println!("{}", launcher::make()?);
    manual()?;
    completions()?;
    package::wrap(&[])?;
    for arch in &ARCHITECTURES {
        if let Cover::Not(reason) = arch.cover {
            println!("OpenWrt's {}: no build: {reason}", arch.name);
        }
    }
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n       ")) }
}

/// Builds, says of each where its bytes are, and gives the promises that are broken.
fn checked(targets: &[&Target]) -> Result<Vec<String>> {
    let checked = cores::each(targets, |target| -> Result<Vec<String>> {
        let built = build::build(target)?;
        let (cost, mut faults) = check::cost(target, &built.binary)?;
        print!("{cost}\n{}", bytes::report(&built)?);
        faults.extend(check::faults(target, &built)?);
        Ok(faults)
    });
    Ok(checked.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

fn checked_hosts(hosts: &[&Host]) -> Result<Vec<String>> {
    let checked = cores::each(hosts, |host| hosts::checked(host));
    Ok(checked.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

/// The build of that name for a computer without Linux.
fn host(name: &str) -> Option<&'static Host> {
    HOSTS.iter().find(|host| host.name == name)
}

/// The manual page, beside what it is of.
fn manual() -> Result<()> {
    let (from, to) = (sh::root().join("docs/diag.1"), sh::target("dist")?.join("diag.1"));
    fs::copy(&from, &to).map(drop).with_context(|| format!("copy {} to {}", from.display(), to.display()))
}

/// What has shells complete the options, under the names that their folders of such have.
fn completions() -> Result<()> {
    let folder = sh::target("dist")?.join("completions");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    for (shell, name) in [("bash", "diag"), ("zsh", "_diag"), ("fish", "diag.fish")] {
        let to = folder.join(name);
        fs::write(&to, script(shell)).with_context(|| format!("write {}", to.display()))?;
    }
    Ok(())
}

/// Builds one of them in another folder, too: the same bytes.
pub(crate) fn reproducible_check() -> Result<()> {
    reproducible::check(&["diag-mips".to_owned()])
}

/// Runs the one file that is there in BusyBox ash, as every machine that it is for, and on machines in trouble; gives the
/// counts.
pub(crate) fn launcher_check() -> Result<String> {
    launcher::check()
}

/// Builds the named binaries (the routers' where `names` is empty) without checks or report; gives their paths in the
/// order of the names. Quick where nothing changed.
pub(crate) fn build(names: &[&str]) -> Result<Vec<PathBuf>> {
    select(names)?.into_iter().map(|target| Ok(build::build(target)?.binary)).collect()
}

/// A computer's build for a router's machine, by the name of the router's.
pub(crate) fn of_every_machine(name: &str) -> Result<PathBuf> {
    build::of_every_machine(select(&[name])?.first().context("a target")?)
}

/// zig's words for the machine that the binary of this name is for, its C library included.
pub(crate) fn zig_flags(name: &str) -> Result<&'static [&'static str]> {
    Ok(select(&[name])?.pop().map_or(&[], |target| target.zig))
}

fn select(names: &[&str]) -> Result<Vec<&'static Target>> {
    if names.is_empty() {
        return Ok(TARGETS.iter().filter(|target| target.router).collect());
    }
    let all = || {
        let names = TARGETS.iter().map(|target| target.name).chain(HOSTS.iter().map(|host| host.name));
        names.collect::<Vec<_>>().join(", ")
    };
    let find = |name: &&str| {
        let found = TARGETS.iter().find(|target| target.name == *name);
        found.with_context(|| format!("no target {name}; there are {}", all()))
    };
    names.iter().map(find).collect()
}
