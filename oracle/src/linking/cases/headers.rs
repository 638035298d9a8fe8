//! Libraries with other bytes in their headers.

use super::{ALL, Anything, CALLS_FOO, Case, Dies, FOO, LAZY, RUNPATH, Says, Starts, case, flagged, plain};
use crate::linking::host::Family;
use crate::linking::kit::elf::{P_ALIGN, P_OFFSET, P_VADDR, PT_DYNAMIC, PT_LOAD};
use crate::linking::kit::{Built, Elf, Kit};

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

/// All of the ELF header as a machine of the other byte order has it.
fn other_order(elf: &mut Elf) -> Option<()> {
    elf.put(EI_DATA, &[2])?;
    let wide = [(20, 4), (24, 8), (32, 8), (40, 8), (48, 4)];
    let narrow = [16, 18, 52, 54, 56, 58, 60, 62].map(|at| (at, 2));
    for (at, size) in wide.into_iter().chain(narrow) {
        let bytes = elf.get(at, size)?.to_be_bytes();
        elf.put(at, bytes.get(8 - size..)?)?;
    }
    Some(())
}

/// All of the ELF header as i386 has it.
fn narrow(elf: &mut Elf) -> Option<()> {
    elf.put(EI_CLASS, &[1])?;
    elf.put(E_MACHINE, &[EM_386])?;
    // e_phoff, then from e_ehsize on.
    elf.put(24, &[0, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    elf.put(40, &[52, 0, 32, 0, 4, 0, 40, 0, 0, 0, 0, 0])
}

pub(super) const CASES: &[Case] = &[
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
    )
    .gap(Family::Musl, "that musl does not look at e_machine: only a real library of another machine fails, at its relocations", "fails"),
    case("for another machine", |kit| byte(kit, E_MACHINE, EM_MIPS), Says("libfoo.so"), Anything)
    .gap(Family::Musl, "that musl does not look at e_machine: only a real library of another machine fails, at its relocations", "fails"),
    case(
        "for another machine, then a whole one",
        |kit| two(kit, |elf| elf.put(E_MACHINE, &[EM_MIPS])),
        Starts,
        Anything,
    )
    .gap(Family::Musl, "that musl does not look at e_machine: only a real library of another machine fails, at its relocations", "fails"),
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
    case("p_align of 1", |kit| damaged(kit, |elf| field(elf, PT_LOAD, P_ALIGN, 1)), Anything, Anything),
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
        |kit| flagged(kit, &["-Wl,-z,max-page-size=0x10000"]),
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
    )
    .gap(Family::Musl, "that musl maps whole pages, wherever p_offset points in them", "fails"),
    case(
        "linked for pages of 2 KiB",
        |kit| {
            let flags = ["-Wl,-z,max-page-size=0x800", "-Wl,-z,common-page-size=0x800"];
            kit.library("libfoo.so", FOO, &flags)?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY])
        },
        Says("ELF load command address/offset not"),
        Dies,
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
    )
    .gap(Family::Musl, "that musl dies of segments in another order", "starts"),
    case(
        "the whole header in the other byte order",
        |kit| damaged(kit, other_order),
        Says("libfoo.so: cannot open shared object file: No such file or directory"),
        Says(NO_EXEC),
    ),
    case(
        "the whole header of another machine's library",
        |kit| {
            damaged(kit, |elf| {
                other_order(elf)?;
                elf.put(E_MACHINE, &[0, EM_MIPS])
            })
        },
        Says("libfoo.so: cannot open shared object file: No such file or directory"),
        Says(NO_EXEC),
    ),
    case(
        "the whole header of 32 bits",
        |kit| damaged(kit, narrow),
        Says("wrong ELF class: ELFCLASS32"),
        Says("Error loading shared library libfoo.so: "),
    ),
    case(
        "the whole header of 32 bits, then a whole one",
        |kit| two(kit, narrow),
        Starts,
        Says("Error loading shared library libfoo.so: "),
    ),
];
