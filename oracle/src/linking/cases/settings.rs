//! Variables of the environment that glibc's ld.so heeds beside LD_LIBRARY_PATH and LD_PRELOAD: LD_AUDIT, GLIBC_TUNABLES.

use super::paths::token;
use super::{ALL, Anything, CALLS_FOO, Case, LAZY, Nothing, RUNPATH, Says, Starts, case, flagged, plain};
use crate::linking::host::Family;
use crate::linking::kit::{Built, Kit};

/// A library that glibc takes for an auditing one, and what else it has.
fn audited(kit: &Kit, more: &str) -> Built {
    plain(kit)?;
    kit.library("audit.so", &format!("unsigned la_version(unsigned v) {{ return v; }} {more}"), &[])
}

/// It has libfoo.so be nowhere, and finds what diag itself needs.
const NOWHERE: &str = "char *la_objsearch(const char *n, unsigned long *c, unsigned f) \
                       { (void)c; (void)f; return n[0] && n[1] && n[2] && n[3] == 'f' ? 0 : (char *)n; }";

/// A library for x86-64-v2 alone.
fn level(kit: &Kit) -> Built {
    token(kit, "glibc-hwcaps/x86-64-v2", "$ORIGIN")
}

/// A program that wants an executable stack.
fn stack(kit: &Kit) -> Built {
    kit.library("libfoo.so", super::FOO, &[])?;
    kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY, "-Wl,-z,execstack"])
}

/// A library that wants one.
fn library_with_stack(kit: &Kit) -> Built {
    flagged(kit, &["-Wl,-z,execstack"])
}

const FORBIDDEN: &[(&str, &str)] = &[("GLIBC_TUNABLES", "glibc.rtld.execstack=0")];
const WANTED: &[(&str, &str)] = &[("GLIBC_TUNABLES", "glibc.rtld.execstack=2")];

pub(super) const CASES: &[Case] = &[
    case("an auditing library", |kit| audited(kit, ""), Starts, Nothing)
        .env(&[("LD_AUDIT", "$PWD/audit.so")]),
    case("an auditing library that is not there", plain, Starts, Nothing)
        .env(&[("LD_AUDIT", "$PWD/nowhere.so:nowhere.so")]),
    case(
        "an auditing library that is none",
        |kit| {
            plain(kit)?;
            kit.write("audit.so", "la_version, la_objsearch")
        },
        Starts,
        Nothing,
    )
    .env(&[("LD_AUDIT", "$PWD/audit.so:$PWD/libfoo.so")]),
    case(
        "an auditing library that finds nothing",
        |kit| audited(kit, NOWHERE),
        Says("error while loading shared libraries: cannot open shared object file"),
        Nothing,
    )
    .env(&[("LD_AUDIT", "$PWD/nowhere.so:$PWD/audit.so")])
    .not_as_listed()
    .gap(Family::Glibc, "what an auditing library says, which is run in the program's stead", "unknown"),
    case(
        "an auditing library of the program's",
        |kit| {
            audited(kit, NOWHERE)?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY, "-Wl,--audit=$PWD/audit.so"])
        },
        Anything,
        Nothing,
    )
    .not_as_listed()
    .gap(Family::Glibc, "what an auditing library says, which is run in the program's stead", "unknown"),
    case("a level that is there", level, Starts, Nothing)
        .env(&[("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX512F,-ERMS")]),
    case("a level that GLIBC_TUNABLES takes away", level, Says("libfoo.so: cannot open"), Nothing)
        .env(&[("GLIBC_TUNABLES", "x=:glibc.cpu.hwcaps=-ERMS,-POPCNT")]),
    case("one that the last of two settings leaves", level, Starts, Nothing)
        .env(&[("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-POPCNT:glibc.cpu.hwcaps=-ERMS")]),
    case("GLIBC_TUNABLES with a colon at its end", level, Anything, Nothing)
        .env(&[("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-POPCNT:")]),
    case("GLIBC_TUNABLES with a sign too many", level, Anything, Nothing)
        .env(&[("GLIBC_TUNABLES", "a=b=c:glibc.cpu.hwcaps=-POPCNT")]),
    case("an executable stack of the program's, forbidden", stack, Anything, Nothing).env(FORBIDDEN),
    case("an executable stack of a library's, forbidden", library_with_stack, Anything, Nothing)
        .env(FORBIDDEN),
    case("no executable stack where they are forbidden", plain, Starts, Nothing).env(FORBIDDEN),
    case("an executable stack for everything", plain, Starts, Nothing).env(WANTED),
    case("an executable stack for everything, refused", plain, Anything, Nothing).env(WANTED).guarded(),
    case("as with other rights", |kit| token(kit, "d", "/nowhere"), Anything, Nothing)
        .env(&[("GLIBC_TUNABLES", "glibc.rtld.enable_secure=1"), ("LD_LIBRARY_PATH", "$PWD/d")]),
];
