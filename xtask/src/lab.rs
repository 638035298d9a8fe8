//! The lab: a router in QEMU, as far as starting programs goes. A real MIPS kernel, a real BusyBox ash, and a
//! root laid out like OpenWrt's: `/dev/root /rom squashfs`, 12 MB of jffs2 on /overlay with 10.6 MB free, both
//! as an overlay on /, tmpfs on /tmp, a tmpfs without exec on /dev; OpenWrt's identity files, the BusyBox
//! applets of a stock image, and a soft-float musl under its loader's name.
//!
//! `mips-5.10` and `mipsel-5.10` are the same with the kernel of OpenWrt 22.03. On `mipsel-fpu` (Debian's
//! kernel, with FPU support) the writable part is a tmpfs, as on a router whose flash is not ready.
//!
//! On `mips64el` the same root's 32-bit programs run on a 64-bit kernel. Kernels of other architectures than
//! MIPS have no router's root, but Debian's static BusyBox in an initramfs (`lab/plain.sh`).
//!
//! The guest's side is `lab/init.sh` (in the initramfs), `lab/boot.sh` (in the root) and `lab/run.sh` (in
//! both). The kernel speaks on the first wire, the commands on the second, and the third brings their status
//! and whatever they left in /tmp/out: so nothing needs quoting, and no kernel message gets between.

pub(crate) mod busybox;
mod cc;
mod cpio;
mod initramfs;
mod kernel;
mod machine;
mod modules;
pub(crate) mod musl;
mod qemu;
mod root;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

pub(crate) use kernel::Kernel;
pub(crate) use qemu::TimedOut;

use crate::scratch::Scratch;
use crate::sh;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long, value_enum, default_value = "mipsel")]
    kernel: Kernel,
    /// QEMU's name of the CPU: for MIPS 24Kc (the default), 24Kf (FPU), 74Kf (DSP), M14Kc (microMIPS)
    #[arg(long)]
    cpu: Option<String>,
    /// Memory in MiB; 256 at most for MIPS
    #[arg(long, value_parser = clap::value_parser!(u32).range(32..))]
    memory: Option<u32>,
    /// Seconds until the lab is switched off; the status is then 124
    #[arg(long, default_value_t = 120)]
    timeout: u64,
    /// A file or folder to copy to /tmp, or to GUEST (an absolute name)
    #[arg(long = "file", value_name = "FILE[:GUEST]")]
    files: Vec<String>,
    /// Where to put what the commands leave in /tmp/out
    #[arg(long, value_name = "DIR")]
    pull: Option<PathBuf>,
    /// What ash runs, in /tmp
    #[arg(last = true, required = true)]
    commands: Vec<String>,
}

/// One boot.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) kernel: Kernel,
    /// QEMU's name of the CPU; 24Kc has no FPU.
    pub(crate) cpu: String,
    /// MiB. Half of it is /tmp's limit.
    pub(crate) memory: u32,
    pub(crate) files: Vec<Copy>,
    /// For `ash -c`, in /tmp. Longer ones than 100 kB belong into a file.
    pub(crate) commands: String,
    /// Of the whole boot.
    pub(crate) timeout: Duration,
}

/// A file or folder of this computer that is copied into the guest, with modes, links and FIFOs.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) from: PathBuf,
    /// Its absolute name in the guest.
    pub(crate) to: String,
    /// The id of its user and group there.
    pub(crate) owner: u32,
}

impl Run {
    /// On the kernel's usual CPU (a 24Kc where it is for MIPS) and memory, for two minutes.
    pub(crate) fn new(kernel: Kernel, commands: impl Into<String>) -> Self {
        let machine = kernel.machine();
        let (cpu, timeout) = (machine.cpu.to_owned(), Duration::from_secs(120));
        Self { kernel, cpu, memory: machine.memory, files: Vec::new(), commands: commands.into(), timeout }
    }

    /// Copies a file or a folder into the guest's /tmp, under its own name.
    pub(crate) fn file(mut self, file: impl AsRef<Path>) -> Self {
        let file = file.as_ref();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        self.files.push(Copy { from: file.to_path_buf(), to: format!("/tmp/{name}"), owner: 0 });
        self
    }
}

/// What came of it.
pub(crate) struct Ran {
    /// The commands' exit status.
    pub(crate) status: i32,
    /// What they wrote to stdout and stderr, byte for byte.
    pub(crate) output: Vec<u8>,
    /// The files they left in /tmp/out, by their names there.
    pub(crate) pulled: BTreeMap<String, Vec<u8>>,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    let mut run = Run::new(args.kernel, args.commands.join(" "));
    run.cpu = args.cpu.clone().unwrap_or(run.cpu);
    run.memory = args.memory.unwrap_or(run.memory);
    run.timeout = Duration::from_secs(args.timeout);
    for file in &args.files {
        run = match file.split_once(":/") {
            Some((from, to)) => {
                run.files.push(Copy { from: from.into(), to: format!("/{to}"), owner: 0 });
                run
            }
            None => run.file(file),
        };
    }
    match run_showing(&run, &mut io::stdout()) {
        Ok(ran) => {
            if let Some(dir) = &args.pull {
                save(&ran.pulled, dir)?;
            }
            // The task's status is the commands' status.
            if ran.status == 0 { Ok(()) } else { std::process::exit(ran.status) }
        }
        Err(error) if error.is::<TimedOut>() => {
            sh::say(error.to_string());
            std::process::exit(124)
        }
        Err(error) => Err(error),
    }
}

/// Boots, runs the commands, switches off. A run that was not over in time fails with [`TimedOut`].
pub(crate) fn run(run: &Run) -> Result<Ran> {
    run_showing(run, &mut io::sink())
}

/// The same, with the commands' output passed on as it comes.
pub(crate) fn run_showing(run: &Run, live: &mut (dyn Write + Send)) -> Result<Ran> {
    // The kernel takes no argument of a program longer than 128 KiB.
    anyhow::ensure!(
        run.commands.len() < 100_000,
        "commands of {} bytes: put them into a file",
        run.commands.len()
    );
    let dir = Scratch::open("boot")?;
    let file = dir.path().join("initramfs");
    let mut entries = initramfs::own(run.kernel, &run.commands)?;
    entries.extend(initramfs::files(&run.files)?);
    fits(initramfs::write(&entries, &file)?, run)?;
    let wires = qemu::boot(run, &file, live)?;
    read_results(&wires).map_err(|error| {
        anyhow!("the guest ended without a result ({error:#}); its console:\n{}", wires.console)
    })
}

/// The initramfs is in memory twice while the kernel unpacks it, beside the kernel; and a kernel does not use
/// more than its machine's memory.
fn fits(size: u64, run: &Run) -> Result<()> {
    let most = run.kernel.machine().memory;
    let kernel = if run.kernel.is_router() { 24 } else { 128 };
    let least = 2 * size.div_ceil(1 << 20) + kernel;
    anyhow::ensure!(run.memory <= most, "{} uses {most} MiB at most", run.kernel.name());
    let room = (u64::from(most) - kernel) / 2;
    anyhow::ensure!(
        least <= most.into(),
        "the files are too many: {size} bytes; there is room for {room} MiB"
    );
    anyhow::ensure!(least <= run.memory.into(), "files of {size} bytes need --memory {least} or more");
    Ok(())
}

/// "status N", a line feed, a gzip'd tar of /tmp/out.
fn read_results(wires: &qemu::Brought) -> Result<Ran> {
    let end = wires.results.iter().position(|&byte| byte == b'\n').context("no status")?;
    let (first, archive) = wires.results.split_at(end);
    let status = std::str::from_utf8(first)?.strip_prefix("status ").context("no status")?.parse()?;
    let mut pulled = BTreeMap::new();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&archive[1..]));
    for entry in archive.entries().context("read /tmp/out")? {
        let mut entry = entry.context("read /tmp/out")?;
        if entry.header().entry_type().is_file() {
            let name = entry.path()?.to_string_lossy().trim_start_matches("./").to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).with_context(|| format!("read /tmp/out/{name}"))?;
            pulled.insert(name, bytes);
        }
    }
    Ok(Ran { status, output: wires.output.clone(), pulled })
}

/// The names under which a router's root has an ELF program; most of them are links.
pub(crate) fn programs(kernel: Kernel) -> Vec<String> {
    if kernel.is_router() { root::programs(kernel) } else { Vec::new() }
}

/// Fetches or builds what boots of this kernel need, so that several may begin at once.
pub(crate) fn prepare(kernel: Kernel) -> Result<()> {
    qemu::install(kernel)?;
    kernel.file()?;
    initramfs::own(kernel, "true").map(drop)
}

/// The kernels of OpenWrt's oldest release that has many users.
pub(crate) const OLD: [Kernel; 2] = [Kernel::MipsOld, Kernel::MipselOld];

/// Whether one of these kernels is built here, and not there yet.
pub(crate) fn builds(kernels: &[Kernel]) -> Result<bool> {
    for kernel in kernels {
        if !kernel.is_there()? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn save(files: &BTreeMap<String, Vec<u8>>, dir: &Path) -> Result<()> {
    for (name, bytes) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(dir))?;
        std::fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}
