//! Places where programs of Debian run: the root folder of a release and an architecture, with its loader, its libraries
//! and its programs. Programs are started there as nobody, and diag judges them there as on a recorded machine.

mod arches;

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, ensure};
use diag::cli;
use diag::recorded::Recorded;
use diag::report::Style;
use diag::target::Target;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::personality::{self, Persona};
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid, alarm, chdir, chroot, setgid, setgroups, setuid};
use oracle::linking::host::Family;
use oracle::linking::said::Said;
use oracle::linking::{self, Traced, glibc, musl};
use oracle::sandbox::NOBODY;
use serde_json::Value;

use super::machine::Machine;
use crate::scratch::Scratch;
use crate::{debian, sh};
use arches::Arch;

/// Whatever is wanted of a place: it has a loader, what makes its cache, and a shell.
const ALWAYS: [&str; 4] = ["base-files", "dash", "libc-bin", "libc6"];

/// QEMU's program, where one is needed.
const QEMU: &str = "/qemu-user";

/// Seconds until a program is ended, whatever it waits for.
const SECONDS: u32 = 20;

/// What a program may use: seconds of a processor, bytes of a file that it writes, open files, processes of nobody, and
/// no core file.
const LIMITS: [(Resource, u64); 5] = [
    (Resource::RLIMIT_CPU, 2),
    (Resource::RLIMIT_FSIZE, 1 << 20),
    (Resource::RLIMIT_NOFILE, 256),
    (Resource::RLIMIT_NPROC, 512),
    (Resource::RLIMIT_CORE, 0),
];

/// The same of one whose files nobody vouches for, and memory.
const LITTLE: [(Resource, u64); 2] = [(Resource::RLIMIT_CPU, 1), (Resource::RLIMIT_DATA, 512 << 20)];

/// What /proc/self/status says of a program that is started there.
const STATUS: &str = "Uid:\t65534\t65534\t65534\t65534\nGid:\t65534\t65534\t65534\t65534\nNoNewPrivs:\t1\n";

/// A root folder that is nobody else's: it is made anew, and removed when this is dropped.
pub(super) struct Place {
    arch: &'static Arch,
    family: Family,
    machine: Machine,
    root: Scratch,
}

impl Place {
    /// Packages of a release ("bookworm") and a Debian architecture, and all that they need, with /etc/ld.so.cache. musl's
    /// loader is the one that counts where the package `musl` is among them.
    ///
    /// The folder's files are hard links to those that were unpacked: a file is changed by another in its place. Fails
    /// where not root asks.
    pub(super) fn open(suite: &str, arch: &str, packages: &[&str]) -> Result<Place> {
        ensure!(Uid::effective().is_root(), "a root folder is entered by chroot(2): run it as root");
        let namespace = sh::quiet(Command::new("unshare").args(["--mount", "--net", "true"]));
        namespace.context("a root folder needs namespaces: run it as root, with CAP_SYS_ADMIN")?;
        let family = if packages.contains(&"musl") { Family::Musl } else { Family::Glibc };
        let arch = arches::find(arch).with_context(|| format!("no architecture {arch}"))?;
        let mut packages: Vec<&str> = packages.iter().chain(&ALWAYS).copied().collect();
        packages.sort_unstable();
        packages.dedup();
        let unpacked = debian::fetch_for(suite, arch.name, &packages)?;
        let root = Scratch::open(&format!("{suite}-{}", arch.name))?;
        sh::run(Command::new("cp").arg("-al").arg(unpacked.join(".")).arg(root.path()))?;
        let machine = match arch.cpu {
            Some(cpu) => Machine::emulated(arch.qemu, cpu, arch.zig)?,
            None => Machine::native(arch.qemu, arch.zig)?,
        };
        let place = Place { arch, family, machine, root };
        place.furnish()?;
        Ok(place)
    }

    fn furnish(&self) -> Result<()> {
        let root = self.root();
        if let Some((qemu, _)) = self.machine.emulator() {
            fs::copy(qemu, root.join(&QEMU[1..])).context("copy QEMU")?;
        }
        self.machine.record(root)?;
        fs::create_dir_all(root.join("proc/self"))?;
        fs::write(root.join("proc/self/status"), STATUS)?;
        fs::write(root.join("dev/null"), "")?;
        self.make_cache()
    }

    /// The folder, which is the machine's root.
    pub(super) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The recorded machine: the facts lie in the root folder itself.
    pub(super) fn machine(&self) -> Recorded {
        Recorded::new(self.root().to_path_buf())
    }

    /// The loader that its programs name.
    pub(super) fn loader(&self) -> &'static str {
        match self.family {
            Family::Glibc => self.arch.glibc,
            Family::Musl => self.arch.musl,
        }
    }

    /// Whose loader that is.
    pub(super) fn family(&self) -> Family {
        self.family
    }

    /// Writes /etc/ld.so.cache, by the place's own ldconfig: another architecture's has other marks.
    pub(super) fn make_cache(&self) -> Result<()> {
        sh::quiet(&mut self.start(Path::new("/sbin/ldconfig"), Rights::Root)).context("make /etc/ld.so.cache")
    }

    /// Removes /etc/ld.so.cache.
    pub(super) fn remove_cache(&self) -> Result<()> {
        fs::remove_file(self.root().join("etc/ld.so.cache")).context("remove /etc/ld.so.cache")
    }

    /// A program of the place as nobody starts it there: with nothing in its environment, in a mount namespace of its own
    /// where /proc and /dev/null are, and with few rights.
    pub(super) fn command(&self, program: impl AsRef<Path>, args: &[&str]) -> Command {
        let mut command = self.start(program.as_ref(), Rights::Few);
        command.args(args);
        command
    }

    /// The same with less of everything.
    pub(super) fn confined(&self, program: impl AsRef<Path>) -> Command {
        self.start(program.as_ref(), Rights::Fewer)
    }

    fn start(&self, program: &Path, rights: Rights) -> Command {
        let mut command = match self.machine.emulator() {
            Some((_, options)) => {
                let mut command = Command::new(QEMU);
                command.args(options).arg(program);
                command
            }
            None => Command::new(program),
        };
        let root = self.root().as_os_str().as_bytes();
        let is_emulated = self.machine.emulator().is_some();
        // A path of Scratch's holds no NUL.
        let root = CString::new(root).unwrap_or_default();
        command.env_clear().stdin(Stdio::null());
        // SAFETY: system calls alone, of what is allocated already.
        unsafe { command.pre_exec(move || enter(&root, is_emulated, rights).map_err(io::Error::from)) };
        command
    }

    /// Whether glibc's loader has a program begin: it loads and relocates all, and jumps to it.
    pub(super) fn begins(&self, program: &str, args: &[&str]) -> Result<bool> {
        let mut command = self.command(program, args);
        let ran = linking::run(command.env("LD_DEBUG", "files")).map_err(|error| anyhow!(error))?;
        Ok(ran.words.iter().any(|line| line.contains(&format!("transferring control: {program}"))))
    }

    /// What the loader tells of a program without starting it.
    pub(super) fn trace(&self, program: &str) -> Result<Traced> {
        let traced = match self.family {
            Family::Glibc => glibc::trace(self.loader(), &|env| {
                let mut command = self.command(program, &[]);
                command.envs(env.iter().map(|(name, value)| (name, value)));
                command
            }),
            Family::Musl => {
                musl::trace(&mut self.command(self.loader(), &["--list", program]), self.loader())
            }
        };
        traced.map_err(|error| anyhow!("{program}: {error}"))
    }

    /// What diag says of a program there.
    pub(super) fn judge(&self, program: &str) -> Result<Said> {
        judge(&self.machine(), program)
    }
}

/// What diag says of a program of a recorded machine.
fn judge(machine: &Recorded, program: &str) -> Result<Said> {
    let programs = [program.to_owned()].into_iter().collect();
    let args = cli::Args { programs, json: true, ..cli::Args::default() };
    let report = cli::report(Target::new(machine), &args, Style::default()).text;
    let report: Value = serde_json::from_str(&report).context("diag's report")?;
    Said::of_json(&report["programs"][0]).map_err(|error| anyhow!("{program}: {error}"))
}

/// What a program may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rights {
    /// All within [`LIMITS`].
    Root,
    /// What nobody may.
    Few,
    /// The same within [`LITTLE`].
    Fewer,
}

/// Goes where the program is to start. Between fork(2) and execve(2).
fn enter(root: &CStr, is_emulated: bool, rights: Rights) -> nix::Result<()> {
    let none: Option<&CStr> = None;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)?;
    mount(none, c"/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    chdir(root)?;
    mount(Some(c"/proc"), c"proc", none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
    mount(Some(c"/dev/null"), c"dev/null", none, MsFlags::MS_BIND, none)?;
    chroot(c".")?;
    let little = if rights == Rights::Fewer { &LITTLE[..] } else { &[] };
    for (resource, most) in LIMITS.iter().chain(little) {
        setrlimit(*resource, *most, *most)?;
    }
    alarm::set(SECONDS);
    if is_emulated {
        // Seen: wherever the kernel happened to place QEMU, one start in twenty of Debian 11's static ldconfig died of a
        // signal.
        personality::set(personality::get()? | Persona::ADDR_NO_RANDOMIZE)?;
    }
    if rights == Rights::Root {
        return Ok(());
    }
    setgroups(&[])?;
    setgid(Gid::from_raw(NOBODY))?;
    setuid(Uid::from_raw(NOBODY))?;
    set_no_new_privs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "downloads from Debian, and enters root folders"]
    fn programs_start_where_diag_judges_them() {
        for (suite, arch) in [("bullseye", "i386"), ("bookworm", "armhf")] {
            let place = Place::open(suite, arch, &["coreutils"]).unwrap();
            let output = place.command("/usr/bin/id", &["-u"]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), "65534\n", "{output:?}");
            assert_eq!(place.judge("/usr/bin/id").unwrap().verdict, "starts");
            let traced = place.trace("/usr/bin/id").unwrap();
            assert!(traced.libraries.unwrap().iter().any(|one| one.name == "libc.so.6"));
        }
    }
}
