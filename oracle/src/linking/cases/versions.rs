//! Symbols with versions, and what a property asks of the processor.

use testkit::Image;
use testkit::elf_h::DT_VERNEED;

use super::{
    ALL, Anything, CALLS_FOO, Case, FOO, LAZY, Lacks, MAIN, NOW, Nothing, RUNPATH, SHARED, Says, Starts,
    TAKES_FOO, case, flagged,
};
use crate::linking::kit::{Built, Kit};

const ONE: &str = "V1 { global: foo; };";
const TWO: &str = "V1 { global: foo; }; V2 { global: bar; } V1;";

/// `libfoo.so` with versions.
pub(super) fn versioned(kit: &Kit, code: &str, script: &str) -> Built {
    kit.write("versions", script)?;
    kit.library("libfoo.so", code, &["-Wl,--version-script=versions"])
}

/// A program that is linked against one library and started with another.
pub(super) fn then(kit: &Kit, program: &str, how: &str, after: impl FnOnce(&Kit) -> Built) -> Built {
    versioned(kit, FOO, ONE)?;
    kit.program("x", program, &[ALL, "./libfoo.so", RUNPATH, how])?;
    after(kit)
}

/// A library that wants a version which no C library has.
fn newer(kit: &Kit) -> Built {
    kit.write("versions", "GLIBC_2.99 { global: newest; };")?;
    kit.library(
        "libc6.so",
        "int newest(void) { return 1; }",
        &["-nostdlib", "-Wl,-soname,libc.so.6", "-Wl,--version-script=versions"],
    )
}

/// The first vernaux of a file: where it lies.
fn vernaux(elf: &Image) -> Option<usize> {
    let need = elf.points_to(DT_VERNEED)?;
    Some(need + usize::try_from(elf.number((need + 8, 4))?).ok()?)
}

const NEWEST: &str = "int newest(void); int (*volatile p)(void) = newest; int main(void) { return p == 0; }";
const CALLS_NEWEST: &str =
    "int newest(void); int main(int c, char **v) { (void)v; return c > 1 ? newest() : 0; }";

/// GNU_PROPERTY_X86_ISA_1_NEEDED of a file, set to a level that no processor has.
fn beyond(elf: &mut Image) -> Option<()> {
    let at = elf.find(&[2, 0x80, 0, 0xc0, 4, 0, 0, 0])?;
    elf.write(at + 8, &[0, 0, 0, 0x40])
}

pub(super) const CASES: &[Case] = &[
    case("a version", |kit| then(kit, CALLS_FOO, LAZY, |_| Ok(())), Starts, Starts),
    case(
        "the name of a version that leads out of its library",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                versioned(kit, "int puts(const char *); int foo(void) { return puts(\"\") < 0; }", ONE)?;
                kit.damage("libfoo.so", |elf| elf.put((vernaux(elf)? + 8, 4), 0x2_0000))
            })
        },
        Says("version `"),
        Nothing,
    ),
    case(
        "a version that is gone",
        |kit| then(kit, CALLS_FOO, LAZY, |kit| versioned(kit, FOO, "V2 { global: foo; };")),
        Says("version `V1' not found (required by ./x)"),
        Anything,
    ),
    case(
        "two versions that are gone",
        |kit| {
            versioned(kit, "int foo(void) { return 1; } int bar(void) { return 1; }", TWO)?;
            kit.program("x", "int foo(void), bar(void); int main(int c, char **v) { (void)v; return c > 1 ? foo() + bar() : 0; }",
            &[ALL, "./libfoo.so", RUNPATH, LAZY])?;
            versioned(
                kit,
                "int foo(void) { return 1; } int bar(void) { return 1; }",
                "V3 { global: foo; bar; };",
            )
        },
        Says("not found (required by ./x)"),
        Anything,
    ),
    case(
        "a version that a library misses",
        |kit| {
            versioned(kit, FOO, ONE)?;
            kit.library(
                "libbar.so",
                "int foo(void); int bar(void) { return foo(); }",
                &[ALL, "./libfoo.so", RUNPATH],
            )?;
            kit.program(
                "x",
                "int bar(void); int main(int c, char **v) { (void)v; return c > 1 ? bar() : 0; }",
                &[ALL, "./libbar.so", RUNPATH, LAZY],
            )?;
            versioned(kit, FOO, "V2 { global: foo; };")
        },
        Says("libfoo.so: version `V1' not found (required by "),
        Anything,
    ),
    case(
        "no versions at all any more",
        |kit| then(kit, CALLS_FOO, LAZY, |kit| kit.library("libfoo.so", FOO, &[])),
        Starts,
        Starts,
    ),
    case(
        "no versions at all any more, bound at the start",
        |kit| then(kit, TAKES_FOO, NOW, |kit| kit.library("libfoo.so", FOO, &[])),
        Says("Inconsistency detected by ld.so"),
        Starts,
    ),
    case(
        "no versions at all any more, a weak one",
        |kit| {
            let code = "__attribute__((weak)) int foo(void); int (*volatile p)(void) = foo; int main(void) { return 0; }";
            then(kit, code, NOW, |kit| kit.library("libfoo.so", FOO, &[]))
        },
        Says("Inconsistency detected by ld.so"),
        Starts,
    ),
    case(
        "no versions at all any more, and a preload that has it",
        |kit| {
            kit.library("libpre.so", FOO, &[])?;
            then(kit, TAKES_FOO, NOW, |kit| kit.library("libfoo.so", FOO, &[]))
        },
        Starts,
        Starts,
    )
    .env(&[("LD_PRELOAD", "$PWD/libpre.so")]),
    case(
        "the version without the symbol, bound lazily",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                versioned(kit, "int bar(void) { return 1; }", "V1 { global: bar; };")
            })
        },
        Lacks("foo"),
        Says("foo: symbol not found"),
    ),
    case(
        "the version without the symbol, bound at the start",
        |kit| {
            then(kit, CALLS_FOO, NOW, |kit| {
                versioned(kit, "int bar(void) { return 1; }", "V1 { global: bar; };")
            })
        },
        Says("undefined symbol: foo, version V1"),
        Says("foo: symbol not found"),
    ),
    case(
        "the version without the symbol, its address",
        |kit| {
            then(kit, TAKES_FOO, LAZY, |kit| {
                versioned(kit, "int bar(void) { return 1; }", "V1 { global: bar; };")
            })
        },
        Says("foo, version V1"),
        Says("foo: symbol not found"),
    ),
    case(
        "the symbol in another version",
        |kit| {
            then(kit, TAKES_FOO, NOW, |kit| {
                versioned(
                    kit,
                    "int foo(void) { return 1; } int bar(void) { return 1; }",
                    "V1 { global: bar; }; V2 { global: foo; };",
                )
            })
        },
        Says("foo, version V1"),
        Anything,
    ),
    case(
        "a second default",
        |kit| {
            then(kit, TAKES_FOO, NOW, |kit| {
                let code = "__asm__(\".symver old, foo@V1; .symver new, foo@@V2\"); int old(void) { return 1; } int new(void) { return 2; }";
                versioned(kit, code, "V1 { }; V2 { } V1;")
            })
        },
        Starts,
        Anything,
    ),
    case(
        "a program without versions, a library with two",
        |kit| {
            kit.library("libfoo.so", FOO, &[])?;
            kit.program("x", TAKES_FOO, &[ALL, "./libfoo.so", RUNPATH, NOW])?;
            let code = "__asm__(\".symver old, foo@V1; .symver new, foo@@V2\"); int old(void) { return 1; } int new(void) { return 2; }";
            versioned(kit, code, "V1 { }; V2 { } V1;")
        },
        Starts,
        Anything,
    ),
    case(
        "a program without versions, a library with a hidden one",
        |kit| {
            kit.library("libfoo.so", FOO, &[])?;
            kit.program("x", TAKES_FOO, &[ALL, "./libfoo.so", RUNPATH, NOW])?;
            versioned(kit, "__asm__(\".symver old, foo@V1\"); int old(void) { return 1; }", "V1 { };")
        },
        Anything,
        Anything,
    ),
    case(
        "a program without versions, a library with two hidden ones",
        |kit| {
            kit.library("libfoo.so", FOO, &[])?;
            kit.program("x", TAKES_FOO, &[ALL, "./libfoo.so", RUNPATH, NOW])?;
            let code = "__asm__(\".symver old, foo@V1; .symver new, foo@V2\"); int old(void) { return 1; } int new(void) { return 2; }";
            versioned(kit, code, "V1 { }; V2 { } V1;")
        },
        Anything,
        Anything,
    ),
    case(
        "the versioned symbol from another library",
        |kit| {
            then(kit, TAKES_FOO, NOW, |kit| {
                versioned(kit, "int bar(void) { return 1; }", "V1 { global: bar; };")?;
                kit.library("libpre.so", FOO, &[])
            })
        },
        Starts,
        Starts,
    )
    .env(&[("LD_PRELOAD", "$PWD/libpre.so")]),
    case(
        "a version that may be gone",
        |kit| {
            then(kit, TAKES_FOO, NOW, |kit| {
                kit.damage("x", |elf| {
                    // VER_FLG_WEAK, in any of the entries for V1.
                    let at = vernaux(elf)?;
                    elf.write(at + 4, &[2])
                })?;
                versioned(kit, FOO, "V2 { global: foo; };")
            })
        },
        Says("undefined symbol: foo, version V1"),
        Starts,
    ),
    case(
        "a version that may be gone, and whose symbol may, too",
        |kit| {
            let weak = "int foo(void) __attribute__((weak)); int (*volatile p)(void); \
                        int main(void) { p = foo; return 0; }";
            then(kit, weak, NOW, |kit| {
                kit.damage("x", |elf| {
                    let at = vernaux(elf)?;
                    elf.write(at + 4, &[2])
                })?;
                versioned(kit, FOO, "V2 { global: foo; };")
            })
        },
        Starts,
        Starts,
    ),
    case(
        "a newer glibc, by an address",
        |kit| {
            newer(kit)?;
            kit.program("x", NEWEST, &["-nostartfiles", "-nodefaultlibs", "-Wl,-e,main", ALL, "./libc6.so"])
        },
        Says("version `GLIBC_2.99' not found (required by ./x)"),
        Says("newest: symbol not found"),
    ),
    case(
        "a newer glibc, bound lazily",
        |kit| {
            newer(kit)?;
            kit.program(
                "x",
                CALLS_NEWEST,
                &["-nostartfiles", "-nodefaultlibs", "-Wl,-e,main", ALL, "./libc6.so", LAZY],
            )
        },
        Says("libc.so.6: version `GLIBC_2.99' not found (required by ./x)"),
        Says("newest: symbol not found"),
    ),
    case(
        "a newer glibc, for a library",
        |kit| {
            newer(kit)?;
            kit.library(
                "libfoo.so",
                "int newest(void); int foo(void) { return newest(); }",
                &[ALL, "./libc6.so"],
            )?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY, SHARED])
        },
        Says("version `GLIBC_2.99' not found (required by "),
        Says("newest: symbol not found"),
    ),
    case(
        "a newer glibc, and a library is gone",
        |kit| {
            newer(kit)?;
            kit.library("libfoo.so", FOO, &[])?;
            kit.program(
                "x",
                CALLS_NEWEST,
                &[
                    "-nostartfiles",
                    "-nodefaultlibs",
                    "-Wl,-e,main",
                    ALL,
                    "./libfoo.so",
                    "./libc6.so",
                    RUNPATH,
                    LAZY,
                ],
            )?;
            kit.remove("libfoo.so")
        },
        Says("libfoo.so: cannot open"),
        Says("libfoo.so: No such file"),
    ),
    case(
        "a newer glibc, and a symbol is missing",
        |kit| {
            newer(kit)?;
            kit.program(
                "x",
                NEWEST,
                &["-nostartfiles", "-nodefaultlibs", "-Wl,-e,main", ALL, "./libc6.so", NOW],
            )
        },
        Says("GLIBC_2.99"),
        Says("newest: symbol not found"),
    ),
    case(
        "packed relocations, as glibc says it by a version",
        |kit| {
            kit.program(
                "x",
                "int one, *two = &one, *three = &one; int main(void) { return *two + *three; }",
                &["-Wl,-z,pack-relative-relocs"],
            )
        },
        Starts,
        Nothing,
    ),
    case("a library for x86-64-v2", |kit| flagged(kit, &["-Wl,-z,x86-64-v2"]), Starts, Starts),
    case("a library for x86-64-v4", |kit| flagged(kit, &["-Wl,-z,x86-64-v4"]), Anything, Starts),
    case(
        "a library for a processor beyond x86-64-v4",
        |kit| {
            flagged(kit, &["-Wl,-z,x86-64-v4"])?;
            kit.damage("libfoo.so", beyond)
        },
        Says("CPU ISA level is lower than required"),
        Starts,
    ),
    case(
        "a library for such a processor, then another",
        |kit| {
            kit.library("b/libfoo.so", FOO, &[])?;
            kit.library("a/libfoo.so", FOO, &["-Wl,-z,x86-64-v4"])?;
            kit.damage("a/libfoo.so", beyond)?;
            kit.program("x", CALLS_FOO, &[ALL, "b/libfoo.so", "-Wl,-rpath,$ORIGIN/a:$ORIGIN/b", LAZY])
        },
        Anything,
        Starts,
    ),
    case(
        "a program for a processor beyond x86-64-v4",
        |kit| {
            kit.program("x", MAIN, &["-Wl,-z,x86-64-v4"])?;
            kit.damage("x", beyond)
        },
        Says("CPU ISA level is lower than required"),
        Starts,
    ),
];
