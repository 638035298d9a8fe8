//! Libraries with other bytes in their headers.

use testkit::Image;
use testkit::elf_h::{EM_386, EM_MIPS, PT_DYNAMIC, PT_LOAD, PT_NULL};

use super::{ALL, Anything, CALLS_FOO, Case, Dies, FOO, LAZY, RUNPATH, Says, Starts, case, flagged, plain};
use crate::linking::host::Family;
use crate::linking::kit::{Built, Kit};

const NO_EXEC: &str = "Error loading shared library libfoo.so: Exec format error (needed by ./x)";
/// `libfoo.so` with other bytes.
fn damaged(kit: &Kit, how: impl FnOnce(&mut Image) -> Option<()>) -> Built {
    plain(kit)?;
    kit.damage("libfoo.so", how)
}

/// The same with another value in a field of its header.
fn header(kit: &Kit, field: &str, value: u64) -> Built {
    damaged(kit, |elf| elf.set(field, value))
}

/// A damaged one in the first folder of two, a whole one in the second.
fn two(kit: &Kit, how: impl FnOnce(&mut Image) -> Option<()>) -> Built {
    kit.library("a/libfoo.so", FOO, &[])?;
    kit.copy("a/libfoo.so", "b/libfoo.so")?;
    kit.damage("a/libfoo.so", how)?;
    kit.program("x", CALLS_FOO, &[ALL, "b/libfoo.so", "-Wl,-rpath,$ORIGIN/a:$ORIGIN/b", LAZY])
}

/// Another p_align of the first PT_LOAD.
fn aligned(elf: &mut Image, p_align: u64) -> Option<()> {
    elf.set_in(elf.segment(PT_LOAD)?, "p_align", p_align)
}

/// All of the ELF header as i386 has it.
fn narrow(elf: &mut Image) -> Option<()> {
    elf.set("EI_CLASS", 1)?;
    elf.set("e_machine", EM_386.into())?;
    // e_phoff, then from e_ehsize on.
    elf.write(24, &[0, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    elf.write(40, &[52, 0, 32, 0, 4, 0, 40, 0, 0, 0, 0, 0])
}

pub(super) const CASES: &[Case] = &[
    case(
        "the other byte order",
        |kit| header(kit, "EI_DATA", 2),
        Says("ELF file data encoding not little-endian"),
        Anything,
    ),
    case(
        "the other byte order, then a whole one",
        |kit| two(kit, |elf| elf.set("EI_DATA", 2)),
        Says("ELF file data encoding not little-endian"),
        Anything,
    ),
    case("the other class", |kit| header(kit, "EI_CLASS", 1), Says("wrong ELF class: ELFCLASS32"), Anything),
    case(
        "the other class, then a whole one",
        |kit| two(kit, |elf| elf.set("EI_CLASS", 1)),
        Starts,
        Anything,
    ),
    case(
        "for i386",
        |kit| {
            damaged(kit, |elf| {
                elf.set("EI_CLASS", 1)?;
                elf.set("e_machine", EM_386.into())
            })
        },
        Says("wrong ELF class: ELFCLASS32"),
        Anything,
    )
    .gap(Family::Musl, "that musl does not look at e_machine: only a real library of another machine fails, at its relocations", "fails"),
    case("for another machine", |kit| header(kit, "e_machine", EM_MIPS.into()), Says("libfoo.so"), Anything)
    .gap(Family::Musl, "that musl does not look at e_machine: only a real library of another machine fails, at its relocations", "fails"),
    case(
        "for another machine, then a whole one",
        |kit| two(kit, |elf| elf.set("e_machine", EM_MIPS.into())),
        Starts,
        Anything,
    )
    .gap(Family::Musl, "that musl does not look at e_machine: only a real library of another machine fails, at its relocations", "fails"),
    case("EI_VERSION of 2", |kit| header(kit, "EI_VERSION", 2), Says("libfoo.so"), Anything),
    case("e_version of 2", |kit| header(kit, "e_version", 2), Says("libfoo.so"), Anything),
    case("EI_OSABI of FreeBSD", |kit| header(kit, "EI_OSABI", 9), Says("ELF file OS ABI invalid"), Anything),
    case("EI_OSABI of GNU", |kit| header(kit, "EI_OSABI", 3), Starts, Starts),
    case(
        "EI_ABIVERSION of 9",
        |kit| header(kit, "EI_ABIVERSION", 9),
        Says("ELF file ABI version invalid"),
        Anything,
    ),
    case("ident not padded with zeros", |kit| damaged(kit, |elf| elf.write(12, &[1])), Says("nonzero padding in e_ident"), Anything),
    case(
        "a relocatable file",
        |kit| header(kit, "e_type", 1),
        Says("only ET_DYN and ET_EXEC can be loaded"),
        Anything,
    ),
    case("an executable", |kit| header(kit, "e_type", 2), Says("cannot dynamically load executable"), Anything),
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
        |kit| header(kit, "e_phentsize", 55),
        Says("phentsize not the expected size"),
        Anything,
    ),
    case(
        "no program headers",
        |kit| header(kit, "e_phnum", 0),
        Says("object file has no loadable segments"),
        Anything,
    ),
    case(
        "no PT_DYNAMIC",
        |kit| {
            damaged(kit, |elf| {
                elf.set_in(elf.segment(PT_DYNAMIC)?, "p_type", PT_NULL)
            })
        },
        Says("object file has no dynamic section"),
        Anything,
    ),
    case("p_align of 1", |kit| damaged(kit, |elf| aligned(elf, 1)), Anything, Anything),
    case("p_align of 0", |kit| damaged(kit, |elf| aligned(elf, 0)), Anything, Anything),
    case(
        "p_align of 3 pages",
        |kit| damaged(kit, |elf| aligned(elf, 0x3000)),
        Anything,
        Anything,
    ),
    case(
        "p_align of 64 KiB",
        |kit| damaged(kit, |elf| aligned(elf, 0x1_0000)),
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
                elf.add_in(elf.last_segment(PT_LOAD)?, "p_offset", 8)
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
                elf.set_in(elf.last_segment(PT_LOAD)?, "p_vaddr", 0)
            })
        },
        Anything,
        Anything,
    )
    .gap(Family::Musl, "that musl dies of segments in another order", "starts"),
    case(
        "the whole header in the other byte order",
        |kit| damaged(kit, Image::swap_header),
        Says("libfoo.so: cannot open shared object file: No such file or directory"),
        Says(NO_EXEC),
    ),
    case(
        "the whole header of another machine's library",
        |kit| {
            damaged(kit, |elf| {
                elf.swap_header()?;
                elf.set("e_machine", EM_MIPS.into())
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
