//! Packages of OpenWrt from 25.12 on (.apk, version 3 of the format), and their index. The fields are numbered as in
//! apk-tools' `apk_adb.h`.

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::adb::{Adb, Block, NULL, SCHEMA_INDEX, SCHEMA_PACKAGE, Stream, Val};
use super::{Entry, Meta};

/// Fields of `pkginfo`.
pub(crate) mod pi {
    pub(crate) const NAME: usize = 1;
    pub(crate) const VERSION: usize = 2;
    pub(crate) const HASHES: usize = 3;
    pub(crate) const DESCRIPTION: usize = 4;
    pub(crate) const ARCH: usize = 5;
    pub(crate) const LICENSE: usize = 6;
    pub(crate) const ORIGIN: usize = 7;
    pub(crate) const URL: usize = 9;
    pub(crate) const BUILD_TIME: usize = 11;
    pub(crate) const INSTALLED_SIZE: usize = 12;
    pub(crate) const FILE_SIZE: usize = 13;
    /// One more than the last.
    pub(crate) const MAX: usize = 22;
}

/// A package's unique identity is that many bytes of a SHA-256.
const UNIQUE_ID: usize = 20;

/// A package, and what an index says of it.
pub(crate) struct Apk {
    stream: Stream,
    installed_size: u64,
    /// The content of the block with the values.
    adb: Vec<u8>,
}

/// A row of the index.
pub(crate) struct Row {
    pub(crate) meta: Meta,
    /// SHA-256 of the package's values, by which apk knows what it downloaded.
    pub(crate) hash: [u8; 32],
    pub(crate) file_size: u64,
    pub(crate) installed_size: u64,
}

impl Apk {
    /// `files` get the list of themselves that OpenWrt's tools expect of every package.
    pub(crate) fn new(meta: &Meta, files: &[Entry]) -> Result<Self> {
        let mut files = files.to_vec();
        let mut list: Vec<String> = files.iter().map(|file| format!("/{}\n", file.path)).collect();
        list.sort();
        files.push(Entry {
            path: format!("lib/apk/packages/{}.list", meta.name),
            mode: 0o644,
            data: list.concat().into_bytes(),
        });
        Self::of_files(meta, &files)
    }

    fn of_files(meta: &Meta, files: &[Entry]) -> Result<Self> {
        let mut adb = Adb::new();
        let mut data = Vec::new();
        let mut paths = Vec::new();
        for (path_index, folder) in (1_u32..).zip(super::folders(files)) {
            let mut values = Vec::new();
            for (file_index, file) in (1_u32..).zip(super::files_in(files, &folder)) {
                values.push(file_value(&mut adb, file, meta.epoch)?);
                if !file.data.is_empty() {
                    let indices = [path_index.to_le_bytes(), file_index.to_le_bytes()].concat();
                    data.push([&indices, &*file.data].concat());
                }
            }
            let fields = [adb.blob(folder.as_bytes())?, acl(&mut adb, 0o755)?, adb.array(&values)?];
            paths.push(adb.object(&fields)?);
        }
        let (mut info, hashes) = info(&mut adb, meta, &[0; UNIQUE_ID])?;
        let installed_size = super::installed_size(files).max(1);
        info[pi::INSTALLED_SIZE - 1] = adb.int(installed_size)?;
        let package = [adb.object(&info)?, adb.array(&paths)?];
        let root = adb.object(&package)?;
        let mut adb = adb.finish(root);
        // The identity is the hash of the values with zeros in its place.
        let id = Sha256::digest(&adb);
        let at = usize::try_from(hashes & 0x0fff_ffff)? + 1;
        adb[at..at + UNIQUE_ID].copy_from_slice(&id[..UNIQUE_ID]);
        let mut stream = Stream::new(SCHEMA_PACKAGE);
        stream.block(Block::Adb, &adb)?;
        for content in data {
            stream.block(Block::Data, &content)?;
        }
        Ok(Self { stream, installed_size, adb })
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        self.stream.compressed()
    }

    /// The package's row of an index.
    pub(crate) fn row(&self, meta: Meta, file_size: usize) -> Row {
        Row {
            meta,
            hash: Sha256::digest(&self.adb).into(),
            file_size: file_size as u64,
            installed_size: self.installed_size,
        }
    }
}

/// Mode and owner, which is root always.
fn acl(adb: &mut Adb, mode: u32) -> Result<Val> {
    let fields = [adb.int(mode.into())?, adb.blob(b"root")?, adb.blob(b"root")?];
    adb.object(&fields)
}

fn file_value(adb: &mut Adb, file: &Entry, epoch: u64) -> Result<Val> {
    let fields = [
        adb.blob(file.name().as_bytes())?,
        acl(adb, file.mode)?,
        adb.int(file.data.len() as u64)?,
        adb.int(epoch)?,
        adb.blob(&Sha256::digest(&file.data))?,
    ];
    adb.object(&fields)
}

/// The fields that a package and its row in the index have in common; the value with the hash apart.
fn info(adb: &mut Adb, meta: &Meta, hash: &[u8]) -> Result<([Val; pi::MAX - 1], Val)> {
    let mut fields = [NULL; pi::MAX - 1];
    for (field, text) in [
        (pi::NAME, meta.name.as_str()),
        (pi::VERSION, &meta.version),
        (pi::DESCRIPTION, &meta.description),
        (pi::ARCH, &meta.arch),
        (pi::LICENSE, &meta.license),
        (pi::ORIGIN, &meta.name),
        (pi::URL, meta.url.as_deref().unwrap_or_default()),
    ] {
        fields[field - 1] = adb.blob(text.as_bytes())?;
    }
    let hashes = adb.blob(hash)?;
    fields[pi::HASHES - 1] = hashes;
    if meta.epoch > 0 {
        fields[pi::BUILD_TIME - 1] = adb.int(meta.epoch)?;
    }
    Ok((fields, hashes))
}

/// `packages.adb`: the index of a folder of packages. It is not signed, so apk wants `--allow-untrusted`.
pub(crate) fn index(rows: &[Row]) -> Result<Vec<u8>> {
    let mut adb = Adb::new();
    let mut packages = Vec::new();
    for row in rows {
        let (mut info, _) = info(&mut adb, &row.meta, &row.hash)?;
        info[pi::INSTALLED_SIZE - 1] = adb.int(row.installed_size)?;
        info[pi::FILE_SIZE - 1] = adb.int(row.file_size)?;
        packages.push(adb.object(&info)?);
    }
    let fields = [NULL, adb.array(&packages)?];
    let root = adb.object(&fields)?;
    let mut stream = Stream::new(SCHEMA_INDEX);
    stream.block(Block::Adb, &adb.finish(root))?;
    stream.compressed()
}

#[cfg(test)]
mod tests;
