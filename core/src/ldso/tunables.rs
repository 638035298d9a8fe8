//! GLIBC_TUNABLES: what of it decides how a program starts (elf/dl-tunables.c). Most of it is of speed alone.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

use super::{Linker, LoaderRefusal, Setting};
use crate::arch;
use crate::machine::{decimal, parts};

/// Its words where it knows no way to take what the variable holds (since 2.39): then it takes none of it.
const STRICT: &[u8] = b"WARNING: ld.so: invalid GLIBC";
/// Its words where it knows glibc.rtld.execstack (since 2.41).
const KNOWS_STACK: &[u8] = b"Fatal glibc error: executable stack is not allowed";
/// The first release with glibc.rtld.enable_secure.
const WITH_SECURE: (u64, u64) = (2, 40);

/// What is set, as far as the loader knows it.
#[derive(Default)]
pub(super) struct Tunables {
    /// glibc.cpu.hwcaps: features that are not to be used, `-AVX2,-ERMS`.
    pub(super) hwcaps: Vec<u8>,
    /// glibc.rtld.execstack.
    stack: Stack,
    /// What folders for this processor are called with it, once one is looked for, and their bits in ld.so.cache.
    pub(super) names: OnceCell<Vec<(u64, String)>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Stack {
    /// 0: nothing gets an executable one.
    Forbidden,
    #[default]
    AsMarked,
    /// 2: everything does, and has to.
    Wanted,
}

impl Tunables {
    /// A library that wants an executable stack does not get it.
    pub(super) fn forbid_stacks(&self) -> bool {
        !crate::ROUTER && self.stack == Stack::Forbidden
    }

    /// Whether a folder of glibc-hwcaps is for features that are not to be used.
    pub(super) fn mask(&self, level: &[u8]) -> bool {
        !crate::ROUTER && !self.hwcaps.is_empty() && arch::is_masked(level, &self.hwcaps)
    }
}

impl Linker<'_> {
    /// Takes what is set. For a program with other rights there is nothing.
    pub(super) fn tune(&mut self) {
        if crate::ROUTER || !self.is_glibc() {
            return;
        }
        let text = self.heeded(Setting::Tunables);
        let loader = self.object(1).filter(|_| !text.is_empty());
        let Some(loader) = loader.and_then(|loader| self.open(loader)) else { return };
        let holds = |words| loader.holds(words) == Some(true);
        if holds(STRICT) && !is_whole(&text) {
            return;
        }
        self.tunables.hwcaps = value(&text, b"glibc.cpu.hwcaps").to_vec();
        let release = self.glibc.as_ref().and_then(|facts| facts.release());
        if release >= Some(WITH_SECURE) && number(&text, b"glibc.rtld.enable_secure") == Some(1) {
            self.around.secure = true;
        }
        if holds(KNOWS_STACK) {
            self.tunables.stack = match number(&text, b"glibc.rtld.execstack") {
                Some(0) => Stack::Forbidden,
                Some(2) => Stack::Wanted,
                _ => Stack::AsMarked,
            };
        }
    }

    /// sysdeps/unix/sysv/linux/dl-execstack-tunable.c `_dl_handle_execstack_tunable`, before anything is loaded.
    pub(super) fn refuses_stack(&mut self) -> Option<LoaderRefusal> {
        match self.tunables.stack {
            _ if crate::ROUTER => None,
            Stack::AsMarked => None,
            Stack::Forbidden => {
                let program = self.object(0)?.image.as_ref()?;
                super::unusable::wants_stack(program).then_some(LoaderRefusal::StackForbidden)
            }
            Stack::Wanted => (self.gets_a_stack() == Some(false)).then_some(LoaderRefusal::NoStack),
        }
    }
}

/// `parse_tunables_string` of 2.39: `NAME=VALUE` or words of no meaning with colons between them, a pair at the end.
fn is_whole(text: &[u8]) -> bool {
    // Parts of parts: 1 where there is no sign.
    let signs = |part| parts(part, b'=').count();
    parts(text, b':').all(|part| signs(part) <= 2)
        && parts(text, b':').last().is_some_and(|last| signs(last) == 2)
}

/// What a name is given; the last counts.
fn value<'a>(text: &'a [u8], name: &[u8]) -> &'a [u8] {
    let values = parts(text, b':').filter_map(|part| part.strip_prefix(name)?.strip_prefix(b"="));
    values.last().unwrap_or_default()
}

/// The same as a number (`_dl_strtoul`); None where it is not set, or out of range.
fn number(text: &[u8], name: &[u8]) -> Option<u64> {
    let is_set =
        parts(text, b':').any(|part| part.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"=")));
    let digits = value(text, name).trim_ascii_start();
    let digits = digits.strip_prefix(b"+").unwrap_or(digits);
    match digits {
        _ if !is_set => None,
        // Nothing, and nothing behind 0x, is 0.
        b"" | b"0x" | b"-0" => Some(0),
        [b'0', b'x', digit] => char::from(*digit).to_digit(16).map(u64::from),
        _ if digits.iter().all(u8::is_ascii_digit) => decimal(digits),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    /// As 2.41 and 2.43 took them.
    #[test]
    fn values() {
        let stack = |text| number(str::as_bytes(text), b"glibc.rtld.execstack");
        for text in ["=0", "=00", "=0x0", "= 0", "=+0", "=", "=-0", "=0x", "=1:glibc.rtld.execstack=0"] {
            let text = format!("glibc.rtld.execstack{text}");
            assert_eq!(number(text.as_bytes(), b"glibc.rtld.execstack"), Some(0), "{text}");
        }
        for text in ["glibc.rtld.execstack=0 ", "x.glibc.rtld.execstack=0", "glibc.rtld.execstack", ""] {
            assert_eq!(stack(text), None, "{text}");
        }
        assert_eq!(stack("glibc.rtld.execstack=0:glibc.rtld.execstack=9"), Some(9));
        for text in ["a:b=0", "b=", "a=1:b=0", ":b=0"] {
            assert!(is_whole(text.as_bytes()), "{text}");
        }
        for text in ["b=0:", "b=0:c=d=e", "a=b=c:d=e", "::::", "b"] {
            assert!(!is_whole(text.as_bytes()), "{text}");
        }
    }
}
