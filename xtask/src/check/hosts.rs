//! Computers without Linux: their builds are made and read back, and Windows' says under Wine, byte by byte, what the build for
//! this computer says of the same machines and programs.

use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use oracle::tally::Tally;
use testkit::abi::ABIS;
use testkit::elf::Elf;
use wait_timeout::ChildExt as _;

use super::Job;
use crate::dist::hosts::{self, HOSTS, WINDOWS};
use crate::{cores, host, sh};

const RELEASES: &str = include_str!("../../../tests/fixtures/release-files.tsv");
/// Whom `--targets` knows.
const KINDS: [&str; 7] = ["go", "rust", "zig", "gcc", "openwrt", "debian", "docker"];
/// Machines by name: of several, of none, of one with and without a release.
const NAMES: [&str; 8] = [
    "y1",
    "lenovo_newifi-y1@22.03",
    "lenovo_newifi-y1@19.07",
    "mips_24kc",
    "x86/64",
    "TP-Link Archer C7 v5",
    "archer",
    "lenovo y7",
];

/// For one answer. Under Wine on a busy computer it takes some seconds.
const LIMIT: Duration = Duration::from_secs(120);

pub(super) fn jobs() -> Vec<Job<'static>> {
    vec![
        Box::new(|| {
            super::tally("builds for computers without Linux", |tally| {
                for faults in cores::each(&HOSTS, hosts::checked) {
                    tally.holds(faults.and_then(|faults| none(&faults)));
                }
                Ok(())
            })
        }),
        Box::new(|| super::tally("Windows, by Wine", windows)),
    ]
}

fn none(faults: &[String]) -> Result<()> {
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("; ")) }
}

/// Two builds at work in one folder.
struct Both {
    here: PathBuf,
    windows: PathBuf,
    folder: PathBuf,
}

fn windows(tally: &mut Tally) -> Result<()> {
    host::ensure(&[(&format!("{}/wine64", hosts::WINE), "wine64")])?;
    let folder = tempfile::tempdir().context("create a folder for programs")?;
    let both = Both {
        windows: hosts::build(&WINDOWS)?,
        here: super::build_for_this_computer()?,
        folder: folder.path().to_path_buf(),
    };
    sh::say("Wine: a folder of its own in target/wine");
    // A server that ends with its last client ends while the next one comes.
    sh::run(silent(hosts::wine("wineserver64")?.arg("--persistent")))?;
    sh::run(silent(hosts::wine("wine64")?.args(["wineboot", "--init"])))?;
    let compared = compare(&both, tally);
    let mut server = hosts::wine("wineserver64")?;
    let _ = server.arg("--kill").status();
    compared
}

fn silent(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

fn compare(both: &Both, tally: &mut Tally) -> Result<()> {
    let machines = machines(&both.folder)?;
    let programs = programs(&both.folder)?;
    let programs: Vec<&str> = programs.iter().map(String::as_str).collect();
    let names: Vec<&str> = RELEASES.lines().skip(1).filter_map(|line| line.split('\t').nth(1)).collect();
    let listed = names.join("\n");
    for machine in machines.iter().map(String::as_str).chain(NAMES) {
        let mut same = |arguments: &[&str], stdin: &str| {
            both.same(&[&["--on", machine], arguments].concat(), stdin.as_bytes(), tally)
        };
        for kind in KINDS {
            same(&["--targets", kind], "")?;
        }
        for arguments in [&[][..], &["-v"], &["--json"]] {
            same(arguments, "")?;
            same(&[arguments, &programs].concat(), "")?;
        }
        same(&[&["-q", "--dest", "/tmp"], &programs[..]].concat(), "")?;
        same(&[&["--pick"], names.get(..60).unwrap_or(&names)].concat(), "")?;
        same(&["--pick", "-q", "-"], &listed)?;
        same(&["--pick", "--json", "-"], &listed)?;
    }
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["--completions", "bash"],
        &["--nothing"],
        &["--on"],
        &["--on", "list", "newifi"],
        &["--on", "list", "no such machine"],
        &["--on", "all", "--require", "mips_24kc,y1", "mips", "mipsel"],
        &["--on", "all", "--json", "mips", "mipsel"],
    ] {
        both.same(arguments, b"", tally)?;
    }
    // By either separator it is the same file.
    let [slash, backslash] =
        ["mips", r"folder\mips"].map(|path| both.on_windows(&["--on", "y1", "-q", path], b""));
    let renamed = String::from_utf8_lossy(&backslash?.stdout).replace("folder/mips", "mips");
    tally.check(renamed.as_bytes() == slash?.stdout, || format!(r"folder\mips: {renamed}"));
    for arguments in [&["mips"][..], &[], &["--record"], &["--pick", "a"], &["--targets", "go"]] {
        let output = both.on_windows(arguments, b"")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_refused = output.status.code() == Some(2) && output.stdout.is_empty();
        tally.check(is_refused && said.lines().count() == 1 && said.contains("--on MACHINE"), || {
            format!("{arguments:?}: {output:?}")
        });
    }
    Ok(())
}

impl Both {
    /// The same words and the same status.
    fn same(&self, arguments: &[&str], stdin: &[u8], tally: &mut Tally) -> Result<()> {
        let here = self.run(Command::new(&self.here).args(arguments), stdin)?;
        let there = self.on_windows(arguments, stdin)?;
        let is_same = here.stdout == there.stdout
            && here.stderr == there.stderr
            && here.status.code() == there.status.code();
        tally.check(is_same, || {
            let lines = |output: &Output| -> Vec<String> {
                let text = [&output.stdout[..], &output.stderr].concat();
                let status = format!("status {:?}", output.status.code());
                String::from_utf8_lossy(&text).lines().map(str::to_owned).chain([status]).collect()
            };
            let (here, there) = (lines(&here), lines(&there));
            let differ = here.iter().zip(&there).find(|(one, other)| one != other);
            format!(
                "{arguments:?}: here and on Windows {differ:?}, of {} and {} lines",
                here.len(),
                there.len()
            )
        });
        Ok(())
    }

    fn on_windows(&self, arguments: &[&str], stdin: &[u8]) -> Result<Output> {
        self.run(hosts::wine("wine64")?.arg(&self.windows).args(arguments), stdin)
    }

    /// By way of files: a pipe would end with Wine's own services, which inherit it and stay.
    fn run(&self, command: &mut Command, stdin: &[u8]) -> Result<Output> {
        let file = || tempfile::tempfile().context("create a file");
        let (mut input, mut stdout, mut stderr) = (file()?, file()?, file()?);
        input.write_all(stdin)?;
        input.rewind()?;
        command
            .current_dir(&self.folder)
            .stdin(input)
            .stdout(stdout.try_clone()?)
            .stderr(stderr.try_clone()?);
        let mut child = command.spawn().with_context(|| format!("start {:?}", command.get_program()))?;
        let status = child.wait_timeout(LIMIT).context("wait for diag")?;
        let Some(status) = status else {
            child.kill()?;
            child.wait()?;
            bail!("no answer in {LIMIT:?}: {command:?}");
        };
        let content = |file: &mut fs::File| -> Result<Vec<u8>> {
            let mut content = Vec::new();
            file.rewind()?;
            file.read_to_end(&mut content)?;
            Ok(content)
        };
        Ok(Output { status, stdout: content(&mut stdout)?, stderr: content(&mut stderr)? })
    }
}

/// Those of machines/ as archives, and as folders with the files that are no links; their names in the folder.
fn machines(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(sh::root().join("machines"))? {
        let machine = entry?.path();
        let name = machine.file_name().context("no name")?.to_string_lossy().into_owned();
        let mut builder = tar::Builder::new(fs::File::create(folder.join(format!("{name}.tar")))?);
        builder.follow_symlinks(false);
        builder.append_dir_all(".", &machine)?;
        builder.finish()?;
        let mut copy = Command::new("cp");
        let copied = format!("{name}.folder");
        sh::run(copy.arg("-r").arg(&machine).arg(folder.join(&copied)))?;
        sh::run(Command::new("find").arg(folder.join(&copied)).args(["-type", "l", "-delete"]))?;
        names.extend([format!("{name}.tar"), copied]);
    }
    names.sort();
    Ok(names)
}

/// Programs of all kinds, and what is none; their names in the folder.
fn programs(folder: &Path) -> Result<Vec<String>> {
    let loader = |elf: Elf| elf.interp("/lib/ld-musl-mipsel-sf.so.1").needed("libc.so");
    let mut files: Vec<(String, Vec<u8>)> =
        ABIS.iter().map(|abi| (abi.name.to_owned(), Elf::new(*abi).build())).collect();
    for (name, bytes) in [
        ("dynamic", loader(Elf::of("mipsel")).build()),
        ("go", Elf::of("mipsel").go().build()),
        ("a name with blanks", Elf::of("mips").build()),
        ("größe", Elf::of("arm").build()),
        ("script", b"#!/bin/bash\necho\n".to_vec()),
        ("script of nobody", b"#!/usr/bin/env nothing\r\n".to_vec()),
        ("page", b"<!DOCTYPE html>\n<html></html>\n".to_vec()),
        ("empty", Vec::new()),
        ("cut", Elf::of("mipsel").build().into_iter().take(40).collect()),
        ("big", [Elf::of("mipsel").build(), vec![0x5a; 24 << 20]].concat()),
        ("folder/mips", Elf::of("mips").build()),
    ] {
        files.push((name.to_owned(), bytes));
    }
    fs::create_dir(folder.join("folder"))?;
    for (name, bytes) in &files {
        fs::write(folder.join(name), bytes).with_context(|| format!("write {name}"))?;
    }
    let mut names: Vec<String> = files.into_iter().map(|(name, _)| name).collect();
    // Not a path that leads through a file: Windows has no ENOTDIR.
    names.extend(["folder", "nothing", "folder/nothing"].map(str::to_owned));
    Ok(names)
}
