//! What is not a program: archives, packages, other systems' programs. Only as much of each as a first look
//! needs to tell.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

pub(super) fn empty() -> Vec<u8> {
    Vec::new()
}

pub(super) fn zeros() -> Vec<u8> {
    vec![0; 4096]
}

pub(super) fn gzip() -> Vec<u8> {
    gzipped(b"hello\n")
}

pub(super) fn zip() -> Vec<u8> {
    begins(b"PK\x03\x04\x14\0\0\0\x08\0", 200)
}

pub(super) fn xz() -> Vec<u8> {
    begins(b"\xfd7zXZ\0\0\x04", 200)
}

pub(super) fn zstd() -> Vec<u8> {
    begins(b"\x28\xb5\x2f\xfd\x04", 200)
}

pub(super) fn seven_zip() -> Vec<u8> {
    begins(b"7z\xbc\xaf\x27\x1c\0\x04", 200)
}

pub(super) fn tar() -> Vec<u8> {
    archive(&[("hello", b"hello\n")])
}

/// An .ipk: a gzip'd tar of three members, as opkg takes it.
pub(super) fn ipk() -> Vec<u8> {
    let control = b"Package: hello\nVersion: 1\nArchitecture: mips_24kc\n";
    let control = gzipped(&archive(&[("./control", control)]));
    let data = gzipped(&archive(&[("./usr/bin/hello", b"hello\n")]));
    gzipped(&archive(&[
        ("./debian-binary", b"2.0\n"),
        ("./data.tar.gz", &data),
        ("./control.tar.gz", &control),
    ]))
}

/// An .apk of the third format.
pub(super) fn apk() -> Vec<u8> {
    begins(b"ADBdpckg", 300)
}

/// A .deb: an ar archive that begins with debian-binary.
pub(super) fn deb() -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    let head = format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "debian-binary", 0, 0, 0, 100_644, 4);
    bytes.extend(head.as_bytes());
    bytes.extend(b"2.0\n");
    bytes
}

pub(super) fn mach_o() -> Vec<u8> {
    begins(b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x02\0\0\0", 4096)
}

/// MZ, and PE where its header says.
pub(super) fn pe() -> Vec<u8> {
    let mut bytes = begins(b"MZ\x90\0", 4096);
    bytes[0x3c] = 0x80;
    bytes[0x80..0x86].copy_from_slice(b"PE\0\0\x64\x86");
    bytes
}

/// An ARM program's ELF header, and nothing behind it.
pub(super) fn arm() -> Vec<u8> {
    let mut bytes = begins(b"\x7fELF\x01\x01\x01", 4096);
    bytes[16..20].copy_from_slice(&[2, 0, 40, 0]);
    bytes[20..36].copy_from_slice(&[1, 0, 0, 0, 0, 0x80, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0]);
    bytes[36..48].copy_from_slice(&[0, 2, 0, 5, 52, 0, 32, 0, 1, 0, 40, 0]);
    bytes
}

/// FreeBSD's for MIPS: it reads its arguments where Linux puts none.
pub(super) fn freebsd() -> Vec<u8> {
    let case = oracle::case::Case::parse("mipsel freebsd: EI_OSABI=9").expect("a case");
    case.files().files.swap_remove(0).bytes
}

/// `#!` and an interpreter's name, of more bytes than the kernel reads.
pub(super) fn long_line() -> Vec<u8> {
    let mut bytes = b"#!/bin/sh -".to_vec();
    bytes.resize(400, b'x');
    bytes.extend(b"\necho hello from sh\n");
    bytes
}

/// An interpreter's name that fills the kernel's buffer: where it ends is not to be seen.
pub(super) fn long_name() -> Vec<u8> {
    let mut bytes = b"#!/".to_vec();
    bytes.resize(400, b'x');
    bytes.extend(b"\n");
    bytes
}

fn begins(magic: &[u8], len: usize) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.resize(len.max(magic.len()), 0);
    bytes
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // Into memory, which does not fail.
        let _ = tar.append_data(&mut header, name, *bytes);
    }
    tar.into_inner().unwrap_or_default()
}
