//! A `#!` that is not the first two bytes of its file.

use alloc::vec::Vec;

use super::env;
use crate::text::cut_bytes;

/// Such a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LateLine {
    /// What keeps it from counting.
    pub fault: Fault,
    /// Its number, from 1 on.
    pub number: u32,
    /// The first bytes of the file, eight at most.
    pub front: Vec<u8>,
    /// What follows `#!`, at most 256 bytes.
    pub line: Vec<u8>,
}

/// What keeps a `#!` from being the first two bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A byte order mark of UTF-8.
    Mark,
    /// Two bytes for each letter.
    Utf16,
    /// Blanks or tabs.
    Blanks,
    /// Empty lines, perhaps with blanks.
    EmptyLines,
    /// Other bytes in the same line, so many.
    Bytes(u32),
    /// Lines that are comments, or one of whatever kind.
    Lines,
    /// `!/bin/sh`.
    NoHash,
    /// `#/bin/sh`.
    NoBang,
    /// `# !/bin/sh`.
    Parted,
}

/// Where interpreters are: a `#` before anything else is a comment.
const FOLDERS: [&[u8]; 5] = [b"/bin/", b"/usr/", b"/opt/", b"/system/bin/", b"/sbin/"];

/// Finds it in the first bytes of a file that does not begin with it.
pub(super) fn find(head: &[u8]) -> Option<LateLine> {
    let found = |fault, number, line: &[u8]| {
        let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
        let line = line.get(..end.min(256)).unwrap_or_default();
        let front = head.get(..8).unwrap_or(head).to_vec();
        Some(LateLine { fault, number, front, line: line.to_vec() })
    };
    let bare = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if bare.len() < head.len() {
        if let Some(line) = bare.strip_prefix(b"#!") {
            return found(Fault::Mark, 1, line);
        }
    }
    if let Some(line) = utf16(head).as_deref().and_then(|text| text.strip_prefix(b"#!")) {
        return found(Fault::Utf16, 1, line);
    }
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    let start = head.iter().position(|byte| !blank(byte))?;
    let (front, rest) = head.split_at_checked(start)?;
    if let Some(line) = rest.strip_prefix(b"#!").filter(|_| start > 0) {
        let lines = front.split(|byte| *byte == b'\n').count().saturating_sub(1);
        let fault = if lines == 0 { Fault::Blanks } else { Fault::EmptyLines };
        return found(fault, u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1), line);
    }
    let names_one = |path: &[u8]| FOLDERS.iter().any(|folder| path.starts_with(folder));
    let after_blanks =
        |text: &'_ [u8]| text.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(text.len());
    let trimmed = |text| -> &[u8] { <[u8]>::get(text, after_blanks(text)..).unwrap_or_default() };
    if let Some(line) = bare.strip_prefix(b"!").filter(|line| names_one(trimmed(line))) {
        return found(Fault::NoHash, 1, line);
    }
    if let Some(line) = bare.strip_prefix(b"#") {
        if names_one(line) {
            return found(Fault::NoBang, 1, line);
        }
        if let Some(line) = trimmed(line).strip_prefix(b"!").filter(|line| names_one(trimmed(line))) {
            return found(Fault::Parted, 1, line);
        }
    }
    let mut number: u32 = 1;
    let mut left = head;
    loop {
        let (line, rest) = cut_bytes(left, b'\n').unwrap_or((left, &[]));
        let at = line.windows(2).position(|two| two == b"#!");
        let names =
            at.and_then(|at| line.get(at.saturating_add(2)..)).filter(|path| names_one(trimmed(path)));
        match (names, at) {
            (Some(names), Some(at)) if number == 1 && at <= 8 => {
                return found(Fault::Bytes(u32::try_from(at).unwrap_or(u32::MAX)), 1, names);
            }
            (Some(names), Some(0)) if number > 1 => return found(Fault::Lines, number, names),
            _ => {}
        }
        // A script within a script is none of its own.
        let is_comment = [&b"#"[..], b"//", b"/*", b" *", b"*", b"--", b";", b"```", b"\r"]
            .iter()
            .any(|mark| line.starts_with(mark));
        if (number > 1 && !is_comment && !line.trim_ascii().is_empty()) || rest.is_empty() {
            return None;
        }
        left = rest;
        number = number.saturating_add(1);
    }
}

/// The letters of a text with two bytes for each, where its first are such.
fn utf16(head: &[u8]) -> Option<Vec<u8>> {
    let odd = match head {
        [0xff, 0xfe, b'#', 0, ..] | [b'#', 0, b'!', 0, ..] => 0,
        [0xfe, 0xff, 0, b'#', ..] | [0, b'#', 0, b'!', ..] => 1,
        _ => return None,
    };
    let mark = usize::from(matches!(head, [0xff | 0xfe, ..])).saturating_mul(2);
    Some(head.get(mark..)?.chunks_exact(2).filter_map(|two| two.get(odd)).copied().collect())
}

impl LateLine {
    /// The program that the script is for: the interpreter, or what env is to start.
    pub fn program(&self) -> &[u8] {
        env::program_of(&self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &[u8], want: Option<(Fault, u32, &[u8])>) {
        let found = find(head);
        let found = found.as_ref().map(|late| (late.fault, late.number, late.program()));
        assert_eq!(found, want);
    }

    #[test]
    fn what_stands_before_it() {
        check(b"\xef\xbb\xbf#!/usr/bin/python3\nprint()\n", Some((Fault::Mark, 1, b"/usr/bin/python3")));
        check(b"\xff\xfe#\0!\0/\0b\0i\0n\0/\0s\0h\0\n\0", Some((Fault::Utf16, 1, b"/bin/sh")));
        check(b"\xfe\xff\0#\0!\0/\0b\0i\0n\0/\0s\0h\0\n", Some((Fault::Utf16, 1, b"/bin/sh")));
        check(b"\0#\0!\0/\0b\0i\0n\0/\0s\0h", Some((Fault::Utf16, 1, b"/bin/sh")));
        check(b" \t#!/bin/sh -e\n", Some((Fault::Blanks, 1, b"/bin/sh")));
        check(b"\r\n \n#! /usr/bin/env bash\r\n", Some((Fault::EmptyLines, 3, b"bash")));
        check(b"#----\n# licence\n\n#!/usr/bin/env -S FOO=1 bash -x\n", Some((Fault::Lines, 4, b"bash")));
        check(b"bash\n#!/bin/bash\necho\n", Some((Fault::Lines, 2, b"/bin/bash")));
        check(b"!/usr/bin/env bash\n", Some((Fault::NoHash, 1, b"bash")));
        check(b"#/bin/sh\n", Some((Fault::NoBang, 1, b"/bin/sh")));
        check(b"# !/bin/sh\n", Some((Fault::Parted, 1, b"/bin/sh")));
        check(b"\\#!/bin/sh\n", Some((Fault::Bytes(1), 1, b"/bin/sh")));
    }

    #[test]
    fn other_texts_have_none() {
        for text in [
            &b""[..],
            b"echo\n",
            b"# a comment\necho '#!'\n",
            b"cat > x <<END\necho\n#!/bin/sh\nEND\n",
            b"#//////\n",
            b"a text about #!/bin/sh\n",
            b"# see !important\n",
            b"\xef\xbb\xbfecho\n",
        ] {
            check(text, None);
        }
    }
}
