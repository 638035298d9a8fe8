//! A finding's words as one text, filled in here: on a router a text takes a fraction of the code that would put the
//! same finding together call by call.
//!
//! The first line is the title; of the others the first letter says what they are:
//!
//! | line | what it is |
//! | --- | --- |
//! | `p field=value` | what the file says |
//! | `m field=value` | what the machine is |
//! | `k field=value` | what the kernel answers, and what is printed then; without a field, execve(2) |
//! | `> text` | what to do; a further one goes on |
//! | `$ command` | a command that does it, as it is to be typed; never part of a `>` line, which is broken at blanks |
//! | `rebuild` | what to do is to build it for this machine, with the program's toolchain |
//!
//! `%n` is the file's name, `%f` the file as a word of a command, `%b` what the program was built for, `%m` the
//! machine, `%k` what the kernel does, `%l` that the loader ends it; `%0` to `%9` are the facts that go with the text, and of a number `%s0` is a
//! size, `%r0` one rounded down, `%x0` hexadecimal, `%h0` its 8 digits, `%o0` a mode.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::super::{Called, Case};
use crate::advice;
use crate::candidate::Toolchain;
use crate::finding::{Evidence, Finding, Severity, Side};
use crate::text;

/// A fact that a text can hold.
#[derive(Clone, Copy)]
pub(in crate::rules) enum Value<'a> {
    /// Bytes of any kind; what steers a terminal is made visible.
    Text(&'a [u8]),
    /// A number.
    Number(u64),
}

/// What gives a [`Value`].
pub(in crate::rules) trait Word {
    fn value(&self) -> Value<'_>;
}

macro_rules! word {
    ($($type:ty: $self:ident => $value:expr;)*) => {
        $(impl Word for $type {
            fn value(&$self) -> Value<'_> {
                $value
            }
        })*
    };
}

word! {
    u64: self => Value::Number(*self);
    &str: self => Value::Text(self.as_bytes());
    String: self => Value::Text(self.as_bytes());
    &[u8]: self => Value::Text(self);
    Vec<u8>: self => Value::Text(self);
    &Path: self => Value::Text(self.as_os_str().as_bytes());
    PathBuf: self => Value::Text(self.as_os_str().as_bytes());
}

impl Case<'_> {
    /// The finding that a text tells. It comes in pieces where parts of it depend on something; a piece may be empty.
    pub(in crate::rules) fn tell(&self, severity: Severity, pieces: &[&str], facts: &[&dyn Word]) -> Finding {
        let mut finding = Finding::new(severity);
        for piece in pieces {
            for line in text::split(piece, b'\n').filter(|line| !line.is_empty()) {
                if finding.title.is_empty() {
                    finding.title = self.fill(line, facts);
                } else {
                    self.add(&mut finding, line, facts);
                }
            }
        }
        finding
    }

    #[inline(never)]
    fn add(&self, finding: &mut Finding, line: &str, facts: &[&dyn Word]) {
        let (tag, words) = first(line);
        let (_, words) = first(words);
        let side = match tag {
            b'p' => Side::Program,
            b'm' => Side::Machine,
            b'k' => Side::Kernel,
            b'r' => return advice::rebuild(finding, self.machine, self.toolchain()),
            _ => {
                let filled = self.fill(words, facts);
                let fix = finding.fix.get_or_insert_default();
                return match tag {
                    b'$' => {
                        // The last one is the command; those before it stand on lines of the text.
                        if let Some(before) = fix.command.replace(filled) {
                            fix.text.push('\n');
                            fix.text.push_str(&before);
                        }
                    }
                    _ => fix.text.push_str(&filled),
                };
            }
        };
        let (field, value) = text::cut(words, b'=').unwrap_or(("execve", words));
        let (field, value) = (field.to_owned(), self.fill(value, facts));
        finding.evidence.push(Evidence { side, field, value });
    }

    fn toolchain(&self) -> Toolchain {
        self.program.map_or(Toolchain::Unknown, |program| program.origin.toolchain)
    }

    fn fill(&self, words: &str, facts: &[&dyn Word]) -> String {
        let mut out = String::new();
        let mut rest = words;
        while let Some((before, after)) = text::cut(rest, b'%') {
            let (letter, mut after) = first(after);
            let mut digit = letter;
            if matches!(letter, b's' | b'r' | b'x' | b'h' | b'o') {
                (digit, after) = first(after);
            }
            out.push_str(before);
            out.push_str(&match facts.get(usize::from(digit.wrapping_sub(b'0'))) {
                Some(fact) => shown(fact.value(), letter),
                None => self.own_word(letter),
            });
            rest = after;
        }
        out.push_str(rest);
        out
    }

    #[inline(never)]
    fn own_word(&self, letter: u8) -> String {
        match letter {
            b'n' => match self.called {
                Called::Path => text::path(&self.candidate.path),
                Called::It => "it".to_owned(),
            },
            b'f' => super::file(self),
            b'b' => super::built_for(self.program),
            b'l' => super::loader_ends(self.content).to_owned(),
            b'm' => super::machine(self.machine),
            _ => super::kernel(self.content),
        }
    }
}

#[inline(never)]
fn shown(value: Value<'_>, letter: u8) -> String {
    match value {
        Value::Text(bytes) => text::printable(bytes),
        Value::Number(number) => match letter {
            b's' => text::size(number),
            b'r' => text::room(number),
            b'x' => text::concat(&["0x", &text::number(number, 16, 1)]),
            b'h' => text::number(number, 16, 8),
            b'o' => text::number(number, 8, 4),
            _ => text::number(number, 10, 1),
        },
    }
}

/// The first byte, and the rest.
#[inline(never)]
fn first(text: &str) -> (u8, &str) {
    (text.bytes().next().unwrap_or_default(), text.get(1..).unwrap_or_default())
}
