//! QEMU, for a bounded time.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::machine::Wires;
use super::{Kernel, Run};
use crate::host;

/// What the three wires brought.
pub(super) struct Brought {
    /// The commands' output.
    pub(super) output: Vec<u8>,
    /// Their status, then an archive of /tmp/out.
    pub(super) results: Vec<u8>,
    /// The kernel's messages, and the lab's own complaints.
    pub(super) console: String,
}

/// The time was over before the commands were.
#[derive(Debug)]
pub(crate) struct TimedOut {
    limit: Duration,
    console: String,
}

impl std::fmt::Display for TimedOut {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let limit = self.limit.as_secs();
        write!(to, "the lab was stopped: its {limit} s were over before the commands were")?;
        if self.console.is_empty() { Ok(()) } else { write!(to, "; its console:\n{}", self.console) }
    }
}

impl std::error::Error for TimedOut {}

/// A child that does not outlive its owner.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Boots until the guest switches itself off; hands the commands' output to `live` as it comes.
pub(super) fn boot(run: &Run, initramfs: &Path, live: &mut (dyn Write + Send)) -> Result<Brought> {
    let dir = initramfs.parent().unwrap_or(Path::new("."));
    let (console, results, errors) = (dir.join("console"), dir.join("results"), dir.join("errors"));
    let mut command = command(run, initramfs, &console, &results)?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(fs::File::create(&errors)?);
    let mut qemu = Guard(command.spawn().context("start QEMU")?);
    let from = qemu.0.stdout.take().context("QEMU without an output")?;
    let (status, output) = thread::scope(|scope| -> Result<_> {
        let reader = scope.spawn(move || copy(from, live));
        let status = wait(&mut qemu.0, run.timeout)?;
        let output = reader.join().ok().context("the reader of QEMU's output failed")??;
        Ok((status, output))
    })?;
    let console = String::from_utf8_lossy(&fs::read(&console).unwrap_or_default()).replace('\r', "");
    match status {
        None => Err(TimedOut { limit: run.timeout, console }.into()),
        Some(true) => Ok(Brought { output, results: fs::read(&results)?, console }),
        Some(false) => bail!("QEMU failed: {}", fs::read_to_string(&errors)?.trim()),
    }
}

/// The name of the QEMU that a kernel runs on; installs it where it is missing.
pub(super) fn install(kernel: Kernel) -> Result<String> {
    let machine = kernel.machine();
    let program = format!("qemu-system-{}", machine.qemu);
    host::ensure(&[(&program, machine.package)])?;
    Ok(program)
}

fn command(run: &Run, initramfs: &Path, console: &Path, results: &Path) -> Result<Command> {
    let machine = run.kernel.machine();
    let program = install(run.kernel)?;
    let mut command = Command::new("setpriv"); // so that QEMU dies with us, whatever we die of
    command.args(["--pdeathsig", "KILL", &program, "-M", machine.board, "-cpu", &run.cpu, "-no-reboot"]);
    command.args(["-m", &run.memory.to_string(), "-kernel"]).arg(run.kernel.file()?);
    command.arg("-initrd").arg(initramfs).args(["-append", &format!("console={} {APPEND}", machine.console)]);
    command.args(["-display", "none", "-vga", "none", "-nic", "none", "-monitor", "none"]);
    command.arg("-serial").arg(wire("file:", console));
    // As a file: QEMU's own "stdio" counts as unplugged once there is nothing to read.
    command.args(["-chardev", "file,id=output,path=/dev/stdout"]);
    command.arg("-chardev").arg(wire("file,id=results,path=", results));
    match machine.wires {
        Wires::Serial => command.args(["-serial", "chardev:output", "-serial", "chardev:results"]),
        Wires::Virtio(bus) => command.args(["-device", &format!("virtio-serial-{bus}")]).args([
            "-device",
            "virtserialport,chardev=output",
            "-device",
            "virtserialport,chardev=results",
        ]),
    };
    Ok(command)
}

/// 12 MiB of flash in blocks of 64 KiB; after a panic no second try.
const APPEND: &str = "rdinit=/init quiet panic=-1 mtdram.total_size=12288 mtdram.erase_size=64";

/// QEMU's words for a wire that ends in a file.
fn wire(start: &str, file: &Path) -> PathBuf {
    let mut wire = std::ffi::OsString::from(start);
    wire.push(file);
    wire.into()
}

/// Whether QEMU ended well; nothing when the time was over, and it was killed.
fn wait(qemu: &mut Child, limit: Duration) -> Result<Option<bool>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = qemu.try_wait()? {
            return Ok(Some(status.success()));
        }
        if Instant::now() >= end {
            qemu.kill()?;
            qemu.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn copy(mut from: impl Read, live: &mut (dyn Write + Send)) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = from.read(&mut buffer)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else { return Ok(all) };
        all.extend_from_slice(part);
        live.write_all(part).and_then(|()| live.flush()).context("pass the commands' output on")?;
    }
}
