//! A processor of qemu-user for programs of Go.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::build::Program;
use super::table::Arch;
use crate::check::machine::Machine;
use crate::sh;

/// A processor.
pub(super) struct Cpu {
    pub(super) arch: &'static Arch,
    /// `-cpu`.
    pub(super) name: &'static str,
    machine: Machine,
}

/// What a program does on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ran {
    Hello,
    Signal(i32),
    /// With a status, and this line.
    Exits(i32, String),
}

impl Cpu {
    /// All of an architecture.
    pub(super) fn all(arch: &'static Arch) -> Result<Vec<Self>> {
        let of = |name: &&'static str| {
            Ok(Cpu { arch, name, machine: Machine::emulated(arch.qemu, name, arch.zig)? })
        };
        arch.cpus.iter().map(of).collect()
    }

    /// Runs a program.
    pub(super) fn run(&self, program: &Path) -> Result<Ran> {
        let output = self.machine.command(program).output().context("start QEMU")?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() && output.stdout.starts_with(b"hello from go") {
            return Ok(Ran::Hello);
        }
        // QEMU warns of what it leaves out of a processor.
        let first = said.lines().find(|line| !line.starts_with("qemu-")).unwrap_or_default().to_owned();
        Ok(match (output.status.signal(), output.status.code()) {
            (Some(signal), _) => Ran::Signal(signal),
            (_, Some(status)) => Ran::Exits(status, first),
            _ => bail!("{}: {}", program.display(), output.status),
        })
    }

    /// Makes the recorded machine, with these programs in its /tmp.
    pub(super) fn record(&self, programs: &[Program]) -> Result<PathBuf> {
        let folder = sh::target("go/machines")?.join(format!("{}-{}", self.arch.goarch, self.name));
        if folder.is_dir() {
            fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
        }
        for name in ["bin", "tmp"] {
            fs::create_dir_all(folder.join(name))?;
        }
        self.machine.record(&folder)?;
        // A program of the machine's own, which tells what runs there.
        copy(self.machine.facts(), &folder.join("bin/sh"))?;
        for program in programs {
            copy(&program.path, &folder.join("tmp").join(program.name()))?;
        }
        Ok(folder)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .with_context(|| format!("copy {}", from.display()))?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o755))?)
}
