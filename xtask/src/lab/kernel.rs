//! The kernels: two without FPU support, as OpenWrt's are, of an old and of a new series; Debian's, which has it;
//! Debian's for other architectures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result};

use super::machine::{Root, Source};
use super::modules;
use crate::scratch::Scratch;
use crate::{debian, host, sh};

/// A kernel, and with it an architecture and the machine for it. What each needs is in `machine.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub(crate) enum Kernel {
    /// Linux 6.12, big-endian, no FPU support.
    Mips,
    /// Linux 6.12, little-endian, no FPU support.
    Mipsel,
    /// Linux 5.10, big-endian, no FPU support.
    #[value(name = "mips-5.10")]
    MipsOld,
    /// Linux 5.10, little-endian, no FPU support.
    #[value(name = "mipsel-5.10")]
    MipselOld,
    /// Debian's 6.1 (4kc-malta), little-endian, with FPU support and emulation.
    MipselFpu,
    /// Debian's 6.1 (5kc-malta), 64-bit, little-endian; a root of 32-bit (o32) programs.
    Mips64el,
    /// Debian's 6.12 (5kc-malta), from its backports.
    #[value(name = "mips64el-6.12")]
    Mips64elNew,
    /// Debian's 6.1.
    Arm64,
    /// Debian's 6.12, with pages of 16 KiB.
    #[value(name = "arm64-16k")]
    Arm64Pages16k,
    /// Debian's 6.1 (armmp): ARMv7.
    Armhf,
    /// Debian's newest: its archive has one of them at a time.
    Riscv64,
    /// Debian's 6.1: pages of 64 KiB.
    Ppc64el,
    /// Debian's 6.12, with pages of 4 KiB.
    #[value(name = "ppc64el-4k")]
    Ppc64elPages4k,
}

/// A series of Linux that is built here, of Debian's source.
#[derive(Debug)]
pub(super) struct Linux {
    /// Debian's package of it, the same for every architecture.
    source: &'static str,
    /// The release of Debian that has it, where that is not the usual one.
    suite: Option<&'static str>,
    /// For the compiler, besides its own.
    flags: &'static str,
    /// A release of OpenWrt with a kernel of this series.
    pub(super) openwrt: &'static str,
    /// About how many it takes to build one on two cores.
    minutes: u32,
}

pub(super) const LINUX_6_12: Linux =
    Linux { source: "linux-source-6.12", suite: None, flags: "", openwrt: "25.12.0", minutes: 7 };
pub(super) const LINUX_5_10: Linux = Linux {
    source: "linux-source-5.10",
    suite: Some("bullseye"),
    // Debian's assembler puts a `sync` before each `ll`, for Loongson-3. Before 5.13 the kernel's table of faults that it
    // expects names the first of the two, so that it dies of one in `futex_init`.
    flags: "-Wa,-mno-fix-loongson3-llsc",
    openwrt: "22.03.7",
    minutes: 3,
};

/// The configuration of the kernels that are built here, on top of tinyconfig.
const CONFIG: &str = include_str!("kernel.config");
/// Half of its bytes, of which a router in QEMU has nothing. Kconfig and make want their own files of each folder.
const UNUSED: [&str; 3] = ["drivers/gpu/drm", "drivers/net", "sound"];

impl Kernel {
    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        self.machine().name
    }

    /// The architecture as Debian, GNU and zig name it: what its programs are built for.
    pub(crate) fn arch(self) -> &'static str {
        self.machine().arch
    }

    /// Whether its root is laid out like OpenWrt's, with the lab's own BusyBox and musl.
    pub(super) fn is_router(self) -> bool {
        self.machine().root == Root::OpenWrt
    }

    pub(super) fn openwrt_arch(self) -> String {
        format!("{}_24kc", self.arch())
    }

    pub(super) fn openwrt_target(self) -> &'static str {
        if self.arch() == "mips" { "malta/be" } else { "malta/le" }
    }

    /// The release whose files its root pretends to have.
    pub(super) fn openwrt_release(self) -> &'static str {
        match self.machine().source {
            Source::Here(linux) => linux.openwrt,
            Source::Debian(..) => LINUX_6_12.openwrt,
        }
    }

    /// The name of the dynamic loader in /lib.
    pub(crate) fn loader(self) -> String {
        format!("ld-musl-{}-sf.so.1", self.arch())
    }

    /// The kernel itself, as QEMU loads it: from `DIAG_CACHE`, from Debian, or built here once.
    pub(crate) fn file(self) -> Result<PathBuf> {
        let linux = match self.machine().source {
            Source::Here(linux) => linux,
            Source::Debian(arch, packages) => {
                let package = debian::fetch(arch, packages)?;
                // vmlinuz where the kernel unpacks itself, else vmlinux.
                let boot = package.join("boot");
                let dir = if boot.is_dir() { boot } else { one_of(&package.join("usr/lib/modules"), "")? };
                return one_of(&dir, "vmlinu");
            }
        };
        let (cached, built) = self.places()?;
        if let Some(cached) = cached {
            return Ok(cached);
        }
        if let Some(dir) = built.parent().filter(|_| !built.is_file()) {
            sh::build_dir(dir, |new| self.build(linux, new))?;
        }
        Ok(built)
    }

    /// Where a kernel that is built here may be: in `DIAG_CACHE`, if it is there, and among what was built.
    fn places(self) -> Result<(Option<PathBuf>, PathBuf)> {
        let cached = sh::cached(&format!("vmlinux-{}-nofpu", self.name()));
        Ok((cached, sh::target("lab")?.join(format!("kernel-{}/vmlinux", self.name()))))
    }

    /// Whether it need not be built here: it was already, or Debian has it.
    pub(super) fn is_there(self) -> Result<bool> {
        if !matches!(self.machine().source, Source::Here(_)) {
            return Ok(true);
        }
        let (cached, built) = self.places()?;
        Ok(cached.is_some() || built.is_file())
    }

    /// The modules to load first, in that order.
    pub(super) fn modules(self) -> Result<Vec<Vec<u8>>> {
        match self.machine().source {
            Source::Here(_) => Ok(Vec::new()),
            Source::Debian(arch, packages) => {
                modules::load_order(&debian::fetch(arch, packages)?, self.machine().modules)
            }
        }
    }

    /// Builds a kernel into `dir` as `vmlinux`.
    fn build(self, linux: &Linux, dir: &Path) -> Result<()> {
        let prefix = format!("{}-linux-gnu", self.arch());
        let (gcc, package) = (format!("{prefix}-gcc"), format!("gcc-{prefix}"));
        let needs =
            [(gcc.as_str(), package.as_str()), ("make", "make"), ("flex", "flex"), ("bison", "bison")];
        host::ensure(&[&needs[..], &[("bc", "bc"), ("xz", "xz-utils"), ("perl", "perl")]].concat())?;
        let source = linux.unpacked()?;
        let work = Scratch::open("linux")?;
        let make = |targets: &[&str]| -> Result<()> {
            let mut make = Command::new("make");
            make.arg("-C").arg(&source).arg(format!("O={}", work.path().display()));
            make.args(["ARCH=mips", "-s", "KBUILD_BUILD_USER=diag", "KBUILD_BUILD_HOST=lab"]);
            make.arg(format!("CROSS_COMPILE={prefix}-")).arg(format!("KCFLAGS={}", linux.flags));
            make.arg(format!("-j{}", available_parallelism().map_or(1, usize::from)));
            sh::quiet(make.args(targets))
        };
        let minutes = linux.minutes;
        sh::say(format!("build Linux for {} (about {minutes} minutes on two cores)", self.name()));
        make(&["tinyconfig"])?;
        let order =
            if self.arch() == "mips" { "CONFIG_CPU_BIG_ENDIAN=y" } else { "CONFIG_CPU_LITTLE_ENDIAN=y" };
        // The last word on a symbol is the valid one.
        let config = work.path().join(".config");
        let tiny = fs::read_to_string(&config)?;
        fs::write(&config, format!("{tiny}\n{CONFIG}\n{order}\n"))?;
        make(&["olddefconfig"])?;
        self.check_config(&fs::read_to_string(&config)?)?;
        make(&["vmlinux"])?;
        let mut strip = Command::new(format!("{prefix}-strip"));
        sh::run(strip.arg("-o").arg(dir.join("vmlinux")).arg(work.path().join("vmlinux")))
    }

    /// Kconfig drops a wish that it cannot fulfil without a word; this does not.
    fn check_config(self, config: &str) -> Result<()> {
        let has = |line: &str| config.lines().any(|have| have == line);
        let lost = |line: &&str| match line.strip_suffix(" is not set") {
            Some(unwanted) => has(&format!("{}=y", unwanted.trim_start_matches("# "))),
            None => line.starts_with("CONFIG_") && !has(line),
        };
        let lost: Vec<&str> = CONFIG.lines().filter(lost).collect();
        anyhow::ensure!(lost.is_empty(), "Kconfig would not have for {}: {}", self.name(), lost.join(", "));
        Ok(())
    }
}

impl Linux {
    /// The source, unpacked.
    fn unpacked(&self) -> Result<PathBuf> {
        let source = self.source;
        let dir = sh::target("lab")?.join(source);
        if dir.is_dir() {
            return Ok(dir);
        }
        let package = match self.suite {
            Some(suite) => debian::fetch_from(suite, &[source])?,
            None => debian::fetch("mipsel", &[source])?,
        };
        sh::say(format!("unpack {source}"));
        sh::build_dir(&dir, |new| {
            let mut tar = Command::new("tar");
            tar.args(UNUSED.map(|folder| format!("--exclude={source}/{folder}/*.[ch]")));
            tar.args(["--strip-components=1", "-xf"]).arg(package.join(format!("usr/src/{source}.tar.xz")));
            sh::run(tar.arg("-C").arg(new))
        })
    }
}

/// The only entry of a folder whose name begins so.
fn one_of(dir: &Path, start: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(start) {
            return Ok(entry.path());
        }
    }
    anyhow::bail!("{} holds no {start}*", dir.display())
}
