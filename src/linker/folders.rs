//! Lists of folders, and what `$ORIGIN` and its like stand for in them.

use super::object::Object;
use super::{Linker, Rules};
use crate::machine::family;

/// The folders of a list, without empty ones.
pub(super) fn split(list: &[u8], marks: &[u8]) -> Vec<Vec<u8>> {
    let mut folders = Vec::new();
    for folder in list.split(|byte| marks.contains(byte)) {
        if !folder.is_empty() {
            folders.push(folder.to_vec());
        }
    }
    folders
}

impl Linker<'_> {
    /// A DT_NEEDED with a slash.
    pub(super) fn expand(&self, by: usize, name: &[u8]) -> Vec<u8> {
        match (&self.rules, self.objects.get(by)) {
            (Rules::Glibc(_), Some(object)) => self.expand_in(object, name),
            _ => name.to_vec(),
        }
    }

    /// Replaces $ORIGIN and, with glibc, $LIB and $PLATFORM (elf/dl-load.c `_dl_dst_substitute`).
    pub(super) fn expand_in(&self, object: &Object, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        'text: while let Some((byte, tail)) = rest.split_first() {
            if *byte == b'$' {
                for (name, value) in self.tokens(object) {
                    if let Some(after) = token(tail, name) {
                        out.extend_from_slice(value);
                        rest = after;
                        continue 'text;
                    }
                }
            }
            out.push(*byte);
            rest = tail;
        }
        out
    }

    fn tokens<'a>(&'a self, object: &'a Object) -> [(&'static [u8], &'a [u8]); 3] {
        let none = (&b"\0"[..], &b""[..]);
        let (lib, platform) = match &self.rules {
            Rules::Musl => (none, none),
            Rules::Glibc(facts) => {
                ((&b"LIB"[..], facts.lib.as_slice()), (&b"PLATFORM"[..], self.platform(facts)))
            }
        };
        [(b"ORIGIN", &object.origin), lib, platform]
    }

    /// AT_PLATFORM, but for what glibc up to 2.40 makes of one of Intel with AVX2.
    fn platform(&self, facts: &super::gnu::Facts) -> &[u8] {
        let features = &self.machine.cpu.features;
        let is_intel = |model: &String| model.contains("Intel");
        let avx2 = family::X86 && facts.haswell && crate::machine::lists(features, "avx2");
        if avx2 && self.machine.cpu.model.get().is_some_and(is_intel) {
            return b"haswell";
        }
        self.machine.platform.get().map_or(b"", |platform| platform.as_bytes())
    }
}

/// What follows `NAME` or `{NAME}`.
fn token<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match text.strip_prefix(b"{") {
        Some(inner) => inner.strip_prefix(name)?.strip_prefix(b"}"),
        None => {
            let after = text.strip_prefix(name)?;
            let longer = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            (!after.first().is_some_and(longer)).then_some(after)
        }
    }
}
