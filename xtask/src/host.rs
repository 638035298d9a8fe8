//! Programs that this computer must have: Debian packages, installed when they are missing.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::sh;

/// A program (looked up in PATH, or a file when the name is absolute) and the Debian package that brings it.
pub(crate) type Need<'a> = (&'a str, &'a str);

/// Installs the packages of the programs that are missing. Says what it installs; fails with the command to
/// run by hand where it may not.
pub(crate) fn ensure(needs: &[Need<'_>]) -> Result<()> {
    let missing: Vec<&str> = needs
        .iter()
        .filter(|(program, _)| {
            if program.starts_with('/') {
                !std::path::Path::new(program).exists()
            } else {
                !sh::on_path(program)
            }
        })
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

/// Installs Debian packages, where this process may.
pub(crate) fn install(missing: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install {}", missing.join(" "));
    if !nix_is_root()? || !sh::on_path("apt-get") {
        bail!("missing programs; as root: {by_hand}");
    }
    // apt does not wait for another of itself.
    let _alone = sh::alone(std::path::Path::new("apt-get"));
    sh::say(&by_hand);
    let apt = |args: &[&str]| -> Result<()> {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        // Another apt may be at work; and stdout is for what a task has to say.
        command.args(["-qq", "-o", "DPkg::Lock::Timeout=300"]).args(args).stdout(std::io::stderr());
        sh::run(&mut command)
    };
    apt(&["update"])?;
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(missing);
    apt(&install).with_context(|| by_hand.clone())
}

fn nix_is_root() -> Result<bool> {
    Ok(sh::output(Command::new("id").arg("-u"))?.trim() == "0")
}
