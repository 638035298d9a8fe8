//! What made a program, as its section table tells.
#![allow(clippy::cast_possible_truncation, clippy::pedantic)]

mod files;

use diag::candidate::Toolchain;
use diag::elf::{ByteOrder, Class, Encoding};
use files::Temp;
use testkit::Elf;

const LE32: Encoding = Encoding { order: ByteOrder::Little, class: Class::Elf32 };

/// SHT_PROGBITS
const PROGBITS: u64 = 1;

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
        let elf = sections.iter().fold(Elf::of("mipsel"), |elf, (name, sh_flags, content)| {
            elf.section(name, PROGBITS, *sh_flags, content)
        });
        let candidate = Temp::new("sections", &elf.build()).open(&[LE32]);
        let origin = candidate.program().unwrap().origin();
        assert_eq!((origin.toolchain, origin.detail.as_deref()), (toolchain, detail));
    }
}
