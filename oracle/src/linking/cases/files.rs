//! Libraries that are gone, or are no libraries for this program.

use testkit::elf_h::DT_DEBUG;

use super::{
    ALL, Anything, BAR, CALLS_FOO, Case, FOO, LAZY, Lacks, MAIN, NO_TAG, Nothing, RUNPATH, SHARED, Says,
    Starts, case, plain,
};
use crate::linking::kit::{Built, Kit};

const GONE: &str = "libfoo.so: cannot open shared object file: No such file or directory";
const GONE_MUSL: &str = "Error loading shared library libfoo.so: No such file or directory (needed by ./x)";
const NO_EXEC: &str = "Error loading shared library libfoo.so: Exec format error (needed by ./x)";

/// A program that needs two libraries.
fn pair(kit: &Kit) -> Built {
    kit.library("libfoo.so", FOO, &[])?;
    kit.library("libbar.so", BAR, &[])?;
    kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", "./libbar.so", RUNPATH, LAZY])
}

pub(super) const CASES: &[Case] = &[
    case("a whole one", plain, Starts, Starts),
    case(
        "a library is gone",
        |kit| {
            plain(kit)?;
            kit.remove("libfoo.so")
        },
        Says(GONE),
        Says(GONE_MUSL),
    ),
    case(
        "two are gone",
        |kit| {
            plain(kit)?;
            kit.library("libbar.so", BAR, &[])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libbar.so", "./libfoo.so", RUNPATH, LAZY])?;
            kit.remove("libbar.so")?;
            kit.remove("libfoo.so")
        },
        Says("libbar.so: cannot open"),
        Says("libbar.so: No such file"),
    ),
    case(
        "a library's library is gone",
        |kit| {
            kit.library("libbar.so", BAR, &[])?;
            kit.library("libfoo.so", FOO, &[ALL, "./libbar.so", RUNPATH])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, SHARED, LAZY])?;
            kit.remove("libbar.so")
        },
        Says("libbar.so: cannot open"),
        Says("libbar.so: No such file"),
    ),
    case(
        "needed by two and gone",
        |kit| {
            kit.library("libbar.so", BAR, &[])?;
            kit.library("libfoo.so", FOO, &[ALL, "./libbar.so", RUNPATH])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", "./libbar.so", RUNPATH, LAZY])?;
            kit.remove("libbar.so")
        },
        Says("libbar.so: cannot open"),
        Says("libbar.so: No such file"),
    ),
    case(
        "a dangling link, then a file",
        |kit| {
            kit.library("b/libfoo.so", FOO, &[])?;
            kit.link("nowhere", "a/libfoo.so")?;
            kit.program("x", CALLS_FOO, &[ALL, "b/libfoo.so", "-Wl,-rpath,$ORIGIN/a:$ORIGIN/b", LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "a folder of its name",
        |kit| {
            plain(kit)?;
            kit.remove("libfoo.so")?;
            kit.make_folder("libfoo.so")
        },
        Says("libfoo.so"),
        Says("libfoo.so"),
    ),
    case(
        "a folder of its name, then a file",
        |kit| {
            kit.library("b/libfoo.so", FOO, &[])?;
            kit.make_folder("a/libfoo.so")?;
            kit.program("x", CALLS_FOO, &[ALL, "b/libfoo.so", "-Wl,-rpath,$ORIGIN/a:$ORIGIN/b", LAZY])
        },
        Anything,
        Anything,
    ),
    case(
        "an empty file",
        |kit| {
            plain(kit)?;
            kit.write("libfoo.so", "")
        },
        Says("libfoo.so: file too short"),
        Says("Error loading shared library libfoo.so: "),
    ),
    case(
        "an empty file, then a whole one",
        |kit| {
            kit.library("b/libfoo.so", FOO, &[])?;
            kit.write("a/libfoo.so", "")?;
            kit.program("x", CALLS_FOO, &[ALL, "b/libfoo.so", "-Wl,-rpath,$ORIGIN/a:$ORIGIN/b", LAZY])
        },
        Says("libfoo.so: file too short"),
        Anything,
    ),
    case(
        "a text of a few bytes",
        |kit| {
            plain(kit)?;
            kit.write("libfoo.so", "GROUP ( libfoo.so.1 )\n")
        },
        Says("libfoo.so: file too short"),
        Says(NO_EXEC),
    ),
    case(
        "a text",
        |kit| {
            plain(kit)?;
            kit.write("libfoo.so", "/* a linker script */ GROUP ( libfoo.so.1 )\n".repeat(40))
        },
        Says("libfoo.so: invalid ELF header"),
        Says(NO_EXEC),
    ),
    case(
        "cut after the ELF header",
        |kit| {
            plain(kit)?;
            let bytes = kit.read("libfoo.so")?;
            kit.write("libfoo.so", bytes.get(..64).unwrap_or_default())
        },
        Says("libfoo.so"),
        Anything,
    ),
    case(
        "cut within the program headers",
        |kit| {
            plain(kit)?;
            let bytes = kit.read("libfoo.so")?;
            kit.write("libfoo.so", bytes.get(..200).unwrap_or_default())
        },
        Says("libfoo.so"),
        Anything,
    ),
    case(
        "cut in half",
        |kit| {
            plain(kit)?;
            kit.cut("libfoo.so", 500)
        },
        Anything,
        Anything,
    ),
    case(
        "cut by a tenth",
        |kit| {
            plain(kit)?;
            kit.cut("libfoo.so", 900)
        },
        Starts,
        Anything,
    ),
    case(
        "cut by a hundredth",
        |kit| {
            plain(kit)?;
            kit.cut("libfoo.so", 990)
        },
        Anything,
        Anything,
    ),
    case(
        "cut by a twentieth",
        |kit| {
            plain(kit)?;
            kit.cut("libfoo.so", 950)
        },
        Anything,
        Anything,
    ),
    case(
        "cut by a seventh",
        |kit| {
            plain(kit)?;
            kit.cut("libfoo.so", 857)
        },
        Anything,
        Anything,
    ),
    case(
        "cut by a fifth",
        |kit| {
            plain(kit)?;
            kit.cut("libfoo.so", 800)
        },
        Anything,
        Anything,
    ),
    case(
        "cut by a third",
        |kit| {
            plain(kit)?;
            kit.cut("libfoo.so", 667)
        },
        Anything,
        Anything,
    ),
    case(
        "one is missing, then one is cut in half",
        |kit| {
            pair(kit)?;
            kit.remove("libfoo.so")?;
            kit.cut("libbar.so", 500)
        },
        Says("libfoo.so"),
        Anything,
    ),
    case(
        "one is cut in half, then one is missing",
        |kit| {
            pair(kit)?;
            kit.cut("libfoo.so", 500)?;
            kit.remove("libbar.so")
        },
        Anything,
        Anything,
    ),
    case(
        "a text, then one is missing",
        |kit| {
            pair(kit)?;
            kit.write("libfoo.so", "a text\n".repeat(40))?;
            kit.remove("libbar.so")
        },
        Says("libfoo.so: invalid ELF header"),
        Says("libfoo.so"),
    ),
    case(
        "a text that several need",
        |kit| {
            pair(kit)?;
            kit.library("libbar.so", BAR, &[ALL, "./libfoo.so", RUNPATH])?;
            kit.write("libfoo.so", "a text\n".repeat(40))
        },
        Says("libfoo.so: invalid ELF header"),
        Says("libfoo.so"),
    ),
    case(
        "cut to its first quarter",
        |kit| {
            plain(kit)?;
            kit.cut("libfoo.so", 250)
        },
        Anything,
        Anything,
    ),
    case(
        "another library in its place",
        |kit| {
            plain(kit)?;
            kit.library("libfoo.so", BAR, &[])
        },
        Lacks("foo"),
        Says("Error relocating ./x: foo: symbol not found"),
    ),
    case(
        "a kernel newer than any",
        |kit| {
            let note = ".pushsection .note.ABI-tag,\"a\",%note\n.long 4,16,1\n.asciz \"GNU\"\n.long 0,99,0,0\n.popsection";
            let code = format!("__asm__({note:?}); {FOO}");
            kit.library("libfoo.so", &code, &[])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY])
        },
        Anything,
        Starts,
    ),
    case(
        "the C library is text",
        |kit| {
            kit.write("libc.so.6", "a text\n".repeat(40))?;
            kit.program("x", MAIN, &[RUNPATH])
        },
        Says("libc.so.6: invalid ELF header"),
        Nothing,
    ),
    case(
        "no DT_DEBUG in the program",
        |kit| {
            plain(kit)?;
            kit.damage("x", |elf| elf.put(elf.dynamic(DT_DEBUG)?.0, NO_TAG))
        },
        Starts,
        Starts,
    ),
];
