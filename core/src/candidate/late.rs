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
    pub number: usize,
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
    /// Other bytes in the same line.
    Bytes,
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

/// What comments begin with.
const COMMENTS: [&[u8]; 8] = [b"#", b"//", b"/*", b" *", b"*", b"--", b";", b"```"];

/// Finds it in the first bytes of a file that does not begin with it.
pub(super) fn find(head: &[u8]) -> Option<LateLine> {
    // Who copies files to a router keeps them in UTF-8.
    let wide = if crate::ROUTER { None } else { utf16(head) };
    let bare = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let (fault, number, line) = if let Some(line) = wide.as_deref().and_then(|text| text.strip_prefix(b"#!"))
    {
        (Fault::Utf16, 1, line)
    } else if let Some(line) = bare.strip_prefix(b"#!") {
        (Fault::Mark, 1, line)
    } else if let Some(line) = head.trim_ascii_start().strip_prefix(b"#!") {
        let front = head.len().saturating_sub(line.len());
        let lines = head.iter().take(front).filter(|byte| **byte == b'\n').count();
        let fault = if lines == 0 { Fault::Blanks } else { Fault::EmptyLines };
        (fault, lines.saturating_add(1), line)
    } else {
        first_line(bare).or_else(|| behind_comments(head))?
    };
    let line = cut_bytes(line, b'\n').map_or(line, |(line, _)| line);
    let line = line.get(..256).unwrap_or(line).to_vec();
    let front = head.get(..8).unwrap_or(head).to_vec();
    Some(LateLine { fault, number, front, line })
}

/// Whether it names a program, as what stands behind `#!` does.
fn names_one(path: &[u8]) -> bool {
    FOLDERS.iter().any(|folder| path.trim_ascii_start().starts_with(folder))
}

/// A first line that lacks one of the two, or has something between them.
fn first_line(text: &[u8]) -> Option<(Fault, usize, &[u8])> {
    let (fault, line) = if let Some(line) = text.strip_prefix(b"!") {
        (Fault::NoHash, line)
    } else {
        let comment = text.strip_prefix(b"#")?;
        match comment.trim_ascii_start().strip_prefix(b"!") {
            Some(line) => (Fault::Parted, line),
            // What has a blank there is a comment about a program.
            None if comment.starts_with(b"/") => (Fault::NoBang, comment),
            None => return None,
        }
    };
    names_one(line).then_some((fault, 1, line))
}

/// One that is not at the front of the first line, or that follows it and comments.
fn behind_comments(head: &[u8]) -> Option<(Fault, usize, &[u8])> {
    let mut number: usize = 1;
    let mut left = head;
    loop {
        let (line, rest) = cut_bytes(left, b'\n').unwrap_or((left, &[]));
        let at = line.windows(2).position(|two| two == b"#!");
        let most = if number == 1 { 8 } else { 0 };
        if let Some(at) = at.filter(|at| *at <= most) {
            let line = line.get(at.saturating_add(2)..).unwrap_or_default();
            if names_one(line) {
                return Some((if number == 1 { Fault::Bytes } else { Fault::Lines }, number, line));
            }
        }
        // A script within a script is none of its own.
        let mut marks = COMMENTS.iter();
        let goes_on = number == 1 || line.trim_ascii().is_empty() || marks.any(|mark| line.starts_with(mark));
        if !goes_on || rest.is_empty() {
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
    fn check(head: &[u8], want: Option<(Fault, usize, &[u8])>) {
        let found = find(head);
        let found = found.as_ref().map(|late| (late.fault, late.number, late.program()));
        assert_eq!(found, want);
    }

    #[test]
    fn what_stands_before_it() {
        check(b"\xef\xbb\xbf#!/usr/bin/python3\nprint()\n", Some((Fault::Mark, 1, b"/usr/bin/python3")));
        if !crate::ROUTER {
            check(b"\xff\xfe#\0!\0/\0b\0i\0n\0/\0s\0h\0\n\0", Some((Fault::Utf16, 1, b"/bin/sh")));
            check(b"\xfe\xff\0#\0!\0/\0b\0i\0n\0/\0s\0h\0\n", Some((Fault::Utf16, 1, b"/bin/sh")));
            check(b"\0#\0!\0/\0b\0i\0n\0/\0s\0h", Some((Fault::Utf16, 1, b"/bin/sh")));
        }
        check(b" \t#!/bin/sh -e\n", Some((Fault::Blanks, 1, b"/bin/sh")));
        check(b"\r\n \n#! /usr/bin/env bash\r\n", Some((Fault::EmptyLines, 3, b"bash")));
        check(b"#----\n# licence\n\n#!/usr/bin/env -S FOO=1 bash -x\n", Some((Fault::Lines, 4, b"bash")));
        check(b"bash\n#!/bin/bash\necho\n", Some((Fault::Lines, 2, b"/bin/bash")));
        check(b"!/usr/bin/env bash\n", Some((Fault::NoHash, 1, b"bash")));
        check(b"#/bin/sh\n", Some((Fault::NoBang, 1, b"/bin/sh")));
        check(b"# !/bin/sh\n", Some((Fault::Parted, 1, b"/bin/sh")));
        check(b"\\#!/bin/sh\n", Some((Fault::Bytes, 1, b"/bin/sh")));
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
