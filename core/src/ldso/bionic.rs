//! What Android's linker refuses of a program, before it loads anything: linker/linker_main.cpp `linker_main`,
//! libc/bionic/bionic_elf_tls.cpp `StaticTlsLayout::reserve_exe_segment_and_tcb`. The libraries are not followed: they are
//! in namespaces that /linkerconfig and the system's properties make.
//!
//! Which of the two it refuses, and in what words, is in its own strings: PIE is wanted since Android 5.0, the alignment
//! since 10.

use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use super::{LoaderRefusal, bytes, gnu};
use crate::candidate::reader::Contents;
use crate::candidate::{Candidate, Image};
use crate::elf::ProgramHeader;
use crate::elf::consts::{EM_AARCH64, EM_ARM, ET_EXEC, PT_TLS};
use crate::machine::holds;

/// What is read of a segment at most.
const LIMIT: usize = 1 << 20;

/// What it refuses, and its words.
pub(super) fn refuses(
    program: &Candidate,
    image: &Image,
    loader: (&Contents, &Image),
) -> Option<(LoaderRefusal, Vec<u8>)> {
    let fixed = image.header.e_type == ET_EXEC;
    let tls = image.table().iter().find(|entry| entry.p_type == PT_TLS);
    if !fixed && tls.is_none() {
        return None;
    }
    let mut found = None;
    gnu::strings(loader.0, loader.1, LIMIT, &mut |said| {
        let path = if said.starts_with(b"error: %s") { &program.resolved } else { &program.path };
        if fixed {
            let wants_pie = holds(said, b"position-independent executables")
                || holds(said, b"only position independent executables");
            if wants_pie {
                found = Some((LoaderRefusal::NotPie, fill(said, &[bytes(path)])));
            }
        } else if let Some(tls) = tls.filter(|_| holds(said, b"TLS segment is underaligned")) {
            found = underaligned(image, tls, bytes(path), said, holds(said, b"(skew"));
        }
    })?;
    found
}

/// The thread pointer is followed by two words and then, aligned as it says, the program's segment; bionic's own slots are
/// eight words. The skew counts since Android 15.
fn underaligned(
    image: &Image,
    tls: &ProgramHeader,
    path: &[u8],
    words: &[u8],
    is_skewed: bool,
) -> Option<(LoaderRefusal, Vec<u8>)> {
    let name = match image.header.e_machine {
        EM_ARM => "ARM",
        EM_AARCH64 => "ARM64",
        _ => return None,
    };
    let word = image.encoding.word() as u64;
    let (from, least) = (word.wrapping_mul(2), word.wrapping_mul(8));
    // It heeds no more than a page. What is no power of two, it refuses in other words.
    let align = Some(tls.p_align).filter(|align| align.is_power_of_two())?.min(4096);
    let within = align.wrapping_sub(1);
    let skew = if is_skewed { tls.p_vaddr & within } else { 0 };
    let place = from.wrapping_add(skew.wrapping_sub(from) & within);
    if place >= least {
        return None;
    }
    let [align, skew, least] = [align, skew, least].map(|number| number.to_string());
    let mut values = vec![path, align.as_bytes(), skew.as_bytes(), least.as_bytes(), name.as_bytes()];
    if !is_skewed {
        values.remove(2);
    }
    Some((LoaderRefusal::TlsAlignment, fill(words, &values)))
}

/// What printf(3) makes of a format with `%s` and `%zu`.
fn fill(format: &[u8], values: &[&[u8]]) -> Vec<u8> {
    let mut parts = format.trim_ascii_end().split(|byte| *byte == b'%');
    let mut out = parts.next().unwrap_or_default().to_vec();
    for (part, value) in parts.zip(values) {
        out.extend_from_slice(value);
        out.extend_from_slice(part.strip_prefix(b"zu").or(part.strip_prefix(b"s")).unwrap_or(part));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let path = b"./x".as_slice();
        assert_eq!(fill(b"\"%s\": error: no PIE.\n", &[path]), b"\"./x\": error: no PIE.");
        assert_eq!(fill(b"error: no PIE.\n", &[path]), b"error: no PIE.");
        let tls = b"error: \"%s\": alignment is %zu, needs %zu for %s Bionic";
        let said = fill(tls, &[path, b"8", b"64", b"ARM64"]);
        assert_eq!(said, b"error: \"./x\": alignment is 8, needs 64 for ARM64 Bionic");
    }
}
