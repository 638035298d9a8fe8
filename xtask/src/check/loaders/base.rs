//! The programs whose tables are changed, each with two libraries, as compilers and linkers make them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use testkit::Image;

use super::place::{Compiler, Loader};
use crate::sh;

const SOURCE: &str = include_str!("objects.c");
/// The versions of the first library. The second has none.
const VERSIONS: &str = "V1 { global: first_add; first_value; };\nV2 { global: first_*; } V1;\n";

/// The folder in which the loader finds them.
pub(super) const FOLDER: &str = "/w";
/// What they are called there: the program, and its libraries in the order in which they are loaded.
pub(super) const NAMES: [&str; 3] = ["x", "libfirst.so", "libsecond.so"];

/// How they are made.
struct Way {
    name: &'static str,
    /// For the compiler, of all three.
    flags: &'static [&'static str],
    /// For the program alone.
    program: &'static [&'static str],
}

const WAYS: [Way; 5] = [
    Way { name: "lazy", flags: &["-Wl,-z,lazy", "-Wl,--hash-style=gnu"], program: &[] },
    Way { name: "now", flags: &["-Wl,-z,now", "-Wl,--hash-style=gnu"], program: &[] },
    Way { name: "sysv", flags: &["-Wl,-z,lazy", "-Wl,--hash-style=sysv"], program: &[] },
    Way {
        name: "fixed",
        flags: &["-Wl,-z,lazy", "-Wl,--hash-style=both"],
        program: &["-no-pie", "-fno-pic"],
    },
    Way {
        name: "packed",
        flags: &["-Wl,-z,now", "-Wl,-z,pack-relative-relocs", "-Wl,--hash-style=gnu"],
        program: &[],
    },
];

/// A program and its libraries, whole.
pub(super) struct Base {
    pub(super) name: &'static str,
    pub(super) files: [Image; 3],
}

impl Base {
    /// All that the compiler of a place makes.
    pub(super) fn all(loader: &Loader) -> Result<Vec<Base>> {
        let compiler = loader.compiler()?;
        WAYS.iter()
            .filter(|way| !loader.lacks.contains(&way.name))
            .map(|way| Base::make(loader, &compiler, way))
            .collect()
    }

    fn make(loader: &Loader, compiler: &Compiler, way: &Way) -> Result<Base> {
        let folder = sh::target(&format!("loaders/{}/{}", loader.name, way.name))?;
        let path = |name: &str| -> PathBuf { folder.join(name) };
        fs::write(path("objects.c"), SOURCE)?;
        fs::write(path("versions"), VERSIONS)?;
        let library = |name: &str, define: &str, more: &[&str]| {
            let mut cc = compiler.command();
            cc.current_dir(&folder)
                .args(&compiler.library.0)
                .args(["-O1", "-shared", "-fPIC", define])
                .args(way.flags)
                .args(more);
            compile(cc.args([&format!("-Wl,-soname,{name}"), "-o", name, "objects.c"]), &compiler.library.1)
        };
        library("libsecond.so", "-DSECOND", &[])?;
        library("libfirst.so", "-DFIRST", &["-Wl,--version-script=versions", "libsecond.so"])?;
        let mut cc = compiler.command();
        let own: &[&str] = if way.program.is_empty() { &["-pie", "-fPIE"] } else { way.program };
        cc.current_dir(&folder)
            .args(&compiler.program.0)
            .args(["-O1", "-DPROGRAM"])
            .args(own)
            .args(way.flags);
        cc.args([&format!("-Wl,-rpath,{FOLDER}"), "-o", "x", "objects.c", "libfirst.so", "libsecond.so"]);
        compile(&mut cc, &compiler.program.1)?;
        let image = |name: &str| {
            let bytes = fs::read(path(name)).with_context(|| format!("read {name}"))?;
            Image::parse(bytes).with_context(|| format!("{name} is no ELF file"))
        };
        Ok(Base { name: way.name, files: [image(NAMES[0])?, image(NAMES[1])?, image(NAMES[2])?] })
    }
}

fn compile(cc: &mut Command, after: &[String]) -> Result<()> {
    sh::run(cc.args(["-w", "-Wl,--no-as-needed"]).args(after))
}
