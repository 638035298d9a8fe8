//! Tables that PT_DYNAMIC leads to, damaged.

use testkit::elf_h::{DT_NEEDED, DT_VERDEF, DT_VERNEED, DT_VERNEEDNUM, DT_VERSYM};

use super::versions::{then, versioned};
use super::{Anything, CALLS_FOO, Case, Dies, FOO, LAZY, NO_TAG, Says, Starts, case};
use crate::linking::kit::{Built, Kit};

/// The first record of a table of versions, of version 2.
fn record(kit: &Kit, what: &str, tag: u64) -> Built {
    kit.damage(what, |elf| elf.write(elf.points_to(tag)?, &2_u16.to_le_bytes()))
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
];
