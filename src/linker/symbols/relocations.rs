//! Which symbols the relocations of an object ask for, and when they are bound.

use super::super::Linker;
use super::super::object::Object;
use crate::candidate::Image;
use crate::candidate::table::{Handle, Table};
use crate::elf::consts::{
    DF_1_NOW, DF_BIND_NOW, DT_BIND_NOW, DT_FLAGS, DT_FLAGS_1, DT_JMPREL, DT_MIPS_GOTSYM, DT_MIPS_SYMTABNO,
    DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELSZ, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS,
    EM_PPC, EM_PPC64, EM_RISCV,
};
use crate::elf::{ByteOrder, Class, offset};

/// When a symbol is bound.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Start,
    /// When it is first called.
    Lazy,
}

/// Calls `each` with those of the symbols that a relocation asks for, in the loader's order; with one that several ask
/// for, several times.
pub(super) fn uses(
    linker: &Linker<'_>,
    object: &Object,
    file: &Handle,
    symbols: &[(usize, bool)],
    each: &mut dyn FnMut(usize, Use),
) {
    let musl = !linker.is_glibc();
    let Some(image) = &object.image else { return };
    let now = musl
        || linker.system.variable("LD_BIND_NOW").is_some_and(|value| !value.is_empty())
        || object.flags(DT_FLAGS) & DF_BIND_NOW != 0
        || object.flags(DT_FLAGS_1) & DF_1_NOW != 0
        || object.dynamic().is_some_and(|dynamic| dynamic.get(DT_BIND_NOW).is_some());
    let lazy = if now { Use::Start } else { Use::Lazy };
    let plt = (DT_JMPREL, DT_PLTRELSZ, object.flags(DT_PLTREL) == DT_RELA, lazy);
    let (rel, rela) = ((DT_REL, DT_RELSZ, false, Use::Start), (DT_RELA, DT_RELASZ, true, Use::Start));
    if image.header.e_machine == EM_MIPS {
        // The global part of the GOT has no relocations: what is in it is asked for. A function with a stub, whose
        // address is its value, is bound when it is called.
        let global = offset(object.flags(DT_MIPS_GOTSYM))..offset(object.flags(DT_MIPS_SYMTABNO));
        for (symbol, has_stub) in symbols.iter().filter(|(symbol, _)| global.contains(symbol)) {
            each(*symbol, if *has_stub { lazy } else { Use::Start });
        }
    }
    for (tag, size, has_addend, when) in if musl { [plt, rel, rela] } else { [rela, rel, plt] } {
        read(image, file, (tag, size, has_addend), &mut |symbol, _| {
            // The address of a stub serves where the symbol is not called.
            let serves = |has_stub: bool| has_stub && tag != DT_JMPREL;
            if symbols.iter().any(|(wanted, has_stub)| *wanted == symbol && !serves(*has_stub)) {
                each(symbol, when);
            }
        });
    }
}

/// The symbols of a program that are copied from a library: R_*_COPY. They stand in the program, and are looked for
/// elsewhere.
pub(super) fn copied(object: &Object, file: &Handle) -> Vec<usize> {
    let mut found = Vec::new();
    let Some(image) = object.image.as_ref().filter(|_| object.parent.is_none()) else { return found };
    let kind = match image.header.e_machine {
        EM_MIPS => 126,
        EM_ARM => 20,
        EM_AARCH64 => 1024,
        EM_PPC | EM_PPC64 => 19,
        EM_RISCV | EM_LOONGARCH => 4,
        _ => 5,
    };
    for table in [(DT_REL, DT_RELSZ, false), (DT_RELA, DT_RELASZ, true)] {
        read(image, file, table, &mut |symbol, found_kind| {
            if found_kind == kind {
                found.push(symbol);
            }
        });
    }
    found
}

/// Reads a table by the tags that tell its place and its size; whether its entries have an addend.
fn read(
    image: &Image,
    file: &Handle,
    (tag, size, has_addend): (u64, u64, bool),
    each: &mut dyn FnMut(usize, u64),
) {
    let (Some(start), Some(dynamic)) = (image.dynamic_offset(tag), &image.dynamic) else { return };
    let mut table = Table::new(file, start, offset(dynamic.flags(size)));
    let (view, word) = (image.view, image.view.word());
    let entry = word.wrapping_mul(if has_addend { 3 } else { 2 });
    let little_mips = image.header.e_machine == EM_MIPS && view.order == ByteOrder::Little;
    let mut at = word;
    while let Some(info) = table.uint(at, word, view) {
        let (symbol, kind) = match view.class {
            Class::Elf32 => (info >> 8, info & 0xff),
            // On MIPS r_sym stands first and r_type last, whatever the byte order.
            Class::Elf64 if little_mips => (info & 0xffff_ffff, info >> 56),
            Class::Elf64 => (info >> 32, info & 0xffff_ffff),
        };
        if symbol != 0 {
            each(offset(symbol), kind);
        }
        at = at.wrapping_add(entry);
    }
}
