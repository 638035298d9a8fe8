//! What was written is read back step by step as apk-tools reads it, and compared with another writer's bytes.

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::super::adb;
use super::*;

/// A file: its blocks, read as apk does.
struct Read3 {
    schema: [u8; 4],
    adb: Vec<u8>,
    data: Vec<Vec<u8>>,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn inflated(file: &[u8]) -> Vec<u8> {
    assert_eq!(&file[..4], b"ADBd");
    let mut stream = Vec::new();
    DeflateDecoder::new(&file[4..]).read_to_end(&mut stream).unwrap();
    stream
}

fn read(stream: &[u8]) -> Read3 {
    assert_eq!(&stream[..4], b"ADB.");
    let mut read = Read3 { schema: stream[4..8].try_into().unwrap(), adb: Vec::new(), data: Vec::new() };
    let mut at = 8;
    while at < stream.len() {
        let head = u32_at(stream, at);
        let size = (head & 0x3fff_ffff) as usize;
        let content = stream[at + 4..at + size].to_vec();
        let end = at + size.next_multiple_of(8);
        assert!(stream[at + size..end].iter().all(|&byte| byte == 0), "padding");
        match head >> 30 {
            0 => {
                assert!(read.adb.is_empty() && read.data.is_empty(), "one block of values, the first");
                read.adb = content;
            }
            2 => read.data.push(content),
            other => panic!("block type {other}"),
        }
        at = end;
    }
    assert_eq!(at, stream.len());
    assert_eq!(read.adb[..4], [0; 4], "versions of the format");
    read
}

impl Read3 {
    fn root(&self) -> Val {
        u32_at(&self.adb, 4)
    }

    /// The offset of a value of a type, which must be aligned and lie within.
    fn offset(&self, value: Val, align: usize) -> usize {
        let at = (value & 0x0fff_ffff) as usize;
        assert!(at >= 8 && at < self.adb.len() && at.is_multiple_of(align), "{value:#x}");
        at
    }

    /// A field of an object or an item of an array; nothing where there are fewer.
    fn slot(&self, value: Val, kind: Val, index: usize) -> Val {
        assert_eq!(value & 0xf000_0000, kind, "{value:#x}");
        let at = self.offset(value, 4);
        if index < u32_at(&self.adb, at) as usize { u32_at(&self.adb, at + 4 * index) } else { NULL }
    }

    fn field(&self, object: Val, index: usize) -> Val {
        self.slot(object, adb::TYPE_OBJECT, index)
    }

    fn items(&self, array: Val) -> Vec<Val> {
        if array == NULL {
            return Vec::new();
        }
        let count = u32_at(&self.adb, self.offset(array, 4)) as usize;
        (1..count).map(|index| self.slot(array, adb::TYPE_ARRAY, index)).collect()
    }

    fn blob(&self, value: Val) -> &[u8] {
        let (start, length) = match value & 0xf000_0000 {
            adb::TYPE_BLOB_8 => {
                let at = self.offset(value, 1);
                (at + 1, self.adb[at] as usize)
            }
            adb::TYPE_BLOB_16 => {
                let at = self.offset(value, 2);
                (at + 2, u16::from_le_bytes(self.adb[at..at + 2].try_into().unwrap()) as usize)
            }
            adb::TYPE_BLOB_32 => {
                let at = self.offset(value, 4);
                (at + 4, u32_at(&self.adb, at) as usize)
            }
            _ if value == NULL => return &[],
            other => panic!("{other:#x} is no blob"),
        };
        &self.adb[start..start + length]
    }

    fn text(&self, value: Val) -> String {
        String::from_utf8(self.blob(value).to_vec()).unwrap()
    }

    fn int(&self, value: Val) -> u64 {
        match value & 0xf000_0000 {
            adb::TYPE_INT => u64::from(value & 0x0fff_ffff),
            adb::TYPE_INT_32 => u64::from(u32_at(&self.adb, self.offset(value, 4))),
            adb::TYPE_INT_64 => {
                let at = self.offset(value, 4);
                u64::from_le_bytes(self.adb[at..at + 8].try_into().unwrap())
            }
            other => panic!("{other:#x} is no number"),
        }
    }

    fn acl(&self, value: Val) -> (u64, String, String) {
        (self.int(self.field(value, 1)), self.text(self.field(value, 2)), self.text(self.field(value, 3)))
    }
}

fn meta(epoch: u64) -> Meta {
    Meta {
        name: "diag".to_owned(),
        version: "0.1.0-r1".to_owned(),
        arch: "mips_24kc".to_owned(),
        description: "d".repeat(300),
        license: "MIT OR Apache-2.0".to_owned(),
        section: "utils".to_owned(),
        url: None,
        epoch,
    }
}

fn files() -> Vec<Entry> {
    let data = (0..300_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    vec![
        Entry { path: "usr/bin/diag".to_owned(), mode: 0o755, data },
        Entry { path: "usr/share/diag/empty".to_owned(), mode: 0o644, data: Vec::new() },
    ]
}

/// The same package as another writer makes it, whose packages apk 3.0.5 verifies and installs.
fn reference() -> Vec<u8> {
    let digits: String = include_str!("reference.hex").lines().collect();
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[test]
fn every_byte_is_the_other_writers() {
    let apk = Apk::new(&meta(0), &files()).unwrap();
    let reference = reference();
    let differs = apk.stream.bytes().iter().zip(&reference).position(|(one, other)| one != other);
    assert_eq!((differs, apk.stream.bytes().len()), (None, reference.len()));
    assert_eq!(inflated(&apk.bytes().unwrap()), reference);
}

#[test]
fn read_back_as_apk_does() {
    // Above 2^28 the number is no longer in the value itself.
    let epoch = 1_795_435_961;
    let apk = Apk::new(&meta(epoch), &files()).unwrap();
    let read = read(&inflated(&apk.bytes().unwrap()));
    assert_eq!(&read.schema, b"pckg");
    let info = read.field(read.root(), 1);
    for (field, expected) in [
        (pi::NAME, "diag"),
        (pi::VERSION, "0.1.0-r1"),
        (pi::DESCRIPTION, &"d".repeat(300)),
        (pi::ARCH, "mips_24kc"),
        (pi::LICENSE, "MIT OR Apache-2.0"),
        (pi::ORIGIN, "diag"),
    ] {
        assert_eq!(read.text(read.field(info, field)), expected, "{field}");
    }
    assert_eq!(read.int(read.field(info, pi::BUILD_TIME)), epoch);

    // The content blocks come in the order of the values, which is how apk matches them.
    let mut contents = read.data.iter();
    let (mut found, mut size) = (Vec::new(), 0);
    for (path_index, path) in (1..).zip(read.items(read.field(read.root(), 2))) {
        assert_eq!(read.acl(read.field(path, 2)), (0o755, "root".to_owned(), "root".to_owned()));
        let folder = read.text(read.field(path, 1));
        for (file_index, file) in (1..).zip(read.items(read.field(path, 3))) {
            let length = read.int(read.field(file, 3));
            assert_eq!(read.int(read.field(file, 4)), epoch);
            let content = if length == 0 {
                &[]
            } else {
                let block = contents.next().unwrap();
                assert_eq!((u32_at(block, 0), u32_at(block, 4)), (path_index, file_index));
                &block[8..]
            };
            assert_eq!(content.len() as u64, length);
            assert_eq!(read.blob(read.field(file, 5)), &Sha256::digest(content)[..]);
            size += length;
            let (mode, user, group) = read.acl(read.field(file, 2));
            assert_eq!((user.as_str(), group.as_str()), ("root", "root"));
            found.push(format!("{mode:o} {folder}/{}", read.text(read.field(file, 1))));
        }
    }
    assert!(contents.next().is_none());
    assert_eq!(found, ["644 lib/apk/packages/diag.list", "755 usr/bin/diag", "644 usr/share/diag/empty"]);
    assert_eq!(&read.data[0][8..], b"/usr/bin/diag\n/usr/share/diag/empty\n");
    assert_eq!(read.int(read.field(info, pi::INSTALLED_SIZE)), size);
    let folders: Vec<String> = read
        .items(read.field(read.root(), 2))
        .into_iter()
        .map(|path| read.text(read.field(path, 1)))
        .collect();
    assert_eq!(
        folders,
        ["", "lib", "lib/apk", "lib/apk/packages", "usr", "usr/bin", "usr/share", "usr/share/diag"]
    );
}

/// Absent, the field is none at all, not an empty text: the other writer's bytes have none either.
#[test]
fn the_home_is_in_package_and_index() {
    for url in [Some("https://example.org/diag"), None] {
        let meta = Meta { url: url.map(str::to_owned), ..meta(7) };
        let apk = Apk::new(&meta, &files()).unwrap();
        let package = read(apk.stream.bytes());
        let index = read(&inflated(&index(&[apk.row(meta, 1000)]).unwrap()));
        let [row] = index.items(index.field(index.root(), 2))[..] else { panic!("not one package") };
        for (found, info) in [(&package, package.field(package.root(), 1)), (&index, row)] {
            let value = found.field(info, pi::URL);
            assert_eq!((value != NULL).then(|| found.text(value)).as_deref(), url);
        }
    }
}

#[test]
fn the_identity_is_the_hash_without_itself() {
    let apk = Apk::new(&meta(7), &files()).unwrap();
    let mut read = read(apk.stream.bytes());
    let value = read.field(read.field(read.root(), 1), pi::HASHES);
    let id = read.blob(value).to_vec();
    let at = read.offset(value, 1) + 1;
    read.adb[at..at + id.len()].fill(0);
    assert_eq!(Sha256::digest(&read.adb)[..20], id);
}

#[test]
fn the_index_names_the_packages() {
    let apk = Apk::new(&meta(7), &files()).unwrap();
    let size = apk.bytes().unwrap().len();
    let read_package = read(apk.stream.bytes());
    let index = read(&inflated(&index(&[apk.row(meta(7), size)]).unwrap()));
    assert_eq!((&index.schema, index.data.len()), (b"indx", 0));
    let packages = index.items(index.field(index.root(), 2));
    let [package] = packages[..] else { panic!("{} packages", packages.len()) };
    assert_eq!(index.text(index.field(package, pi::NAME)), "diag");
    assert_eq!(index.text(index.field(package, pi::ARCH)), "mips_24kc");
    assert_eq!(index.int(index.field(package, pi::FILE_SIZE)), size as u64);
    assert_eq!(index.int(index.field(package, pi::INSTALLED_SIZE)), 300 + 36);
    // With it apk accepts the package it downloaded.
    assert_eq!(index.blob(index.field(package, pi::HASHES)), &Sha256::digest(&read_package.adb)[..]);
}
