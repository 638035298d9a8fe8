//! What a program says of the processor it wants.

use alloc::string::String;
use alloc::vec::Vec;
use core::str;

use super::{ByteOrder, Class, Cursor, Encoding};

/// Elf_Internal_ABIFlags_v0 of MIPS: `.MIPS.abiflags`, 24 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)]
pub struct AbiFlags {
    pub version: u16,
    pub isa_level: u8,
    pub isa_rev: u8,
    pub gpr_size: u8,
    pub cpr1_size: u8,
    pub cpr2_size: u8,
    pub fp_abi: u8,
    pub isa_ext: u32,
    pub ases: u32,
    pub flags1: u32,
    pub flags2: u32,
}

impl AbiFlags {
    /// Bytes of the structure.
    pub const SIZE: usize = 24;

    /// Decodes the structure. What is cut off reads as zeros.
    pub fn decode(bytes: &[u8], order: ByteOrder) -> AbiFlags {
        let mut c = Cursor::new(bytes, 0, Encoding { order, class: Class::Elf32 });
        AbiFlags {
            version: c.u16(),
            isa_level: c.u8(),
            isa_rev: c.u8(),
            gpr_size: c.u8(),
            cpr1_size: c.u8(),
            cpr2_size: c.u8(),
            fp_abi: c.u8(),
            isa_ext: c.u32(),
            ases: c.u32(),
            flags1: c.u32(),
            flags2: c.u32(),
        }
    }
}

/// Build attributes of the whole file: `.ARM.attributes`, `.riscv.attributes`, `.gnu.attributes` (ARM IHI 0045, "The
/// layout of the attributes section"; psABIs of RISC-V and Power).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attributes {
    /// Tags and their values; of one that stands twice the last counts.
    numbers: Vec<(u32, u32)>,
    /// Tag_RISCV_arch.
    pub riscv_arch: Option<String>,
}

/// Who defines the tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Vendor {
    /// "aeabi".
    Arm,
    /// "riscv".
    Riscv,
    /// "gnu".
    Gnu,
}

impl Vendor {
    const fn name(self) -> &'static [u8] {
        match self {
            Vendor::Arm => b"aeabi\0",
            Vendor::Riscv => b"riscv\0",
            Vendor::Gnu => b"gnu\0",
        }
    }

    /// Odd tags have a string, even ones a number: on ARM from 32 on, where Tag_CPU_raw_name and Tag_CPU_name are two
    /// of those before.
    const fn is_text(self, tag: u32) -> bool {
        match self {
            Vendor::Arm if tag < 32 => matches!(tag, 4 | 5),
            _ => tag % 2 == 1,
        }
    }
}

/// Tags of a file that are kept.
const TAGS: usize = 64;
const TAG_RISCV_ARCH: u32 = 5;
const TAG_COMPATIBILITY: u32 = 32;

impl Attributes {
    /// Decodes a section: the file scope of a vendor's subsection. None where there is none.
    pub fn decode(bytes: &[u8], order: ByteOrder, vendor: Vendor) -> Option<Attributes> {
        let mut rest = bytes.strip_prefix(b"A")?;
        loop {
            let size = usize::try_from(order.u32(rest, 0)).ok()?;
            // Sections of more than what was read are decoded as far as they go.
            let section = rest.get(4..size.min(rest.len()))?;
            if let Some(body) = section.strip_prefix(vendor.name()) {
                return file_scope(body, order, vendor);
            }
            rest = rest.get(size..)?;
        }
    }

    /// The value of a tag.
    pub fn get(&self, tag: u32) -> Option<u32> {
        self.numbers.iter().rfind(|(known, _)| *known == tag).map(|(_, value)| *value)
    }

    /// The memory that they take beside the structure.
    pub fn bytes(&self) -> usize {
        let text = self.riscv_arch.as_ref().map_or(0, String::capacity);
        self.numbers.capacity().saturating_mul(size_of::<(u32, u32)>()).saturating_add(text)
    }

    /// The same; 0 where it is not there, as the tables of ARM have it.
    pub fn value(&self, tag: u32) -> u32 {
        self.get(tag).unwrap_or_default()
    }
}

fn file_scope(mut rest: &[u8], order: ByteOrder, vendor: Vendor) -> Option<Attributes> {
    const TAG_FILE: u8 = 1;
    loop {
        let size = usize::try_from(order.u32(rest, 1)).ok()?;
        let body = rest.get(5..size.min(rest.len()))?;
        if rest.first() == Some(&TAG_FILE) {
            return Some(attributes(body, vendor));
        }
        rest = rest.get(size..)?;
    }
}

fn attributes(mut rest: &[u8], vendor: Vendor) -> Attributes {
    let mut found = Attributes::default();
    while let Some(tag) = uleb(&mut rest) {
        let is_text = vendor.is_text(tag);
        if !is_text {
            let Some(value) = uleb(&mut rest) else { break };
            if found.numbers.len() < TAGS {
                found.numbers.push((tag, value));
            }
        }
        if is_text || tag == TAG_COMPATIBILITY {
            let Some(end) = rest.iter().position(|b| *b == 0) else { break };
            let text = rest.get(..end).unwrap_or_default();
            if vendor == Vendor::Riscv && tag == TAG_RISCV_ARCH {
                found.riscv_arch = str::from_utf8(text).ok().map(String::from);
            }
            rest = rest.get(end.saturating_add(1)..).unwrap_or(&[]);
        }
    }
    found
}

/// ULEB128; what does not fit 32 bits is lost, as no tag has it.
fn uleb(rest: &mut &[u8]) -> Option<u32> {
    let mut value = 0_u32;
    let mut shift = 0_u32;
    loop {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift = shift.saturating_add(7);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of /bin/dash in Debian 12, armhf.
    const ARMHF: &[u8] = b"A2\x00\x00\x00aeabi\x00\x01(\x00\x00\x00\x057-A\x00\x06\x0a\x07A\x08\
        \x01\x09\x02\x0a\x04\x12\x04\x13\x01\x14\x01\x15\x01\x17\x03\x18\x01\x19\x01\x1a\x02\x1c\x01\x22\x01";

    /// What `riscv64-linux-gnu-as -march=rv64gcv` of binutils 2.40 writes, with fewer extensions.
    const RISCV: &[u8] = b"A,\0\0\0riscv\0\x01\"\0\0\0\x04\x10\x05rv64i2p1_m2p0_v1p0_zba1p0\0";

    #[test]
    fn attributes_of_armhf() {
        let decode = |bytes, order| Attributes::decode(bytes, order, Vendor::Arm);
        let a = decode(ARMHF, ByteOrder::Little).unwrap();
        assert_eq!((a.get(6), a.get(7), a.get(9), a.get(10)), (Some(10), Some(65), Some(2), Some(4)));
        assert_eq!((a.get(12), a.value(12), a.get(28)), (None, 0, Some(1)));
        for len in 0..ARMHF.len() {
            let _ = decode(&ARMHF[..len], ByteOrder::Little);
            let _ = decode(&ARMHF[..len], ByteOrder::Big);
        }
    }

    #[test]
    fn attributes_of_other_vendors() {
        let riscv = Attributes::decode(RISCV, ByteOrder::Little, Vendor::Riscv).unwrap();
        assert_eq!(riscv.riscv_arch.as_deref(), Some("rv64i2p1_m2p0_v1p0_zba1p0"));
        assert_eq!(riscv.get(4), Some(16));
        assert_eq!(Attributes::decode(RISCV, ByteOrder::Little, Vendor::Gnu), None);
        let power = b"A\0\0\0\x0fgnu\0\x01\0\0\0\x07\x04\x01";
        let power = Attributes::decode(power, ByteOrder::Big, Vendor::Gnu).unwrap();
        assert_eq!((power.get(4), power.get(8)), (Some(1), None));
    }

    #[test]
    fn attributes_that_lead_nowhere_end() {
        // A subsection and a scope of size 0 must not go round for ever.
        let decode = |bytes| Attributes::decode(bytes, ByteOrder::Little, Vendor::Arm);
        assert_eq!(decode(b"A\0\0\0\0xx"), None);
        assert_eq!(decode(b"A\x20\0\0\0aeabi\0\x02\0\0\0\0zzzz"), None);
        assert_eq!(decode(b"A\x05\0\0\0\x05\0\0\0a"), None);
    }

    #[test]
    fn abiflags_of_go() {
        let bytes = [0, 0, 32, 1, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        let a = AbiFlags::decode(&bytes, ByteOrder::Big);
        assert_eq!((a.isa_level, a.isa_rev, a.gpr_size, a.fp_abi, a.flags1), (32, 1, 1, 3, 1));
    }
}
