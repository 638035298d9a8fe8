//! Where libraries are looked for, and in which order. Libraries of one name in two folders each need another one,
//! so that the list of those loaded tells which was taken.

use testkit::elf_h::{DT_DEBUG, DT_RPATH, DT_RUNPATH};

use super::{
    ALL, Anything, BAR, CALLS_FOO, Case, FOO, LAZY, MAIN, Nothing, RPATH, RUNPATH, SHARED, Says, Starts,
    case, flagged,
};
use crate::linking::kit::{Built, Kit};

/// `libfoo.so` in two folders, and a program with flags that lead to one of them, to both, or to neither.
pub(super) fn two(kit: &Kit, flags: &[&str]) -> Built {
    kit.library("a/libfoo.so", FOO, &[])?;
    kit.library("b/libfoo.so", FOO, &[])?;
    let flags = [&[ALL, "a/libfoo.so", LAZY], flags].concat();
    kit.program("x", CALLS_FOO, &flags)
}

/// A program that needs `libfoo.so`, which needs `libbar.so`, both in a folder.
pub(super) fn chain(kit: &Kit, of_program: &str, of_library: &[&str]) -> Built {
    kit.library("d/libbar.so", BAR, &[])?;
    kit.library("d/libfoo.so", FOO, &[&[ALL, "d/libbar.so"], of_library].concat())?;
    let flags = [ALL, "d/libfoo.so", LAZY, SHARED, of_program];
    kit.program("x", CALLS_FOO, &flags)
}

/// A program whose path of libraries is this text, and a library in a folder.
pub(super) fn token(kit: &Kit, folder: &str, path: &str) -> Built {
    kit.library(&format!("{folder}/libfoo.so"), FOO, &[])?;
    let path = format!("-Wl,--enable-new-dtags,-rpath,{path}");
    kit.program("x", CALLS_FOO, &[ALL, &format!("{folder}/libfoo.so"), LAZY, &path])
}

const NO_FOO: &str = "Error loading shared library libfoo.so: No such file or directory (needed by ./x)";
pub(super) const OLD: &str = "-Wl,--disable-new-dtags";
pub(super) const NEW: &str = "-Wl,--enable-new-dtags";
pub(super) const GONE: &str = "libbar.so: cannot open shared object file: No such file or directory";
pub(super) const GONE_MUSL: &str =
    "Error loading shared library libbar.so: No such file or directory (needed by ";

pub(super) const CASES: &[Case] = &[
    case("RPATH", |kit| two(kit, &[OLD, "-Wl,-rpath,$ORIGIN/b"]), Starts, Starts),
    case("RUNPATH", |kit| two(kit, &[NEW, "-Wl,-rpath,$ORIGIN/b"]), Starts, Starts),
    case("RPATH against LD_LIBRARY_PATH", |kit| two(kit, &[OLD, "-Wl,-rpath,$ORIGIN/b"]), Starts, Starts)
        .env(&[("LD_LIBRARY_PATH", "$PWD/a")]),
    case("RUNPATH against LD_LIBRARY_PATH", |kit| two(kit, &[NEW, "-Wl,-rpath,$ORIGIN/b"]), Starts, Starts)
        .env(&[("LD_LIBRARY_PATH", "$PWD/a")]),
    case("LD_LIBRARY_PATH alone", |kit| two(kit, &[]), Starts, Starts)
        .env(&[("LD_LIBRARY_PATH", "$PWD/none:$PWD/b")]),
    case(
        "LD_LIBRARY_PATH that misses, then RUNPATH",
        |kit| two(kit, &[NEW, "-Wl,-rpath,$ORIGIN/b"]),
        Starts,
        Starts,
    )
    .env(&[("LD_LIBRARY_PATH", "$PWD/none:$PWD")]),
    case(
        "LD_LIBRARY_PATH with an empty element",
        |kit| {
            two(kit, &[])?;
            kit.copy("a/libfoo.so", "libfoo.so")
        },
        Starts,
        Says(NO_FOO),
    )
    .env(&[("LD_LIBRARY_PATH", "$PWD/none:")]),
    case(
        "LD_LIBRARY_PATH that is empty",
        |kit| {
            two(kit, &[])?;
            kit.copy("a/libfoo.so", "libfoo.so")
        },
        Says("libfoo.so"),
        Says("libfoo.so"),
    )
    .env(&[("LD_LIBRARY_PATH", "")]),
    case("LD_LIBRARY_PATH with semicolons", |kit| two(kit, &[]), Starts, Anything)
        .env(&[("LD_LIBRARY_PATH", "$PWD/none;$PWD/b")]),
    case("LD_LIBRARY_PATH with spaces and newlines", |kit| two(kit, &[]), Says("libfoo.so"), Anything)
        .env(&[("LD_LIBRARY_PATH", "$PWD/none $PWD/b")]),
    case("LD_LIBRARY_PATH relative", |kit| two(kit, &[]), Starts, Starts).env(&[("LD_LIBRARY_PATH", "b")]),
    case("LD_LIBRARY_PATH with ORIGIN", |kit| two(kit, &[]), Starts, Anything)
        .env(&[("LD_LIBRARY_PATH", "$ORIGIN/b")]),
    case("LD_LIBRARY_PATH with slashes too many", |kit| two(kit, &[]), Starts, Starts)
        .env(&[("LD_LIBRARY_PATH", "$PWD//b///")]),
    case(
        "both RPATH and RUNPATH",
        |kit| {
            two(kit, &[NEW, "-Wl,-rpath,$ORIGIN/b/a"])?;
            kit.library("b/a/libfoo.so", FOO, &[])?;
            kit.damage("x", |elf| {
                let runpath = elf.number(elf.dynamic(DT_RUNPATH)?.1)?;
                let (tag, value) = elf.dynamic(DT_DEBUG)?;
                elf.put(tag, DT_RPATH)?;
                // The end of the same text: "a".
                elf.put(value, runpath + 10)
            })
        },
        Starts,
        Starts,
    ),
    case(
        "a path of several",
        |kit| two(kit, &[NEW, "-Wl,-rpath,$PWD/none:$PWD:$PWD/b:$PWD/a"]),
        Starts,
        Starts,
    ),
    case(
        "a path with empty elements",
        |kit| {
            two(kit, &[NEW, "-Wl,-rpath,$PWD/none::$PWD/b"])?;
            kit.copy("a/libfoo.so", "libfoo.so")
        },
        Starts,
        Starts,
    ),
    case(
        "an empty path",
        |kit| {
            two(kit, &[NEW, "-Wl,-rpath,:"])?;
            kit.copy("a/libfoo.so", "libfoo.so")
        },
        Anything,
        Anything,
    ),
    case("a relative path", |kit| two(kit, &[NEW, "-Wl,-rpath,b"]), Starts, Starts),
    case("a path with slashes too many", |kit| two(kit, &[NEW, "-Wl,-rpath,$PWD//b//"]), Starts, Starts),
    case("a path with dots", |kit| two(kit, &[NEW, "-Wl,-rpath,$PWD/a/../b/."]), Starts, Starts),
    case("a path that is a file", |kit| two(kit, &[NEW, "-Wl,-rpath,$PWD/x:$PWD/b"]), Starts, Starts),
    case(
        "a path through a link",
        |kit| {
            two(kit, &[NEW, "-Wl,-rpath,$PWD/link"])?;
            kit.link("b", "link")
        },
        Starts,
        Starts,
    ),
    case(
        "RPATH is inherited",
        |kit| chain(kit, "-Wl,--disable-new-dtags,-rpath,$ORIGIN/d", &[]),
        Starts,
        Starts,
    ),
    case(
        "RUNPATH is not",
        |kit| chain(kit, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/d", &[]),
        Says(GONE),
        Starts,
    ),
    case(
        "RPATH is not inherited past a RUNPATH",
        |kit| chain(kit, "-Wl,--disable-new-dtags,-rpath,$ORIGIN/d", &[NEW, "-Wl,-rpath,/nowhere"]),
        Says(GONE),
        Starts,
    ),
    case(
        "RPATH is inherited past an RPATH",
        |kit| chain(kit, "-Wl,--disable-new-dtags,-rpath,$ORIGIN/d", &[OLD, "-Wl,-rpath,/nowhere"]),
        Starts,
        Starts,
    ),
    case(
        "a library's own RUNPATH",
        |kit| chain(kit, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/d", &[NEW, "-Wl,-rpath,$ORIGIN"]),
        Starts,
        Starts,
    ),
    case(
        "a library's own RPATH",
        |kit| chain(kit, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/d", &[OLD, "-Wl,-rpath,$ORIGIN"]),
        Starts,
        Starts,
    ),
    case(
        "a library's RPATH is not the program's",
        |kit| {
            kit.library("d/libbar.so", BAR, &[])?;
            kit.library("libfoo.so", FOO, &[OLD, "-Wl,-rpath,$ORIGIN/d"])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", "d/libbar.so", RUNPATH, LAZY])
        },
        Says(GONE),
        Says(GONE_MUSL),
    ),
    case(
        "RPATH of a grandparent",
        |kit| {
            kit.library("d/libbaz.so", "int baz;", &[])?;
            kit.library("d/libbar.so", BAR, &[ALL, "d/libbaz.so"])?;
            kit.library("d/libfoo.so", FOO, &[ALL, "d/libbar.so", SHARED])?;
            let path = "-Wl,--disable-new-dtags,-rpath,$ORIGIN/d";
            kit.program("x", CALLS_FOO, &[ALL, "d/libfoo.so", SHARED, path, LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "RPATH inherited by LD_LIBRARY_PATH's find",
        |kit| {
            chain(kit, "-Wl,--disable-new-dtags,-rpath,$ORIGIN/e", &[])?;
            kit.rename("d/libbar.so", "e/libbar.so")
        },
        Starts,
        Starts,
    )
    .env(&[("LD_LIBRARY_PATH", "$PWD/d")]),
    case(
        "no default folders",
        |kit| kit.program("x", MAIN, &["-Wl,-z,nodefaultlib"]),
        Says("libc.so.6: cannot open"),
        Starts,
    ),
    case(
        "no default folders, and a path",
        |kit| flagged(kit, &["-Wl,-z,nodefaultlib", "-nostdlib"]),
        Starts,
        Starts,
    ),
    case(
        "no default folders for a library",
        |kit| {
            kit.library("libfoo.so", FOO, &["-Wl,-z,nodefaultlib", ALL, "-lc"])?;
            kit.program("x", CALLS_FOO, &["-nodefaultlibs", ALL, "./libfoo.so", "-lc", RUNPATH, LAZY])
        },
        Anything,
        Starts,
    ),
    case(
        "no default folders against LD_LIBRARY_PATH",
        |kit| two(kit, &["-Wl,-z,nodefaultlib"]),
        Says("libc.so.6: cannot open"),
        Starts,
    )
    .env(&[("LD_LIBRARY_PATH", "$PWD/b")]),
    case(
        "a folder of hwcaps in a path",
        |kit| {
            two(kit, &[RUNPATH])?;
            kit.copy("a/libfoo.so", "libfoo.so")?;
            kit.copy("a/libfoo.so", "glibc-hwcaps/x86-64-v2/libfoo.so")?;
            kit.copy("a/libfoo.so", "glibc-hwcaps/x86-64/libfoo.so")
        },
        Starts,
        Starts,
    ),
    case(
        "three folders of hwcaps in RPATH",
        |kit| {
            two(kit, &[RPATH])?;
            for folder in ["glibc-hwcaps/x86-64-v2", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v4", "."]
            {
                kit.copy("a/libfoo.so", &format!("{folder}/libfoo.so"))?;
            }
            Ok(())
        },
        Starts,
        Starts,
    ),
    case(
        "a folder of hwcaps in LD_LIBRARY_PATH",
        |kit| {
            two(kit, &[])?;
            kit.copy("a/libfoo.so", "b/glibc-hwcaps/x86-64-v2/libfoo.so")
        },
        Starts,
        Starts,
    )
    .env(&[("LD_LIBRARY_PATH", "$PWD/b")]),
    case(
        "a folder of hwcaps that is alone",
        |kit| token(kit, "glibc-hwcaps/x86-64-v2", "$ORIGIN"),
        Starts,
        Says("libfoo.so"),
    ),
    case(
        "folders as of old",
        |kit| {
            two(kit, &[RUNPATH])?;
            for folder in ["tls/x86_64", "tls", "x86_64", "haswell", "haswell/x86_64", "."] {
                kit.copy("a/libfoo.so", &format!("{folder}/libfoo.so"))?;
            }
            Ok(())
        },
        Starts,
        Starts,
    ),
    case(
        "a folder as of old that is alone",
        |kit| token(kit, "tls/x86_64", "$ORIGIN"),
        Anything,
        Says("libfoo.so"),
    ),
    case(
        "such a folder of another processor",
        |kit| token(kit, "xeon_phi", "$ORIGIN"),
        Anything,
        Says("libfoo.so"),
    ),
    case(
        "a path in DT_NEEDED",
        |kit| {
            kit.library("d/libfoo.so", FOO, &["-Wl,-soname,d/libfoo.so"])?;
            kit.program("x", CALLS_FOO, &[ALL, "d/libfoo.so", LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "a path in DT_NEEDED that leads nowhere",
        |kit| {
            kit.library("d/libfoo.so", FOO, &["-Wl,-soname,d/libfoo.so"])?;
            kit.program("x", CALLS_FOO, &[ALL, "d/libfoo.so", LAZY, "-Wl,-rpath,$ORIGIN"])?;
            kit.rename("d/libfoo.so", "libfoo.so")
        },
        Says("d/libfoo.so: cannot open shared object file"),
        Says("Error loading shared library d/libfoo.so: No such"),
    ),
    case(
        "an absolute path in DT_NEEDED",
        |kit| {
            kit.library("d/libfoo.so", FOO, &["-Wl,-soname,$PWD/d/libfoo.so"])?;
            kit.program("x", CALLS_FOO, &[ALL, "d/libfoo.so", LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "a path in DT_NEEDED, and the same file by name",
        |kit| {
            kit.library("d/libbar.so", BAR, &["-Wl,-soname,libfoo.so"])?;
            kit.library("d/libfoo.so", FOO, &["-Wl,-soname,d/libfoo.so", ALL, "d/libbar.so"])?;
            kit.program(
                "x",
                CALLS_FOO,
                &[ALL, "d/libfoo.so", LAZY, "-Wl,--disable-new-dtags,-rpath,$ORIGIN/d"],
            )?;
            kit.remove("d/libbar.so")
        },
        Starts,
        Starts,
    ),
    case(
        "ORIGIN in DT_NEEDED",
        |kit| {
            kit.library("d/libfoo.so", FOO, &["-Wl,-soname,$ORIGIN/d/libfoo.so"])?;
            kit.program("x", CALLS_FOO, &[ALL, "d/libfoo.so", LAZY])
        },
        Starts,
        Says("libfoo.so"),
    ),
    case(
        "an empty DT_NEEDED",
        |kit| {
            kit.library("libfoo.so", FOO, &["-Wl,-soname,libfoo.so"])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", LAZY, RUNPATH])?;
            kit.damage("x", |elf| elf.replace(b"libfoo.so\0", b"\0ibfoo.so\0"))
        },
        Anything,
        Anything,
    ),
    case(
        "in the first folder of ld-musl.path",
        |kit| {
            kit.library("libmusl1.so", FOO, &[])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libmusl1.so"])?;
            kit.install("libmusl1.so", "/lib/x86_64-linux-musl/libmusl1.so")
        },
        Nothing,
        Starts,
    ),
    case(
        "in the second folder of ld-musl.path",
        |kit| {
            kit.library("libmusl2.so", FOO, &[])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libmusl2.so"])?;
            kit.install("libmusl2.so", "/usr/lib/x86_64-linux-musl/libmusl2.so")
        },
        Nothing,
        Starts,
    ),
    case(
        "in a folder that ld-musl.path leaves out",
        |kit| {
            kit.library("libmusl3.so", FOO, &[])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libmusl3.so"])?;
            kit.install("libmusl3.so", "/usr/local/lib/libmusl3.so")
        },
        Nothing,
        Says("Error loading shared library libmusl3.so: No such file or directory (needed by ./x)"),
    ),
];
