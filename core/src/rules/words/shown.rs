//! Values of a finding's text. What came from a file or from a machine is bytes or a path, which have no `Display`:
//! it gets into a text through one of these only, and no control character, hence no line end, gets through.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter, Write as _};

use crate::elf::ByteOrder;
use crate::path::{Path, PathBuf};
use crate::text;

/// What holds bytes that nobody has checked.
pub(in crate::rules) trait Unchecked {
    fn bytes(&self) -> &[u8];
}

impl Unchecked for [u8] {
    fn bytes(&self) -> &[u8] {
        self
    }
}

impl Unchecked for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }
}

impl Unchecked for str {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Unchecked for String {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Unchecked for Path {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Unchecked for PathBuf {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Bytes of any kind, made printable.
pub(crate) struct Shown<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: Unchecked + ?Sized> Display for Shown<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        text::show_short(self.0.bytes(), f)
    }
}

/// Bytes as numbers: "ef bb bf".
pub(in crate::rules) struct Hex<'a>(pub(in crate::rules) &'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let blank = if at == 0 { "" } else { " " };
            write!(f, "{blank}{byte:02x}")?;
        }
        Ok(())
    }
}

/// A path as a word of a shell command.
#[derive(Clone, Copy)]
pub(in crate::rules) struct Quoted<'a>(pub(in crate::rules) &'a Path);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // A router's build has no room for it.
        if !crate::ROUTER && !text::is_printable(self.0.as_bytes()) {
            let dash = if self.0.as_bytes().starts_with(b"-") { "./" } else { "" };
            write!(f, "$'{dash}")?;
            text::show_for_shell(self.0.as_bytes(), f)?;
            return f.write_char('\'');
        }
        let name = text::path(self.0);
        let dash = if name.starts_with('-') { "./" } else { "" };
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(byte);
        let is_plain = !name.is_empty() && name.as_bytes().iter().all(plain);
        let quote = if is_plain { "" } else { "'" };
        write!(f, "{quote}{dash}")?;
        for c in name.chars() {
            match c {
                '\'' => f.write_str("'\\''")?,
                c => f.write_char(c)?,
            }
        }
        f.write_str(quote)
    }
}

/// The first eight of some names: "libc.so.6, libm.so.6".
pub(in crate::rules) fn names(names: &mut dyn Iterator<Item = &[u8]>) -> String {
    list(&mut names.take(8))
}

/// Names in a row: "dsp, dsp2".
pub(in crate::rules) fn list(names: &mut dyn Iterator<Item = &[u8]>) -> String {
    let mut list = String::new();
    for name in names {
        add(&mut list, name);
    }
    list
}

fn add(list: &mut String, name: &[u8]) {
    let comma = if list.is_empty() { "" } else { ", " };
    // A String takes everything.
    let _ = write!(list, "{comma}{}", Shown(name));
}

/// A number of bytes, rounded up: "10.7 MiB".
pub(in crate::rules) struct Size(pub(in crate::rules) u64);

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        text::show_size(self.0, true, f)
    }
}

/// Bytes left on a file system, as BusyBox's `df -h` rounds them.
pub(in crate::rules) struct FreeSpace(pub(in crate::rules) u64);

impl Display for FreeSpace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        text::show_size(self.0, false, f)
    }
}

/// A file's mode: "0644".
pub(in crate::rules) struct Mode(pub(in crate::rules) u32);

impl Display for Mode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// `EI_DATA`: "2 (MSB)".
pub(in crate::rules) struct Data(pub(in crate::rules) ByteOrder);

impl Display for Data {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            ByteOrder::Little => "1 (LSB)",
            ByteOrder::Big => "2 (MSB)",
        })
    }
}
