//! Texts that stand for a file, or that a file became on its way: a link, a pointer, an encoding for mail, an answer of a
//! server. A router's build takes them for text.

use alloc::vec::Vec;

use crate::machine::{holds, parts};

/// What a text is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Disguise {
    /// A symbolic link that became a file; where it leads.
    Link(Vec<u8>),
    /// By how it begins.
    Kind(&'static Kind),
}

/// A kind of text.
#[derive(PartialEq, Eq, Debug)]
pub struct Kind {
    /// How it begins.
    begins: &'static [u8],
    /// What it is, behind "is".
    pub what: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// The command that makes a file of it, before its name; empty where there is none.
    pub command: &'static str,
}

const DECODE: &str = "decode it:";
const ITSELF: &str =
    "download the file itself: what the server sent is an answer about it, or an error message";
const BASE64: &str = "base64 -d";

const fn kind(begins: &'static [u8], what: &'static str, fix: &'static str, command: &'static str) -> Kind {
    Kind { begins, what, fix, command }
}

const KINDS: &[Kind] = &[
    // The first bytes of ELF, gzip, xz, zip, and of `#!/`.
    kind(b"f0VMR", "a program in base64", DECODE, BASE64),
    kind(b"H4sI", "a gzip archive in base64", DECODE, BASE64),
    kind(b"IyEv", "a script in base64", DECODE, BASE64),
    kind(
        b"HTTP/",
        "an answer of a web server with its headers",
        "download it without them (curl without -i); -L follows redirections",
        "",
    ),
    kind(b"<Error", "an error message of a server (XML)", ITSELF, ""),
    kind(b"<?xml", "XML, most likely a server's answer", ITSELF, ""),
    kind(b"/Td6WFo", "an xz archive in base64", DECODE, BASE64),
    kind(b"UEsDB", "a zip archive in base64", DECODE, BASE64),
    kind(
        b"data:",
        "a data: address, with the file in base64",
        "decode what stands behind the comma (base64)",
        "",
    ),
    kind(b"begin 6", "a uuencoded file", DECODE, "uudecode"),
    kind(b"begin 7", "a uuencoded file", DECODE, "uudecode"),
    kind(b"begin-base64 ", "a uuencoded file", DECODE, "uudecode"),
    kind(b"=ybegin ", "a yEnc-encoded file", "decode it on the computer", ""),
    kind(b"=7FELF", "a program in quoted-printable, as in a mail", "save the attachment of the mail", ""),
    kind(b"7f454c46", "a program in hexadecimal digits", DECODE, "xxd -r -p"),
    kind(b"7F454C46", "a program in hexadecimal digits", DECODE, "xxd -r -p"),
    kind(b"7f 45 4c 46", "a program in hexadecimal digits", DECODE, "xxd -r -p"),
    kind(b"\\x7f\\x45\\x4c\\x46", "a program in escapes of C", "write the bytes that they stand for", ""),
    kind(b"\\x7fELF", "a program in escapes of C", "write the bytes that they stand for", ""),
    kind(b"00000000: ", "a hex dump", DECODE, "xxd -r"),
    kind(b"00000000  ", "a hex dump (hexdump -C)", "take the file that it is a dump of", ""),
    kind(b"0000000 ", "a dump (od, hexdump)", "take the file that it is a dump of", ""),
    kind(b"MIME-Version:", "a mail", "save its attachment", ""),
    kind(b"Return-Path:", "a mail", "save its attachment", ""),
    kind(b"Received: ", "a mail", "save its attachment", ""),
    kind(b"Content-T", "a part of a mail", "save its attachment", ""),
    kind(
        b"/annex/objects/",
        "a git-annex pointer to a file, not that file",
        "on the computer, in its repository:",
        "git annex get",
    ),
    kind(
        b"outs:\n",
        "a DVC pointer to a file, not that file",
        "on the computer, in its repository:",
        "dvc pull",
    ),
    kind(b"-----BEGIN ", "a key, a certificate or a signature (PEM)", "take the file that it belongs to", ""),
    kind(b"d8:announce", "a torrent, not the file that it describes", "download that file", ""),
    kind(b"[InternetShortcut]", "a shortcut to a web page", "download what it leads to", ""),
    kind(
        b"[Desktop Entry]",
        "a desktop entry, which names a program",
        "start the program of its line Exec=",
        "",
    ),
];
/// What a web server says in place of a file, in small letters.
const ANSWERS: [&[u8]; 12] = [
    b"not found",
    b"404",
    b"403",
    b"500 ",
    b"502 ",
    b"503 ",
    b"forbidden",
    b"access denied",
    b"unauthorized",
    b"bad credentials",
    b"too many requests",
    b"rate limit",
];
static ANSWER: Kind = kind(b"", "an error message of a server", ITSELF, "");
static JSON: Kind = kind(b"", "JSON, most likely a server's answer", ITSELF, "");
static CHECKSUM: Kind = kind(b"", "a list of checksums", "take the file that they are of", "");
static SHORTCUT: Kind = kind(b"", "a Windows shortcut", "take the file that it leads to", "");
static PLAIN_BASE64: Kind = kind(b"", "base64", DECODE, BASE64);
static INTEL_HEX: Kind =
    kind(b"", "a firmware image in hexadecimal digits (Intel HEX)", "it is for a device's own memory", "");
static SREC: Kind =
    kind(b"", "a firmware image in hexadecimal digits (SREC)", "it is for a device's own memory", "");

/// What is no text to everybody.
pub(super) fn of_bytes(head: &[u8]) -> Option<Disguise> {
    if head.starts_with(b"L\0\0\0\x01\x14\x02\0") {
        return Some(Disguise::Kind(&SHORTCUT));
    }
    // Of Cygwin (winsup/cygwin/path.cc: SYMLINK_COOKIE), of Interix and NFS on Windows; the target is UTF-16.
    let target = head.strip_prefix(b"!<symlink>").or_else(|| head.strip_prefix(b"IntxLNK\x01"))?;
    let target = target.strip_prefix(b"\xff\xfe").unwrap_or(target);
    Some(Disguise::Link(target.iter().copied().filter(|byte| *byte != 0).take(256).collect()))
}

/// What a text is; `size`: that of the file.
pub(super) fn of_text(head: &[u8], size: u64) -> Option<Disguise> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if let Some(target) = link(head, size) {
        return Some(Disguise::Link(target.to_vec()));
    }
    if let Some(known) = known(text) {
        return Some(Disguise::Kind(known));
    }
    let line = parts(text, b'\n').next().unwrap_or_default().trim_ascii_end();
    let is_short = size < 256 && parts(text.trim_ascii_end(), b'\n').count() < 3;
    let known = if is_short && ANSWERS.iter().any(|answer| begins(line, answer)) {
        &ANSWER
    } else if is_json(text) {
        &JSON
    } else if is_checksum(line) {
        &CHECKSUM
    } else if line.len() >= 11 && line.strip_prefix(b":").is_some_and(is_hex) {
        &INTEL_HEX
    } else if line.len() >= 10 && line.first() == Some(&b'S') && line.get(1..).is_some_and(is_hex) {
        &SREC
    } else if is_base64(text, line) {
        &PLAIN_BASE64
    } else {
        return None;
    };
    Some(Disguise::Kind(known))
}

fn known(text: &[u8]) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| text.starts_with(kind.begins))
}

fn begins(line: &[u8], word: &[u8]) -> bool {
    line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn is_hex(digits: &[u8]) -> bool {
    digits.iter().all(u8::is_ascii_hexdigit)
}

fn is_json(text: &[u8]) -> bool {
    let (first, rest) = text.split_first().unwrap_or((&0, &[]));
    match (first, rest.trim_ascii_start().first()) {
        (b'{', Some(b'"' | b'}')) => true,
        (b'[', Some(b'{' | b'"')) => rest.first() != Some(&b' '),
        _ => false,
    }
}

/// As md5sum, sha1sum, sha256sum and sha512sum print it.
fn is_checksum(line: &[u8]) -> bool {
    let (sum, rest) = line.split_at(line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count());
    matches!(sum.len(), 32 | 40 | 64 | 128)
        && (rest.is_empty() || rest.starts_with(b"  ") || rest.starts_with(b" *"))
}

/// Lines of one length, as encoders break them, or a single long one.
fn is_base64(text: &[u8], line: &[u8]) -> bool {
    let is_digit =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n');
    let second = parts(text, b'\n').nth(1).map(<[u8]>::trim_ascii_end);
    let is_broken =
        matches!(line.len(), 60 | 64 | 76) && second.is_none_or(|second| second.len() <= line.len());
    let is_mixed = line.iter().any(u8::is_ascii_uppercase) && line.iter().any(u8::is_ascii_digit);
    text.iter().all(is_digit) && is_mixed && (is_broken || line.len() > 128)
}

/// Single words that are an answer.
const WORDS: [&[u8]; 9] =
    [b"null", b"true", b"false", b"error", b"none", b"ok", b"undefined", b"unauthorized", b"forbidden"];

/// Where a link leads that was written as a file: by git without core.symlinks, by unzip on Windows, by SMB.
fn link(head: &[u8], size: u64) -> Option<&[u8]> {
    // fs/smb/client/link.c `parse_mf_symlink`: XSym, length, MD5, the target.
    if head.starts_with(b"XSym\n") {
        return parts(head, b'\n').nth(3).filter(|target| !target.is_empty());
    }
    // A path and nothing else: not even the end of a line.
    let is_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-+/@~".contains(byte);
    if size > 255 || size != head.len() as u64 || head.is_empty() || !head.iter().all(is_path) {
        return None;
    }
    let is_named = head.contains(&b'/') || holds(head, b".so");
    // One word: a program's name, not an answer.
    let is_word =
        head.first().is_some_and(u8::is_ascii_lowercase) && head.len() >= 2 && !WORDS.contains(&head);
    let is_digest = head.len() >= 32 && is_hex(head);
    ((is_named || is_word) && !is_digest && known(head).is_none()).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(text: &[u8]) -> Option<&'static str> {
        match of_text(text, text.len() as u64)? {
            Disguise::Link(_) => Some("link"),
            Disguise::Kind(kind) => Some(kind.what),
        }
    }

    #[test]
    fn links() {
        let target = |bytes: &[u8]| match of_bytes(bytes).or_else(|| of_text(bytes, bytes.len() as u64)) {
            Some(Disguise::Link(target)) => Some(target),
            _ => None,
        };
        for link in ["busybox", "../lib/libfoo.so.1", "/usr/bin/gawk", "libz.so.1.2.13", "vim.basic"] {
            assert_eq!(target(link.as_bytes()).as_deref(), Some(link.as_bytes()));
        }
        assert_eq!(target(b"!<symlink>\xff\xfeb\0b\0\0\0").as_deref(), Some(&b"bb"[..]));
        assert_eq!(target(b"IntxLNK\x01a\0/\0b\0").as_deref(), Some(&b"a/b"[..]));
        assert_eq!(target(b"XSym\n0003\n0123456789abcdef\nbin\n      ").as_deref(), Some(&b"bin"[..]));
        for text in ["busybox\n", "ls -l", "Forbidden", "https://x/y", "true", "a=b", "", "#!/bin/sh"] {
            assert_eq!(target(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn texts_of_programs_and_of_servers() {
        for (text, kind) in [
            ("f0VMRgIBAQAAAAAAAAAAAAIAPgABAAAA\n", "a program in base64"),
            (
                "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\nNTY3ODk=\n",
                "base64",
            ),
            ("begin 755 x\nM?T5,1@(", "a uuencoded file"),
            ("00000000: 7f45 4c46 0201 0100", "a hex dump"),
            (
                ":10010000214601360121470136007EFE09D2190140\n",
                "a firmware image in hexadecimal digits (Intel HEX)",
            ),
            ("S00F000068656C6C6F202020202000003C\n", "a firmware image in hexadecimal digits (SREC)"),
            ("{\"message\":\"Not Found\"}\n", "JSON, most likely a server's answer"),
            ("Not Found", "an error message of a server"),
            ("404: Not Found", "an error message of a server"),
            (
                "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>",
                "XML, most likely a server's answer",
            ),
            ("HTTP/1.1 302 Found\r\nLocation: x\r\n", "an answer of a web server with its headers"),
            ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  x\n", "a list of checksums"),
            ("/annex/objects/SHA256E-s5--1\n", "a git-annex pointer to a file, not that file"),
        ] {
            assert_eq!(what(text.as_bytes()), Some(kind), "{text}");
        }
        for script in
            ["echo hello\n", "{ echo; }\n", "[ -e x ] && y\n", "set -e\nexit 404\n", "ls\n", "export A=b\n"]
        {
            assert_eq!(what(script.as_bytes()), None, "{script}");
        }
    }
}
