//! Windows. Its paths are 16-bit units; here they are the bytes that std keeps them as (WTF-8), with `/` between the names.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::fs::FileExt as _;
use std::path;

use crate::path::{Path, PathBuf};
use crate::target::{FileKind, Stat};

/// What stands before a path that Windows does not look into.
const VERBATIM: &[u8] = br"\\?\";

/// An argument with `/` for `\`: the name of a file is what stands behind the last one.
pub(super) fn argument(argument: OsString) -> OsString {
    own(&slashes(argument.into_encoded_bytes()))
}

fn slashes(mut bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(VERBATIM) {
        bytes.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
    }
    bytes
}

/// A path of this computer, as a target has them.
pub fn target_path(path: &path::Path) -> PathBuf {
    PathBuf::from(slashes(path.as_os_str().as_encoded_bytes().to_vec()))
}

/// And back.
pub fn own_path(path: &Path) -> path::PathBuf {
    path::PathBuf::from(own(path.as_bytes()))
}

/// What std keeps as these bytes; U+FFFD for what it keeps nothing as.
fn own(bytes: &[u8]) -> OsString {
    let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        // A half of a surrogate pair that stands alone, as a name may have it.
        if let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, behind @ ..] = rest {
            units.push(0xd000 | u16::from(*second & 0x3f) << 6 | u16::from(*third & 0x3f));
            rest = behind;
            continue;
        }
        let Some(chunk) = rest.utf8_chunks().next() else { break };
        units.extend(chunk.valid().encode_utf16());
        rest = rest.get(chunk.valid().len()..).unwrap_or_default();
        if !rest.is_empty() && !matches!(rest, [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..]) {
            units.push(0xfffd);
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    OsString::from_wide(&units)
}

/// Where a folder of this computer keeps an absolute path of another; None for a name that no file can have here. `\` and `:`
/// would lead elsewhere; of all other names the root's `\\?\` says that they stand for files (`NUL` would be a device).
pub(crate) fn inside(root: &path::Path, path: &Path) -> Option<path::PathBuf> {
    let mut place = root.canonicalize().ok()?;
    for name in path.as_bytes().split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => return None,
            name if name.iter().any(|byte| matches!(byte, b'\\' | b':' | ..0x20)) => return None,
            name => place.push(own(name)),
        }
    }
    Some(place)
}

/// There are no modes: whoever copies a program to a router says there that it may be run. Which files are one and the same
/// std does not tell yet: two paths are two files.
pub(super) fn stat_of(place: &path::Path, found: &Metadata) -> Stat {
    let kind = match found.file_type() {
        kind if kind.is_file() => FileKind::Regular,
        kind if kind.is_dir() => FileKind::Directory,
        _ => FileKind::CharDevice,
    };
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    let inode = hasher.finish();
    Stat { kind, mode: 0o755, size: found.len(), device: 0, inode, owner: None, group: None }
}

pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(bytes, offset)
}

/// Windows Terminal, and what sets TERM, know colours; an old console prints them.
pub(super) fn is_terminal() -> bool {
    let knows = |name| std::env::var_os(name).is_some();
    io::stdout().is_terminal() && (knows("WT_SESSION") || knows("TERM"))
}

/// By std, which has a console show UTF-8.
pub(super) fn write_stdout(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text)?;
    stdout.flush()
}
