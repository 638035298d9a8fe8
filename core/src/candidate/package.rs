//! Package files: .ipk, .apk and .deb, with the architecture they are for. Nothing is decompressed: what lies in a
//! compressed part is taken from the file's name, or is unknown.

use alloc::string::String;

use super::last_name;
use super::reader::Reader;
use crate::elf::ByteOrder;
use crate::machine::parts;
use crate::path::Path;
use crate::text::{self, cut_bytes};

/// A package file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// What kind.
    pub format: Format,
    /// Its name, where it could be read.
    pub name: Option<String>,
    /// The architecture field, where it could be read: "mipsel_24kc", "all", "armhf".
    pub arch: Option<String>,
}

/// A package format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// opkg: a gzipped tar with debian-binary, control.tar.gz, data.tar.gz.
    Ipk,
    /// apk version 2: gzipped tars with .PKGINFO.
    Apk2,
    /// apk version 3: ADB.
    Apk3,
    /// Debian: ar with debian-binary.
    Deb,
    /// RPM.
    Rpm,
}

/// The package format of a file, by its first bytes, and by its name where those say no more than "gzip".
pub(super) fn format(head: &[u8], path: &Path) -> Option<Format> {
    let ends = |end: &[u8]| {
        let name = path.as_bytes();
        let from = name.len().saturating_sub(end.len());
        name.get(from..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    if head.starts_with(b"ADB") && matches!(head.get(3), Some(b'.' | b'd' | b'c')) {
        return Some(Format::Apk3);
    }
    if head.starts_with(b"\xed\xab\xee\xdb") {
        return Some(Format::Rpm);
    }
    if head.starts_with(b"!<arch>\ndebian-binary") {
        // opkg takes either.
        return Some(if ends(b".ipk") { Format::Ipk } else { Format::Deb });
    }
    if head.starts_with(b"\x1f\x8b") {
        // gzip keeps the name of what it packed, where it was a file.
        let stored = if head.get(3).is_some_and(|flags| flags & 0x0c == 8) { head.get(10..) } else { None };
        let stored = parts(stored.unwrap_or(&[]), 0).next().unwrap_or(&[]);
        if ends(b".ipk") || stored.ends_with(b".ipk") {
            return Some(Format::Ipk);
        }
        if ends(b".apk") {
            return Some(Format::Apk2);
        }
    }
    None
}

/// A package with what its file's name tells: NAME_VERSION_ARCH.ipk and .deb, NAME-VERSION.apk,
/// NAME-VERSION-RELEASE.ARCH.rpm.
pub(super) fn named(format: Format, path: &Path) -> Package {
    let mut package = Package { format, name: None, arch: None };
    let (_, file) = last_name(path.as_bytes());
    let stem = cut_last(file).map(|(stem, _)| stem).filter(|stem| !stem.is_empty()).unwrap_or(file);
    // A version begins with a digit.
    let separator = if matches!(format, Format::Ipk | Format::Deb) { b'_' } else { b'-' };
    let digit = |pair: &[u8]| matches!(pair, [s, b'0'..=b'9'] if *s == separator);
    let at = stem.windows(2).position(digit);
    let (name, version) = at.and_then(|at| stem.split_at_checked(at)).unwrap_or_default();
    let behind = |part| cut_bytes(part, separator).map(|(_, behind)| behind);
    let arch = match format {
        Format::Ipk | Format::Deb => behind(version).and_then(behind),
        Format::Apk2 | Format::Apk3 => None,
        Format::Rpm => cut_last(stem).map(|(_, arch)| arch),
    };
    let field = |bytes: &[u8]| (!bytes.is_empty()).then(|| text::printable(bytes));
    package.name = field(name);
    package.arch = field(arch.unwrap_or_default());
    package
}

/// What stands before the last dot of a name, and what after it.
fn cut_last(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let (stem, end) = name.split_at_checked(name.iter().rposition(|byte| *byte == b'.')?)?;
    Some((stem, end.get(1..)?))
}

/// Where the first block of an apk v3 package begins: behind "ADB.", the schema "pckg" and the block's size.
const BODY: usize = 12;

/// Reads name and architecture of an uncompressed apk v3 package.
pub(super) fn read_adb(package: &mut Package, reader: &mut Reader<'_>) {
    if reader.bytes_at(0, 8) != Some(b"ADB.pckg") {
        return;
    }
    // 4 bytes of the block's own header, then the root object.
    let Some(root) = word(reader, 4) else { return };
    let Some(info) = slot(reader, root, 1) else { return };
    if let Some(name) = blob(reader, info, 1) {
        package.name = Some(name);
    }
    package.arch = blob(reader, info, 5);
}

fn word(reader: &mut Reader<'_>, at: usize) -> Option<usize> {
    let bytes = reader.next_at(BODY.checked_add(at)?, 4, 256)?;
    usize::try_from(ByteOrder::Little.u32(bytes, 0)).ok()
}

/// The field of an object: a tagged offset. Slot 0 is the number of slots.
fn slot(reader: &mut Reader<'_>, object: usize, index: usize) -> Option<usize> {
    let at = object & 0x0fff_ffff;
    if object >> 28 != 14 || word(reader, at)? <= index {
        return None;
    }
    word(reader, at.checked_add(index.checked_mul(4)?)?)
}

/// A field that is a text of up to 255 bytes.
fn blob(reader: &mut Reader<'_>, object: usize, index: usize) -> Option<String> {
    let field = slot(reader, object, index)?;
    if field >> 28 != 8 {
        return None;
    }
    let at = BODY.checked_add(field & 0x0fff_ffff)?;
    let len = usize::from(*reader.next_at(at, 1, 256)?.first()?);
    reader.next_at(at.checked_add(1)?, len, 256).map(text::printable)
}

#[cfg(test)]
mod tests {
    use alloc::rc::Rc;
    use alloc::string::{String, ToString as _};
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::candidate::file::Held;
    use crate::candidate::reader::Contents;
    use crate::errno::Errno;
    use crate::target::ReadAt;

    struct Bytes(Vec<u8>);

    impl ReadAt for Bytes {
        fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
            Ok(self.0.iter().skip(usize::try_from(offset).unwrap()).take(len).copied().collect())
        }
    }

    fn parts(format: Format, path: &str) -> (Option<String>, Option<String>) {
        let package = named(format, Path::new(path));
        (package.name, package.arch)
    }

    #[test]
    fn file_names_tell_name_and_architecture() {
        let some = |text: &str| Some(text.to_string());
        let ipk = |path| parts(Format::Ipk, path);
        assert_eq!(ipk("/tmp/diag_0.1.0-1_mipsel_24kc.ipk"), (some("diag"), some("mipsel_24kc")));
        assert_eq!(ipk("py_thing_1.0-r1_all.ipk"), (some("py_thing"), some("all")));
        assert_eq!(ipk("diag_0.1.0.ipk"), (some("diag"), None));
        assert_eq!(ipk("diag.ipk"), (None, None));
        assert_eq!(ipk(".."), (None, None));
        assert_eq!(parts(Format::Deb, "hello_2.10-3_amd64.deb"), (some("hello"), some("amd64")));
        assert_eq!(parts(Format::Apk3, "luci-app-x-26.1-r2.apk"), (some("luci-app-x"), None));
        assert_eq!(parts(Format::Rpm, "hello-2.12-1.fc40.aarch64.rpm"), (some("hello"), some("aarch64")));
    }

    #[test]
    fn formats() {
        let format = |head: &[u8], path: &str| format(head, Path::new(path));
        assert_eq!(format(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "a.ipk"), Some(Format::Ipk));
        assert_eq!(format(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "a.tar.gz"), None);
        assert_eq!(format(b"\x1f\x8b\x08\x08\0\0\0\0\0\x03a.ipk\0", "download"), Some(Format::Ipk));
        assert_eq!(format(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "a.APK"), Some(Format::Apk2));
        assert_eq!(format(b"ADBd\xed", "x"), Some(Format::Apk3));
        assert_eq!(format(b"!<arch>\ndebian-binary   ", "x"), Some(Format::Deb));
        assert_eq!(format(b"!<arch>\ndebian-binary   ", "x.ipk"), Some(Format::Ipk));
        assert_eq!(format(b"!<arch>\nfoo.o/", "x.deb"), None);
        assert_eq!(format(b"\xed\xab\xee\xdb\x03", "x"), Some(Format::Rpm));
    }

    #[test]
    fn an_uncompressed_adb() {
        // Blobs, then pkginfo (name in slot 1, arch in slot 5), then the root object.
        let mut adb = vec![0; 8];
        adb.extend(b"\x04diag\x0bmipsel_24kc");
        adb.resize(28, 0);
        for word in [6, 0x8000_0008, 0, 0, 0, 0x8000_000d, 2, 0xe000_001c] {
            adb.extend(u32::to_le_bytes(word));
        }
        adb[4..8].copy_from_slice(&0xe000_0034_u32.to_le_bytes());
        let mut file = b"ADB.pckg".to_vec();
        file.extend(u32::to_le_bytes(4 + u32::try_from(adb.len()).unwrap()));
        file.extend(&adb);
        for len in 0..=file.len() {
            let mut package = named(Format::Apk3, Path::new("x.apk"));
            let contents =
                Contents::new(Path::new(""), Rc::new(Bytes(file[..len].to_vec())), Held::default());
            read_adb(&mut package, &mut Reader::headers(&contents));
            let found = (package.name.as_deref(), package.arch.as_deref());
            assert_eq!(found == (Some("diag"), Some("mipsel_24kc")), len == file.len(), "{len}");
        }
    }
}
