//! `#!` lines, as fs/binfmt_script.c reads them.

use alloc::vec::Vec;

use crate::machine::Version;

/// A file that begins with `#!`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// The kernel's buffer: the first 256 bytes, zero-padded (128 up to Linux 5.0).
    pub buffer: Vec<u8>,
}

/// How a kernel reads the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// BINPRM_BUF_SIZE: 256 since Linux 5.1, 128 before.
    pub buffer: usize,
    /// A line longer than the buffer is cut without a word.
    pub truncates: bool,
    /// `#!` at the end of the file names "", which is the current directory: EACCES. Else it is refused.
    pub empty_is_name: bool,
}

/// What the kernel makes of the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line<'a> {
    /// It opens this interpreter, which may be "".
    Runs {
        /// A path; a relative one is looked up in the current directory.
        name: &'a [u8],
        /// The rest of the line, as one argument.
        argument: Option<&'a [u8]>,
    },
    /// ENOEXEC: no line end, nor an end of the name, within the buffer.
    TooLong,
    /// ENOEXEC: nothing but blanks.
    Empty,
    /// ENOEXEC: nothing but blanks up to the end of the file.
    EmptyAtEnd,
}

impl Rules {
    /// Linux 5.10 on.
    pub const LATEST: Rules = Rules { buffer: 256, truncates: false, empty_is_name: true };

    /// The rules of a kernel release, by its first three numbers.
    pub fn of(version: Version) -> Rules {
        // "Do not exec truncated interpreter path" went into 5.1 and into the long-term kernels of November 2019.
        let cuts = match version {
            (4, 4 | 9, patch) => patch < 199,
            (4, 14, patch) => patch < 152,
            (4, 19, patch) => patch < 82,
            _ => version < (5, 1, 0),
        };
        Rules {
            buffer: if version < (5, 1, 0) { 128 } else { 256 },
            truncates: cuts,
            empty_is_name: version >= (5, 8, 0),
        }
    }
}

const fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The first byte of a kind in `first..=last`.
fn next(buffer: &[u8], first: usize, last: usize, kind: fn(u8) -> bool) -> Option<usize> {
    let at = buffer.get(first..=last)?.iter().position(|byte| kind(*byte))?;
    Some(at.saturating_add(first))
}

impl Script {
    /// From the first bytes of a file, up to 256 of them.
    pub fn new(head: &[u8]) -> Script {
        let mut buffer = head.get(..256).unwrap_or(head).to_vec();
        buffer.resize(256, 0);
        Script { buffer }
    }

    /// What a kernel makes of the line: load_script(), step by step.
    pub fn line(&self, rules: Rules) -> Line<'_> {
        let buffer = self.buffer.get(..rules.buffer).unwrap_or(&self.buffer);
        let at = |i: usize| buffer.get(i).copied().unwrap_or(0);
        // next_non_spacetab() and next_terminator().
        let non_blank = |first: usize, last: usize| next(buffer, first, last, |b| !blank(b));
        let terminator = |first: usize, last: usize| next(buffer, first, last, |b| blank(b) || b == 0);
        let last = buffer.len().saturating_sub(1);
        // strnchr() and strchr() stop at a NUL.
        let mut end = match buffer.iter().position(|b| matches!(b, b'\n' | 0)) {
            Some(i) if at(i) == b'\n' => i,
            _ if rules.truncates => last,
            _ => {
                let Some(name) = non_blank(2, last) else { return Line::Empty };
                if terminator(name, last).is_none() {
                    return Line::TooLong;
                }
                last
            }
        };
        let ends_in_line = at(end) == b'\n';
        while end > 2 && blank(at(end.saturating_sub(1))) {
            end = end.saturating_sub(1);
        }
        let start = match non_blank(2, end) {
            Some(start) if start < end => start,
            _ => return Line::Empty,
        };
        let stop = terminator(start, end).unwrap_or(end).min(end);
        let name = buffer.get(start..stop).unwrap_or(&[]);
        if name.is_empty() && !rules.empty_is_name {
            return if ends_in_line { Line::Empty } else { Line::EmptyAtEnd };
        }
        let mut argument = None;
        if stop < end && at(stop) != 0 {
            let from = non_blank(stop, end).unwrap_or(end);
            let rest = buffer.get(from..end).unwrap_or(&[]);
            let len = rest.iter().position(|b| *b == 0).unwrap_or(rest.len());
            argument = rest.get(..len).filter(|rest| !rest.is_empty());
        }
        Line::Runs { name, argument }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// Linux 5.0, 4.14.151 (OpenWrt 19.07) and 5.4.
    const OLD: Rules = Rules { buffer: 128, truncates: true, empty_is_name: false };
    const BETWEEN: Rules = Rules { buffer: 256, truncates: false, empty_is_name: false };

    fn runs<'a>(name: &'a [u8], argument: Option<&'a [u8]>) -> Line<'a> {
        Line::Runs { name, argument }
    }

    fn repeat(byte: u8, count: usize) -> Vec<u8> {
        vec![byte; count]
    }

    #[track_caller]
    fn check(file: &[u8], rules: Rules, want: Line) {
        assert_eq!(Script::new(file).line(rules), want);
    }

    /// Cases 124 to 144 of the oracle, Linux 6.18, as far as the line decides.
    #[test]
    fn what_linux_6_18_did() {
        let latest = |file: &[u8], want: Line| check(file, Rules::LATEST, want);
        latest(b"#!/b\n", runs(b"/b", None)); // 124
        latest(b"#!/b", runs(b"/b", None)); // 125
        latest(b"#! \t/b \t\n", runs(b"/b", None)); // 126
        latest(b"#!/b\r\n", runs(b"/b\r", None)); // 127
        latest(b"#!", runs(b"", None)); // 129: EACCES
        latest(b"#!\n", Line::Empty); // 130
        latest(b"#!   \n", Line::Empty); // 131
        latest(b"#!   ", runs(b"", None)); // 132: EACCES
        latest(&[b"#!", &repeat(b' ', 254)[..]].concat(), Line::Empty); // 133
        latest(&[b"#!", &repeat(b'x', 253)[..], b"\n"].concat(), runs(&repeat(b'x', 253), None)); // 136
        latest(&[b"#!", &repeat(b'x', 254)[..], b"\n"].concat(), Line::TooLong); // 137
        latest(&[b"#!", &repeat(b'x', 253)[..], b" "].concat(), runs(&repeat(b'x', 253), None)); // 138
        let long = [b"#!/b ", &repeat(b'a', 300)[..], b"\n"].concat();
        latest(&long, runs(b"/b", Some(&repeat(b'a', 250)))); // 139: cut in the argument
        latest(b"#!/b\0/c x\n", runs(b"/b", None)); // 140
        latest(b"#!b\n", runs(b"b", None)); // 143
    }

    #[test]
    fn a_line_has_one_argument() {
        let latest = |file: &[u8], want: Line| check(file, Rules::LATEST, want);
        latest(b"#!/usr/bin/env  python3 -u \t\nrest", runs(b"/usr/bin/env", Some(b"python3 -u")));
        latest(b"#!/b \n", runs(b"/b", None));
        latest(b"#!/b a\0b\n", runs(b"/b", Some(b"a")));
        latest(b"#!/b \0b\n", runs(b"/b", None));
        latest(b"#!/b\n\0", runs(b"/b", None));
        latest(b"#!\0\n", runs(b"", None));
    }

    #[test]
    fn blanks_before_the_end_of_the_buffer() {
        // 253 blanks and the padding: the kernel trims back to the front and finds no name.
        check(&[b"#!", &repeat(b' ', 253)[..]].concat(), Rules::LATEST, Line::Empty);
        check(&[b"#!", &repeat(b' ', 252)[..]].concat(), Rules::LATEST, runs(b"", None));
        check(&[b"#!", &repeat(b' ', 252)[..], b"xy"].concat(), Rules::LATEST, Line::TooLong);
    }

    #[test]
    fn old_kernels_cut_and_new_ones_refuse() {
        let path = [b"#!/", &repeat(b'x', 200)[..], b"\n"].concat();
        check(&path, OLD, runs(&[b"/", &repeat(b'x', 124)[..]].concat(), None));
        check(&path, Rules { truncates: false, ..OLD }, Line::TooLong);
        check(&path, BETWEEN, runs(&[b"/", &repeat(b'x', 200)[..]].concat(), None));
        // The last byte of the old buffer was made NUL: 125 bytes of a name fit.
        let exact = [b"#!", &repeat(b'x', 125)[..], b"\n"].concat();
        check(&exact, OLD, runs(&repeat(b'x', 125), None));
        check(&exact, Rules { truncates: false, ..OLD }, runs(&repeat(b'x', 125), None));
        let over = [b"#!", &repeat(b'x', 126)[..], b"\n"].concat();
        check(&over, OLD, runs(&repeat(b'x', 125), None));
        check(&over, Rules { truncates: false, ..OLD }, Line::TooLong);
    }

    #[test]
    fn no_name_at_the_end_of_the_file() {
        for rules in [OLD, BETWEEN] {
            check(b"#!", rules, Line::EmptyAtEnd);
            check(b"#!  ", rules, Line::EmptyAtEnd);
            check(b"#!\n", rules, Line::Empty);
            check(b"#! \n", rules, Line::Empty);
        }
        check(&[b"#!", &repeat(b' ', 254)[..]].concat(), OLD, Line::Empty);
    }

    #[test]
    fn releases() {
        assert_eq!(Rules::of((3, 10, 14)), OLD);
        assert_eq!(Rules::of((4, 14, 151)), OLD);
        assert_eq!(Rules::of((4, 14, 152)), Rules { truncates: false, ..OLD });
        assert_eq!(Rules::of((4, 9, 198)), OLD);
        assert_eq!(Rules::of((5, 4, 238)), BETWEEN);
        assert_eq!(Rules::of((5, 15, 167)), Rules::LATEST);
        assert_eq!(Rules::of((6, 12, 0)), Rules::LATEST);
    }

    #[test]
    fn no_line_reads_out_of_bounds() {
        let mut seed = 1_u32;
        for _ in 0..20_000 {
            let mut file = b"#!".to_vec();
            for _ in 0..seed % 300 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                file.push(b" \t\n\0ax/"[(seed >> 24) as usize % 7]);
            }
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            for rules in [Rules::LATEST, OLD, BETWEEN] {
                let _ = Script::new(&file).line(rules);
            }
        }
    }
}
