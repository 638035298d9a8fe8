//! Lists of folders, and what `$ORIGIN` and its like stand for in them.

use alloc::string::String;
use alloc::vec::Vec;

use super::object::Library;
use super::{Linker, gnu};
use crate::machine::lists;
use crate::text::cut_bytes;

/// The parts of a text between marks.
pub(super) fn split<'a>(text: &'a [u8], marks: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    text.split(move |byte| marks.contains(byte))
}

impl Linker<'_> {
    /// Replaces $ORIGIN and, with glibc, $LIB and $PLATFORM (elf/dl-load.c `_dl_dst_substitute`).
    pub(super) fn expand(&self, object: &Library, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = cut_bytes(rest, b'$') {
            out.extend_from_slice(before);
            let (name, after) = token(behind);
            if let Some(value) = self.value(object, name) {
                out.extend_from_slice(value);
                rest = after;
            } else {
                out.push(b'$');
                rest = behind;
            }
        }
        out.extend_from_slice(rest);
        out
    }

    /// What a name stands for.
    fn value<'a>(&'a self, object: &'a Library, name: &[u8]) -> Option<&'a [u8]> {
        if name == b"ORIGIN" {
            return Some(&object.origin);
        }
        let facts = self.glibc.as_ref()?;
        match name {
            b"LIB" => Some(&facts.lib),
            b"PLATFORM" => Some(self.platform(facts)),
            _ => None,
        }
    }

    /// AT_PLATFORM, but for what glibc up to 2.40 makes of one of Intel with AVX2.
    fn platform(&self, facts: &gnu::Facts) -> &[u8] {
        let features = &self.machine.cpu().features;
        let is_intel = |model: &String| model.contains("Intel");
        let avx2 = facts.knows_haswell() && lists(features, "avx2");
        if avx2 && self.machine.cpu().model.get().is_some_and(is_intel) {
            return b"haswell";
        }
        self.machine.platform().get().map_or(b"", |platform| platform.as_bytes())
    }
}

/// The name in `NAME` or `{NAME}`, and what follows.
fn token(text: &[u8]) -> (&[u8], &[u8]) {
    if let Some(inner) = text.strip_prefix(b"{") {
        return cut_bytes(inner, b'}').unwrap_or_default();
    }
    let longer = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = text.iter().position(|byte| !longer(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or_default()
}
