//! Relocations of less than a word, or of a distance: sysdeps/powerpc/powerpc64/dl-machine.h, sysdeps/s390/s390-64/dl-machine.h
//! `elf_machine_rela`; sysdeps/arm/dl-machine.h `relocate_pc24`.

use alloc::vec::Vec;

use super::super::super::fault::{Fault, FaultKind};
use super::super::memory::Access;
use super::super::{End, Object, Step, Symbol};
use super::place::Place;
use crate::elf::consts::{DT_STRTAB, DT_TEXTREL, EM_ARM, EM_PPC64, EM_S390};

/// What is written.
struct Field {
    /// As the loader calls it.
    name: &'static str,
    /// Bits that a value has to have room in, with its sign; 64: whatever it is.
    bits: u32,
    /// Its lowest two have to be 0.
    is_aligned: bool,
    /// Bytes that are written to, and their bits that are.
    size: u64,
    mask: u64,
    of: Of,
}

/// Of what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Value,
    /// From where it is written.
    Distance,
    /// So many bits less, with its sign.
    High(u32),
    /// The same, rounded up as what is signed below needs.
    Rounded(u32),
}

const ALL: u64 = u64::MAX;

/// PPC64.
const fn of_powerpc(kind: u64) -> Option<Field> {
    const fn field(name: &'static str, bits: u32, (size, mask): (u64, u64), of: Of) -> Field {
        Field { name, bits, is_aligned: mask.trailing_zeros() >= 2, size, mask, of }
    }
    Some(match kind {
        1 => field("R_PPC64_ADDR32", 32, (4, ALL), Of::Value),
        2 => field("R_PPC64_ADDR24", 26, (4, 0x03ff_fffc), Of::Value),
        3 => field("R_PPC64_ADDR16", 16, (2, ALL), Of::Value),
        4 => field("", 64, (2, ALL), Of::Value),
        5 => field("R_PPC64_ADDR16_HI", 16, (2, ALL), Of::High(16)),
        6 => field("R_PPC64_ADDR16_HA", 16, (2, ALL), Of::Rounded(16)),
        7 => field("R_PPC64_ADDR14", 16, (4, 0xfffc), Of::Value),
        24 => field("", 64, (4, ALL), Of::Value),
        25 => field("R_PPC64_UADDR16", 16, (2, ALL), Of::Value),
        26 => field("", 64, (4, ALL), Of::Distance),
        37 => field("R_PPC64_ADDR30", 32, (4, 0xffff_fffc), Of::Distance),
        39 => field("", 64, (2, ALL), Of::High(32)),
        40 => field("", 64, (2, ALL), Of::Rounded(32)),
        41 => field("", 64, (2, ALL), Of::High(48)),
        42 => field("", 64, (2, ALL), Of::Rounded(48)),
        44 => field("", 64, (8, ALL), Of::Distance),
        56 => field("R_PPC64_ADDR16_DS", 16, (2, 0xfffc), Of::Value),
        57 => field("R_PPC64_ADDR16_LO_DS", 64, (2, 0xfffc), Of::Value),
        _ => return None,
    })
}

/// s390x, which looks at no range.
const fn of_s390(kind: u64) -> Option<Field> {
    let (size, of) = match kind {
        1 => (1, Of::Value),
        3 => (2, Of::Value),
        16 => (2, Of::Distance),
        23 => (8, Of::Distance),
        _ => return None,
    };
    Some(Field { name: "", bits: 64, is_aligned: false, size, mask: ALL, of })
}

/// R_PPC64_ADDR14_BRTAKEN and R_PPC64_ADDR14_BRNTAKEN, which change a branch's hint, too.
const HINTS: [u64; 2] = [8, 9];

/// What is written of a value, for where it is.
struct Value {
    number: u64,
    /// Whether it is another one at each start.
    is_random: bool,
}

/// Writes the value of a symbol, of an object if any has it. None: a kind that this does not know.
pub(super) fn insert(
    place: &Place<'_, '_>,
    (asked, of): (&Symbol, Option<&Object<'_>>),
    value: u64,
) -> Option<Step<()>> {
    let (object, kind) = (place.object, place.relocation.kind);
    let is_hinted = HINTS.contains(&kind);
    let field = match object.image.header.e_machine {
        EM_PPC64 => of_powerpc(if is_hinted { 7 } else { kind })?,
        EM_S390 => of_s390(kind)?,
        EM_ARM if kind == R_ARM_PC24 => return Some(branch(place, of, value)),
        _ => return None,
    };
    let at = place.relocation.offset.map_err(|access| place.lost(access));
    Some(at.and_then(|at| {
        let (value, is_near) = field.of.take(object, of, value, at);
        let is_odd = field.is_aligned && value.number & 3 != 0;
        if is_odd || !(field.has_room(value.number) || is_near) {
            return Err(out_of_range(object, asked, (field.name, kind)));
        }
        // The loader reads what it changes, or not: what cannot be written ends it.
        let anywhere = object.get(DT_TEXTREL).is_some();
        let lost = |access| place.lost(access);
        if value.is_random {
            return object.memory.scatter(at, field.size, anywhere).map_err(lost);
        }
        let old = match object.memory.number(at, field.size) {
            Ok(old) => old,
            Err(_) if field.mask == ALL => 0,
            Err(Access::Anothers) => return object.memory.scatter(at, field.size, anywhere).map_err(lost),
            Err(access) => return Err(lost(access)),
        };
        let new = old & !field.mask | value.number & field.mask;
        let hinted = if is_hinted { hint(new, kind) } else { new };
        object.memory.write(at, hinted, field.size, anywhere).map_err(lost)
    }))
}

const R_ARM_PC24: u64 = 1;

/// How far a branch of ARM goes, in words, of which it has 24 bits with their sign. Where that is too far, the loader has it go
/// by a page that it maps, which lies beside libraries, and far from a program.
fn branch(place: &Place<'_, '_>, of: Option<&Object<'_>>, value: u64) -> Step<()> {
    const REACH: u64 = 1 << 25;
    let object = place.object;
    let lost = |access| place.lost(access);
    let at = place.relocation.offset.map_err(lost)?;
    let old = place.here()?;
    let added = ((old & 0x00ff_ffff) ^ 0x0080_0000).wrapping_sub(0x0080_0000) << 2;
    let distance = value.wrapping_sub(object.base.wrapping_add(at)).wrapping_add(added);
    let is_near = object.memory.in_word(distance.wrapping_add(REACH)) < REACH.wrapping_mul(2);
    // What is added may lead further away than the page is.
    let is_little = added.wrapping_add(REACH / 2) < REACH;
    match of {
        _ if of.map_or(0, |of| of.base) == object.base => {
            if !is_near {
                return Err(object.lost(Access::Anothers, "a relocation of few bits"));
            }
            place.write(old & 0xff00_0000 | object.memory.in_word(distance) >> 2 & 0x00ff_ffff)
        }
        _ if object.index > 0 && is_little => {
            object.memory.scatter(at, 4, object.get(DT_TEXTREL).is_some()).map_err(lost)
        }
        Some(of) if object.index == 0 && of.index > 0 => Err(End::Fault(Fault {
            number: R_ARM_PC24,
            name: b"R_ARM_PC24 relocation".to_vec(),
            ..Fault::new(FaultKind::OutOfRange, object.library)
        })),
        _ => Err(object.lost(Access::Anothers, "a relocation of few bits")),
    }
}

/// Bit 21 tells whether a branch is taken; where it has another way to be told, that is set, too.
const fn hint(instruction: u64, kind: u64) -> u64 {
    let hinted = instruction & !(1 << 21) | if kind == HINTS[0] { 1 << 21 } else { 0 };
    if hinted & 0x14 << 21 == 0x04 << 21 {
        hinted | 0x02 << 21
    } else if hinted & 0x14 << 21 == 0x10 << 21 {
        hinted | 0x08 << 21
    } else {
        hinted
    }
}

impl Field {
    const fn has_room(&self, value: u64) -> bool {
        let half = 1_u64.wrapping_shl(self.bits.wrapping_sub(1));
        self.bits == 64 || value.wrapping_add(half) < half.wrapping_mul(2)
    }
}

impl Of {
    /// What is written where, of the value of a symbol; and whether it has room in 32 bits wherever the two are.
    fn take(self, object: &Object<'_>, of: Option<&Object<'_>>, value: u64, at: u64) -> (Value, bool) {
        let base = of.map_or(0, |of| of.base);
        match self {
            Of::Value => (Value { number: value, is_random: base != 0 }, false),
            Of::High(bits) => (Value { number: shifted(value, bits), is_random: base != 0 }, false),
            Of::Rounded(bits) => {
                (Value { number: shifted(value.wrapping_add(0x8000), bits), is_random: base != 0 }, false)
            }
            Of::Distance => {
                let number = value.wrapping_sub(object.base.wrapping_add(at));
                // Libraries lie side by side.
                let is_near = of.is_some_and(|of| of.index > 0 && object.index > 0);
                (Value { number, is_random: base != object.base }, is_near)
            }
        }
    }
}

/// A number with its sign, so many bits less.
const fn shifted(value: u64, bits: u32) -> u64 {
    let signed = i64::from_ne_bytes(value.to_ne_bytes());
    u64::from_ne_bytes(signed.wrapping_shr(bits).to_ne_bytes())
}

/// elf/dl-reloc.c `_dl_reloc_overflow` (sysdeps/powerpc/powerpc64/dl-machine.c).
fn out_of_range(object: &Object<'_>, asked: &Symbol, (name, kind): (&'static str, u64)) -> End {
    let strings = object.get(DT_STRTAB).unwrap_or_default();
    let symbol = object.memory.string(strings.wrapping_add(asked.name)).unwrap_or_default();
    let words: Vec<u8> = [name.as_bytes(), b" reloc at 0x... for symbol `", &symbol, b"'"].concat();
    End::Fault(Fault { number: kind, name: words, ..Fault::new(FaultKind::OutOfRange, object.library) })
}
