//! The programs that are changed: our own, written byte by byte.

use std::fs;

use crate::abi::Abi;
use crate::layout::{self, HEADER, SEGMENT, header_size, segment_size};

/// The status of a program that runs, and of an interpreter.
pub const PROGRAM: u8 = 42;
/// The status of an interpreter.
pub const INTERPRETER: u8 = 43;

/// Below 2 GiB, and aligned for pages of 64 KiB.
const VADDR: u64 = 0x40_0000;
/// Where an ET_EXEC interpreter lies.
const INTERPRETER_VADDR: u64 = 0x1000_0000;
/// The largest page of any kernel here.
const PAGE: u64 = 0x1_0000;
/// Most kernels' pages; "several pages long" means these.
const SMALL_PAGE: u64 = 0x1000;

const EXEC: u16 = 2;
const DYN: u16 = 3;
const RX: u64 = 5;
const RW: u64 = 6;
const RWX: u64 = 7;

/// A program without an interpreter, a program with one, or an interpreter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It exits with 42.
    Static,
    /// Its interpreter exits with 43.
    Dynamic,
    /// It exits with 43.
    Interpreter,
    /// FreeBSD's: there it exits with 42, here nothing is where it looks for its arguments.
    Foreign,
}

/// What a base is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// Its name in a case.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    e_type: u16,
    /// The flags of the segment that holds headers and code.
    flags: u64,
    /// Bytes of zeros between the headers and the code.
    gap: u64,
    /// A writable segment behind it: bytes in the file, bytes of zeros behind these.
    data: Option<(u64, u64)>,
    /// Zeros behind the first segment.
    bss: u64,
    /// Program headers to spare: PT_NULL.
    spare: usize,
    /// PT_MIPS_REGINFO and PT_MIPS_ABIFLAGS.
    mips: bool,
    /// PT_DYNAMIC, at the end of the writable segment.
    dynamic: bool,
    /// Its code reads the first and the last byte of the writable segment.
    pub reads: bool,
}

const PLAIN: Kind = Kind {
    name: "tiny",
    role: Role::Static,
    e_type: EXEC,
    flags: RX,
    gap: 0,
    data: None,
    bss: 0,
    spare: 0,
    mips: false,
    dynamic: false,
    reads: false,
};
const DYNAMIC: Kind = Kind { name: "dynamic", role: Role::Dynamic, ..PLAIN };
const INTERP: Kind = Kind { name: "interp", role: Role::Interpreter, e_type: DYN, ..PLAIN };

/// All kinds.
pub const KINDS: &[Kind] = &[
    PLAIN,
    Kind { name: "static", spare: 2, ..PLAIN },
    Kind { name: "pie", e_type: DYN, ..PLAIN },
    Kind { name: "bss", data: Some((0x20, 0x3000)), ..PLAIN },
    Kind { name: "pie-bss", e_type: DYN, data: Some((0x20, 0x3000)), ..PLAIN },
    Kind { name: "two", data: Some((0x1010, 0)), spare: 1, ..PLAIN },
    Kind { name: "reads", data: Some((0x2010, 0x1000)), reads: true, ..PLAIN },
    Kind { name: "rwx-bss", flags: RWX, bss: 0x2100, ..PLAIN },
    Kind { name: "rx-bss", bss: 0x2100, ..PLAIN },
    Kind { name: "pages", gap: 2 * SMALL_PAGE, ..PLAIN },
    Kind { name: "pie-pages", e_type: DYN, gap: 2 * SMALL_PAGE, data: Some((0x1010, 0x1234)), ..PLAIN },
    Kind { name: "mips", mips: true, ..PLAIN },
    Kind { name: "mips-pie", mips: true, e_type: DYN, data: Some((0x20, 0x100)), ..PLAIN },
    DYNAMIC,
    Kind { name: "dynamic-pie", e_type: DYN, data: Some((0x20, 0x100)), ..DYNAMIC },
    Kind { name: "dynamic-pages", gap: SMALL_PAGE, data: Some((0x1010, 0x3000)), spare: 1, ..DYNAMIC },
    Kind { name: "dynamic-data", e_type: DYN, data: Some((0x3010, 0)), dynamic: true, ..DYNAMIC },
    Kind { name: "dynamic-mips", mips: true, ..DYNAMIC },
    INTERP,
    Kind { name: "interp-exec", e_type: EXEC, ..INTERP },
    Kind { name: "interp-bss", data: Some((0x20, 0x3000)), ..INTERP },
    Kind { name: "interp-pages", gap: SMALL_PAGE, flags: RWX, bss: 0x2100, ..INTERP },
    Kind { name: "interp-rx-bss", bss: 0x2100, ..INTERP },
    Kind { name: "interp-mips", mips: true, ..INTERP },
    Kind { name: "freebsd", role: Role::Foreign, ..PLAIN },
];

impl Kind {
    /// By its name.
    pub fn of(name: &str) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Whether there is such a program for the ABI: only MIPS has the headers of MIPS, and some take code of their own.
    pub fn fits(&self, abi: &Abi) -> bool {
        (!self.mips || abi.e_machine == 8)
            && (!self.reads || abi.reads_and_exits([0; 2], PROGRAM).is_some())
            && (self.role != Role::Foreign || abi.exits_on_freebsd(PROGRAM).is_some())
    }

    /// Whether it has program headers that only MIPS has.
    pub fn is_of_mips(&self) -> bool {
        self.mips
    }

    /// Its kinds of a role.
    pub fn with(role: Role, abi: &Abi) -> impl Iterator<Item = &'static Kind> {
        KINDS.iter().filter(move |kind| kind.role == role && kind.fits(abi))
    }
}

/// A file to change, and the places in it that have names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Base {
    /// The file.
    pub bytes: Vec<u8>,
    /// Where the program header table lies.
    pub table: usize,
    /// How many program headers it has.
    pub segments: usize,
    /// Names, offsets and sizes: `abiflags.fp_abi`, `reginfo`, `descriptor`.
    pub marks: Vec<(&'static str, (usize, usize))>,
}

/// What a file holds, in the order of its program headers.
struct Segment {
    p_type: u64,
    flags: u64,
    offset: u64,
    filesz: u64,
    memsz: u64,
    vaddr: u64,
    align: u64,
}

impl Base {
    /// A program of our own; `interpreter` is what PT_INTERP names, with its NUL.
    pub fn build(abi: &Abi, kind: &Kind, interpreter: &[u8]) -> Base {
        let header = header_size(abi);
        let entry = segment_size(abi);
        let count = 1
            + usize::from(matches!(kind.role, Role::Dynamic | Role::Foreign))
            + usize::from(kind.data.is_some())
            + usize::from(kind.dynamic)
            + kind.spare
            + if kind.mips { 2 } else { 0 };
        let mut bytes = vec![0; header + count * entry];
        let start = match (kind.e_type, kind.role) {
            (DYN, _) => 0,
            (_, Role::Interpreter) => INTERPRETER_VADDR,
            _ => VADDR,
        };
        let mut segments = Vec::new();
        let mut marks = Vec::new();
        let mut part = |bytes: &mut Vec<u8>, p_type: u64, content: &[u8]| {
            let offset = append(bytes, content);
            let size = content.len() as u64;
            let segment = Segment {
                p_type,
                flags: 4,
                offset,
                filesz: size,
                memsz: size,
                vaddr: start + offset,
                align: 4,
            };
            segments.push(segment);
            usize::try_from(offset).unwrap_or(0)
        };
        if kind.role == Role::Dynamic {
            part(&mut bytes, 3, interpreter);
        }
        if kind.role == Role::Foreign {
            part(&mut bytes, 4, &freebsd_note(abi));
        }
        if kind.mips {
            marks.push(("reginfo", (part(&mut bytes, 0x7000_0000, &[0; 24]), 4)));
            let at = part(&mut bytes, 0x7000_0003, &abiflags(abi));
            marks.push(("abiflags.version", (at, 2)));
            marks.push(("abiflags.isa_level", (at + 2, 1)));
            marks.push(("abiflags.fp_abi", (at + 7, 1)));
            marks.push(("abiflags.ases", (at + 12, 4)));
        }
        bytes.resize(bytes.len() + usize::try_from(kind.gap).unwrap_or(0), 0);
        let code = kind.code(abi, start, bytes.len());
        let mut e_entry;
        if abi.has_descriptors() {
            let at = bytes.len().next_multiple_of(16) + 32;
            let words = [start + at as u64, 0, 0];
            let descriptor: Vec<u8> = words.iter().flat_map(|word| abi.encoding.uint(*word, 8)).collect();
            e_entry = append(&mut bytes, &descriptor);
            marks.push(("descriptor", (usize::try_from(e_entry).unwrap_or(0), 8)));
            append(&mut bytes, &code);
        } else {
            e_entry = append(&mut bytes, &code);
        }
        e_entry += start + abi.entry_mark();
        let text = bytes.len() as u64;
        segments.push(Segment {
            p_type: 1,
            flags: kind.flags,
            offset: 0,
            filesz: text,
            memsz: text + kind.bss,
            vaddr: start,
            align: PAGE,
        });
        if let Some((filesz, bss)) = kind.data {
            let offset = append(&mut bytes, &vec![0x55; usize::try_from(filesz).unwrap_or(0)]);
            let vaddr = start + offset + (text.next_multiple_of(PAGE));
            let memsz = filesz + bss;
            segments.push(Segment { p_type: 1, flags: RW, offset, filesz, memsz, vaddr, align: PAGE });
            if kind.dynamic {
                // One entry, DT_NULL.
                let (len, at) = (2 * abi.encoding.word() as u64, bytes.len() - 2 * abi.encoding.word());
                bytes[at..].fill(0);
                let (offset, vaddr) = (at as u64, vaddr + filesz - len);
                let (p_type, flags, filesz, memsz, align) = (2, RW, len, len, 8);
                segments.push(Segment { p_type, flags, offset, filesz, memsz, vaddr, align });
            }
        }
        for _ in 0..kind.spare {
            segments.push(Segment {
                p_type: 0,
                flags: 4,
                offset: 0,
                filesz: 0x10,
                memsz: 0x10,
                vaddr: start + 0x20_0000,
                align: PAGE,
            });
        }
        let mut base = Base { bytes, table: header, segments: count, marks };
        base.write_header(abi, kind.e_type, e_entry, count);
        for (index, segment) in segments.iter().enumerate() {
            base.write_segment(abi, index, segment);
        }
        base
    }

    fn write_header(&mut self, abi: &Abi, e_type: u16, e_entry: u64, count: usize) {
        self.bytes[..4].copy_from_slice(b"\x7fELF");
        for (name, value) in [
            ("EI_CLASS", 1 + u64::from(abi.encoding.wide)),
            ("EI_DATA", 1 + u64::from(abi.encoding.big)),
            ("EI_VERSION", 1),
            ("e_type", u64::from(e_type)),
            ("e_machine", u64::from(abi.e_machine)),
            ("e_version", 1),
            ("e_entry", e_entry),
            ("e_phoff", header_size(abi) as u64),
            ("e_flags", u64::from(abi.e_flags)),
            ("e_ehsize", header_size(abi) as u64),
            ("e_phentsize", segment_size(abi) as u64),
            ("e_phnum", count as u64),
        ] {
            if let Some(place) = layout::find(HEADER, name, abi) {
                layout::put(&mut self.bytes, abi, place, value);
            }
        }
    }

    fn write_segment(&mut self, abi: &Abi, index: usize, segment: &Segment) {
        for (name, value) in [
            ("p_type", segment.p_type),
            ("p_flags", segment.flags),
            ("p_offset", segment.offset),
            ("p_vaddr", segment.vaddr),
            ("p_paddr", segment.vaddr),
            ("p_filesz", segment.filesz),
            ("p_memsz", segment.memsz),
            ("p_align", segment.align),
        ] {
            if let Some((at, size)) = layout::find(SEGMENT, name, abi) {
                let at = self.table + index * segment_size(abi) + at;
                layout::put(&mut self.bytes, abi, (at, size), value);
            }
        }
    }

    /// A program of this computer.
    pub fn of_host(abi: &Abi, path: &str) -> Option<Base> {
        let bytes = fs::read(path).ok()?;
        let number = |name| Some(layout::get(&bytes, abi, layout::find(HEADER, name, abi)?));
        let table = usize::try_from(number("e_phoff")?).ok()?;
        let segments = usize::try_from(number("e_phnum")?).ok()?;
        Some(Base { bytes, table, segments, marks: Vec::new() })
    }
}

impl Kind {
    /// Its instructions, for a place in the file.
    fn code(&self, abi: &Abi, start: u64, at: usize) -> Vec<u8> {
        let reads = || {
            let (filesz, bss) = self.data.filter(|_| self.reads)?;
            // Where the segment will lie depends on the length of the code alone, which does not change.
            let len = abi.reads_and_exits([0; 2], PROGRAM)?.len();
            let text = (at.next_multiple_of(16) + len) as u64;
            let data = start + text.next_multiple_of(16) + text.next_multiple_of(PAGE);
            abi.reads_and_exits([data, data + filesz + bss - 1], PROGRAM)
        };
        let elsewhere = || abi.exits_on_freebsd(PROGRAM).filter(|_| self.role == Role::Foreign);
        reads().or_else(elsewhere).unwrap_or_else(|| abi.exits(self.status_of_code()))
    }

    /// What its own code exits with.
    fn status_of_code(&self) -> u8 {
        if self.role == Role::Interpreter { INTERPRETER } else { PROGRAM }
    }
}

/// Behind what there is, aligned for any instruction.
fn append(bytes: &mut Vec<u8>, content: &[u8]) -> u64 {
    bytes.resize(bytes.len().next_multiple_of(16), 0);
    let at = bytes.len() as u64;
    bytes.extend(content);
    at
}

/// `Elf_MIPS_ABIFlags_v0` of a program that uses no floating point.
fn abiflags(abi: &Abi) -> Vec<u8> {
    let mut bytes = vec![0, 0, if abi.encoding.wide { 64 } else { 32 }, 1, 1, 0, 0, 0, 0, 0, 0, 0];
    bytes.resize(24, 0);
    bytes
}

/// NT_FREEBSD_ABI_TAG with `__FreeBSD_version`, by which its kernel knows its programs.
fn freebsd_note(abi: &Abi) -> Vec<u8> {
    let words =
        |words: &[u64]| words.iter().flat_map(|word| abi.encoding.uint(*word, 4)).collect::<Vec<u8>>();
    [words(&[8, 4, 1]), b"FreeBSD\0".to_vec(), words(&[1_400_097])].concat()
}

#[cfg(test)]
mod tests {
    use object::elf::{FileHeader32, FileHeader64, PF_X, PT_INTERP, PT_LOAD};
    use object::endian::Endianness;
    use object::read::elf::{FileHeader, ProgramHeader as _};

    use super::*;
    use crate::abi::ABIS;

    /// As another reader sees it: the code lies where the program begins, within an executable segment, and segments
    /// can be mapped with pages of 64 KiB.
    fn read<Elf: FileHeader<Endian = Endianness>>(abi: &Abi, kind: &Kind, bytes: &[u8], name: &[u8]) {
        let context = format!("{} {}", abi.name, kind.name);
        let header = Elf::parse(bytes).expect(&context);
        let order = header.endian().expect(&context);
        assert_eq!(order == Endianness::Big, abi.encoding.big, "{context}");
        let number = |at: u64| usize::try_from(at).expect(&context);
        let (mut at, mut interpreter) = (None, None);
        let mut entry = header.e_entry(order).into() & !abi.entry_mark();
        for segment in header.program_headers(order, bytes).expect(&context) {
            let from: u64 = segment.p_offset(order).into();
            let (address, size) = (segment.p_vaddr(order).into(), segment.p_filesz(order).into());
            if segment.p_type(order) == PT_INTERP {
                interpreter = Some(&bytes[number(from)..number(from + size)]);
            }
            if segment.p_type(order) == PT_LOAD {
                assert_eq!(from % PAGE, address % PAGE, "{context}");
                assert!(
                    size <= segment.p_memsz(order).into() && from + size <= bytes.len() as u64,
                    "{context}"
                );
                if abi.has_descriptors() && (address..address + size).contains(&entry) {
                    let descriptor = &bytes[number(entry - address + from)..][..8];
                    entry = u64::from_be_bytes(descriptor.try_into().expect(&context));
                }
                if (address..address + size).contains(&entry) {
                    assert_eq!(segment.p_flags(order) & PF_X, PF_X, "{context}");
                    at = Some(number(entry - address + from));
                }
            }
        }
        let code = match kind.role {
            Role::Foreign => abi.exits_on_freebsd(PROGRAM).expect(&context),
            _ => abi.exits(kind.status_of_code()),
        };
        let code_at = &bytes[at.expect(&context)..];
        assert!(
            code_at.starts_with(&code) || kind.reads && code_at.windows(code.len()).any(|part| part == code)
        );
        assert_eq!(interpreter, (kind.role == Role::Dynamic).then_some(name), "{context}");
    }

    #[test]
    fn as_another_reader_sees_them() {
        let name = b"a-name\0";
        for abi in ABIS {
            for kind in KINDS.iter().filter(|kind| kind.fits(abi)) {
                let base = Base::build(abi, kind, name);
                if abi.encoding.wide {
                    read::<FileHeader64<Endianness>>(abi, kind, &base.bytes, name);
                } else {
                    read::<FileHeader32<Endianness>>(abi, kind, &base.bytes, name);
                }
                let fields = base.number(abi, crate::edit::Place::Header("e_phnum"));
                assert_eq!(fields, base.segments as u64);
            }
        }
    }
}
