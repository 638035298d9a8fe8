//! The loaders that judge, what compiles for each, and the place where changed programs are given to it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use oracle::linking::said::Said;
use oracle::linking::{self, Ran};

use super::super::places;
use super::base::{FOLDER, NAMES};
use crate::{debian, host};

/// A loader that judges: one of Debian's.
pub(super) struct Loader {
    /// Of the check: `glibc-amd64`.
    pub(super) name: &'static str,
    /// Debian's words.
    pub(super) suite: &'static str,
    pub(super) arch: &'static str,
    libc: Libc,
    /// Ways of making programs that its compiler does not have, or that its loader does not take.
    pub(super) lacks: &'static [&'static str],
    /// Mutants, without and with `--full`.
    pub(super) counts: [usize; 2],
}

/// Whose loader it is, and what compiles for it.
enum Libc {
    /// GCC's triple of this architecture.
    Glibc(&'static str),
    /// This computer's own compiler.
    Musl,
}

/// [`Loader::counts`] of those that are not the two that most programs here have.
const FEWER: [usize; 2] = [1_000, 2_000];

/// All of them.
pub(super) const LOADERS: [Loader; 13] = [
    Loader { lacks: &[], ..Loader::glibc("glibc-amd64", "amd64", "x86_64-linux-gnu") },
    Loader {
        lacks: &[],
        suite: "trixie",
        counts: FEWER,
        ..Loader::glibc("glibc-2.41", "amd64", "x86_64-linux-gnu")
    },
    Loader::musl("musl-1.2.3", "bookworm", &["packed"]),
    Loader::musl("musl-1.2.5", "trixie", &[]),
    Loader { lacks: &[], counts: FEWER, ..Loader::glibc("glibc-i386", "i386", "i686-linux-gnu") },
    Loader::emulated("glibc-arm64", "arm64", "aarch64-linux-gnu"),
    Loader::emulated("glibc-armhf", "armhf", "arm-linux-gnueabihf"),
    Loader::emulated("glibc-armel", "armel", "arm-linux-gnueabi"),
    Loader { lacks: &[], ..Loader::emulated("glibc-ppc64el", "ppc64el", "powerpc64le-linux-gnu") },
    Loader::emulated("glibc-s390x", "s390x", "s390x-linux-gnu"),
    Loader { suite: "trixie", ..Loader::emulated("glibc-riscv64", "riscv64", "riscv64-linux-gnu") },
    Loader::emulated("glibc-mips64el", "mips64el", "mips64el-linux-gnuabi64"),
    Loader::emulated("glibc-mipsel", "mipsel", "mipsel-linux-gnu"),
];

impl Loader {
    const fn glibc(name: &'static str, arch: &'static str, triple: &'static str) -> Loader {
        Loader {
            name,
            suite: "bookworm",
            arch,
            libc: Libc::Glibc(triple),
            lacks: &["packed"],
            counts: [1_000, 20_000],
        }
    }

    const fn emulated(name: &'static str, arch: &'static str, triple: &'static str) -> Loader {
        Loader { counts: FEWER, ..Loader::glibc(name, arch, triple) }
    }

    const fn musl(name: &'static str, suite: &'static str, lacks: &'static [&'static str]) -> Loader {
        Loader { name, suite, libc: Libc::Musl, lacks, ..Loader::glibc("", "amd64", "") }
    }

    /// What compiles for it.
    pub(super) fn compiler(&self) -> Result<Compiler> {
        match self.libc {
            Libc::Glibc(triple) => cross(self.arch, triple),
            Libc::Musl => musl(self.suite),
        }
    }
}

/// A compiler, and words for it before and behind those of a program and of a library.
#[derive(Default)]
pub(super) struct Compiler {
    cc: String,
    pub(super) program: (Vec<String>, Vec<String>),
    pub(super) library: (Vec<String>, Vec<String>),
}

impl Compiler {
    pub(super) fn command(&self) -> Command {
        Command::new(&self.cc)
    }
}

/// GCC of Debian, installed where it is missing.
fn cross(arch: &str, triple: &str) -> Result<Compiler> {
    let cc = format!("{triple}-gcc");
    if !cfg!(target_arch = "x86_64") || arch != "amd64" {
        let gcc = format!("gcc-{}", triple.replace('_', "-"));
        let (start, libc) = (format!("/usr/{triple}/lib/crt1.o"), format!("libc6-dev-{arch}-cross"));
        host::ensure(&[(&cc, &gcc), (&start, &libc)])?;
    }
    Ok(Compiler { cc, ..Compiler::default() })
}

/// This computer's own, with musl's start files and library.
fn musl(suite: &str) -> Result<Compiler> {
    let package = debian::fetch_from(suite, &["musl", "musl-dev"])?;
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
    let library = (vec!["-nostdlib".to_owned(), "-nostartfiles".to_owned()], libc.clone());
    let program = (start, [vec![object("crtn.o")], libc].concat());
    Ok(Compiler { cc: "cc".to_owned(), program, library })
}

/// A place for one who works alone in it.
pub(super) struct Place(places::Place);

impl Place {
    pub(super) fn new(loader: &Loader) -> Result<Place> {
        let package = if matches!(loader.libc, Libc::Musl) { &["musl"][..] } else { &[] };
        let place = places::Place::open(loader.suite, loader.arch, package)?;
        fs::create_dir(place.root().join(&FOLDER[1..]))?;
        Ok(Place(place))
    }

    /// Puts a file there.
    pub(super) fn put(&self, file: usize, bytes: &[u8]) -> Result<()> {
        let path = self.0.root().join(&FOLDER[1..]).join(NAMES[file]);
        // Never over one that a process may still have mapped.
        if path.exists() {
            fs::remove_file(&path)?;
        }
        fs::write(&path, bytes)?;
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?)
    }

    /// Starts the program.
    pub(super) fn run(&self) -> Result<Ran> {
        linking::run(&mut self.0.confined(Path::new(&program()))).map_err(anyhow::Error::msg)
    }

    /// What diag says of it.
    pub(super) fn judge(&self) -> Result<Said> {
        self.0.judge(&program())
    }
}

/// The program, as it is started there.
fn program() -> String {
    format!("{FOLDER}/{}", NAMES[0])
}
