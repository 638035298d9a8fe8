//! The cross toolchain: zig for linking and for C, the standard library's source for the rustc in use.

mod rust_src;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{host, sh};
pub(crate) use rust_src::rust_src;

/// The release of PyPI's `ziglang`: a C compiler and a soft-float musl for every target, in one download.
const ZIG: &str = "0.17.1";

/// What rustc calls as its linker. rustc names gcc's runtime, which zig has built in, and an unwinder, which
/// nothing needs (it brings 1,200 bytes of stdio); for x86 an emulation that zig's target already says; for Windows
/// mingw's runtime, of which zig has its own; and for macOS a library that nothing calls.
///
/// This little is all that a static build asks of `cargo-zigbuild`; doing it here leaves its flags to us (zig
/// must link with `-Os`, or its libc is built for speed), and one tool less to fetch and to trust. zig takes one
/// linker script, the last; so they become one.
const LINKER: &str = r#"#!/bin/sh
scripts= last= output=
for word; do
    shift
    case $word in
    -lgcc | -lgcc_s | -lgcc_eh | -lunwind | -Wl,-melf_i386) ;;
    -lmingw32 | -lmingwex | -lmsvcrt | -nolibc | --unwindlib=none | -liconv) ;;
    -Wl,-T,*) scripts="$scripts ${word#-Wl,-T,}" ;;
    *) set -- "$@" "$word" ;;
    esac
    [ "$last" = -o ] && output=$word
    last=$word
done
if [ "$scripts" ]; then
    cat $scripts >"$output.ld" || exit
    set -- "$@" "-Wl,-T,$output.ld"
fi
exec "$DIAG_ZIG" cc "$@"
"#;

/// `zig`, installed when it is missing: `zig().arg("cc").args(["-target", "mips-linux-musleabi", ...])`.
pub(crate) fn zig() -> Result<Command> {
    let mut zig = Command::new(zig_path()?);
    zig.envs(zig_caches()?);
    Ok(zig)
}

/// Has `cargo` link for `triple` by zig.
pub(crate) fn link_by_zig(cargo: &mut Command, triple: &str) -> Result<()> {
    let linker = sh::target("router")?.join("zig-linker");
    let _alone = sh::alone(&linker);
    // Renamed into place: another process may be running it.
    let new = linker.with_extension(std::process::id().to_string());
    fs::write(&new, LINKER)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
    fs::rename(&new, &linker)?;
    let variable = format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase().replace('-', "_"));
    cargo.env(variable, linker).env("DIAG_ZIG", zig_path()?).envs(zig_caches()?);
    Ok(())
}

/// Where zig has its stubs of macOS's library.
pub(crate) fn apple_stubs() -> Result<PathBuf> {
    Ok(zig_path()?.with_file_name("lib/libc/darwin"))
}

/// Names zig's release, so that files made by another are made anew.
pub(crate) fn zig_release() -> &'static str {
    ZIG
}

/// The folder of the rustc in use.
pub(crate) fn sysroot() -> Result<PathBuf> {
    let sysroot = sh::output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(sh::root()))?;
    Ok(PathBuf::from(sysroot.trim()))
}

/// A line of `rustc -vV`: `release`, `host`.
pub(crate) fn rustc(field: &str) -> Result<String> {
    let version = sh::output(Command::new("rustc").arg("-vV").current_dir(sh::root()))?;
    let line = version.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(": "));
    Ok(line.with_context(|| format!("rustc -vV has no line {field}"))?.to_owned())
}

/// `rust-objcopy`, LLVM's objcopy as rustc brings it: one program for every target.
pub(crate) fn objcopy() -> Result<Command> {
    let sysroot = sysroot()?;
    let host = rustc("host")?;
    let mut objcopy = Command::new(sysroot.join("lib/rustlib").join(host).join("bin/rust-objcopy"));
    objcopy.env("LD_LIBRARY_PATH", sysroot.join("lib"));
    Ok(objcopy)
}

/// zig builds its libc once and keeps it: under target, not in the home folder.
fn zig_caches() -> Result<[(&'static str, PathBuf); 2]> {
    let cache = sh::target("tools/zig-cache")?;
    Ok([("ZIG_GLOBAL_CACHE_DIR", cache.clone()), ("ZIG_LOCAL_CACHE_DIR", cache)])
}

/// A command of the `pip` beside zig.
pub(crate) fn pip(verb: &str) -> Result<Command> {
    Ok(pip_of(&zig_venv()?, verb))
}

fn pip_of(venv: &Path, verb: &str) -> Command {
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", verb, "--quiet", "--disable-pip-version-check"]);
    pip
}

fn zig_venv() -> Result<PathBuf> {
    let venv = sh::target("tools")?.join(format!("zig-{ZIG}"));
    if !venv.is_dir() {
        sh::say(format!("zig {ZIG}: from PyPI into {}", venv.display()));
        sh::build_dir(&venv, install_zig)?;
    }
    Ok(venv)
}

fn zig_path() -> Result<PathBuf> {
    let mut python = Command::new(zig_venv()?.join("bin/python"));
    let package = sh::output(python.args(["-c", "import ziglang; print(ziglang.__path__[0])"]))?;
    Ok(Path::new(package.trim()).join("zig"))
}

fn install_zig(venv: &Path) -> Result<()> {
    ensure_venv()?;
    sh::run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    sh::run(pip_of(venv, "install").arg(format!("ziglang=={ZIG}")))
}

/// Debian keeps `venv` apart from python3, and it shows only when one asks for it.
fn ensure_venv() -> Result<()> {
    host::ensure(&[("python3", "python3")])?;
    let mut probe = Command::new("python3");
    probe.args(["-c", "import ensurepip, venv"]).stderr(Stdio::null());
    if probe.status().is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        host::install(&["python3-venv"])
    }
}
