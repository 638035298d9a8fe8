//! ELF files from any bytes: headers and tables that are good but for what the bytes change, and tables that lead into
//! patterns repeated over gigabytes, or into holes.

use arbitrary::{Result, Unstructured};
use testkit::abi::{ABIS, Abi};
use testkit::{Elf, Encoding};

use crate::memory::File;

/// Where a program is linked for, and where patterns lie in every file.
const BASE: u64 = 0x40_0000;
const PATTERNS: u64 = 1 << 20;
/// Between two of them: the addresses of a 32-bit file hold all.
const APART: u64 = 1 << 27;
const MOST_PATTERNS: u64 = 4;

/// DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH.
const TEXTS: [u64; 6] = [1, 1, 1, 14, 15, 29];
/// The other entries of PT_DYNAMIC that diag looks at, and one that nobody knows.
const ENTRIES: [u64; 40] = [
    1,
    2,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
    23,
    24,
    25,
    26,
    29,
    30,
    32,
    33,
    35,
    36,
    37,
    0x6fff_fef5,
    0x6fff_fff0,
    0x6fff_fff9,
    0x6fff_fffa,
    0x6fff_fffb,
    0x6fff_fffc,
    0x6fff_fffd,
    0x6fff_fffe,
    0x6fff_ffff,
    0x7000_0013,
];
const FIELDS: [&str; 20] = [
    "e_type",
    "e_machine",
    "EI_CLASS",
    "EI_DATA",
    "EI_OSABI",
    "e_version",
    "e_entry",
    "e_phoff",
    "e_shoff",
    "e_flags",
    "e_phentsize",
    "e_phnum",
    "p_type",
    "p_offset",
    "p_vaddr",
    "p_filesz",
    "p_memsz",
    "p_flags",
    "p_align",
    "e_shnum",
];
const OF_A_SEGMENT: [&str; 7] =
    ["p_type", "p_offset", "p_vaddr", "p_filesz", "p_memsz", "p_flags", "p_align"];
const SEGMENTS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];
/// PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_PHDR, PT_TLS, PT_GNU_STACK, PT_GNU_PROPERTY, PT_MIPS_ABIFLAGS.
const SEGMENT_TYPES: [u64; 10] = [1, 1, 2, 3, 4, 6, 7, 0x6474_e551, 0x6474_e553, 0x7000_0003];
const SYMBOLS: [&str; 8] = ["puts", "errno", "EzEz", "EzFY", "FYEz", "FYFY", "versioned@", "\u{202e}\u{7f}"];
const VERSIONS: [&str; 4] = ["GLIBC_2.4", "GLIBC_2.99", "GLIBC_PRIVATE", "V_\n1"];

/// Names of libraries and folders, and what hides in such lists.
pub const LIBRARIES: [&str; 8] =
    ["liba.so", "libb.so", "libc.so", "libc.so.6", "libgcc_s.so.1", "/lib/liba.so", "\u{1b}]0;x", ""];
const FOLDERS: [&str; 10] =
    ["$ORIGIN", "${ORIGIN}/../", "$LIB", "$PLATFORM", "/lib", "/:", "/lib/", ":", "n", "/etc/ld.so.cache"];

/// A number as hostile files have them: small, an address of a pattern, a power of two, all ones, or any.
fn number(from: &mut Unstructured<'_>, base: u64) -> Result<u64> {
    let kind = from.arbitrary::<u8>()?;
    let low = u64::from(kind >> 3);
    Ok(match kind & 7 {
        0 | 1 => low,
        2 => base + PATTERNS + APART * (low % MOST_PATTERNS) + u64::from(from.arbitrary::<u8>()?) * 4,
        3 => 1 << low,
        4 => (1 << (low + 12)) - 1,
        5 => u64::MAX - low,
        6 => base + u64::from(from.arbitrary::<u16>()?),
        _ => from.arbitrary::<u32>()?.into(),
    })
}

/// The bytes of a table or of a list of strings.
fn pattern(from: &mut Unstructured<'_>, encoding: Encoding, base: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for _ in 0..from.int_in_range(0..=11)? {
        match from.int_in_range(0..=7)? {
            0 => {
                let size = *from.choose(&[1, 2, 4, 8])?;
                bytes.extend(encoding.uint(number(from, base)?, size));
            }
            1 => bytes.extend(from.choose(&FOLDERS)?.bytes()),
            2 => bytes.extend(from.choose(&LIBRARIES)?.bytes().chain([0])),
            3 => bytes.extend(from.choose(&SYMBOLS)?.bytes()),
            4 => {
                let text = from.choose(&FOLDERS)?;
                bytes.extend(text.repeat(from.arbitrary::<u8>()?.into()).bytes());
            }
            5 => {
                for value in [*from.choose(&ENTRIES)?, number(from, base)?] {
                    bytes.extend(encoding.uint(value, encoding.word()));
                }
            }
            6 => {
                let tag = *from.choose(&TEXTS)?;
                for value in series(from, 0)? {
                    bytes.extend(encoding.uint(tag, encoding.word()));
                    bytes.extend(encoding.uint(value, encoding.word()));
                }
            }
            _ => bytes.extend(series(from, base)?.flat_map(|value| encoding.uint(value, 4))),
        }
    }
    Ok(bytes)
}

/// Numbers that differ by the same, up to 1,020 of them.
fn series(from: &mut Unstructured<'_>, base: u64) -> Result<impl Iterator<Item = u64> + use<>> {
    let (first, step) = (number(from, base)?, number(from, 0)?);
    let count = u64::from(from.arbitrary::<u8>()?) * 4;
    Ok((0..count).map(move |index| first.wrapping_add(step.wrapping_mul(index))))
}

/// Changes one thing of a file.
fn change(from: &mut Unstructured<'_>, elf: Elf, base: u64, segments: &mut usize) -> Result<Elf> {
    Ok(match from.int_in_range(0..=15)? {
        0 | 1 => elf.needed(from.choose(&LIBRARIES)?),
        2 => {
            let list = [*from.choose(&FOLDERS)?, ":", *from.choose(&FOLDERS)?].concat();
            elf.dynamic(*from.choose(&TEXTS)?, &list)
        }
        3 => elf.dynamic(*from.choose(&TEXTS)?, &from.choose(&FOLDERS)?.repeat(from.int_in_range(1..=4096)?)),
        4 => elf.symbol(from.choose(&SYMBOLS)?, from.arbitrary()?),
        5 => elf.needs_version(from.choose(&LIBRARIES)?, from.choose(&VERSIONS)?),
        6 => elf.version(from.choose(&VERSIONS)?),
        7 => elf.relocation(from.arbitrary::<u8>()?.into()),
        8 => elf.packed(),
        9 | 10 => elf.entry(*from.choose(&ENTRIES)?, number(from, base)?),
        11 => elf.without(*from.choose(&ENTRIES)?),
        12 => elf.set(from.choose(&FIELDS)?, number(from, base)?),
        13 if *segments < SEGMENTS.len() => {
            let name = SEGMENTS[*segments];
            *segments += 1;
            let elf = elf.empty_segment(name, *from.choose(&SEGMENT_TYPES)?);
            OF_A_SEGMENT
                .iter()
                .skip(1)
                .take(from.int_in_range(0..=6)?)
                .try_fold(elf, |elf, field| Ok(elf.set(&format!("{name}.{field}"), number(from, base)?)))?
        }
        // Names that have one hash, or are many.
        14 => {
            let (count, length) = (from.arbitrary::<u8>()?, from.int_in_range(1..=255)?);
            (0..u32::from(count)).fold(elf, |elf, index| {
                let bits = |bit: u32| if index >> bit & 1 == 0 { "Ez" } else { "FY" };
                let name: String = (0..8).map(bits).collect();
                if length > 200 { elf.needed(&name.repeat(length / 20)) } else { elf.symbol(&name, false) }
            })
        }
        _ => {
            let (n_type, length) = (from.arbitrary::<u8>()?, from.int_in_range(0..=32)?);
            elf.note(from.choose(&[&b"GNU\0"[..], b"Go\0\0", b""])?, n_type.into(), from.bytes(length)?)
        }
    })
}

/// A file for that processor: a program with that loader, or a library.
pub fn any(from: &mut Unstructured<'_>, abi: &str, loader: Option<&str>) -> Result<File> {
    let abi: Abi = if from.ratio(1, 16)? { *from.choose(&ABIS)? } else { *Elf::of(abi).abi() };
    let base = if loader.is_some() { BASE } else { 0 };
    let mut elf = Elf::new(abi);
    elf = match loader {
        Some(loader) => elf.interp(loader).needed("libc.so"),
        None => elf.base(0).set("e_type", 3).set("PT_LOAD.p_flags", 7).dynamic(14, "libx.so"),
    };
    let mut segments = 0;
    for _ in 0..from.int_in_range(0..=7)? {
        elf = change(from, elf, base, &mut segments)?;
    }
    let count = from.int_in_range(0..=MOST_PATTERNS)?;
    let mut parts = Vec::new();
    for index in 0..count {
        let start = PATTERNS + APART * index;
        let bytes = pattern(from, abi.encoding, base)?;
        let end = start
            + match from.int_in_range(0..=3)? {
                0 | 1 => bytes.len() as u64,
                2 => from.arbitrary::<u32>()?.into(),
                _ => 1 << from.int_in_range(0..=36)?,
            };
        parts.push((start, end, bytes));
    }
    // The PT_LOAD reaches to the last of them, if it may.
    if let Some((_, end, _)) = parts.last() {
        elf = elf.set("p_filesz", *end).set("p_memsz", *end);
        if from.ratio(1, 4)? {
            let size = u64::from(from.arbitrary::<u16>()?);
            elf = elf.needed("liba.so");
            for (field, value) in
                [("p_offset", PATTERNS), ("p_vaddr", base + PATTERNS), ("p_filesz", size), ("p_memsz", size)]
            {
                elf = elf.set(&format!("PT_DYNAMIC.{field}"), value);
            }
        }
    }
    let mut head = elf.build();
    for _ in 0..from.int_in_range(0..=3)? {
        let (at, byte) = (from.choose_index(head.len())?, from.arbitrary()?);
        head[at] = byte;
    }
    Ok(File { head, parts })
}
