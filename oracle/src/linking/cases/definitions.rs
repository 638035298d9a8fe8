//! What a library has to define, and how, for a symbol to be found in it.

use testkit::elf_h::{DT_GNU_HASH, DT_HASH};

use super::symbols::{RELOCATING, UNDEFINED, loose, with};
use super::{ALL, Anything, BAR, CALLS_FOO, Case, Dies, FOO, NO_TAG, RUNPATH, Says, Starts, case};

pub(super) const CASES: &[Case] = &[
    case(
        "a hidden one",
        |kit| with(kit, "__attribute__((visibility(\"hidden\"))) int foo(void) { return 1; }", &[]),
        Says(UNDEFINED),
        Says(RELOCATING),
    ),
    case(
        "a static one",
        |kit| with(kit, "__attribute__((used)) static int foo(void) { return 1; }", &[]),
        Says(UNDEFINED),
        Says(RELOCATING),
    ),
    case(
        "a protected one",
        |kit| with(kit, "__attribute__((visibility(\"protected\"))) int foo(void) { return 1; }", &[]),
        Starts,
        Starts,
    ),
    case(
        "a weak one",
        |kit| with(kit, "__attribute__((weak)) int foo(void) { return 1; }", &[]),
        Starts,
        Starts,
    ),
    case(
        "an alias",
        |kit| with(kit, "int bar(void) { return 1; } int foo(void) __attribute__((alias(\"bar\")));", &[]),
        Starts,
        Starts,
    ),
    case(
        "an indirect one",
        |kit| {
            with(
                kit,
                "static int one(void) { return 1; } static void *pick(void) { return one; } int foo(void) __attribute__((ifunc(\"pick\")));",
                &[],
            )
        },
        Starts,
        Anything,
    ),
    case(
        "an absolute one",
        |kit| with(kit, "__asm__(\".globl foo; .set foo, 0x1234\");", &[]),
        Starts,
        Starts,
    ),
    case(
        "an absolute one of value 0",
        |kit| with(kit, "__asm__(\".globl foo; .set foo, 0\");", &[]),
        Anything,
        Anything,
    ),
    case("one without a type", |kit| with(kit, "__asm__(\".globl foo; foo: ret\");", &[]), Starts, Starts),
    case("an object of its name", |kit| with(kit, "int foo = 1;", &[]), Starts, Starts),
    case(
        "a unique one",
        |kit| {
            with(
                kit,
                "__asm__(\".data; .globl foo; .type foo, @gnu_unique_object; foo: .long 1; .text\");",
                &[],
            )
        },
        Starts,
        Anything,
    ),
    case("a common one", |kit| with(kit, "int foo;", &["-fcommon"]), Starts, Starts),
    case(
        "one that is undefined there, too",
        |kit| with(kit, "int foo(void); int bar(void) { return foo(); }", &[]),
        Says("undefined symbol: foo"),
        Says("foo: symbol not found"),
    ),
    case(
        "a thread's variable",
        |kit| {
            loose(
                kit,
                "extern __thread int t; int main(int c, char **v) { (void)v; return c > 1 ? t : 0; }",
                &[],
            )
        },
        Says("undefined symbol: t"),
        Says("t: symbol not found"),
    ),
    case(
        "a thread's variable that is there",
        |kit| {
            kit.library("libfoo.so", "__thread int t = 1;", &[])?;
            kit.program(
                "x",
                "extern __thread int t; int main(int c, char **v) { (void)v; return c > 1 ? t : 0; }",
                &[ALL, "./libfoo.so", RUNPATH],
            )
        },
        Starts,
        Starts,
    ),
    case(
        "a thread's variable at a variable's name",
        |kit| with(kit, "__thread int foo = 1;", &[]),
        Anything,
        Anything,
    ),
    case(
        "many threads' variables",
        |kit| {
            kit.library(
                "libfoo.so",
                "__thread char t[100000] = {1}; int foo(void) { return t[3]; }",
                &["-ftls-model=initial-exec"],
            )?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH])
        },
        Starts,
        Starts,
    ),
    case("DT_HASH alone", |kit| with(kit, FOO, &["-Wl,--hash-style=sysv"]), Starts, Starts),
    case("DT_GNU_HASH alone", |kit| with(kit, FOO, &["-Wl,--hash-style=gnu"]), Starts, Starts),
    case("both hash tables", |kit| with(kit, FOO, &["-Wl,--hash-style=both"]), Starts, Starts),
    case(
        "DT_HASH alone, and not there",
        |kit| with(kit, BAR, &["-Wl,--hash-style=sysv"]),
        Says(UNDEFINED),
        Says(RELOCATING),
    ),
    case(
        "no hash table",
        |kit| {
            with(kit, FOO, &["-Wl,--hash-style=gnu"])?;
            kit.damage("libfoo.so", |elf| elf.put(elf.dynamic(DT_GNU_HASH)?.0, NO_TAG))
        },
        Says(UNDEFINED),
        Dies,
    ),
    case(
        "DT_GNU_HASH removed",
        |kit| {
            with(kit, FOO, &["-Wl,--hash-style=both"])?;
            kit.damage("libfoo.so", |elf| elf.put(elf.dynamic(DT_GNU_HASH)?.0, NO_TAG))
        },
        Starts,
        Starts,
    ),
    case(
        "DT_HASH removed",
        |kit| {
            with(kit, FOO, &["-Wl,--hash-style=both"])?;
            kit.damage("libfoo.so", |elf| elf.put(elf.dynamic(DT_HASH)?.0, NO_TAG))
        },
        Starts,
        Starts,
    ),
    case(
        "a hundred symbols",
        |kit| {
            let code: String =
                (0..100).map(|index| format!("int foo{index}(void) {{ return 1; }}\n")).collect();
            kit.library("libfoo.so", &code, &[])?;
            let uses: String = (0..100).map(|index| format!("foo{index}, ")).collect();
            let code: String = (0..100).map(|index| format!("int foo{index}(void);\n")).collect();
            let code = format!(
                "{code}int (*volatile p[])(void) = {{ {uses} }}; int main(void) {{ return p[0] == 0; }}"
            );
            kit.program("x", &code, &[ALL, "./libfoo.so", RUNPATH])
        },
        Starts,
        Starts,
    ),
    case(
        "one of a hundred symbols",
        |kit| {
            let define = |count: usize| -> String {
                (0..count).map(|index| format!("int foo{index}(void) {{ return 1; }}\n")).collect()
            };
            kit.library("libfoo.so", &define(100), &[])?;
            let uses: String = (0..100).map(|index| format!("foo{index}, ")).collect();
            let code: String = (0..100).map(|index| format!("int foo{index}(void);\n")).collect();
            let code = format!(
                "{code}int (*volatile p[])(void) = {{ {uses} }}; int main(void) {{ return p[0] == 0; }}"
            );
            kit.program("x", &code, &[ALL, "./libfoo.so", RUNPATH])?;
            kit.library("libfoo.so", &define(99), &[])
        },
        Says("undefined symbol: foo99"),
        Says("foo99: symbol not found"),
    ),
];
