//! The shape of the closure, and what is loaded beside it.

use testkit::elf_h::{DT_NEEDED, PT_DYNAMIC, PT_NULL};

use super::{
    ALL, Anything, BAR, CALLS_FOO, Case, Dies, FOO, LAZY, MAIN, NO_TAG, Nothing, RUNPATH, SHARED, Says,
    Starts, case, plain,
};
use crate::linking::kit::{Built, Kit};

/// How many, where it is about many.
const LIBRARIES: usize = 200;

/// A library with more relative relocations than a rehearsal has room for, whose constructors are not aligned: those of code
/// that is compiled for size, and one that nothing lists, as BOLT leaves crtbegin.o's.
const LARGE: &str = r#"
static int seen;
#define CONSTRUCTOR(name, bit) __attribute__((constructor)) static void name(void) { seen |= bit; }
CONSTRUCTOR(one, 0x1) CONSTRUCTOR(two, 0x200) CONSTRUCTOR(three, 0x40000) CONSTRUCTOR(four, 0x8000000)
int foo(void) { return seen; }
__asm__(".text; .balign 16; nop; unlisted: jmp other; .balign 16; other: ret;"
        ".section .init_array,\"aw\"; .balign 8; .quad unlisted;"
        ".data; .balign 8; here: .rept 9000; .quad here; .zero 248; .endr");
"#;

/// The name of one of many; they are all of one length.
pub(super) fn name(index: usize) -> String {
    format!("libn{index:03}.so")
}

/// Copies a library under other names, each with that name as its SONAME and needing the next.
fn many(kit: &Kit) -> Built {
    kit.library("libnext.so", BAR, &["-nostdlib", "-Wl,-soname,libnNXT.so"])?;
    kit.library("libthis.so", FOO, &["-nostdlib", "-Wl,-soname,libnTHS.so", ALL, "./libnext.so"])?;
    kit.library("libn000.so", FOO, &["-nostdlib"])?;
    kit.library(&name(LIBRARIES - 1), BAR, &["-nostdlib"])?;
    for index in 0..LIBRARIES - 1 {
        kit.copy("libthis.so", &name(index))?;
        kit.damage(&name(index), |elf| {
            elf.replace(b"libnNXT.so", name(index + 1).as_bytes())?;
            elf.replace(b"libnTHS.so", name(index).as_bytes())
        })?;
    }
    Ok(())
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
        "a large library whose constructors are not aligned",
        |kit| {
            kit.library("libfoo.so", LARGE, &["-Os"])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH])
        },
        Starts,
        Starts,
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
            for index in 0..LIBRARIES {
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
            kit.damage("x", |elf| elf.set_in(elf.segment(PT_DYNAMIC)?, "p_type", PT_NULL))
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
            kit.damage("x", |elf| elf.set_in(elf.segment(PT_DYNAMIC)?, "p_type", PT_NULL))
        },
        Dies,
        Nothing,
    ),
    case(
        "no DT_NEEDED is left",
        |kit| {
            plain(kit)?;
            kit.damage("x", |elf| elf.put(elf.dynamic(DT_NEEDED)?.0, NO_TAG))
        },
        Anything,
        Anything,
    ),
];
