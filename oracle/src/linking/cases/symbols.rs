//! Symbols without versions.

use super::{
    ALL, Anything, BAR, CALLS_FOO, Case, FOO, LAZY, Lacks, MAIN, NOW, Nothing, RUNPATH, SHARED, Says, Starts,
    TAKES_FOO, case,
};
use crate::linking::host::Family;
use crate::linking::kit::{Built, Kit};

pub(super) const UNDEFINED: &str = "./x: symbol lookup error: ./x: undefined symbol: foo";
pub(super) const RELOCATING: &str = "Error relocating ./x: foo: symbol not found";

/// All that a program here may lack.
const HAD: &str = "int foo(void) { return 1; } int one(void) { return 1; } int two(void) { return 1; } int data; \
                   __thread int t; int none(void) { return 1; } int __stat_time64(const char *path, void *to) \
                   { (void)path; (void)to; return 0; } const char *gnu_get_libc_version(void) \
                   { return 0; } int open64() { return 1; } int readdir64_r() { return 1; } int __fxstat64() \
                   { return 1; } int versionsort64() { return 1; } int strcpy64() { return 1; }";

/// A program whose library has lost all that it had.
pub(super) fn loose(kit: &Kit, code: &str, flags: &[&str]) -> Built {
    kit.library("libhad.so", HAD, &["-fno-builtin"])?;
    kit.program("x", code, &[&[ALL, "./libhad.so", RUNPATH], flags].concat())?;
    kit.library("libhad.so", "int nothing;", &[])
}

/// A program that wants `foo`, and a library with this code.
pub(super) fn with(kit: &Kit, code: &str, flags: &[&str]) -> Built {
    kit.library("libfoo.so", FOO, &[])?;
    kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, NOW])?;
    kit.library("libfoo.so", code, flags)
}

const DATA: &str = "extern int data; int main(int c, char **v) { (void)v; return c > 1 ? data : 0; }";

pub(super) const CASES: &[Case] = &[
    case("a function, bound lazily", |kit| loose(kit, CALLS_FOO, &[LAZY]), Lacks("foo"), Says(RELOCATING)),
    case(
        "a function, bound at the start",
        |kit| loose(kit, CALLS_FOO, &[NOW]),
        Says(UNDEFINED),
        Says(RELOCATING),
    ),
    case("a function, LD_BIND_NOW", |kit| loose(kit, CALLS_FOO, &[LAZY]), Says(UNDEFINED), Says(RELOCATING))
        .env(&[("LD_BIND_NOW", "1")]),
    case(
        "a function, LD_BIND_NOW that is empty",
        |kit| loose(kit, CALLS_FOO, &[LAZY]),
        Lacks("foo"),
        Says(RELOCATING),
    )
    .env(&[("LD_BIND_NOW", "")]),
    case("a function's address", |kit| loose(kit, TAKES_FOO, &[LAZY]), Says(UNDEFINED), Says(RELOCATING)),
    case(
        "a function without a PLT",
        |kit| loose(kit, CALLS_FOO, &[LAZY, "-fno-plt"]),
        Says(UNDEFINED),
        Says(RELOCATING),
    ),
    case(
        "a function, whose address serves for calls",
        |kit| {
            // GNU ld has no slot for calls of it, and hashes it as if it were defined.
            let code = "int foo(void); void *volatile p; int main(int c, char **v) \
                        { (void)v; p = (void *)foo; return c > 1 ? foo() : 0; }";
            loose(kit, code, &[LAZY, "-fPIC"])
        },
        Says(UNDEFINED),
        Says(RELOCATING),
    ),
    case(
        "at a fixed address",
        |kit| loose(kit, CALLS_FOO, &[LAZY, "-no-pie", "-fno-pie"]),
        Anything,
        Anything,
    ),
    case(
        "data, by its address",
        |kit| loose(kit, DATA, &[LAZY]),
        Says("undefined symbol: data"),
        Says("data: symbol not found"),
    ),
    case(
        "data, copied",
        |kit| {
            kit.library("libfoo.so", "int data = 1;", &[])?;
            kit.program("x", DATA, &["-no-pie", "-fno-pie", ALL, "./libfoo.so", RUNPATH])?;
            kit.library("libfoo.so", BAR, &[])
        },
        Says("undefined symbol: data"),
        Says("data: symbol not found"),
    ),
    case(
        "data, copied and there",
        |kit| {
            kit.library("libfoo.so", "int data = 1;", &[])?;
            kit.program("x", DATA, &["-no-pie", "-fno-pie", ALL, "./libfoo.so", RUNPATH])
        },
        Starts,
        Starts,
    ),
    case(
        "data, of another size",
        |kit| {
            kit.library("libfoo.so", "int data = 1;", &[])?;
            kit.program("x", DATA, &["-no-pie", "-fno-pie", ALL, "./libfoo.so", RUNPATH])?;
            kit.library("libfoo.so", "int data[9] = {1};", &[])
        },
        Starts,
        Starts,
    ),
    case(
        "a weak function",
        |kit| {
            let code = "__attribute__((weak)) int foo(void); int main(int c, char **v) { (void)v; return c > 1 ? foo() : 0; }";
            loose(kit, code, &[LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "a weak function, bound at the start",
        |kit| {
            let code = "__attribute__((weak)) int foo(void); int main(int c, char **v) { (void)v; return c > 1 ? foo() : 0; }";
            loose(kit, code, &[NOW])
        },
        Starts,
        Starts,
    ),
    case(
        "weak data",
        |kit| {
            loose(
                kit,
                "__attribute__((weak)) extern int data; int *volatile p = &data; int main(void) { return p != 0; }",
                &[NOW],
            )
        },
        Starts,
        Starts,
    ),
    case(
        "two are missing",
        |kit| {
            loose(
                kit,
                "int one(void), two(void); int main(int c, char **v) { (void)v; return c > 1 ? one() + two() : 0; }",
                &[LAZY],
            )
        },
        Lacks("one"),
        Says("symbol not found"),
    ),
    case(
        "a function of a library, bound lazily",
        |kit| {
            kit.library("libfoo.so", "int bar(void); int foo(void) { return bar(); }", &[LAZY])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, SHARED, LAZY])
        },
        Lacks("bar"),
        Says("libfoo.so: bar: symbol not found"),
    ),
    case(
        "a function of a library, bound at the start",
        |kit| {
            kit.library("libfoo.so", "int bar(void); int foo(void) { return bar(); }", &[NOW])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, SHARED, LAZY])
        },
        Says("libfoo.so: undefined symbol: bar"),
        Says("libfoo.so: bar: symbol not found"),
    ),
    case(
        "data of a library",
        |kit| {
            kit.library("libfoo.so", "extern int bar; int foo(void) { return bar; }", &[LAZY])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, SHARED, LAZY])
        },
        Says("libfoo.so: undefined symbol: bar"),
        Says("libfoo.so: bar: symbol not found"),
    ),
    case(
        "two libraries lack something",
        |kit| {
            kit.library("liba.so", "extern int one; int *a(void) { return &one; }", &[])?;
            kit.library("libb.so", "extern int two; int *b(void) { return &two; }", &[])?;
            kit.program("x", MAIN, &[ALL, "./liba.so", "./libb.so", RUNPATH, SHARED])
        },
        Says("undefined symbol"),
        Says("symbol not found"),
    ),
    case(
        "a library and the program lack something",
        |kit| {
            kit.library("libfoo.so", FOO, &[])?;
            kit.program("x", TAKES_FOO, &[ALL, "./libfoo.so", RUNPATH])?;
            kit.library("libfoo.so", "extern int bar; int *a(void) { return &bar; }", &[])
        },
        Says("undefined symbol"),
        Says("symbol not found"),
    ),
    case(
        "the program defines it",
        |kit| {
            kit.library("libfoo.so", "int bar(void); int foo(void) { return bar(); }", &[NOW])?;
            kit.program(
                "x",
                "int foo(void); int bar(void) { return 0; } int main(void) { return foo(); }",
                &[ALL, "./libfoo.so", RUNPATH, "-rdynamic"],
            )
        },
        Starts,
        Starts,
    ),
    case(
        "the program does not export it",
        |kit| {
            kit.library("libfoo.so", FOO, &[])?;
            kit.program("x", "int foo(void); __attribute__((visibility(\"hidden\"))) int bar(void) { return 0; } int main(void) { return foo() + bar(); }",
            &[ALL, "./libfoo.so", RUNPATH])?;
            kit.library("libfoo.so", "int bar(void); int foo(void) { return bar(); }", &[NOW])
        },
        Says("libfoo.so: undefined symbol: bar"),
        Says("libfoo.so: bar: symbol not found"),
    ),
    case(
        "a later library defines it",
        |kit| {
            kit.library("libfoo.so", "int bar(void); int foo(void) { return bar(); }", &[NOW])?;
            kit.library("libbar.so", "int bar(void) { return 0; }", &[])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", "./libbar.so", RUNPATH, NOW])
        },
        Starts,
        Starts,
    ),
    case(
        "bound symbolically",
        |kit| {
            kit.library(
                "libfoo.so",
                "int bar(void) { return 0; } int foo(void) { return bar(); }",
                &["-Wl,-Bsymbolic"],
            )?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH])
        },
        Starts,
        Starts,
    ),
    case(
        "relocations in the text",
        |kit| {
            kit.library("libfoo.so", FOO, &[])?;
            let code = "__asm__(\".text; .quad foo\"); int foo(void); int main(void) { return 0; }";
            kit.program("x", code, &[ALL, "./libfoo.so", RUNPATH, "-Wl,-z,notext"])
        },
        Starts,
        Anything,
    )
    .gap(Family::Musl, "that musl dies of relocations in the text of a program", "starts"),
    case(
        "relocations in the text, and not there",
        |kit| {
            let code = "__asm__(\".text; .quad foo\"); int foo(void); int main(void) { return 0; }";
            loose(kit, code, &["-Wl,-z,notext"])
        },
        Lacks("foo"),
        Anything,
    )
    .gap(Family::Musl, "that musl dies of relocations in the text of a program", "fails"),
    case(
        "glibc's alone",
        |kit| {
            loose(
                kit,
                "const char *gnu_get_libc_version(void); int main(int c, char **v) { (void)v; return c > 1 ? *gnu_get_libc_version() : 0; }",
                &[LAZY],
            )
        },
        Starts,
        Says("Error relocating ./x: gnu_get_libc_version: symbol not found"),
    ),
    case(
        "musl's change to 64 bits of time",
        |kit| {
            loose(
                kit,
                "int __stat_time64(const char *, void *); int main(int c, char **v) { return c > 1 ? __stat_time64(*v, 0) : 0; }",
                &[LAZY],
            )
        },
        Lacks("__stat_time64"),
        Says("Error relocating ./x: __stat_time64: symbol not found"),
    ),
    case(
        "musl's former names for large files",
        |kit| {
            loose(
                kit,
                "int open64(), readdir64_r(), __fxstat64(), versionsort64(); int (*all[])() = { open64, readdir64_r, __fxstat64, versionsort64 }; int main(int c, char **v) { (void)v; return c > 1 ? all[c]() : 0; }",
                &[SHARED],
            )
        },
        Anything,
        Starts,
    ),
    case(
        "a weak one of them",
        |kit| {
            loose(
                kit,
                "__attribute__((weak)) int open64(); int main(int c, char **v) { (void)v; return c > 1 ? open64() : 0; }",
                &[SHARED],
            )
        },
        Starts,
        Starts,
    ),
    case(
        "no name for large files",
        |kit| {
            loose(
                kit,
                "int strcpy64(); int main(int c, char **v) { (void)v; return c > 1 ? strcpy64() : 0; }",
                &[LAZY],
            )
        },
        Lacks("strcpy64"),
        Says("Error relocating ./x: strcpy64: symbol not found"),
    ),
    case(
        "a missing library and a missing symbol",
        |kit| {
            kit.library("libfoo.so", HAD, &["-fno-builtin"])?;
            kit.program("x", "int foo(void), none(void); int main(int c, char **v) { (void)v; return c > 1 ? foo() + none() : 0; }",
            &[ALL, "./libfoo.so", RUNPATH, NOW])?;
            kit.remove("libfoo.so")
        },
        Says("libfoo.so: cannot open"),
        Says("Error loading shared library libfoo.so"),
    ),
    case(
        "packed relative relocations",
        |kit| {
            kit.library(
                "libfoo.so",
                "int one, *two = &one, *three = &one; int foo(void) { return *two + *three; }",
                &["-Wl,-z,pack-relative-relocs"],
            )?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY])
        },
        Starts,
        Nothing,
    ),
];
