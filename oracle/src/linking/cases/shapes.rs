//! The shape of the closure, and what is loaded beside it.

use super::{
    ALL, Anything, BAR, CALLS_FOO, Case, Dies, FOO, LAZY, MAIN, NOW, Nothing, RUNPATH, SHARED, Says, Starts,
    TAKES_FOO, case, plain,
};
use crate::linking::kit::elf::{DT_NEEDED, PT_DYNAMIC};
use crate::linking::kit::{Built, Kit};

/// How many, where it is about many.
const MANY: usize = 200;

/// The name of one of many; they are all of one length.
fn name(index: usize) -> String {
    format!("libn{index:03}.so")
}

/// Copies a library under other names, each with that name as its SONAME and needing the next.
fn many(kit: &Kit) -> Built {
    kit.library("libnext.so", BAR, &["-nostdlib", "-Wl,-soname,libnNXT.so"])?;
    kit.library("libthis.so", FOO, &["-nostdlib", "-Wl,-soname,libnTHS.so", ALL, "./libnext.so"])?;
    kit.library("libn000.so", FOO, &["-nostdlib"])?;
    kit.library(&name(MANY - 1), BAR, &["-nostdlib"])?;
    for index in 0..MANY - 1 {
        kit.copy("libthis.so", &name(index))?;
        kit.damage(&name(index), |elf| {
            elf.replace(b"libnNXT.so", name(index + 1).as_bytes())?;
            elf.replace(b"libnTHS.so", name(index).as_bytes())
        })?;
    }
    Ok(())
}

/// A copy of the loader, and a program that names it.
fn loader_at(kit: &Kit, named: &str, at: &str) -> Built {
    kit.copy(kit.loader(), at)?;
    kit.program("x", MAIN, &[&format!("-Wl,--dynamic-linker={named}")])
}

pub(super) const CASES: &[Case] = &[
    case("nothing but the C library", |kit| kit.program("x", MAIN, &[]), Starts, Starts),
    case(
        "at a fixed address",
        |kit| {
            kit.library("libfoo.so", FOO, &[])?;
            kit.program("x", CALLS_FOO, &["-no-pie", "-fno-pie", ALL, "./libfoo.so", RUNPATH, LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "a static program",
        |kit| {
            kit.program(
                "x",
                "void _start(void) { __asm__ volatile(\"xor %edi,%edi; mov $60,%eax; syscall\"); }",
                &["-static", "-nostdlib", "-nostartfiles"],
            )
        },
        Starts,
        Nothing,
    ),
    case(
        "no C library at all",
        |kit| {
            kit.program(
                "x",
                "void _start(void) { __asm__ volatile(\"xor %edi,%edi; mov $60,%eax; syscall\"); }",
                &["-nostdlib", "-nostartfiles"],
            )
        },
        Starts,
        Nothing,
    ),
    case(
        "a cycle of two",
        |kit| {
            kit.library("libbar.so", BAR, &[])?;
            kit.library("libfoo.so", FOO, &[ALL, "./libbar.so", RUNPATH])?;
            kit.library("libbar.so", BAR, &[ALL, "./libfoo.so", RUNPATH, SHARED])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY, SHARED])
        },
        Starts,
        Starts,
    ),
    case(
        "one that needs itself",
        |kit| {
            kit.library("libfoo.so", FOO, &[])?;
            kit.library("libbar.so", FOO, &["-Wl,-soname,libfoo.so", ALL, "./libfoo.so", RUNPATH])?;
            kit.rename("libbar.so", "libfoo.so")?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "one that needs the program",
        |kit| {
            kit.library("x", FOO, &["-Wl,-soname,x"])?;
            kit.library("libfoo.so", FOO, &[ALL, "./x", RUNPATH])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY, SHARED])
        },
        Anything,
        Anything,
    ),
    case(
        "200 in a chain",
        |kit| {
            many(kit)?;
            kit.program(
                "x",
                "int foo(void); int main(int c, char **v) { (void)v; return c > 1 ? foo() : 0; }",
                &[ALL, "./libn000.so", "-Wl,--disable-new-dtags,-rpath,$ORIGIN", SHARED, LAZY],
            )
        },
        Starts,
        Starts,
    ),
    case(
        "200 side by side",
        |kit| {
            kit.library("libthis.so", FOO, &["-nostdlib", "-Wl,-soname,libnTHS.so"])?;
            let mut flags: Vec<String> = [ALL, RUNPATH, LAZY].map(str::to_owned).to_vec();
            for index in 0..MANY {
                kit.copy("libthis.so", &name(index))?;
                kit.damage(&name(index), |elf| elf.replace(b"libnTHS.so", name(index).as_bytes()))?;
                flags.push(format!("./{}", name(index)));
            }
            kit.program("x", CALLS_FOO, &flags.iter().map(String::as_str).collect::<Vec<_>>())
        },
        Starts,
        Starts,
    ),
    case(
        "one of 200 is gone",
        |kit| {
            many(kit)?;
            kit.program(
                "x",
                CALLS_FOO,
                &[ALL, "./libn000.so", "-Wl,--disable-new-dtags,-rpath,$ORIGIN", SHARED, LAZY],
            )?;
            kit.remove("libn150.so")
        },
        Says("libn150.so: cannot open"),
        Says("libn150.so: No such file or directory (needed by "),
    ),
    case(
        "needed twice",
        |kit| {
            kit.library("libbar.so", BAR, &["-Wl,-soname,libfoo.so"])?;
            kit.library("libfoo.so", FOO, &[])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", "./libbar.so", "./libfoo.so", RUNPATH, LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "two names for one file by a link",
        |kit| {
            kit.library("libbar.so", BAR, &[])?;
            kit.library("libfoo.so", FOO, &[])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", "./libbar.so", RUNPATH, LAZY])?;
            kit.remove("libbar.so")?;
            kit.link("libfoo.so", "libbar.so")
        },
        Starts,
        Starts,
    ),
    case(
        "a loaded library's SONAME",
        |kit| {
            kit.library("libreal.so", FOO, &[])?;
            kit.library("libbar.so", BAR, &[ALL, "./libreal.so", RUNPATH])?;
            kit.library("libfoo.so", FOO, &["-Wl,-soname,libfoo.so"])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", "./libbar.so", RUNPATH, LAZY, SHARED])?;
            // What is loaded as libfoo.so calls itself libreal.so.
            kit.rename("libreal.so", "libfoo.so")
        },
        Starts,
        Says("Error loading shared library libreal.so: No such file or directory (needed by "),
    ),
    case(
        "a SONAME that comes too late",
        |kit| {
            kit.library("libreal.so", FOO, &[])?;
            kit.library("libbar.so", BAR, &[ALL, "./libreal.so", RUNPATH])?;
            kit.library("libfoo.so", FOO, &["-Wl,-soname,libfoo.so"])?;
            kit.library("libbaz.so", "int baz;", &[ALL, "./libfoo.so", RUNPATH])?;
            kit.program("x", MAIN, &[ALL, "./libbar.so", "./libbaz.so", RUNPATH, LAZY, SHARED])?;
            kit.rename("libreal.so", "libfoo.so")
        },
        Says("libreal.so: cannot open"),
        Says("Error loading shared library libreal.so"),
    ),
    case(
        "one name, two files",
        |kit| {
            kit.library("a/libbar.so", BAR, &[])?;
            kit.library("b/libbar.so", BAR, &[])?;
            kit.library("a/libfoo.so", FOO, &[ALL, "a/libbar.so", "-Wl,-rpath,$ORIGIN"])?;
            kit.library("b/libbaz.so", "int baz;", &[ALL, "b/libbar.so", "-Wl,-rpath,$ORIGIN"])?;
            kit.program(
                "x",
                CALLS_FOO,
                &[ALL, "a/libfoo.so", "b/libbaz.so", "-Wl,-rpath,$ORIGIN/a:$ORIGIN/b", LAZY],
            )
        },
        Starts,
        Starts,
    ),
    case(
        "breadth comes first",
        |kit| {
            kit.library("libdeep.so", BAR, &[])?;
            kit.library("libfoo.so", FOO, &[ALL, "./libdeep.so", RUNPATH])?;
            kit.library("libbar.so", BAR, &[])?;
            kit.library("libbaz.so", "int baz;", &[ALL, "./libbar.so", RUNPATH])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libbaz.so", "./libfoo.so", RUNPATH, LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "no PT_DYNAMIC in the program",
        |kit| {
            plain(kit)?;
            kit.damage("x", |elf| {
                let at = elf.segment(PT_DYNAMIC)?;
                elf.put(at, &[0])
            })
        },
        Dies,
        Anything,
    ),
    case(
        "no PT_DYNAMIC in a program without libraries",
        |kit| {
            kit.program(
                "x",
                "void _start(void) { __asm__ volatile(\"xor %edi,%edi; mov $60,%eax; syscall\"); }",
                &["-nostdlib", "-nostartfiles", "-pie", "-fPIE"],
            )?;
            kit.damage("x", |elf| {
                let at = elf.segment(PT_DYNAMIC)?;
                elf.put(at, &[0])
            })
        },
        Dies,
        Nothing,
    ),
    case(
        "no DT_NEEDED is left",
        |kit| {
            plain(kit)?;
            kit.damage("x", |elf| {
                let at = elf.dynamic(DT_NEEDED)?;
                elf.put64(at, 0x6fff_fef0)
            })
        },
        Anything,
        Anything,
    ),
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
        Says("Error loading shared library libc.so.6: No such file or directory (needed by ./x)"),
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
            kit.library("libfoo.so", FOO, &["-Wl,-F,libreal.so", RUNPATH])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "a filter for one that is gone",
        |kit| {
            kit.library("libfoo.so", FOO, &["-Wl,-F,libreal.so", RUNPATH])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY])
        },
        Says("libreal.so"),
        Starts,
    ),
    case(
        "an auxiliary filter for one that is gone",
        |kit| {
            kit.library("libfoo.so", FOO, &["-Wl,-f,libreal.so", RUNPATH])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY])
        },
        Starts,
        Starts,
    )
    .not_as_listed(),
];
