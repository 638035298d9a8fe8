//! Tables that PT_DYNAMIC leads to, damaged.

use testkit::elf_h::{
    DT_GNU_HASH, DT_HASH, DT_JMPREL, DT_NEEDED, DT_PLTREL, DT_PLTRELSZ, DT_RELA, DT_RELACOUNT, DT_RELAENT,
    DT_RELASZ, DT_STRSZ, DT_SYMTAB, DT_VERDEF, DT_VERNEED, DT_VERNEEDNUM, DT_VERSYM,
};

use super::symbols::with;
use super::versions::{then, versioned};
use super::{
    Anything, CALLS_FOO, Case, Dies, FOO, LAZY, NO_TAG, NOW, Nothing, Says, Starts, TAKES_FOO, case,
};
use crate::linking::kit::{Built, Kit};

/// The first record of a table of versions, of version 2.
fn record(kit: &Kit, what: &str, tag: u64) -> Built {
    kit.damage(what, |elf| elf.write(elf.points_to(tag)?, &2_u16.to_le_bytes()))
}

/// The kind of the last relocation of a table.
fn relocate(kit: &Kit, what: &str, (table, size): (u64, u64), kind: u32) -> Built {
    kit.damage(what, |elf| {
        let bytes = usize::try_from(elf.number(elf.dynamic(size)?.1)?).ok()?;
        elf.write((elf.points_to(table)? + bytes).checked_sub(16)?, &kind.to_le_bytes())
    })
}

/// The value of an entry of PT_DYNAMIC.
fn value(kit: &Kit, what: &str, tag: u64, value: u64) -> Built {
    kit.damage(what, |elf| elf.put(elf.dynamic(tag)?.1, value))
}

pub(super) const CASES: &[Case] = &[
    case(
        "versions of a library that is not needed any more",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                kit.damage("x", |elf| elf.put(elf.dynamic(DT_NEEDED)?.0, NO_TAG))
            })
        },
        Says("Assertion `needed != NULL' failed!"),
        Anything,
    ),
    case(
        "DT_VERNEED of another version",
        |kit| then(kit, CALLS_FOO, LAZY, |kit| record(kit, "x", DT_VERNEED)),
        Says("unsupported version 2 of Verneed record"),
        Starts,
    ),
    case(
        "DT_VERDEF of another version",
        |kit| then(kit, CALLS_FOO, LAZY, |kit| record(kit, "libfoo.so", DT_VERDEF)),
        Says("unsupported version 2 of Verdef record"),
        Starts,
    ),
    case(
        "DT_VERNEED without a number",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                kit.damage("x", |elf| elf.put(elf.dynamic(DT_VERNEEDNUM)?.0, NO_TAG))?;
                versioned(kit, FOO, "V2 { global: foo; };")
            })
        },
        Says("version `V1' not found (required by ./x)"),
        Anything,
    ),
    case(
        "versions without DT_VERSYM",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                kit.damage("libfoo.so", |elf| elf.put(elf.dynamic(DT_VERSYM)?.0, NO_TAG))
            })
        },
        Dies,
        Anything,
    ),
    case(
        "DT_SYMTAB that leads nowhere",
        |kit| then(kit, CALLS_FOO, NOW, |kit| value(kit, "libfoo.so", DT_SYMTAB, 0x7000_0000)),
        Dies,
        Dies,
    ),
    case(
        "a relocation of what is not there",
        |kit| {
            then(kit, TAKES_FOO, LAZY, |kit| {
                kit.damage("x", |elf| elf.put((elf.points_to(DT_RELA)?, 8), 0x7000_0000))
            })
        },
        Dies,
        Dies,
    ),
    case(
        "a constructor that is no code",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                kit.library(
                    "libfoo.so",
                    "__attribute__((constructor)) static void begin(void) {} int foo(void) { return 0; }",
                    &[],
                )?;
                kit.damage("libfoo.so", |elf| elf.put((elf.points_to(DT_RELA)? + 16, 8), 0x7000_0000))
            })
        },
        Dies,
        Dies,
    ),
    case(
        "DT_GNU_HASH without buckets",
        |kit| {
            then(kit, CALLS_FOO, NOW, |kit| {
                kit.damage("libfoo.so", |elf| elf.put((elf.points_to(DT_GNU_HASH)?, 4), 0))
            })
        },
        Says("undefined symbol: foo"),
        Dies,
    ),
    case(
        "a chain of DT_HASH that leads in a circle",
        |kit| {
            with(kit, FOO, &["-Wl,--hash-style=sysv"])?;
            kit.damage("libfoo.so", |elf| {
                let table = elf.points_to(DT_HASH)?;
                let buckets = usize::try_from(elf.number((table, 4))?).ok()?;
                // All begin with the first symbol, which the first symbol comes after.
                (0..buckets).try_for_each(|bucket| elf.put((table + 8 + 4 * bucket, 4), 1))?;
                elf.put((table + 8 + 4 * (buckets + 1), 4), 1)
            })
        },
        Dies,
        Dies,
    ),
    case(
        "DT_RELACOUNT of one too many",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                kit.damage("x", |elf| {
                    let place = elf.dynamic(DT_RELACOUNT)?.1;
                    elf.put(place, elf.number(place)? + 1)
                })
            })
        },
        Says("== R_X86_64_RELATIVE' failed!"),
        Nothing,
    ),
    case(
        "a relocation that nobody knows",
        |kit| then(kit, TAKES_FOO, LAZY, |kit| relocate(kit, "x", (DT_RELA, DT_RELASZ), 99)),
        Says("unexpected reloc type 0x63"),
        Says("unsupported relocation type 99"),
    ),
    case(
        "a relocation that nobody knows, of a function that is bound lazily",
        |kit| then(kit, CALLS_FOO, LAZY, |kit| relocate(kit, "x", (DT_JMPREL, DT_PLTRELSZ), 6)),
        Says("unexpected PLT reloc type 0x06"),
        Starts,
    ),
    case(
        "a function that is to be asked for its address, where no code is, among those that are bound lazily",
        |kit| then(kit, CALLS_FOO, LAZY, |kit| relocate(kit, "x", (DT_JMPREL, DT_PLTRELSZ), 37)),
        Dies,
        Says("unsupported relocation type 37"),
    ),
    case(
        "DT_PLTREL of DT_REL",
        |kit| then(kit, CALLS_FOO, LAZY, |kit| value(kit, "x", DT_PLTREL, 17)),
        Says("Assertion `info[DT_PLTREL]->d_un.d_val == DT_RELA' failed!"),
        Anything,
    ),
    case(
        "DT_RELAENT of 16",
        |kit| then(kit, CALLS_FOO, LAZY, |kit| value(kit, "libfoo.so", DT_RELAENT, 16)),
        Says("Assertion `info[DT_RELAENT]->d_un.d_val == sizeof (ElfW(Rela))' failed!"),
        // A library for musl has no relocations.
        Nothing,
    ),
    case(
        "no DT_RELAENT",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                kit.damage("libfoo.so", |elf| elf.put(elf.dynamic(DT_RELAENT)?.0, NO_TAG))
            })
        },
        Dies,
        Nothing,
    ),
    case(
        "DT_GNU_HASH with a filter of 3 words",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                kit.damage("x", |elf| elf.write(elf.points_to(DT_GNU_HASH)? + 8, &3_u32.to_le_bytes()))
            })
        },
        Says("Assertion `(bitmask_nwords & (bitmask_nwords - 1)) == 0' failed!"),
        Nothing,
    ),
    case(
        "no DT_SYMTAB",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                kit.damage("x", |elf| elf.put(elf.dynamic(DT_SYMTAB)?.0, NO_TAG))
            })
        },
        Dies,
        Nothing,
    ),
    case(
        "no DT_STRSZ",
        |kit| {
            then(kit, CALLS_FOO, LAZY, |kit| {
                kit.damage("libfoo.so", |elf| elf.put(elf.dynamic(DT_STRSZ)?.0, NO_TAG))
            })
        },
        Starts,
        Starts,
    ),
];
