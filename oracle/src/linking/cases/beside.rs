//! What is loaded beside what is needed: preloads, other loaders, filters.

use super::shapes::name;
use super::{
    ALL, BAR, Case, FOO, MAIN, NOW, Nothing, RUNPATH, Says, Starts, TAKES_FOO, case, flagged, plain,
};
use crate::linking::host::Family;
use crate::linking::kit::{Built, Kit};

/// A copy of the loader, and a program that names it.
fn loader_at(kit: &Kit, named: &str, at: &str) -> Built {
    kit.copy(kit.loader(), at)?;
    kit.program("x", MAIN, &[&format!("-Wl,--dynamic-linker={named}")])
}

pub(super) const CASES: &[Case] = &[
    case(
        "a library from LD_PRELOAD",
        |kit| {
            plain(kit)?;
            kit.library("libpre.so", BAR, &[])
        },
        Starts,
        Starts,
    )
    .env(&[("LD_PRELOAD", "$PWD/libpre.so")]),
    case(
        "two libraries from LD_PRELOAD",
        |kit| {
            plain(kit)?;
            kit.library("libpre.so", BAR, &[])?;
            kit.library("libpost.so", BAR, &[])
        },
        Starts,
        Starts,
    )
    .env(&[("LD_PRELOAD", "./libpre.so:$PWD/libpost.so")]),
    case(
        "LD_PRELOAD by name",
        |kit| {
            plain(kit)?;
            kit.library("libpre.so", BAR, &[])
        },
        Starts,
        Starts,
    )
    .env(&[("LD_PRELOAD", "libpre.so")]),
    case(
        "LD_PRELOAD has what is missing",
        |kit| {
            kit.library("libpre.so", FOO, &["-Wl,-soname,libfoo.so"])?;
            kit.program("x", TAKES_FOO, &[ALL, "./libpre.so", RUNPATH, NOW])?;
            kit.library("libfoo.so", BAR, &[])
        },
        Starts,
        Starts,
    )
    .env(&[("LD_PRELOAD", "$PWD/libpre.so")]),
    case("LD_PRELOAD is a library that is needed", plain, Starts, Starts)
        .env(&[("LD_PRELOAD", "$PWD/libfoo.so")]),
    case(
        "the loader in another place",
        |kit| loader_at(kit, &format!("{}/l/ld.so", kit.seen()), "l/ld.so"),
        Starts,
        Starts,
    ),
    case("the loader in a relative place", |kit| loader_at(kit, "./l/ld.so", "l/ld.so"), Starts, Starts),
    case(
        "the loader behind a link",
        |kit| {
            kit.link(kit.loader(), "ld.so")?;
            kit.program("x", MAIN, &[&format!("-Wl,--dynamic-linker={}/ld.so", kit.seen())])
        },
        Starts,
        Starts,
    ),
    case(
        "the loader by a path that is not its own",
        |kit| kit.program("x", MAIN, &["-Wl,--dynamic-linker=/lib/../lib64/ld-linux-x86-64.so.2"]),
        Starts,
        Nothing,
    ),
    case(
        "the loader is needed by name",
        |kit| {
            let code = "extern int __libc_enable_secure; int main(void) { return __libc_enable_secure; }";
            kit.program("x", code, &[ALL, "-l:ld-linux-x86-64.so.2"])
        },
        Starts,
        Nothing,
    ),
    case(
        "musl's other names",
        |kit| {
            let names = ["libpthread.so.0", "libm.so.6", "libc.musl-x86_64.so.1", "librt.so"];
            let mut flags = vec![ALL.to_owned(), RUNPATH.to_owned()];
            for (index, soname) in names.iter().enumerate() {
                kit.library(&name(index), BAR, &["-nostdlib", &format!("-Wl,-soname,{soname}")])?;
                flags.push(format!("./{}", name(index)));
            }
            kit.program("x", MAIN, &flags.iter().map(String::as_str).collect::<Vec<_>>())
        },
        Nothing,
        Starts,
    ),
    case(
        "a program for glibc",
        |kit| {
            kit.library("libc6.so", "int puts(const char *);", &["-nostdlib", "-Wl,-soname,libc.so.6"])?;
            kit.program("x", MAIN, &[ALL, "./libc6.so"])
        },
        Nothing,
        Starts,
    ),
    case(
        "started by another name",
        |kit| {
            plain(kit)?;
            kit.rename("x", "s/x")?;
            kit.rename("libfoo.so", "s/libfoo.so")?;
            kit.remove("s/libfoo.so")
        },
        Says("./s/../s/x: error while loading shared libraries: libfoo.so"),
        Says("(needed by ./s/../s/x)"),
    )
    .program("./s/../s/x"),
    case(
        "a filter",
        |kit| {
            kit.library("libreal.so", FOO, &[])?;
            flagged(kit, &["-Wl,-F,libreal.so", RUNPATH])
        },
        Starts,
        Starts,
    )
    .gap(Family::Glibc, "DT_FILTER", "starts"),
    case(
        "a filter for one that is gone",
        |kit| flagged(kit, &["-Wl,-F,libreal.so", RUNPATH]),
        Says("libreal.so"),
        Starts,
    )
    .gap(Family::Glibc, "DT_FILTER", "starts"),
    case(
        "an auxiliary filter for one that is gone",
        |kit| flagged(kit, &["-Wl,-f,libreal.so", RUNPATH]),
        Starts,
        Starts,
    )
    .not_as_listed(),
];
