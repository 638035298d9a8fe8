//! Which symbols the relocations of an object ask for, and when they are bound.

use super::super::object::Object;
use super::super::{Linker, Rules};
use crate::candidate::table::{Handle, Table};
use crate::elf::consts::{
    DF_1_NOW, DF_BIND_NOW, DT_BIND_NOW, DT_FLAGS, DT_FLAGS_1, DT_JMPREL, DT_MIPS_GOTSYM, DT_MIPS_SYMTABNO,
    DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELASZ, DT_RELSZ, EM_MIPS,
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
    let musl = matches!(linker.rules, Rules::Musl);
    let now = musl
        || linker.system.variable("LD_BIND_NOW").is_some_and(|value| !value.is_empty())
        || object.flags(DT_FLAGS) & DF_BIND_NOW != 0
        || object.flags(DT_FLAGS_1) & DF_1_NOW != 0
        || object.image.dynamic.as_ref().is_some_and(|dynamic| dynamic.get(DT_BIND_NOW).is_some());
    let lazy = if now { Use::Start } else { Use::Lazy };
    let plt = (DT_JMPREL, DT_PLTRELSZ, object.flags(DT_PLTREL) == DT_RELA, lazy);
    let (rel, rela) = ((DT_REL, DT_RELSZ, false, Use::Start), (DT_RELA, DT_RELASZ, true, Use::Start));
    if object.image.header.e_machine == EM_MIPS {
        // The global part of the GOT has no relocations: what is in it is asked for. A function with a stub, whose
        // address is its value, is bound when it is called.
        let global = offset(object.flags(DT_MIPS_GOTSYM))..offset(object.flags(DT_MIPS_SYMTABNO));
        for (symbol, has_stub) in symbols.iter().filter(|(symbol, _)| global.contains(symbol)) {
            each(*symbol, if *has_stub { lazy } else { Use::Start });
        }
    }
    for (tag, size, has_addend, when) in if musl { [plt, rel, rela] } else { [rela, rel, plt] } {
        let Some(start) = object.image.dynamic_offset(tag) else { continue };
        let mut table = Table::new(file, start, offset(object.flags(size)));
        read(object, &mut table, has_addend, &mut |symbol| {
            if symbols.iter().any(|(wanted, _)| *wanted == symbol) {
                each(symbol, when);
            }
        });
    }
}

fn read(object: &Object, table: &mut Table, has_addend: bool, each: &mut dyn FnMut(usize)) {
    let view = object.image.view;
    let word = view.word();
    let entry = word.saturating_mul(if has_addend { 3 } else { 2 });
    let mut at = word;
    while let Some(info) = table.uint(at, word, view) {
        let little_mips = object.image.header.e_machine == EM_MIPS && view.order == ByteOrder::Little;
        let symbol = match view.class {
            Class::Elf32 => info >> 8,
            // On MIPS r_sym stands first, whatever the byte order.
            Class::Elf64 if little_mips => info & 0xffff_ffff,
            Class::Elf64 => info >> 32,
        };
        if symbol != 0 {
            each(offset(symbol));
        }
        at = at.saturating_add(entry);
    }
}
