//! What a library is marked with beside its headers: an executable stack, TLS, CET.

use testkit::elf_h::{PT_GNU_STACK, PT_TLS};

use super::{
    ALL, BAR, CALLS_FOO, Case, Dies, FOO, LAZY, NOW, Nothing, RUNPATH, Says, Starts, case, flagged, plain,
};
use crate::linking::host::Family;
use crate::linking::kit::{Built, Kit};

/// Calls a function of a library, which gives 1.
const RUNS_FOO: &str = "int foo(void); int main(void) { return foo() != 1; }";
/// GNU_PROPERTY_X86_FEATURE_1_IBT and _SHSTK.
const IBT: &str = "-Wl,-z,ibt";
const SHSTK: &str = "-Wl,-z,shstk";

/// PT_GNU_STACK becomes what nobody looks at.
fn without_stack(kit: &Kit, what: &str) -> Built {
    kit.damage(what, |elf| elf.set_in(elf.segment(PT_GNU_STACK)?, "p_type", 0x6fff_fff0))
}

/// A program that calls a function of a library with thread-local variables, whose PT_TLS is changed.
fn tls(kit: &Kit, field: &str, value: u64) -> Built {
    let code = "static __thread int one __attribute__((tls_model(\"initial-exec\"))) = 1; int foo(void) { return one; }";
    kit.library("libfoo.so", code, &[])?;
    kit.program("x", RUNS_FOO, &[ALL, "./libfoo.so", RUNPATH])?;
    kit.damage("libfoo.so", |elf| elf.set_in(elf.segment(PT_TLS)?, field, value))
}

const NO_MEMORY: &str = "thread-local storage: Out of memory";

pub(super) const CASES: &[Case] = &[
    case("an executable stack", |kit| flagged(kit, &["-Wl,-z,execstack"]), Starts, Starts),
    case(
        "an executable stack, refused",
        |kit| flagged(kit, &["-Wl,-z,execstack"]),
        Says("libfoo.so: cannot enable executable stack as shared object requires: Permission denied"),
        Starts,
    )
    .guarded(),
    case(
        "an executable stack of the second library, refused",
        |kit| {
            kit.library("libbar.so", BAR, &[])?;
            kit.library("libfoo.so", FOO, &["-Wl,-z,execstack"])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libbar.so", "./libfoo.so", RUNPATH, NOW])
        },
        Says("libfoo.so: cannot enable executable stack"),
        Starts,
    )
    .guarded(),
    case(
        "no PT_GNU_STACK in the library, refused",
        |kit| {
            plain(kit)?;
            without_stack(kit, "libfoo.so")
        },
        Says("libfoo.so: cannot enable executable stack"),
        Starts,
    )
    .guarded(),
    case(
        "no PT_GNU_STACK anywhere, refused",
        |kit| {
            plain(kit)?;
            without_stack(kit, "x")?;
            without_stack(kit, "libfoo.so")
        },
        Starts,
        Starts,
    )
    .guarded(),
    case(
        "an executable stack that the program has, too",
        |kit| {
            kit.library("libfoo.so", FOO, &["-Wl,-z,execstack"])?;
            kit.program("x", CALLS_FOO, &[ALL, "./libfoo.so", RUNPATH, LAZY, "-Wl,-z,execstack"])
        },
        Starts,
        Starts,
    )
    .guarded(),
    case(
        "an executable stack of a preloaded library, refused",
        |kit| {
            kit.library("libbar.so", BAR, &["-Wl,-z,execstack"])?;
            plain(kit)
        },
        Starts,
        Starts,
    )
    .guarded()
    .env(&[("LD_PRELOAD", "./libbar.so")]),
    case("nothing executable, and that is refused", plain, Starts, Starts).guarded(),
    case(
        "relocations in the text, refused",
        |kit| {
            kit.library("libfoo.so", FOO, &[])?;
            let code = "__asm__(\".text; .quad foo\"); int foo(void); int main(void) { return 0; }";
            kit.program("x", code, &[ALL, "./libfoo.so", RUNPATH, "-Wl,-z,notext"])
        },
        Says("cannot make segment writable for relocation: Permission denied"),
        Nothing,
    )
    .guarded()
    .gap(Family::Glibc, "that SELinux and PR_SET_MDWE refuse relocations in the text", "starts"),
    case(
        "1 MiB of TLS, initial-exec",
        |kit| {
            let code = "static __thread char big[1 << 20] __attribute__((tls_model(\"initial-exec\")));\
                        int foo(void) { return ++big[9]; }";
            kit.library("libfoo.so", code, &[])?;
            kit.program("x", RUNS_FOO, &[ALL, "./libfoo.so", RUNPATH])
        },
        Starts,
        Starts,
    ),
    case(
        "TLS aligned to 64 KiB, initial-exec",
        |kit| {
            let code = "static _Alignas(65536) __thread char one __attribute__((tls_model(\"initial-exec\")));\
                        int foo(void) { return (unsigned long)&one % 65536 == 0; }";
            kit.library("libfoo.so", code, &[])?;
            kit.program("x", RUNS_FOO, &[ALL, "./libfoo.so", RUNPATH])
        },
        Starts,
        Starts,
    ),
    case("TLS as it should be", |kit| tls(kit, "p_flags", 4), Starts, Starts),
    case(
        "TLS with more in the file than in memory",
        |kit| tls(kit, "p_memsz", 2),
        Says("Assertion `map->l_tls_blocksize >= map->l_tls_initimage_size' failed!"),
        Nothing,
    ),
    case("TLS of no alignment", |kit| tls(kit, "p_align", 0), Dies, Dies),
    case("TLS of 16 MiB", |kit| tls(kit, "p_memsz", 1 << 24), Starts, Starts),
    case(
        "TLS of 64 TiB",
        |kit| tls(kit, "p_memsz", 1 << 46),
        Says("cannot allocate TLS data structures for initial thread"),
        Says(NO_MEMORY),
    ),
    case(
        "TLS aligned to 64 TiB",
        |kit| tls(kit, "p_align", 1 << 46),
        Says("cannot allocate TLS data structures for initial thread"),
        Says(NO_MEMORY),
    ),
    case("TLS from where nothing is", |kit| tls(kit, "p_vaddr", 0x1234_5678_9000), Dies, Dies),
    case(
        "a program for CET, a library that is not",
        |kit| {
            kit.library("libfoo.so", FOO, &["-fcf-protection=none"])?;
            kit.program("x", RUNS_FOO, &[ALL, "./libfoo.so", RUNPATH, "-fcf-protection=full", IBT, SHSTK])
        },
        Starts,
        Starts,
    ),
    case(
        "a program for CET, a library that is not, and CET asked for",
        |kit| {
            kit.library("libfoo.so", FOO, &["-fcf-protection=none"])?;
            kit.program("x", RUNS_FOO, &[ALL, "./libfoo.so", RUNPATH, "-fcf-protection=full", IBT, SHSTK])
        },
        Starts,
        Starts,
    )
    .env(&[("GLIBC_TUNABLES", "glibc.cpu.x86_shstk=on:glibc.cpu.x86_ibt=on:glibc.cpu.hwcaps=SHSTK,IBT")]),
];
