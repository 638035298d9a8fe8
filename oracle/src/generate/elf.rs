//! Changed ELF files.

use super::Plan;
use crate::abi::Abi;
use crate::base::{Base, Kind, Role};
use crate::case::{Case, Start};
use crate::edit::{Chunk, Edit, Part, Place};
use crate::layout::{HEADER, SEGMENT};
use crate::random::Random;

/// Fields of the ELF header that decide something; the others are tried as well, but less often.
const DECISIVE: [&str; 9] =
    ["e_type", "e_machine", "e_entry", "e_phoff", "e_phentsize", "e_phnum", "e_flags", "EI_CLASS", "EI_DATA"];
/// Up to here every length is tried; further on, those around the ends of pages.
const EVERY_LENGTH: usize = 640;

fn kind(random: &mut Random, abi: &Abi, role: Role) -> &'static Kind {
    let kinds: Vec<&'static Kind> = Kind::with(role, abi).collect();
    random.pick(&kinds)
}

/// A program of our own, mostly one without an interpreter.
fn program(random: &mut Random, abi: &'static Abi) -> Case {
    let role = if random.once_in(4) { Role::Dynamic } else { Role::Static };
    Case::pristine(abi, kind(random, abi, role))
}

/// A number for a field of a base.
fn field(plan: &Plan, random: &mut Random, abi: &'static Abi, part: Part, base: &Base) -> Edit {
    let place = if base.segments == 0 || random.once_in(3) {
        if random.once_in(4) {
            Place::Header(random.pick(HEADER).0)
        } else {
            Place::Header(random.pick(&DECISIVE))
        }
    } else {
        Place::Segment(random.below(base.segments.min(16)), random.pick(SEGMENT).0)
    };
    let name = match place {
        Place::Header(name) | Place::Segment(_, name) | Place::Mark(name) => name,
        Place::Byte(_) => "",
    };
    let current = base.number(abi, place);
    let size = base.place(abi, place).map_or(8, |(_, size)| size);
    let mask = if size >= 8 { u64::MAX } else { (1 << (8 * size)) - 1 };
    Edit::Set(part, place, plan.setting(abi).number(random, name, current) & mask)
}

/// Some fields. A table that grew gets a file that can hold it, sometimes.
pub(super) fn fields(plan: &Plan, random: &mut Random, abi: &'static Abi, count: usize) -> Case {
    let mut case = program(random, abi);
    let Some(base) = case.base() else { return case };
    let count = if count > 2 { count + random.below(4) } else { count };
    for _ in 0..count {
        case.edits.push(field(plan, random, abi, Part::Program, &base));
    }
    let grown = |edit: &Edit| matches!(edit, Edit::Set(_, Place::Header("e_phnum"), _));
    if case.edits.iter().any(grown) && !random.once_in(4) {
        case.edits.push(Edit::Pad(Part::Program, random.pick(&[0x1000, 0x8000, 0x1_1000])));
    } else if random.once_in(40) {
        case.edits.push(Edit::Pad(Part::Program, random.pick(&[0x1000, 0x1800, 0x1_0000])));
    }
    case
}

/// Bytes of the headers, anything.
pub(super) fn bytes(plan: &Plan, random: &mut Random, abi: &'static Abi) -> Case {
    let mut case = program(random, abi);
    let Some(base) = case.base() else { return case };
    let headers = base.table + base.segments * crate::layout::segment_size(abi);
    for _ in 0..=random.below(4) {
        let at = random.below(headers);
        let value = match random.below(3) {
            0 => random.number() & 0xff,
            1 => random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
            _ => u64::from(base.bytes[at]) ^ (1 << random.below(8)),
        };
        case.edits.push(Edit::Set(Part::Program, Place::Byte(at), value));
    }
    if random.once_in(4) {
        case.edits.push(field(plan, random, abi, Part::Program, &base));
    }
    case
}

/// Lengths at which a file ends: all up to a bound, then those around the ends of pages.
fn lengths(case: &Case) -> Vec<usize> {
    let len = case.base().map_or(0, |base| base.bytes.len());
    let edges = (1..=len / 0x1000).flat_map(|page| (page * 0x1000 - 3)..=(page * 0x1000 + 3));
    (0..len.min(EVERY_LENGTH)).chain(edges.filter(move |at| (EVERY_LENGTH..=len).contains(at))).collect()
}

/// Some length of some program; the long ones have more to lose.
pub(super) fn any_length(random: &mut Random, abi: &'static Abi) -> Case {
    let mut case = program(random, abi);
    let lengths = lengths(&case);
    let len = if random.once_in(2) {
        random.pick(&lengths)
    } else {
        lengths[lengths.len() - 1 - random.below(lengths.len().min(40))]
    };
    case.edits.push(Edit::Cut(Part::Program, len));
    case
}

/// The `index`th length, of one kind of program after the other.
pub(super) fn length(plan: &Plan, index: usize) -> Case {
    let mut index = index;
    // The smallest program of every ABI first.
    for kind in crate::base::KINDS {
        for abi in &plan.abis {
            if !kind.fits(abi) {
                continue;
            }
            let mut case = Case::pristine(abi, kind);
            let lengths = lengths(&case);
            if let Some(len) = lengths.get(index) {
                case.edits.push(Edit::Cut(Part::Program, *len));
                return case;
            }
            index -= lengths.len();
        }
    }
    length(plan, index)
}

/// Everything moved to another address, so that what is there decides.
pub(super) fn moved(plan: &Plan, random: &mut Random, abi: &'static Abi) -> Case {
    let mut case = program(random, abi);
    let Some(base) = case.base() else { return case };
    let first = (0..base.segments)
        .find(|index| base.number(abi, Place::Segment(*index, "p_type")) == 1)
        .unwrap_or_default();
    let from = base.number(abi, Place::Segment(first, "p_vaddr"));
    let to = plan.setting(abi).number(random, "p_vaddr", from);
    let mask = if abi.encoding.wide { u64::MAX } else { 0xffff_ffff };
    let by = |value: u64| value.wrapping_sub(from).wrapping_add(to) & mask;
    let mut places = vec![Place::Header("e_entry")];
    let loads = (0..base.segments).filter(|index| base.number(abi, Place::Segment(*index, "p_type")) == 1);
    places.extend(loads.map(|index| Place::Segment(index, "p_vaddr")));
    for place in places {
        case.edits.push(Edit::Set(Part::Program, place, by(base.number(abi, place))));
    }
    if random.once_in(3) {
        let value = random.pick(&[2, 3]);
        case.edits.push(Edit::Set(Part::Program, Place::Header("e_type"), value));
    }
    if random.once_in(3) {
        case.edits.push(field(plan, random, abi, Part::Program, &base));
    }
    case
}

/// A program of this computer, with its own loader.
pub(super) fn host(plan: &Plan, random: &mut Random) -> Case {
    let abi = plan.abis[0];
    let path = plan.programs[random.below(plan.programs.len())].clone();
    let mut case = Case { abi, start: Start::Host(path), edits: Vec::new() };
    let Some(base) = case.base() else { return case };
    for _ in 0..random.below(3) {
        case.edits.push(field(plan, random, abi, Part::Program, &base));
    }
    if case.edits.is_empty() && !random.once_in(8) {
        case.edits.push(Edit::Cut(Part::Program, random.below(base.bytes.len())));
    }
    case
}

/// What only some processor's kernel looks at.
pub(super) fn of_abi(plan: &Plan, random: &mut Random, abi: &'static Abi) -> Case {
    let foreign = Kind::with(Role::Foreign, abi).next();
    if let Some(kind) = foreign.filter(|_| random.once_in(16)) {
        let mut case = Case::pristine(abi, kind);
        if random.once_in(2) {
            let osabi = random.pick(&[2, 3, 6, 9, 12, 97]);
            case.edits.push(Edit::Set(Part::Program, Place::Header("EI_OSABI"), osabi));
        }
        return case;
    }
    let programs = [Role::Static, Role::Dynamic].into_iter().flat_map(|role| Kind::with(role, abi));
    let of_mips: Vec<&'static Kind> = programs.filter(|kind| kind.is_of_mips()).collect();

    let mut case = if of_mips.is_empty() || random.once_in(4) {
        program(random, abi)
    } else {
        Case::pristine(abi, random.pick(&of_mips))
    };
    let Some(base) = case.base() else { return case };
    let setting = plan.setting(abi);
    let set = |random: &mut Random, part: Part, base: &Base, place: Place, name: &str| {
        Edit::Set(part, place, setting.number(random, name, base.number(abi, place)))
    };
    let flags = Place::Header("e_flags");
    if base.marks.is_empty() || random.once_in(2) {
        case.edits.push(set(random, Part::Program, &base, flags, "e_flags"));
    }
    for (mark, _) in &base.marks {
        let often = *mark == "abiflags.fp_abi";
        if random.once_in(if often { 2 } else { 8 }) {
            case.edits.push(set(random, Part::Program, &base, Place::Mark(mark), mark));
        }
    }
    if random.once_in(4) {
        let entry = base.number(abi, Place::Header("e_entry"));
        let odd = entry.wrapping_add(random.pick(&[1, 2, 3]));
        case.edits.push(Edit::Set(Part::Program, Place::Header("e_entry"), odd));
    }
    if random.once_in(6) {
        let place = Place::Header(random.pick(&["EI_CLASS", "EI_DATA", "EI_OSABI", "e_machine"]));
        let Place::Header(name) = place else { return case };
        case.edits.push(set(random, Part::Program, &base, place, name));
    }
    // An interpreter of another kind.
    if let Start::Ours(Kind { role: Role::Dynamic, .. }) = case.start {
        let chosen = kind(random, abi, Role::Interpreter);
        case.edits.push(Edit::Interpreter(chosen));
        let base = Base::build(abi, chosen, b"");
        if random.once_in(2) {
            case.edits.push(set(random, Part::Interpreter, &base, flags, "e_flags"));
        }
        for (mark, _) in &base.marks {
            if *mark == "abiflags.fp_abi" {
                case.edits.push(set(random, Part::Interpreter, &base, Place::Mark(mark), mark));
            }
        }
    }
    case
}

/// The interpreter: another one, a changed one, or another name of it.
pub(super) fn interpreter(plan: &Plan, random: &mut Random, abi: &'static Abi) -> Case {
    let mut case = Case::pristine(abi, kind(random, abi, Role::Dynamic));
    match random.below(8) {
        0 => case.edits = name(random, abi),
        1 => {
            // The segment that names it.
            let Some(base) = case.base() else { return case };
            let place = Place::Segment(0, random.pick(SEGMENT).0);
            let Place::Segment(_, field) = place else { return case };
            let sizes = [0, 1, 2, 3, 13, 14, 15, 4095, 4096, 4097];
            let value = match field {
                "p_filesz" if !random.once_in(3) => random.pick(&sizes),
                _ => plan.setting(abi).number(random, field, base.number(abi, place)),
            };
            case.edits.push(Edit::Set(Part::Program, place, value));
            if random.once_in(2) {
                case.edits.push(Edit::Pad(Part::Program, 0x2000));
            }
        }
        2 => {
            case.edits.push(Edit::Interpreter(kind(random, abi, Role::Interpreter)));
            case.edits
                .push(Edit::Mode(Part::Interpreter, random.pick(&[0o644, 0o100, 0o111, 0o000, 0o4755])));
        }
        3 => {
            let chosen = kind(random, abi, Role::Interpreter);
            let len = Base::build(abi, chosen, b"").bytes.len();
            case.edits.push(Edit::Interpreter(chosen));
            case.edits.push(Edit::Cut(Part::Interpreter, random.below(len)));
        }
        _ => {
            let chosen = kind(random, abi, Role::Interpreter);
            let base = Base::build(abi, chosen, b"");
            case.edits.push(Edit::Interpreter(chosen));
            for _ in 0..=random.below(2) {
                case.edits.push(field(plan, random, abi, Part::Interpreter, &base));
            }
            if random.once_in(6) {
                let Some(base) = case.base() else { return case };
                case.edits.push(field(plan, random, abi, Part::Program, &base));
            }
        }
    }
    case
}

/// What PT_INTERP may hold.
fn name(random: &mut Random, abi: &Abi) -> Vec<Edit> {
    let target =
        format!("{}.{}", abi.name, random.pick(&["interp", "interp-exec", "interp-bss", "tiny", "pie"]));
    let room: [usize; 12] = [10, 100, 127, 128, 255, 256, 1000, 4000, 4080, 4094, 4095, 4096];
    let dots = |random: &mut Random| {
        let len = random.pick(&room).saturating_sub(target.len());
        vec![Chunk::times("./", len / 2), Chunk::times("/", len % 2), Chunk::once(target.clone())]
    };
    let chunks = match random.below(9) {
        0 => dots(random),
        1 => vec![Chunk::times("a", random.pick(&[254, 255, 256, 4094, 4095]))],
        2 => vec![Chunk::once("")],
        3 => vec![Chunk::once(format!("{}.chain-tiny-{}", abi.name, random.below(3)))],
        4 => vec![Chunk::once(target), Chunk::once(random.pick(&["/", "/x", "\0", "\0junk", " "]))],
        5 => vec![Chunk::once("\0"), Chunk::once(target)],
        6 => {
            let abi = &crate::abi::ABIS[random.below(crate::abi::ABIS.len())];
            vec![Chunk::once(format!("{}.interp", abi.name))]
        }
        _ => {
            let shared = crate::folder::SHARED;
            vec![Chunk::once(random.pick(shared))]
        }
    };
    chunks.into_iter().filter(|chunk| chunk.times > 0).map(Edit::Name).collect()
}
