//! What made a program, as its section table tells.
#![allow(clippy::cast_possible_truncation, clippy::pedantic)]

mod elf_builder;

use diag::candidate::Toolchain;
use diag::elf::{ByteOrder, Class, View};
use elf_builder::Elf;
use elf_builder::files::Temp;

const LE32: View = View { order: ByteOrder::Little, class: Class::Elf32 };

/// With a section table of these sections: sh_type 1, flags, content; before them the one of their names.
fn with_sections(abi: &str, sections: &[(&str, u64, &[u8])]) -> Vec<u8> {
    let mut bytes = Elf::of(abi).build();
    let names: Vec<u8> = sections.iter().flat_map(|(name, ..)| [name.as_bytes(), b"\0"].concat()).collect();
    let parts: Vec<(u64, &[u8])> =
        [(0, &names[..])].into_iter().chain(sections.iter().map(|part| (part.1, part.2))).collect();
    let (mut table, mut name) = (Vec::new(), 0);
    for (index, (flags, content)) in parts.iter().enumerate() {
        // sh_name, sh_type, sh_flags, sh_addr, sh_offset, sh_size, and four more.
        let fields = [name as u32, 1, *flags as u32, 0, bytes.len() as u32, content.len() as u32, 0, 0, 1, 0];
        table.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
        bytes.extend(*content);
        if index > 0 {
            name += sections[index - 1].0.len() + 1;
        }
    }
    let start = bytes.len() as u64;
    bytes.extend(table);
    let header =
        [("e_shoff", start), ("e_shentsize", 40), ("e_shnum", parts.len() as u64), ("e_shstrndx", 0)];
    let elf = header.into_iter().fold(Elf::of(abi), |elf, (field, value)| elf.set(field, value)).build();
    bytes[..elf.len()].copy_from_slice(&elf);
    bytes
}

#[test]
fn sections_tell_what_made_a_program() {
    const DATA: u64 = 3;
    let mut info = b"\xff Go buildinf:\x04\x02".to_vec();
    info.resize(32, 0);
    info.extend(b"\x08go1.19.8");
    info.resize(64, 0);
    let comment: &[u8] = b"GCC: (Debian 12.2.0-14) 12.2.0\0";
    for (sections, toolchain, detail) in [
        (
            &[(".data", DATA, &[0; 64][..]), (".go.buildinfo", DATA, &info)][..],
            Toolchain::Go,
            Some("go1.19.8"),
        ),
        (
            &[(".data", DATA, &[0; 64]), (".debug_str", 0x30, comment), (".comment", 0x30, comment)],
            Toolchain::C,
            Some("GCC: (Debian 12.2.0-14) 12.2.0"),
        ),
        (&[(".data", DATA, &[0; 64]), (".debug_str", 0x30, comment)], Toolchain::Unknown, None),
    ] {
        let candidate = Temp::new("sections", &with_sections("mipsel", sections)).open(&[LE32]);
        let origin = &candidate.program().unwrap().origin;
        assert_eq!((origin.toolchain, origin.detail.as_deref()), (toolchain, detail));
    }
}
