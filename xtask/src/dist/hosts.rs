//! The builds for computers without Linux, which judge for other machines: linked by zig, whose mingw and stubs of
//! libSystem are all that they need of these systems, and read back. Windows' runs under Wine (`cargo xtask check hosts`);
//! macOS's has run nowhere: no Mac took part.

mod macho;
mod pe;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::{build as builds, check};
use crate::{gates, sh, toolchain};

/// The first macOS for Apple's own processors.
const MACOS: &str = "11.0";

/// One binary for a computer without Linux.
pub(crate) struct Host {
    /// The file's name in `target/dist`.
    pub(crate) name: &'static str,
    triple: &'static str,
    /// zig's words for the same.
    zig: &'static [&'static str],
    form: Form,
}

/// How a program looks there.
#[derive(Clone, Copy)]
enum Form {
    Pe,
    MachO(object::macho::CpuType),
}

pub(crate) const WINDOWS: Host = Host {
    name: "diag-windows-x86_64.exe",
    triple: "x86_64-pc-windows-gnullvm",
    // The unwinder is named where a panic is printed.
    zig: &["-target", "x86_64-windows-gnu", "-l", "unwind"],
    form: Form::Pe,
};

pub(crate) const HOSTS: [Host; 3] = [
    WINDOWS,
    Host {
        name: "diag-macos-aarch64",
        triple: "aarch64-apple-darwin",
        zig: &["-target", "aarch64-macos.11.0-none"],
        form: Form::MachO(object::macho::CPU_TYPE_ARM64),
    },
    Host {
        name: "diag-macos-x86_64",
        triple: "x86_64-apple-darwin",
        zig: &["-target", "x86_64-macos.11.0-none"],
        form: Form::MachO(object::macho::CPU_TYPE_X86_64),
    },
];

/// Builds one; quick where nothing changed.
pub(crate) fn build(host: &Host) -> Result<PathBuf> {
    let binary = sh::target("dist")?.join(host.name);
    let _alone = sh::alone(&binary);
    let made = link(host)?;
    builds::write(&binary, &fs::read(&made).with_context(|| format!("read {}", made.display()))?)?;
    Ok(binary)
}

/// Builds one and reads it back; one sentence for each promise that it breaks.
pub(crate) fn checked(host: &Host) -> Result<Vec<String>> {
    let binary = build(host)?;
    let data = fs::read(&binary).with_context(|| format!("read {}", binary.display()))?;
    println!("{}: {} bytes", host.name, gates::thousands(data.len() as u64));
    let mut faults = check::paths(&data)?;
    faults.extend(match host.form {
        Form::Pe => pe::faults(&data)?,
        Form::MachO(processor) => macho::faults(&data, processor)?,
    });
    Ok(faults.into_iter().map(|fault| format!("{}: {fault}", host.name)).collect())
}

fn link(host: &Host) -> Result<PathBuf> {
    toolchain::rust_src()?;
    let dir = builds::target_dir("hosts", host.name)?;
    let mut cargo = builds::cargo(&dir);
    cargo.args(["build", "--quiet", "--release", "--locked", "--package", "diag", "--bin", "diag"]);
    cargo.args(["--target", host.triple, "--config", ".cargo/hosts.toml", "--config", &flags(host)?]);
    // rustc asks xcrun for Apple's SDK where neither is named.
    cargo.env("MACOSX_DEPLOYMENT_TARGET", MACOS).env("SDKROOT", toolchain::apple_stubs()?);
    toolchain::link_by_zig(&mut cargo, host.triple)?;
    sh::say(format!("{}: cargo build for {}", host.name, host.triple));
    sh::run(&mut cargo)?;
    let file = if matches!(host.form, Form::Pe) { "diag.exe" } else { "diag" };
    Ok(dir.join(host.triple).join("release").join(file))
}

/// The flags that belong to this computer and to zig, as a line of cargo's configuration.
fn flags(host: &Host) -> Result<String> {
    let mut flags: Vec<String> =
        host.zig.iter().chain(&["-s"]).map(|word| format!("-Clink-arg={word}")).collect();
    if matches!(host.form, Form::Pe) {
        // zig brings its own start-up objects.
        flags.push("-Clink-self-contained=no".to_owned());
    }
    flags.extend(builds::remap_registries()?);
    Ok(format!("target.{}.rustflags={flags:?}", host.triple))
}

/// Wine, as Debian has it: without a screen, in a folder of its own.
pub(crate) fn wine(program: &str) -> Result<Command> {
    let mut wine = Command::new(format!("{WINE}/{program}"));
    wine.env("WINEPREFIX", sh::target("wine")?).env("WINEDEBUG", "-all").env_remove("DISPLAY");
    Ok(wine)
}

/// Where Debian's package `wine64` has its programs.
pub(crate) const WINE: &str = "/usr/lib/wine";
