//! Libraries that are gone, or are no libraries for this program.

use super::{
    ALL, Anything, BAR, CALLS_FOO, Case, FOO, LAZY, Lacks, MAIN, Nothing, RUNPATH, SHARED, Says, Starts,
    case, plain,
};
use crate::linking::kit::elf::{DT_DEBUG, P_ALIGN, P_OFFSET, P_VADDR, PT_DYNAMIC, PT_LOAD};
use crate::linking::kit::{Built, Elf, Kit};

const GONE: &str = "libfoo.so: cannot open shared object file: No such file or directory";
const GONE_MUSL: &str = "Error loading shared library libfoo.so: No such file or directory (needed by ./x)";
const NO_EXEC: &str = "Error loading shared library libfoo.so: Exec format error (needed by ./x)";

const EI_CLASS: usize = 4;
const EI_DATA: usize = 5;
const EI_VERSION: usize = 6;
const EI_OSABI: usize = 7;
const EI_ABIVERSION: usize = 8;
const E_TYPE: usize = 16;
const E_MACHINE: usize = 18;
const E_VERSION: usize = 20;
const E_PHENTSIZE: usize = 54;
const E_PHNUM: usize = 56;
const EM_386: u8 = 3;
const EM_MIPS: u8 = 8;

/// `libfoo.so` with other bytes.
fn damaged(kit: &Kit, how: impl FnOnce(&mut Elf) -> Option<()>) -> Built {
    plain(kit)?;
    kit.damage("libfoo.so", how)
}

/// One byte.
fn byte(kit: &Kit, at: usize, value: u8) -> Built {
    damaged(kit, |elf| elf.put(at, &[value]))
}

/// A damaged one in the first folder of two, a whole one in the second.
fn two(kit: &Kit, how: impl FnOnce(&mut Elf) -> Option<()>) -> Built {
    kit.library("a/libfoo.so", FOO, &[])?;
    kit.copy("a/libfoo.so", "b/libfoo.so")?;
    kit.damage("a/libfoo.so", how)?;
    kit.program("x", CALLS_FOO, &[ALL, "b/libfoo.so", "-Wl,-rpath,$ORIGIN/a:$ORIGIN/b", LAZY])
}

/// A field of a program header.
fn field(elf: &mut Elf, p_type: u32, field: usize, value: u64) -> Option<()> {
    let at = elf.segment(p_type)?;
    elf.put64(at + field, value)
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
        Starts,
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
        "the other byte order",
        |kit| byte(kit, EI_DATA, 2),
        Says("ELF file data encoding not little-endian"),
        Anything,
    ),
    case(
        "the other byte order, then a whole one",
        |kit| two(kit, |elf| elf.put(EI_DATA, &[2])),
        Says("ELF file data encoding not little-endian"),
        Anything,
    ),
    case("the other class", |kit| byte(kit, EI_CLASS, 1), Says("wrong ELF class: ELFCLASS32"), Anything),
    case(
        "the other class, then a whole one",
        |kit| two(kit, |elf| elf.put(EI_CLASS, &[1])),
        Starts,
        Anything,
    ),
    case(
        "for i386",
        |kit| {
            damaged(kit, |elf| {
                elf.put(EI_CLASS, &[1])?;
                elf.put(E_MACHINE, &[EM_386])
            })
        },
        Says("wrong ELF class: ELFCLASS32"),
        Anything,
    ),
    case("for another machine", |kit| byte(kit, E_MACHINE, EM_MIPS), Says("libfoo.so"), Anything),
    case(
        "for another machine, then a whole one",
        |kit| two(kit, |elf| elf.put(E_MACHINE, &[EM_MIPS])),
        Starts,
        Anything,
    ),
    case("EI_VERSION of 2", |kit| byte(kit, EI_VERSION, 2), Says("libfoo.so"), Anything),
    case("e_version of 2", |kit| byte(kit, E_VERSION, 2), Says("libfoo.so"), Anything),
    case("EI_OSABI of FreeBSD", |kit| byte(kit, EI_OSABI, 9), Says("ELF file OS ABI invalid"), Anything),
    case("EI_OSABI of GNU", |kit| byte(kit, EI_OSABI, 3), Starts, Starts),
    case(
        "EI_ABIVERSION of 9",
        |kit| byte(kit, EI_ABIVERSION, 9),
        Says("ELF file ABI version invalid"),
        Anything,
    ),
    case("ident not padded with zeros", |kit| byte(kit, 12, 1), Says("nonzero padding in e_ident"), Anything),
    case(
        "a relocatable file",
        |kit| byte(kit, E_TYPE, 1),
        Says("only ET_DYN and ET_EXEC can be loaded"),
        Anything,
    ),
    case("an executable", |kit| byte(kit, E_TYPE, 2), Says("cannot dynamically load executable"), Anything),
    case(
        "a position-independent executable",
        |kit| {
            plain(kit)?;
            kit.program(
                "libfoo.so",
                "int foo(void) { return 1; } int main(void) { return 0; }",
                &["-pie", "-fPIE", "-rdynamic"],
            )
        },
        Says("cannot dynamically load position-independent executable"),
        Anything,
    ),
    case(
        "e_phentsize of 55",
        |kit| byte(kit, E_PHENTSIZE, 55),
        Says("phentsize not the expected size"),
        Anything,
    ),
    case(
        "no program headers",
        |kit| byte(kit, E_PHNUM, 0),
        Says("object file has no loadable segments"),
        Anything,
    ),
    case(
        "no PT_DYNAMIC",
        |kit| {
            damaged(kit, |elf| {
                let at = elf.segment(PT_DYNAMIC)?;
                elf.put(at, &[0])
            })
        },
        Says("object file has no dynamic section"),
        Anything,
    ),
    case("p_align of 1", |kit| damaged(kit, |elf| field(elf, PT_LOAD, P_ALIGN, 1)), Starts, Anything),
    case("p_align of 0", |kit| damaged(kit, |elf| field(elf, PT_LOAD, P_ALIGN, 0)), Anything, Anything),
    case(
        "p_align of 3 pages",
        |kit| damaged(kit, |elf| field(elf, PT_LOAD, P_ALIGN, 0x3000)),
        Anything,
        Anything,
    ),
    case(
        "p_align of 64 KiB",
        |kit| damaged(kit, |elf| field(elf, PT_LOAD, P_ALIGN, 0x1_0000)),
        Anything,
        Anything,
    ),
    case(
        "linked for pages of 64 KiB",
        |kit| {
            kit.library("libfoo.so", FOO, &["-Wl,-z,max-page-size=0x10000"])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY])
        },
        Starts,
        Starts,
    ),
    case(
        "a segment that is not congruent",
        |kit| {
            damaged(kit, |elf| {
                let at = elf.last_segment(PT_LOAD)?;
                let offset = elf.get(at + P_OFFSET, 8)?;
                elf.put64(at + P_OFFSET, offset + 8)
            })
        },
        Says("ELF load command address/offset not"),
        Anything,
    ),
    case(
        "segments in another order",
        |kit| {
            damaged(kit, |elf| {
                let at = elf.last_segment(PT_LOAD)?;
                elf.put64(at + P_VADDR, 0)
            })
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
        "an executable stack",
        |kit| {
            kit.library("libfoo.so", FOO, &["-Wl,-z,execstack"])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY])
        },
        Starts,
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
            kit.damage("x", |elf| {
                let at = elf.dynamic(DT_DEBUG)?;
                elf.put64(at, 0x6fff_fef0)
            })
        },
        Starts,
        Starts,
    ),
];
