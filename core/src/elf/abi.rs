//! What a program says of the processor it wants.

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

/// Tags of the "aeabi" build attributes that name a processor's features (ARM IHI 0045).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArmAttributes {
    /// Tag_CPU_arch: 2 v4T, 3 v5T, 4 v5TE, 6 v6, 8 v6T2, 9 v6K, 10 v7, 14 v8.
    pub cpu_arch: Option<u32>,
    /// Tag_THUMB_ISA_use.
    pub thumb_isa: Option<u32>,
    /// Tag_FP_arch: 0 none, 2 VFPv2, 3 VFPv3, 4 VFPv3-D16, 5 VFPv4, 6 VFPv4-D16, 7 FP for v8.
    pub fp_arch: Option<u32>,
    /// Tag_Advanced_SIMD_arch: 0 none, 1 NEONv1, 2 with FMA, 3 for v8.
    pub simd_arch: Option<u32>,
    /// Tag_ABI_VFP_args: 1 hard-float.
    pub vfp_args: Option<u32>,
}

impl ArmAttributes {
    /// Decodes `.ARM.attributes`: the file scope of the "aeabi" subsection. None where there is none.
    pub fn decode(bytes: &[u8], order: ByteOrder) -> Option<ArmAttributes> {
        let mut rest = bytes.strip_prefix(b"A")?;
        loop {
            let size = usize::try_from(order.u32(rest, 0)).ok()?;
            // Sections of more than what was read are decoded as far as they go.
            let section = rest.get(4..size.min(rest.len()))?;
            if let Some(body) = section.strip_prefix(b"aeabi\0") {
                return file_scope(body, order);
            }
            rest = rest.get(size..)?;
        }
    }
}

fn file_scope(mut rest: &[u8], order: ByteOrder) -> Option<ArmAttributes> {
    const TAG_FILE: u8 = 1;
    loop {
        let size = usize::try_from(order.u32(rest, 1)).ok()?;
        let body = rest.get(5..size.min(rest.len()))?;
        if rest.first() == Some(&TAG_FILE) {
            return Some(attributes(body));
        }
        rest = rest.get(size..)?;
    }
}

fn attributes(mut rest: &[u8]) -> ArmAttributes {
    let mut found = ArmAttributes::default();
    let mut other = None;
    while let Some(tag) = uleb(&mut rest) {
        // Tag_CPU_raw_name, Tag_CPU_name, and from 32 on every odd tag hold a string; Tag_compatibility both.
        let text = matches!(tag, 4 | 5) || (tag >= 32 && tag % 2 == 1);
        if !text {
            let Some(value) = uleb(&mut rest) else { break };
            *match tag {
                6 => &mut found.cpu_arch,
                9 => &mut found.thumb_isa,
                10 => &mut found.fp_arch,
                12 => &mut found.simd_arch,
                28 => &mut found.vfp_args,
                _ => &mut other,
            } = Some(value);
        }
        if text || tag == 32 {
            let Some(end) = rest.iter().position(|b| *b == 0) else { break };
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

    #[test]
    fn arm_attributes_of_armhf() {
        let a = ArmAttributes::decode(ARMHF, ByteOrder::Little).unwrap();
        assert_eq!((a.cpu_arch, a.thumb_isa, a.fp_arch), (Some(10), Some(2), Some(4)));
        assert_eq!((a.simd_arch, a.vfp_args), (None, Some(1)));
        for len in 0..ARMHF.len() {
            let _ = ArmAttributes::decode(&ARMHF[..len], ByteOrder::Little);
            let _ = ArmAttributes::decode(&ARMHF[..len], ByteOrder::Big);
        }
    }

    #[test]
    fn arm_attributes_that_lead_nowhere_end() {
        // A subsection and a scope of size 0 must not go round for ever.
        assert_eq!(ArmAttributes::decode(b"A\0\0\0\0xx", ByteOrder::Little), None);
        assert_eq!(ArmAttributes::decode(b"A\x20\0\0\0aeabi\0\x02\0\0\0\0zzzz", ByteOrder::Little), None);
        assert_eq!(ArmAttributes::decode(b"A\x05\0\0\0\x05\0\0\0a", ByteOrder::Little), None);
    }

    #[test]
    fn abiflags_of_go() {
        let bytes = [0, 0, 32, 1, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        let a = AbiFlags::decode(&bytes, ByteOrder::Big);
        assert_eq!((a.isa_level, a.isa_rev, a.gpr_size, a.fp_abi, a.flags1), (32, 1, 1, 3, 1));
    }
}
