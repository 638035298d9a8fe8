//! Which symbols the relocations of an object ask for, and when they are bound.

use alloc::vec::Vec;

use super::super::Linker;
use super::super::object::Library;
use super::Asked;
use crate::arch;
use crate::candidate::Image;
use crate::candidate::reader::{Contents, Reader};
use crate::elf::consts::{
    DF_1_NOW, DF_BIND_NOW, DT_BIND_NOW, DT_FLAGS, DT_FLAGS_1, DT_JMPREL, DT_MIPS_GOTSYM, DT_MIPS_SYMTABNO,
    DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELACOUNT, DT_RELASZ, DT_RELCOUNT, DT_RELSZ, EM_MIPS,
};
use crate::elf::{ByteOrder, Class, offset};

/// Relocations that are looked at together.
const TOGETHER: usize = 128;

/// Calls `tell` with those of the symbols that a relocation asks for, in the loader's order, each once; and whether it
/// is bound when it is first called, not at the start.
pub(super) fn uses(
    linker: &Linker<'_>,
    image: &Image,
    file: &Contents,
    symbols: &mut [Asked],
    tell: &mut dyn FnMut(&Asked, bool),
) {
    let Some(dynamic) = &image.dynamic else { return };
    let musl = !linker.is_glibc();
    let lazy = !(musl
        || linker.machine.target.kernel.variable(c"LD_BIND_NOW").is_some_and(|value| !value.is_empty())
        || dynamic.flags(DT_FLAGS) & DF_BIND_NOW != 0
        || dynamic.flags(DT_FLAGS_1) & DF_1_NOW != 0
        || dynamic.get(DT_BIND_NOW).is_some());
    let mut tell = |asked: &mut Asked, lazy| {
        tell(asked, lazy);
        asked.index = 0;
    };
    if arch::of(image.header.e_machine).is_some_and(|arch| arch.ldso.has_global_got) {
        // The global part of the GOT has no relocations: what is in it is asked for. A function with a stub, whose
        // address is its value, is bound when it is called.
        let global = offset(dynamic.flags(DT_MIPS_GOTSYM))..offset(dynamic.flags(DT_MIPS_SYMTABNO));
        for asked in symbols.iter_mut() {
            if global.contains(&asked.index) {
                tell(asked, asked.has_stub && lazy);
            }
        }
    }
    let tags = if musl { &[DT_JMPREL, DT_REL, DT_RELA] } else { &[DT_RELA, DT_REL, DT_JMPREL] };
    for &tag in tags {
        let calls = tag == DT_JMPREL;
        read(linker, image, file, tag, &mut |symbol, _| {
            for asked in symbols.iter_mut() {
                // The address of a stub serves where the symbol is not called.
                if asked.index == symbol && (calls || !asked.has_stub) {
                    tell(asked, calls && lazy);
                }
            }
        });
    }
}

/// The symbols of a program that are copied from a library: R_*_COPY. They stand in the program, and are looked for
/// elsewhere.
pub(super) fn copied(linker: &Linker<'_>, object: &Library, image: &Image, file: &Contents) -> Vec<usize> {
    let mut found = Vec::new();
    if object.parent.is_some() {
        return found;
    }
    let kind = arch::of(image.header.e_machine).map_or(arch::R_COPY, |arch| arch.ldso.r_copy);
    let mut note = |symbol, found_kind| {
        if found_kind == kind {
            found.push(symbol);
        }
    };
    read(linker, image, file, DT_REL, &mut note);
    read(linker, image, file, DT_RELA, &mut note);
    found
}

/// Calls `each` with the symbols of a table and the kinds of their relocations.
fn read(linker: &Linker<'_>, image: &Image, file: &Contents, tag: u32, each: &mut dyn FnMut(usize, usize)) {
    let Some(dynamic) = &image.dynamic else { return };
    // How many at the front glibc takes for relative ones, whose symbols it does not look at (elf/do-rel.h).
    let (size, relative, has_addend) = match tag {
        DT_REL => (DT_RELSZ, dynamic.flags(DT_RELCOUNT), false),
        DT_RELA => (DT_RELASZ, dynamic.flags(DT_RELACOUNT), true),
        _ => (DT_PLTRELSZ, 0, dynamic.flags(DT_PLTREL) == DT_RELA.into()),
    };
    let mut table = Reader::dynamic(file, image, tag, offset(dynamic.flags(size)));
    table.once();
    let order = image.encoding.order;
    let word = image.encoding.word();
    let entry = word.wrapping_mul(if has_addend { 3 } else { 2 });
    // Where r_info has the symbol, where the kind, and in how many bytes.
    let (symbol, kind) = match (image.encoding.class, image.encoding.order) {
        (Class::Elf32, ByteOrder::Big) => ((0, 3), (3, 1)),
        (Class::Elf32, ByteOrder::Little) => ((1, 3), (0, 1)),
        (Class::Elf64, ByteOrder::Big) => ((0, 4), (4, 4)),
        // On MIPS r_sym stands first and r_type last, whatever the byte order.
        (Class::Elf64, ByteOrder::Little) if image.header.e_machine == EM_MIPS => ((0, 4), (7, 1)),
        (Class::Elf64, ByteOrder::Little) => ((4, 4), (0, 4)),
    };
    let mut at = if linker.is_glibc() { offset(relative).saturating_mul(entry) } else { 0 };
    loop {
        let entries = table.up_to(at, entry.wrapping_mul(TOGETHER));
        at = at.wrapping_add(entries.len());
        let is_last = entries.len() < entry;
        for found in entries.chunks(entry) {
            let Some(info) = found.get(word..) else { break };
            let field = |(at, len)| offset(order.uint(info, at, len));
            let found = field(symbol);
            if found != 0 {
                each(found, field(kind));
            }
        }
        if is_last {
            return;
        }
    }
}
