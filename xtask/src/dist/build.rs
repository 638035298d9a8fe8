//! From the sources to `target/dist/NAME`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use object::elf::EM_MIPS;

use super::{explain, mips};
use crate::targets::Target;
use crate::{sh, toolchain};

/// What a build leaves.
pub(crate) struct Built {
    /// The binary that people get.
    pub(crate) binary: PathBuf,
    /// The same with a section table, and without the sentence for other machines.
    pub(crate) plain: PathBuf,
    /// The same before `strip`: it knows the name of each function.
    pub(crate) symbols: PathBuf,
}

/// Builds one target; quick where nothing changed.
pub(crate) fn build(target: &Target) -> Result<Built> {
    let binary = sh::target("dist")?.join(target.name);
    let _alone = sh::alone(&binary);
    // Another layout, where a line feed stands in the way of the first.
    for more in [&[][..], &[explain::MORE]] {
        let symbols = link(target, "router", more)?;
        let plain = symbols.with_extension("plain");
        strip(&symbols, &plain)?;
        let mut elf = fs::read(&plain)?;
        // Of 32 bits zig has libraries without.
        if is_n64(target) {
            mips::needs_no_fpu(&mut elf)?;
        }
        write(&plain, &elf)?;
        match explain::explain(target, &elf) {
            Ok(elf) => {
                write(&binary, &elf)?;
                return Ok(Built { binary, plain, symbols });
            }
            Err(error) if error.is::<explain::LineFeed>() && more.is_empty() => {
                sh::say(format!("{}: {error:#}: linked again", target.name));
            }
            Err(error) => return Err(error).with_context(|| format!("{} as a shell script", target.name)),
        }
    }
    bail!("{}: there is always a line feed in its headers", target.name)
}

/// What a computer's build knows and says, for a router: the lab compares the two.
pub(crate) fn of_every_machine(target: &Target) -> Result<PathBuf> {
    let binary = sh::target("dist")?.join(format!("{}-every-machine", target.name));
    let _alone = sh::alone(&binary);
    strip(&link(target, EVERY_MACHINE, &[])?, &binary)?;
    Ok(binary)
}

/// The feature, and the folder under target.
const EVERY_MACHINE: &str = "every-machine";

/// Compiles for a router or for [`EVERY_MACHINE`], and links with these linker scripts beside the usual ones.
fn link(target: &Target, kind: &str, scripts: &[&str]) -> Result<PathBuf> {
    toolchain::rust_src()?;
    let dir = target_dir(kind, target.name)?;
    let mut cargo = cargo(&dir);
    cargo.args(["rustc", "--quiet", "--release", "--locked", "--package", "diag", "--bin", "diag"]);
    // A router's build knows the kernels of its own architecture.
    cargo.args(["--no-default-features", "--target", target.triple, "--config", ".cargo/router.toml"]);
    if kind == EVERY_MACHINE {
        cargo.args(["--features", EVERY_MACHINE]);
    }
    cargo.args(["--config", "profile.release.strip=false", "--config", &flags(target)?, "--"]);
    let scripts = [explain::space(target)].into_iter().chain(scripts.iter().copied());
    cargo.args(scripts.map(|script| format!("-Clink-arg=-Wl,-T,{script}")));
    if is_n64(target) {
        cargo.arg(mips::SMALL_DATA);
    }
    toolchain::link_by_zig(&mut cargo, target.triple)?;
    sh::say(format!("{}: cargo build for {}", target.name, target.triple));
    sh::run(&mut cargo)?;
    Ok(dir.join(target.triple).join("release/diag"))
}

/// cargo, with the options of an unstable one, building in that folder.
pub(super) fn cargo(dir: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(sh::root()).env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", dir);
    // Flags from the environment would take the place of the recipe's.
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        cargo.env_remove(variable);
    }
    cargo
}

fn is_n64(target: &Target) -> bool {
    target.e_machine == EM_MIPS && target.bits == 64 && target.router
}

/// Each build has a target folder of its own, so that it never waits for another build, nor undoes it.
/// Another zig means other libraries, of which cargo knows nothing: so it starts anew.
pub(super) fn target_dir(kind: &str, name: &str) -> Result<PathBuf> {
    let dir = sh::target(&format!("{kind}/{name}"))?;
    let made_by = dir.join("zig-release");
    if fs::read_to_string(&made_by).is_ok_and(|release| release == toolchain::zig_release()) {
        return Ok(dir);
    }
    fs::remove_dir_all(&dir).with_context(|| format!("remove {}", dir.display()))?;
    fs::create_dir_all(&dir)?;
    fs::write(made_by, toolchain::zig_release())?;
    Ok(dir)
}

/// The flags that belong to this computer and to zig, as a line of cargo's configuration. `-Os` is for zig's
/// own libraries (7,000 bytes), and `-g` keeps the symbol table, which zig drops otherwise.
fn flags(target: &Target) -> Result<String> {
    let mut flags: Vec<String> =
        target.zig.iter().chain(&["-Os", "-g"]).map(|word| format!("-Clink-arg={word}")).collect();
    flags.extend(remap_registries()?);
    Ok(format!("target.{}.rustflags={flags:?}", target.triple))
}

/// trim-paths leaves the name of the registry in the path of a dependency, which is the mirror's where there
/// is one; with these the binary is the same everywhere.
pub(super) fn remap_registries() -> Result<Vec<String>> {
    let registries = cargo_home()?.join("registry/src");
    let Ok(entries) = fs::read_dir(&registries) else { return Ok(Vec::new()) };
    let mut flags: Vec<String> = entries
        .flatten()
        .map(|entry| format!("--remap-path-prefix={}=crates", entry.path().display()))
        .collect();
    flags.sort();
    Ok(flags)
}

/// Where cargo keeps the dependencies' sources.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    match std::env::var_os("CARGO_HOME") {
        Some(home) => Ok(PathBuf::from(home)),
        None => Ok(std::env::home_dir().context("no home folder")?.join(".cargo")),
    }
}

fn strip(symbols: &Path, plain: &Path) -> Result<()> {
    sh::run(toolchain::objcopy()?.arg("--strip-all").arg(symbols).arg(plain))
}

/// Writes a program as a whole, for it may be running.
pub(super) fn write(program: &Path, bytes: &[u8]) -> Result<()> {
    let new = program.with_extension(format!("new-{}", std::process::id()));
    fs::write(&new, bytes).with_context(|| format!("write {}", new.display()))?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
    fs::rename(&new, program).with_context(|| format!("rename to {}", program.display()))
}
