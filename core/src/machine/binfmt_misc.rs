//! The rules of binfmt_misc: which interpreter the kernel starts for files that look in some way
//! (Documentation/admin-guide/binfmt-misc.rst; fs/binfmt_misc.c).

use alloc::string::String;
use alloc::vec::Vec;

use crate::path::{Path, PathBuf};

/// One registered rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BinfmtRule {
    /// The name of its file in /proc/sys/fs/binfmt_misc.
    pub name: String,
    /// What is started instead of the file.
    pub interpreter: PathBuf,
    /// Flag F: the interpreter was opened when the rule was registered, and needs not be there any more.
    pub fixed: bool,
    /// Which files.
    pub pattern: Pattern,
}

/// What a rule goes by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// What follows the last dot of the name.
    Extension(Vec<u8>),
    /// Bytes of the file.
    Magic {
        /// Where.
        offset: usize,
        /// Which.
        magic: Vec<u8>,
        /// The bits that count; all where there is none.
        mask: Vec<u8>,
    },
}

impl BinfmtRule {
    /// From what the rule's file holds (`entry_status`); None where the rule is disabled, or the file is none.
    pub fn parse(name: &[u8], text: &[u8]) -> Option<BinfmtRule> {
        let after = |start| super::after(text, start);
        if super::parts(text, b'\n').next() != Some(b"enabled") {
            return None;
        }
        let interpreter = PathBuf::from(after("interpreter ")?);
        let pattern = match after("extension .") {
            Some(extension) => Pattern::Extension(extension.to_vec()),
            None => Pattern::Magic {
                offset: usize::try_from(super::decimal(after("offset ")?)?).ok()?,
                magic: hexadecimal(after("magic ")?),
                mask: hexadecimal(after("mask ").unwrap_or_default()),
            },
        };
        let fixed = after("flags: ").is_some_and(|flags| flags.contains(&b'F'));
        Some(BinfmtRule { name: super::word(name), interpreter, fixed, pattern })
    }

    /// `search_binfmt_handler`: the name as it was given, and the first 256 bytes (128 up to Linux 5.0).
    pub fn matches(&self, path: &Path, buffer: &[u8]) -> bool {
        match &self.pattern {
            Pattern::Extension(extension) => {
                let path = path.as_bytes();
                let name = path.strip_suffix(extension.as_slice());
                name.is_some_and(|name| name.ends_with(b".")) && !extension.contains(&b'.')
            }
            Pattern::Magic { offset, magic, mask } => {
                // A short file is padded with zeros.
                let byte = |at: usize| buffer.get(at).copied().unwrap_or(0);
                magic.iter().enumerate().all(|(at, wanted)| {
                    let bits = mask.get(at).copied().unwrap_or(0xff);
                    (byte(offset.saturating_add(at)) ^ wanted) & bits == 0
                })
            }
        }
    }
}

/// "7f454c46".
pub(crate) fn hexadecimal(digits: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16)?).ok();
    let (mut bytes, mut rest) = (Vec::new(), digits);
    while let [high, low, tail @ ..] = rest {
        let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { break };
        bytes.push(high << 4 | low);
        rest = tail;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const QEMU: &[u8] = b"enabled\ninterpreter /usr/bin/qemu-mips\nflags: OCF\noffset 0\n\
        magic 7f454c46010201\nmask ffffffffffff00\n";

    #[test]
    fn by_magic() {
        let rule = BinfmtRule::parse(b"qemu-mips", QEMU).expect("a rule");
        assert_eq!((rule.fixed, rule.interpreter.as_path()), (true, Path::new("/usr/bin/qemu-mips")));
        assert!(rule.matches(Path::new("x"), b"\x7fELF\x01\x02\x07"));
        assert!(!rule.matches(Path::new("x"), b"\x7fELF\x01\x01\x01"));
        assert!(!rule.matches(Path::new("x"), b"\x7fELF"));
    }

    #[test]
    fn by_extension() {
        let text = b"enabled\ninterpreter /usr/bin/java\nflags: \nextension .jar\n";
        let rule = BinfmtRule::parse(b"jar", text).expect("a rule");
        assert!(!rule.fixed);
        assert!(rule.matches(Path::new("./a.b.jar"), b""));
        assert!(!rule.matches(Path::new("jar"), b""));
        assert!(!rule.matches(Path::new("a.jar.b"), b""));
    }

    #[test]
    fn what_is_no_rule() {
        assert_eq!(BinfmtRule::parse(b"status", b"enabled\n"), None);
        assert_eq!(BinfmtRule::parse(b"register", b""), None);
        let disabled = [b"dis", &QEMU[2..]].concat();
        assert_eq!(BinfmtRule::parse(b"qemu-mips", &disabled), None);
        for end in 0..QEMU.len() {
            BinfmtRule::parse(b"x", &QEMU[..end]);
        }
    }
}
