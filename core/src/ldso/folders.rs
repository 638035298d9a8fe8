//! Lists of folders, and what `$ORIGIN` and its like stand for in them.

use alloc::string::String;
use alloc::vec::Vec;

use super::object::Library;
use super::{Linker, gnu};
use crate::arch::important::{Important, is_haswell_taken, platform};
use crate::exec::Missing;
use crate::machine::lists;
use crate::text::cut_bytes;

/// The parts of a text between marks.
pub(super) fn split<'a>(text: &'a [u8], marks: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    text.split(move |byte| marks.contains(byte))
}

/// Bytes of a list, once $ORIGIN has the path that it stands for: more than any has; and those that take a step.
const EXPANDED_AT_MOST: usize = 64 << 10;
const EXPANDED_OF_A_STEP: usize = 64;

impl Linker<'_> {
    /// Replaces $ORIGIN and, with glibc, $LIB and $PLATFORM (elf/dl-load.c `_dl_dst_substitute`).
    pub(super) fn expand(&self, object: &Library, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some((byte, behind)) = rest.split_first() {
            if out.len() > EXPANDED_AT_MOST {
                self.files.budget().cut(Missing::TooManyNames);
                break;
            }
            rest = behind;
            if *byte == b'$' {
                let (name, after) = token(behind);
                let value = match &self.glibc {
                    _ if name == b"ORIGIN" => Some(object.origin.as_slice()),
                    Some(facts) if name == b"LIB" => Some(facts.lib.as_slice()),
                    Some(facts) if name == b"PLATFORM" => Some(self.platform(facts).1.as_bytes()),
                    _ => None,
                };
                if let Some(value) = value {
                    out.extend_from_slice(value);
                    rest = after;
                    continue;
                }
            }
            out.push(*byte);
        }
        self.goes_on(out.len() / EXPANDED_OF_A_STEP);
        out
    }

    /// AT_PLATFORM, but for what glibc up to 2.40 makes of one of Intel with AVX2.
    pub(super) fn platform(&self, facts: &gnu::GlibcBuild) -> Important<'_> {
        let features = &self.machine.cpu().features;
        let is_intel = |model: &String| model.contains("Intel");
        let avx2 = facts.knows_haswell() && lists(features, "avx2");
        let is_taken =
            || !crate::ROUTER && is_haswell_taken(&self.tunables.hwcaps, facts.release().is_none());
        let name = if avx2 && !is_taken() && self.machine.cpu().model.get().is_some_and(is_intel) {
            "haswell"
        } else {
            self.machine.platform().value.unwrap_or_default()
        };
        let program = self.object(0).and_then(|program| program.image.as_ref()).filter(|_| !crate::ROUTER);
        program.map_or((0, name), |program| platform(program.header.e_machine, name))
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
