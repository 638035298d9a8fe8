//! A router's build where memory ends, on this computer: one line and status 2, from where the kernel starts it.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, Result};
use nix::sys::resource::{Resource, setrlimit};
use object::elf::EM_X86_64;

use crate::targets::Target;

/// KiB of RLIMIT_AS from which on a static program of that size starts, and speaks.
const LEAST: u64 = 512;
const STEPS: u64 = 64;
const MOST: u64 = 4096;
const LINE: &[u8] = b"diag: there is not enough memory\n";

/// A sentence for each limit that ends it otherwise; only where this computer runs it without an emulator, which has limits
/// of its own.
pub(super) fn faults(target: &Target, binary: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    if !(cfg!(target_arch = "x86_64") && target.e_machine == EM_X86_64) {
        return Ok(faults);
    }
    let mut lines = 0;
    for limit in (LEAST..MOST).step_by(usize::try_from(STEPS)?) {
        for arguments in [&["-q", "/bin/sh"][..], &["--json"]] {
            let output = limited(binary, limit, arguments)?;
            let is_line = output.status.code() == Some(2) && output.stderr == LINE;
            let is_report = matches!(output.status.code(), Some(0..=2)) && output.stderr.is_empty();
            lines += usize::from(is_line);
            if !(is_line || is_report && !output.stdout.is_empty()) {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                faults.push(format!("RLIMIT_AS of {limit} KiB, {arguments:?}: {}, {said:?}", output.status));
            }
        }
    }
    if lines == 0 {
        faults.push("no limit of memory was too low".to_owned());
    }
    Ok(faults)
}

fn limited(binary: &Path, kib: u64, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary);
    command.args(arguments);
    let set = move || setrlimit(Resource::RLIMIT_AS, kib << 10, kib << 10).map_err(io::Error::from);
    // SAFETY: one system call, before execve(2).
    unsafe { command.pre_exec(set) };
    command.output().context("start it")
}
