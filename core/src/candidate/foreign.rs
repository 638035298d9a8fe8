//! What a file is that is neither ELF nor a script, by its first bytes.

mod disguise;

use crate::path::Path;

use super::package::{self, Format};
use crate::ROUTER;
use crate::elf::ByteOrder;
use crate::elf::consts::name_in;
use crate::machine::{after, decimal, holds};
pub use disguise::Disguise;

/// What is not a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Foreign {
    /// No bytes at all.
    Empty,
    /// The start of an ELF magic, or fewer bytes than any format has: a copy that was cut off.
    Stub,
    /// Printable text without `#!`.
    Text,
    /// HTML: a saved web page.
    Html,
    /// A Git LFS pointer, with the size of the file it stands for.
    LfsPointer(Option<u64>),
    /// A text that stands for a file, or that a file became.
    Disguised(Disguise),
    /// An archive or a compressed file: "gzip", "xz", "zip", "tar", "zstd", "7z", "bzip2", "lz4", "ar".
    Archive(&'static str),
    /// A package.
    Package(super::package::Package),
    /// Mach-O; the CPU it was built for.
    MachO(&'static str),
    /// PE; the CPU it was built for.
    Pe(&'static str),
    /// Of a further system.
    System {
        /// Which.
        system: &'static str,
        /// The format's name.
        format: &'static str,
        /// The CPU it was built for; empty where the format does not say it.
        cpu: &'static str,
    },
    /// Cosmopolitan's Actually Portable Executable: PE, and a shell script that starts it on Unix. Whether it has code for
    /// AArch64 beside that for x86-64.
    Ape(bool),
    /// A Java class, WebAssembly module, Python bytecode, Android DEX, and so on, by name.
    Other(&'static str),
    /// Only zeros were seen: a file whose blocks were never written.
    Zeros,
    /// Something unknown; its first bytes.
    Unknown([u8; 4]),
}

/// Formats told by their first bytes alone, which a router may be given. The second field: is it an archive.
const MAGICS: [(&[u8], bool, &str); 23] = [
    (b"\x1f\x8b", true, "gzip"),
    (b"\x1f\x9d", true, "compress"),
    (b"\xfd7zXZ\0", true, "xz"),
    (b"PK\x03\x04", true, "zip"),
    (b"PK\x05\x06", true, "zip"),
    (b"\x28\xb5\x2f\xfd", true, "zstd"),
    (b"7z\xbc\xaf\x27\x1c", true, "7z"),
    (b"BZh", true, "bzip2"),
    (b"\x04\x22\x4d\x18", true, "lz4"),
    (b"!<arch>\n", true, "ar"),
    (b"Rar!\x1a\x07", true, "rar"),
    (b"]\0\0\x80\0", true, "lzma"),
    (b"070701", true, "cpio"),
    (b"\0asm", false, "a WebAssembly module"),
    (b"dex\n", false, "Android DEX code"),
    (b"\x1bLua", false, "Lua bytecode"),
    (b"BC\xc0\xde", false, "LLVM bitcode"),
    (b"\x27\x05\x19\x56", false, "a U-Boot image"),
    (b"\xd0\x0d\xfe\xed", false, "a device tree or a FIT image"),
    (b"hsqs", false, "a squashfs image"),
    (b"sqsh", false, "a squashfs image"),
    (b"HDR0", false, "a TRX firmware image"),
    (b"UBI#", false, "a UBI image"),
];

/// The rest of them.
const RARE_MAGICS: [(&[u8], bool, &str); 23] = [
    (b"%PDF", false, "a PDF document"),
    (b"\x89PNG", false, "a PNG picture"),
    (b"\xff\xd8\xff", false, "a JPEG picture"),
    (b"PK\x07\x08", true, "zip"),
    (b"\x02\x21\x4c\x18", true, "lz4"),
    (b"\x89LZO", true, "lzop"),
    (b"\xc7\x71", true, "cpio"),
    (b"\x71\xc7", true, "cpio"),
    (b"\xd4\xc3\xb2\xa1", false, "a packet capture"),
    (b"\xa1\xb2\xc3\xd4", false, "a packet capture"),
    (b"\x0a\x0d\x0d\x0a", false, "a packet capture"),
    (b"\xde\xc0\x17\x0b", false, "LLVM bitcode"),
    (b"\x1bLJ", false, "LuaJIT bytecode"),
    (b"\x45\x3d\xcd\x28", false, "a cramfs image"),
    (b"\x28\xcd\x3d\x45", false, "a cramfs image"),
    (b"\x85\x19", false, "a JFFS2 image"),
    (b"\x19\x85", false, "a JFFS2 image"),
    (b"\x31\x18\x10\x06", false, "a UBIFS image"),
    (b"QFI\xfb", false, "a disk image (qcow2)"),
    (b"\x1a\x45\xdf\xa3", false, "a video (Matroska)"),
    (b"\xd0\xcf\x11\xe0", false, "a Windows Installer package, or an Office document"),
    (b"\xff\xfe", false, "UTF-16 text"),
    (b"\xfe\xff", false, "UTF-16 text"),
];

/// The same where the bytes are letters, with which a text may begin, too.
const LETTERS: [(&[u8], bool, &str); 17] = [
    (b"!<thin>\n", true, "ar"),
    (b"07070", true, "cpio"),
    (b"LZIP", true, "lzip"),
    (b"MSCF", true, "cab"),
    (b"xar!", true, "xar"),
    (b"bFLT", false, "a flat program (bFLT), for processors without an MMU"),
    (b"dey\n", false, "Android ODEX code"),
    (b"oat\n", false, "Android OAT code"),
    (b"cdex", false, "Android DEX code"),
    (b"vdex", false, "Android VDEX code"),
    (b"FOR1", false, "Erlang bytecode"),
    (b"SQLite format 3", false, "an SQLite database"),
    (b"-rom1fs-", false, "a romfs image"),
    (b"GIF8", false, "a GIF picture"),
    (b"RIFF", false, "a sound, a video or a picture (RIFF)"),
    (b"OggS", false, "a sound (Ogg)"),
    (b"ID3", false, "a sound (MP3)"),
];

/// What a file is by its first bytes. Its name tells packages from other archives: nothing is decompressed here.
pub fn of(head: &[u8], size: u64, path: &Path) -> Foreign {
    if head.is_empty() {
        // Files of /proc have contents and no size; an empty head is an empty file all the same.
        return Foreign::Empty;
    }
    if b"\x7fELF".starts_with(head) {
        return Foreign::Stub;
    }
    if let Some(format) = package::format(head, path) {
        return Foreign::Package(package::named(format, path));
    }
    if let Some(data) = foreign_program(head) {
        return data;
    }
    // A Java archive begins with its manifest, or with what marks it (0xcafe) in the first file's extra field.
    let is_java =
        ends_with(path, b".jar") || head.get(30..).is_some_and(|name| name.starts_with(b"META-INF/"));
    if head.starts_with(b"PK\x03\x04") && is_java {
        return Foreign::Other("a Java archive");
    }
    if head.starts_with(b"PK\x03\x04") && ends_with(path, b".apk") {
        return Foreign::Other("an Android package");
    }
    if let Some(data) = by_magic(&MAGICS, head).or_else(|| rare(&RARE_MAGICS, head)) {
        return data;
    }
    if head.get(257..262) == Some(b"ustar") {
        return Foreign::Archive("tar");
    }
    if head.get(2..4) == Some(b"\r\n") && size > 16 && !is_text(head) {
        return Foreign::Other("Python bytecode");
    }
    if let Some(rest) = head.strip_prefix(b"version https://git-lfs.github.com/spec/") {
        return Foreign::LfsPointer(lfs_size(rest));
    }
    if is_html(head) {
        return Foreign::Html;
    }
    if let Some(disguise) = if ROUTER { None } else { disguise::of_bytes(head) } {
        return Foreign::Disguised(disguise);
    }
    if head.iter().all(|b| *b == 0) {
        return Foreign::Zeros;
    }
    if is_text(head) {
        let disguise = if ROUTER { None } else { disguise::of_text(head, size) };
        return disguise.map_or(Foreign::Text, Foreign::Disguised);
    }
    if let Some(data) = rare(&LETTERS, head) {
        return data;
    }
    match head.first_chunk() {
        Some(first) => Foreign::Unknown(*first),
        None => Foreign::Stub,
    }
}

fn ends_with(path: &Path, end: &[u8]) -> bool {
    path.as_bytes().ends_with(end)
}

fn by_magic(magics: &[(&[u8], bool, &'static str)], head: &[u8]) -> Option<Foreign> {
    let (_, is_archive, name) = magics.iter().find(|(magic, ..)| head.starts_with(magic))?;
    Some(if *is_archive { Foreign::Archive(name) } else { Foreign::Other(name) })
}

/// The same of what a router's build does not know.
fn rare(magics: &[(&[u8], bool, &'static str)], head: &[u8]) -> Option<Foreign> {
    if ROUTER { None } else { by_magic(magics, head) }
}

/// Cosmopolitan's ape/ape.S: with code for Windows, without, for debugging.
const APE: [&[u8; 8]; 3] = [b"MZqFpD='", b"jartsr='", b"APEDBG='"];

/// Programs of other systems and of other interpreters, and kernels.
fn foreign_program(head: &[u8]) -> Option<Foreign> {
    let big = |at| ByteOrder::Big.u32(head, at);
    let little = |at| ByteOrder::Little.u32(head, at);
    if is_linux(head) {
        return Some(Foreign::Other("a Linux kernel image"));
    }
    if APE.iter().any(|magic| head.starts_with(*magic)) {
        return Some(Foreign::Ape(holds(head, b"aarch64") || holds(head, b"arm64")));
    }
    let system = |system, format, cpu| Foreign::System { system, format, cpu };
    Some(match big(0) {
        // A universal file counts its programs where a Java class has its version, 45 at least.
        0xcafe_babe if big(4) >= 45 => Foreign::Other("a Java class"),
        0xcafe_babe | 0xcafe_babf => Foreign::MachO("universal"),
        0xfeed_face | 0xfeed_facf => Foreign::MachO(cpu(&MACH_CPUS, big(4))),
        0xcefa_edfe | 0xcffa_edfe => Foreign::MachO(cpu(&MACH_CPUS, little(4))),
        _ if head.starts_with(b"MZ") => windows(head),
        _ if ROUTER => return None,
        // Plan 9 a.out.h `_MAGIC`, and 64-bit with HDR_MAGIC.
        0x0000_01eb => system("Plan 9", "a.out", "i386"),
        0x0000_0647 => system("Plan 9", "a.out", "arm"),
        0x0000_8a97 => system("Plan 9", "a.out", "amd64"),
        // XCOFF has the number of its sections behind the magic: few.
        magic if matches!(magic >> 8, 0x0001_f700 | 0x0001_df00) => {
            system("AIX", "XCOFF", if magic >> 16 == 0x01f7 { "ppc64" } else { "ppc" })
        }
        _ if is_a_out(little(0)) => Foreign::Other("an a.out program of before Linux 5.19"),
        _ => return None,
    })
}

/// Images of Linux for a boot loader: Documentation/arch/x86/boot.rst (`HdrS`), arm64/booting.rst, riscv/boot-image-header.rst,
/// arch/arm/boot/compressed/head.S.
fn is_linux(head: &[u8]) -> bool {
    let has = |at: usize, magic: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(magic));
    has(0x202, b"HdrS")
        || has(0x38, b"ARM\x64")
        || has(0x38, b"RSC\x05")
        || has(0x24, b"\x18\x28\x6f\x01")
        || has(0x24, b"\x01\x6f\x28\x18")
}

/// include/uapi/linux/a.out.h (up to 5.18): OMAGIC, NMAGIC, ZMAGIC, QMAGIC of M_386.
const fn is_a_out(info: u32) -> bool {
    matches!(info & 0xffff, 0o407 | 0o410 | 0o413 | 0o314) && (info >> 16) & 0xff == 100
}

/// What begins with MZ.
fn windows(head: &[u8]) -> Foreign {
    let little = |bytes, at| ByteOrder::Little.u32(bytes, at);
    let at = usize::try_from(little(head, 0x3c)).unwrap_or(usize::MAX);
    let header = head.get(at..).unwrap_or(&[]);
    let system = |system, format| Foreign::System { system, format, cpu: "i386" };
    let Some(coff) = header.strip_prefix(b"PE\0\0") else {
        return match header.first_chunk().filter(|_| !ROUTER) {
            Some(b"NE") => system("Windows 3 or OS/2", "NE"),
            Some(b"LX" | b"LE") => system("OS/2 or DOS", "LX"),
            _ => system("DOS", "MZ"),
        };
    };
    let processor = cpu(&PE_CPUS, little(coff, 0) & 0xffff);
    if ROUTER {
        return Foreign::Pe(processor);
    }
    // IMAGE_OPTIONAL_HEADER behind 20 bytes; its 15th directory, of 8 bytes each, is the CLR's.
    let directories: usize = if little(coff, 20) & 0xffff == 0x20b { 20 + 112 } else { 20 + 96 };
    if little(coff, directories.saturating_add(14 * 8)) != 0 {
        return Foreign::Other(".NET code");
    }
    // Its Subsystem: EFI's are four.
    match little(coff, 20 + 68) & 0xffff {
        10..=13 => Foreign::System { system: "UEFI", format: "PE", cpu: processor },
        _ => Foreign::Pe(processor),
    }
}

/// cputype of Mach-O.
const MACH_CPUS: [(u32, &str); 7] = [
    (7, "i386"),
    (0x0100_0007, "x86_64"),
    (12, "arm"),
    (0x0100_000c, "arm64"),
    (0x0200_000c, "arm64_32"),
    (18, "ppc"),
    (0x0100_0012, "ppc64"),
];

/// Machine of COFF.
const PE_CPUS: [(u32, &str); 9] = [
    (0x14c, "i386"),
    (0x8664, "amd64"),
    (0xaa64, "arm64"),
    (0x1c0, "arm"),
    (0x1c2, "arm"),
    (0x1c4, "arm"),
    (0x5032, "RISC-V"),
    (0x5064, "RISC-V"),
    (0xebc, "EFI byte code"),
];

fn cpu(names: &[(u32, &'static str)], number: u32) -> &'static str {
    name_in(names, number).unwrap_or("unknown CPU")
}

/// The number of the line "size N".
fn lfs_size(text: &[u8]) -> Option<u64> {
    let line = after(text, "size ")?;
    let line = line.trim_ascii_end();
    if line.iter().all(u8::is_ascii_digit) { decimal(line) } else { None }
}

/// HTML, after a byte order mark, blanks and comments.
fn is_html(head: &[u8]) -> bool {
    const TAGS: [&[u8]; 7] =
        [b"<!doctype html", b"<html", b"<head", b"<title", b"<body", b"<meta", b"<script"];
    let mut rest = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    loop {
        rest = rest.trim_ascii_start();
        let end: &[u8] = if rest.starts_with(b"<!--") {
            b"-->"
        } else if rest.starts_with(b"<?xml") {
            b"?>"
        } else {
            break;
        };
        // A comment longer than what was read: what begins with one is markup of some kind.
        let Some(at) = rest.windows(end.len()).position(|part| part == end) else { return true };
        rest = rest.get(at.saturating_add(end.len())..).unwrap_or(&[]);
    }
    TAGS.iter().any(|tag| {
        let starts = rest.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
        starts && !rest.get(tag.len()).is_some_and(u8::is_ascii_alphanumeric)
    })
}

/// Text as a person wrote it: UTF-8 or an 8-bit set, without control characters but the usual.
fn is_text(head: &[u8]) -> bool {
    let control = |b: u8| (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b | 0x08)) || b == 0x7f;
    if head.iter().any(|b| control(*b)) {
        return false;
    }
    let mut chunks = head.utf8_chunks();
    let invalid = chunks.next().map_or(&[][..], |chunk| chunk.invalid());
    let tail = match invalid {
        [] => return true,
        [0xc2..=0xdf, ..] => 2,
        [0xe0..=0xef, ..] => 3,
        [0xf0..=0xf4, ..] => 4,
        _ => 0,
    };
    // What was read may end inside a character. ISO 8859 has no letters in 0x80..0xa0.
    (chunks.next().is_none() && invalid.len() < tail) || !head.iter().any(|b| matches!(b, 0x80..=0x9f))
}

impl Format {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Ipk => ".ipk",
            Format::Apk2 | Format::Apk3 => ".apk",
            Format::Deb => ".deb",
            Format::Rpm => ".rpm",
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn kind(head: &[u8]) -> Foreign {
        of(head, head.len() as u64, Path::new("program"))
    }

    #[test]
    fn nothing_and_next_to_nothing() {
        assert_eq!(kind(b""), Foreign::Empty);
        assert_eq!(kind(b"\x7f"), Foreign::Stub);
        assert_eq!(kind(b"\x7fEL"), Foreign::Stub);
        assert_eq!(kind(b"\x01\x02\x03"), Foreign::Stub);
        assert_eq!(kind(b"\x01\x02\x03\x04"), Foreign::Unknown([1, 2, 3, 4]));
        assert_eq!(kind(&[0; 4096]), Foreign::Zeros);
        assert_eq!(kind(b"\0"), Foreign::Zeros);
    }

    #[test]
    fn a_saved_web_page() {
        for page in [
            &b"<!DOCTYPE html>\n<html>"[..],
            b"\xef\xbb\xbf\r\n\t <HTML lang=en>",
            b"<!-- saved from url=(0031)https://github.com/ -->\n<!doctype HTML PUBLIC>",
            b"<?xml version=\"1.0\"?>\n<!DOCTYPE html><html/>",
            b"<html>",
            b"<head><title>302 Found</title>",
        ] {
            assert_eq!(kind(page), Foreign::Html);
        }
        assert_eq!(kind(b"<htmlx>"), Foreign::Text);
    }

    #[test]
    fn text_of_all_sorts() {
        assert_eq!(kind("größer\n".as_bytes()), Foreign::Text);
        assert_eq!(kind(&"größer".as_bytes()[..3]), Foreign::Text);
        assert_eq!(kind(b"gr\xf6\xdfer\n"), Foreign::Text);
        assert_eq!(kind(b"gr\x96\n"), Foreign::Unknown(*b"gr\x96\n"));
        assert_eq!(kind(b"a\0b\0"), Foreign::Unknown(*b"a\0b\0"));
        assert_eq!(kind(b" #!/bin/sh\n"), Foreign::Text);
    }

    #[test]
    fn a_git_lfs_pointer_tells_its_size() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 16515072\n";
        assert_eq!(kind(pointer), Foreign::LfsPointer(Some(16_515_072)));
        assert_eq!(kind(&pointer[..50]), Foreign::LfsPointer(None));
    }

    #[test]
    fn archives() {
        for (head, name) in [
            (&b"\x1f\x8b\x08\0"[..], "gzip"),
            (b"\xfd7zXZ\0\0", "xz"),
            (b"PK\x03\x04", "zip"),
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"7z\xbc\xaf\x27\x1c", "7z"),
            (b"BZh91AY", "bzip2"),
            (b"\x04\x22\x4d\x18", "lz4"),
            (b"!<arch>\nfoo.o/", "ar"),
        ] {
            assert_eq!(kind(head), Foreign::Archive(name));
        }
        let mut tar = [0; 512];
        tar[0] = b'x';
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(kind(&tar), Foreign::Archive("tar"));
    }

    #[test]
    fn programs_of_other_systems() {
        assert_eq!(kind(b"\xcf\xfa\xed\xfe\x0c\0\0\x01"), Foreign::MachO("arm64"));
        assert_eq!(kind(b"\xcf\xfa\xed\xfe\x07\0\0\x01"), Foreign::MachO("x86_64"));
        assert_eq!(kind(b"\xfe\xed\xfa\xce\0\0\0\x12"), Foreign::MachO("ppc"));
        assert_eq!(kind(b"\xca\xfe\xba\xbe\0\0\0\x02"), Foreign::MachO("universal"));
        assert_eq!(kind(b"\xca\xfe\xba\xbe\0\0\0\x34"), Foreign::Other("a Java class"));
        let mut pe = vec![0; 0x90];
        pe[..2].copy_from_slice(b"MZ");
        let dos = Foreign::System { system: "DOS", format: "MZ", cpu: "i386" };
        assert_eq!(kind(&pe), dos);
        pe[0x3c] = 0x80;
        for (machine, name) in [(b"\x64\x86", "amd64"), (b"\x4c\x01", "i386"), (b"\x64\xaa", "arm64")] {
            pe[0x80..0x86].copy_from_slice(&[b'P', b'E', 0, 0, machine[0], machine[1]]);
            assert_eq!(kind(&pe), Foreign::Pe(name));
        }
        pe[0x3c..0x40].copy_from_slice(&[0xff; 4]);
        assert_eq!(kind(&pe), dos);
        pe[0x3c..0x40].copy_from_slice(&[0x10, 0, 0, 0]);
        if ROUTER {
            return;
        }
        // .NET: the CLR's directory of PE32 and of PE32+.
        for (magic, at) in [(b"\x0b\x01", 20 + 96 + 112), (b"\x0b\x02", 20 + 112 + 112)] {
            let mut net = vec![0; 0x200];
            net[..2].copy_from_slice(b"MZ");
            net[0x3c] = 0x80;
            net[0x80..0x84].copy_from_slice(b"PE\0\0");
            net[0x84 + 20..0x84 + 22].copy_from_slice(magic);
            assert_eq!(kind(&net), Foreign::Pe("unknown CPU"));
            net[0x84 + 20 + 68] = 10;
            let uefi = Foreign::System { system: "UEFI", format: "PE", cpu: "unknown CPU" };
            assert_eq!(kind(&net), uefi);
            net[0x84 + at] = 1;
            assert_eq!(kind(&net), Foreign::Other(".NET code"));
        }
        let system = |system, format, cpu| Foreign::System { system, format, cpu };
        assert_eq!(kind(b"\x01\xf7\0\x07abcd"), system("AIX", "XCOFF", "ppc64"));
        assert_eq!(kind(b"\x01\xdf\0\x07abcd"), system("AIX", "XCOFF", "ppc"));
        assert_eq!(kind(b"\0\0\x8a\x97\0\0"), system("Plan 9", "a.out", "amd64"));
        assert!(matches!(kind(b"\x0b\x01\x64\0abcd"), Foreign::Other(_)), "a.out");
        assert_eq!(kind(b"\x0b\x01\0\0abcd"), Foreign::Unknown([0x0b, 1, 0, 0]));
        assert_eq!(kind(b"MZqFpD='\n\n\0\x10\0"), Foreign::Ape(false));
        assert_eq!(kind(b"jartsr='\n\n[ \"$m\" = aarch64 ]"), Foreign::Ape(true));
        assert_eq!(kind(b"MZqFpD=x"), system("DOS", "MZ", "i386"));
        let mut linux = vec![0; 0x400];
        linux[0x202..0x206].copy_from_slice(b"HdrS");
        assert_eq!(kind(&linux), Foreign::Other("a Linux kernel image"));
        assert_eq!(
            kind(b"bFLT\0\0\0\x04"),
            Foreign::Other("a flat program (bFLT), for processors without an MMU")
        );
        assert_eq!(kind(b"bFLT is a format\n"), Foreign::Text);
        assert_eq!(kind(b"\0asm\x01\0\0\0"), Foreign::Other("a WebAssembly module"));
        assert_eq!(kind(b"\xcb\x0d\x0d\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), Foreign::Other("Python bytecode"));
        assert_eq!(kind(b"a\n\r\nlong enough to be Python\n"), Foreign::Text);
    }
}
