//! One word of a table, changed as chance does.

use testkit::Image;
use testkit::elf_h::{
    DT_INIT_ARRAY, DT_JMPREL, DT_PLTGOT, DT_PLTRELSZ, DT_RELA, DT_RELASZ, DT_STRTAB, DT_VERSYM, PT_LOAD,
};

use super::symbols::with;
use super::versions::then;
use super::{
    Anything, CALLS_FOO, Case, Dies, FOO, Family, LAZY, NOW, Nothing, RUNPATH, Says, Starts, TAKES_FOO, case,
    plain,
};
use crate::linking::kit::{Built, Kit};

/// Something before or behind an entry of PT_DYNAMIC's.
fn moved(kit: &Kit, what: &str, tag: u64, by: i64) -> Built {
    kit.damage(what, |elf| {
        let place = elf.dynamic(tag)?.1;
        elf.put(place, elf.number(place)?.wrapping_add_signed(by))
    })
}

/// A word of the last relocation of a table: r_offset, r_info, r_addend.
fn last(kit: &Kit, what: &str, (table, size): (u64, u64), word: usize, value: impl Fn(u64) -> u64) -> Built {
    kit.damage(what, |elf| {
        let bytes = usize::try_from(elf.number(elf.dynamic(size)?.1)?).ok()?;
        let place = ((elf.points_to(table)? + bytes).checked_sub(24)? + 8 * word, 8);
        elf.put(place, value(elf.number(place)?))
    })
}

/// What DT_VERSYM has of a symbol.
fn mark(kit: &Kit, what: &str, symbol: usize, mark: u16) -> Built {
    kit.damage(what, |elf| elf.write(elf.points_to(DT_VERSYM)? + 2 * symbol, &mark.to_le_bytes()))
}

/// The second constructor of a program leads to what the stubs of its calls have in common, before the first of them.
fn begins_by_stubs(kit: &Kit) -> Built {
    /// What a slot leads to before it is bound: it lies behind the jump that a stub begins with.
    const JUMP: u64 = 6;
    const STUB: u64 = 16;
    let begin = |name| format!("__attribute__((constructor)) static void {name}(void) {{}}");
    let code = format!("{CALLS_FOO} {} {}", begin("first"), begin("second"));
    let change = |elf: &mut Image| {
        let slot = elf.number((elf.points_to(DT_JMPREL)?, 8))?;
        let first = elf.number((elf.offset(slot)?, 8))?.checked_sub(JUMP)?;
        let array = elf.number(elf.dynamic(DT_INIT_ARRAY)?.1)?;
        let table = elf.points_to(DT_RELA)?;
        let size = usize::try_from(elf.number(elf.dynamic(DT_RELASZ)?.1)?).ok()?;
        let mut relocations = (table..table + size).step_by(24);
        let relocation = relocations.find(|at| elf.number((*at, 8)) == Some(array + 8))?;
        elf.put((relocation + 16, 8), first.checked_sub(STUB)?)
    };
    then(kit, &code, LAZY, |kit| kit.damage("x", change))
}

/// The last relocation of the first library changes what the loader has behind it: its heap, of two pages then, of which it has
/// not used the end.
fn changes_heap(kit: &Kit) -> Built {
    const PAGE: u64 = 4096;
    const UNUSED: u64 = 16;
    plain(kit)?;
    let library = Image::parse(kit.read("libfoo.so")?).and_then(|elf| elf.segments());
    let library = library.ok_or("libfoo.so has no segments")?;
    let loads = library.iter().filter(|segment| segment.p_type == PT_LOAD);
    let end = loads.map(|load| load.p_vaddr + load.p_memsz).max().unwrap_or_default();
    let heap = end.next_multiple_of(PAGE);
    last(kit, "libfoo.so", OF_ALL, 0, |_| heap + 2 * PAGE - UNUSED)
}

const OF_CALLS: (u64, u64) = (DT_JMPREL, DT_PLTRELSZ);
const OF_ALL: (u64, u64) = (DT_RELA, DT_RELASZ);

pub(super) const CASES: &[Case] = &[
    case(
        "what is called last, copied",
        |kit| then(kit, CALLS_FOO, NOW, |kit| last(kit, "x", OF_CALLS, 1, |info| info & !0xffff_ffff | 5)),
        Anything,
        Anything,
    ),
    case(
        "what is called last, in the first slot that the loader keeps",
        |kit| {
            then(kit, CALLS_FOO, NOW, |kit| {
                kit.damage("x", |elf| {
                    let got = elf.number(elf.dynamic(DT_PLTGOT)?.1)?;
                    elf.put((elf.points_to(DT_JMPREL)?, 8), got)
                })
            })
        },
        Anything,
        Anything,
    ),
    case(
        "a word that is written across two",
        |kit| then(kit, TAKES_FOO, LAZY, |kit| last(kit, "x", OF_ALL, 0, |place| place - 1)),
        Anything,
        Nothing,
    ),
    case(
        "what is called last, as a thread-local variable",
        |kit| then(kit, CALLS_FOO, NOW, |kit| last(kit, "x", OF_CALLS, 1, |info| info & !0xffff_ffff | 0x24)),
        Dies,
        Anything,
    ),
    case(
        "a destructor's address that is written across a constructor's",
        |kit| {
            then(kit, CALLS_FOO, NOW, |kit| {
                kit.damage("x", |elf| {
                    // Of musl's there may be none.
                    let Some(table) = elf.points_to(DT_RELA) else { return Some(()) };
                    let second = (table + 24, 8);
                    elf.put(second, elf.number(second)?.checked_sub(1)?)
                })
            })
        },
        Dies,
        Anything,
    ),
    case(
        "a variable in the place of what crti.o calls",
        |kit| {
            then(kit, CALLS_FOO, NOW, |kit| {
                // That of musl asks for none.
                kit.damage("x", |elf| {
                    elf.replace(b"__gmon_start__\0", b"environ\0\0\0\0\0\0\0\0").or(Some(()))
                })
            })
        },
        Dies,
        Anything,
    ),
    case(
        "a library that is called as the C library is",
        |kit| with(kit, FOO, &["-Wl,-soname,libc.so.6"]),
        Says("undefined symbol: __libc_start_main"),
        Anything,
    ),
    case(
        "a library that is called as the C library is, of a program that needs none",
        |kit| {
            // What musl's crt1.o asks for is there, and not run.
            let code = "int foo(void); int main(void) { return 0; } void begin(void) { foo(); \
                        __asm__ volatile(\"mov $60, %eax; xor %edi, %edi; syscall\"); }";
            kit.library("libfoo.so", FOO, &["-nostdlib"])?;
            kit.program("x", code, &["-nostdlib", "-Wl,-e,begin", "./libfoo.so", RUNPATH, NOW])?;
            kit.library("libfoo.so", FOO, &["-nostdlib", "-Wl,-soname,libc.so.6"])
        },
        Says("_dl_call_libc_early_init: Assertion `sym != NULL' failed!"),
        Anything,
    ),
    case(
        "relocations that begin before the program",
        |kit| {
            then(kit, CALLS_FOO, NOW, |kit| kit.damage("x", |elf| elf.put(elf.dynamic(DT_RELA)?.1, u64::MAX)))
        },
        Dies,
        Nothing,
    ),
    case(
        "constructors that begin a byte too late",
        |kit| then(kit, CALLS_FOO, LAZY, |kit| moved(kit, "x", DT_INIT_ARRAY, 1)),
        Dies,
        Nothing,
    ),
    case(
        "constructors that begin a byte too early",
        |kit| then(kit, CALLS_FOO, LAZY, |kit| moved(kit, "x", DT_INIT_ARRAY, -1)),
        Anything,
        Nothing,
    ),
    case("a constructor that is no function, but what stubs jump to", begins_by_stubs, Dies, Nothing).gap(
        Family::Glibc,
        "what code does that nobody calls as a function",
        "unknown",
    ),
    case(
        "a constructor that is no function, but what stubs of musl's jump to",
        begins_by_stubs,
        Nothing,
        Dies,
    )
    .gap(Family::Musl, "what code does that nobody calls as a function", "unknown"),
    case("a relocation that changes the loader's heap", changes_heap, Starts, Nothing).gap(
        Family::Glibc,
        "what becomes of another's memory",
        "unknown",
    ),
    case(
        "a version right behind the last one",
        |kit| then(kit, CALLS_FOO, NOW, |kit| mark(kit, "x", 1, 4)),
        Anything,
        Anything,
    ),
    case(
        "a version of an address that there is not",
        |kit| then(kit, CALLS_FOO, NOW, |kit| mark(kit, "x", 1, 0x7fff)),
        Dies,
        Anything,
    ),
    case(
        "strings that reach into PT_DYNAMIC",
        |kit| {
            then(kit, CALLS_FOO, NOW, |kit| {
                kit.damage("x", |elf| {
                    let array = elf.number(elf.dynamic(DT_INIT_ARRAY)?.1)?;
                    elf.put(elf.dynamic(DT_STRTAB)?.1, array)
                })
            })
        },
        Anything,
        Nothing,
    )
    .gap(
        Family::Glibc,
        "where glibc has moved what PT_DYNAMIC leads to, of which a name is made",
        "unknown",
    ),
];
