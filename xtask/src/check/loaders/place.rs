//! A root folder with a real loader in it, the machine as diag is told of it, and how a program is started there.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use diag::recorded::Recorded;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid, alarm, chdir, chroot, setgroups, setresgid, setresuid};
use oracle::linking::said::Said;
use oracle::linking::{self, Ran};
use oracle::sandbox::NOBODY;

use super::super::places;
use super::base::{FOLDER, NAMES};
use crate::{debian, sh};

/// A loader that judges.
pub(super) struct Loader {
    /// Of the check: `glibc-amd64`.
    pub(super) name: &'static str,
    /// The folder that all its roots are copied from.
    pub(super) root: PathBuf,
    pub(super) cc: Vec<String>,
    /// Words for the compiler before and behind those of a program and of a library.
    pub(super) program: (Vec<String>, Vec<String>),
    pub(super) library: (Vec<String>, Vec<String>),
    /// Ways of making programs that its compiler does not have, or that its loader does not take.
    pub(super) lacks: &'static [&'static str],
}

impl Loader {
    pub(super) fn cc(&self, words: &(Vec<String>, Vec<String>)) -> Result<Command> {
        let (first, rest) = self.cc.split_first().context("no compiler")?;
        let mut cc = Command::new(first);
        cc.args(rest).args(&words.0);
        Ok(cc)
    }
}

/// A copy of a root, for one who works alone in it.
pub(super) struct Place {
    root: PathBuf,
}

impl Place {
    pub(super) fn new(loader: &Loader) -> Result<Place> {
        let root = sh::target(&format!("loaders/{}", loader.name))?.join("copy");
        if root.is_dir() {
            fs::remove_dir_all(&root).with_context(|| format!("remove {}", root.display()))?;
        }
        sh::run(Command::new("cp").arg("-al").arg(&loader.root).arg(&root))?;
        fs::create_dir(root.join(&FOLDER[1..]))?;
        Ok(Place { root })
    }

    /// Puts a file there.
    pub(super) fn put(&self, file: usize, bytes: &[u8]) -> Result<()> {
        let path = self.root.join(&FOLDER[1..]).join(NAMES[file]);
        // Never over one that a process may still have mapped.
        if path.exists() {
            fs::remove_file(&path)?;
        }
        fs::write(&path, bytes)?;
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?)
    }

    /// Starts the program.
    pub(super) fn run(&self) -> Result<Ran> {
        let mut command = Command::new(program());
        command.env_clear();
        let root = self.root.clone();
        // SAFETY: system calls only; the paths are short enough for nix to allocate nothing.
        unsafe { command.pre_exec(move || confine(&root).map_err(io::Error::from)) };
        linking::run(&mut command).map_err(anyhow::Error::msg)
    }

    /// What diag says of it.
    pub(super) fn judge(&self) -> Result<Said> {
        places::judge(&Recorded::new(self.root.clone()), &program())
    }
}

/// The program, as it is started there.
fn program() -> String {
    format!("{FOLDER}/{}", NAMES[0])
}

/// Nobody, in a root of its own, with little of everything.
fn confine(root: &Path) -> nix::Result<()> {
    const MIB: u64 = 1 << 20;
    chroot(root)?;
    chdir("/")?;
    for (resource, limit) in [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_CPU, 1),
        (Resource::RLIMIT_FSIZE, 0),
        (Resource::RLIMIT_NOFILE, 64),
        (Resource::RLIMIT_NPROC, 256),
        (Resource::RLIMIT_DATA, 512 * MIB),
        (Resource::RLIMIT_AS, 1024 * MIB),
    ] {
        setrlimit(resource, limit, limit)?;
    }
    // Whatever it waits for.
    alarm::set(5);
    setgroups(&[])?;
    setresgid(Gid::from_raw(NOBODY), Gid::from_raw(NOBODY), Gid::from_raw(NOBODY))?;
    setresuid(Uid::from_raw(NOBODY), Uid::from_raw(NOBODY), Uid::from_raw(NOBODY))
}

/// The facts of a machine with this computer's processor.
const FACTS: [(&str, &str); 5] = [
    ("uname", "Linux host 6.12.0 #1 SMP x86_64 GNU/Linux\n"),
    ("auxv", "AT_HWCAP 0xbfebfbff\nAT_HWCAP2 0x2\nAT_PAGESZ 4096\nAT_PLATFORM x86_64\n"),
    ("answers", "ia32 works\npage-4k works\nlow-address works\nexecutable-stack works\n"),
    ("proc/mounts", "/dev/root / ext4 rw 0 0\n"),
    ("proc/sys/vm/mmap_min_addr", "65536\n"),
];

/// All loaders that judge.
pub(super) fn all() -> Result<Vec<Loader>> {
    ensure!(cfg!(target_arch = "x86_64"), "the loaders of this check run on x86-64");
    ensure!(Uid::effective().is_root(), "a root folder of its own needs chroot(2): run this check as root");
    Ok(vec![glibc()?, musl("musl-1.2.3", "bookworm")?, musl("musl-1.2.5", "trixie")?])
}

fn glibc() -> Result<Loader> {
    let root = root("glibc-amd64", &debian::fetch("amd64", &["libc6"])?)?;
    let cc = words(&["cc"]);
    let none = || (Vec::new(), Vec::new());
    Ok(Loader { name: "glibc-amd64", root, cc, program: none(), library: none(), lacks: &[] })
}

fn musl(name: &'static str, suite: &str) -> Result<Loader> {
    let package = debian::fetch_from(suite, &["musl", "musl-dev"])?;
    let root = root(name, &package)?;
    let object = |name: &str| package.join("usr/lib/x86_64-linux-musl").join(name).display().to_string();
    let folder = ["lib", "usr/lib"].map(|folder| package.join(folder).join("x86_64-linux-musl"));
    let libc = folder.iter().find(|folder| folder.join("libc.so").exists()).context("no libc.so")?;
    let libc = vec![format!("-L{}", libc.display()), "-lc".to_owned()];
    let start = vec![
        "-nostdlib".to_owned(),
        "-nostartfiles".to_owned(),
        object("Scrt1.o"),
        object("crti.o"),
        "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1".to_owned(),
    ];
    let library = (words(&["-nostdlib", "-nostartfiles"]), libc.clone());
    let program = (start, [vec![object("crtn.o")], libc].concat());
    Ok(Loader {
        name,
        root,
        cc: words(&["cc"]),
        program,
        library,
        lacks: if suite == "bookworm" { &["packed"] } else { &[] },
    })
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A root with what a package has, and the facts.
fn root(name: &str, package: &Path) -> Result<PathBuf> {
    let root = sh::target(&format!("loaders/{name}"))?.join("root");
    if root.is_dir() {
        fs::remove_dir_all(&root).with_context(|| format!("remove {}", root.display()))?;
    }
    sh::run(Command::new("cp").arg("-a").arg(package).arg(&root))?;
    // A release after the merge of /lib with /usr/lib.
    if !root.join("lib").exists() {
        symlink("usr/lib", root.join("lib"))?;
    }
    for (file, text) in FACTS {
        let file = root.join(file);
        fs::create_dir_all(file.parent().unwrap_or(&root))?;
        fs::write(&file, text)?;
    }
    fs::write(root.join("proc/cpuinfo"), fs::read("/proc/cpuinfo").context("read /proc/cpuinfo")?)?;
    Ok(root)
}
