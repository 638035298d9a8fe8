//! Packages of OpenWrt up to 24.10 (.ipk): the bytes that its `ipkg-build` makes, but for the compression.

use anyhow::{Context, Result};
use tar::{EntryType, Header};

use super::{Entry, Meta};
use crate::pack::gzip;

/// GNU tar fills its archives up to a multiple of this.
const RECORD: usize = 10240;

/// data.tar.gz, which is the same for all architectures.
pub(crate) struct Data {
    packed: Vec<u8>,
}

/// A package, and what an index says of it.
pub(crate) struct Ipk {
    pub(crate) control: String,
    pub(crate) bytes: Vec<u8>,
}

impl Ipk {
    pub(crate) fn new(meta: &Meta, data: &Data) -> Result<Self> {
        let control = control(meta, data.packed.len());
        let file = |path: &str, data: Vec<u8>| Entry { path: path.to_owned(), mode: 0o644, data };
        let control_tar = tree(&[file("control", control.clone().into_bytes())], meta.epoch)?;
        let mut package = Archive::new(meta.epoch);
        package.file(&file("debian-binary", b"2.0\n".to_vec()))?;
        package.file(&file("data.tar.gz", data.packed.clone()))?;
        package.file(&file("control.tar.gz", gzip(&control_tar)?))?;
        Ok(Self { control, bytes: gzip(&package.finish())? })
    }
}

impl Data {
    pub(crate) fn new(files: &[Entry], epoch: u64) -> Result<Self> {
        Ok(Self { packed: gzip(&tree(files, epoch)?)? })
    }
}

/// The fields in the order of OpenWrt's `package-pack.mk`; nothing that is not known is invented.
///
/// One package serves all releases of an architecture, and they differ in what `scripts/ipkg-build` writes as
/// Installed-Size: up to 23.05 the length of data.tar.gz (`stat -c "%s"`), in 24.10 that of the tar in it
/// (`zcat | wc -c`). opkg refuses what needs as much as is free, or more (`verify_pkg_installable`), though jffs2 and
/// ubifs compress what is written. So it is the smaller one, which never keeps out what fits.
fn control(meta: &Meta, installed_size: usize) -> String {
    let url = meta.url.as_ref().map_or(String::new(), |url| format!("URL: {url}\n"));
    format!(
        "Package: {}\nVersion: {}\nLicense: {}\nSection: {}\nSourceDateEpoch: {}\n{url}Architecture: {}\n\
         Installed-Size: {installed_size}\nDescription:  {}\n",
        meta.name, meta.version, meta.license, meta.section, meta.epoch, meta.arch, meta.description
    )
}

/// A tar of a folder, like `tar --format=gnu --numeric-owner --owner=0 --group=0 --sort=name --mtime=@EPOCH -c .`
fn tree(files: &[Entry], epoch: u64) -> Result<Vec<u8>> {
    let mut archive = Archive::new(epoch);
    let folders = super::folders(files);
    let mut members: Vec<(&str, Option<&Entry>)> =
        folders.iter().map(|folder| (folder.as_str(), None)).collect();
    members.extend(files.iter().map(|file| (file.path.as_str(), Some(file))));
    members.sort_by_key(|(path, _)| path.split('/').map(str::to_owned).collect::<Vec<_>>());
    for (path, file) in members {
        match file {
            Some(file) => archive.file(file)?,
            None => archive.folder(path)?,
        }
    }
    Ok(archive.finish())
}

/// A tar in GNU's format.
struct Archive {
    bytes: Vec<u8>,
    epoch: u64,
}

impl Archive {
    fn new(epoch: u64) -> Self {
        Self { bytes: Vec::new(), epoch }
    }

    fn file(&mut self, file: &Entry) -> Result<()> {
        self.member(&format!("./{}", file.path), EntryType::Regular, file.mode, &file.data)
    }

    fn folder(&mut self, path: &str) -> Result<()> {
        let name = if path.is_empty() { "./".to_owned() } else { format!("./{path}/") };
        self.member(&name, EntryType::Directory, 0o755, &[])
    }

    fn member(&mut self, name: &str, kind: EntryType, mode: u32, data: &[u8]) -> Result<()> {
        let mut header = Header::new_gnu();
        // Its own way to set a name drops the dot in front.
        let field = &mut header.as_gnu_mut().context("a header of tar")?.name;
        let room = field.get_mut(..name.len()).with_context(|| format!("{name} is too long for tar"))?;
        room.copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(data.len() as u64);
        header.set_mtime(self.epoch);
        header.set_cksum();
        // GNU tar ends the sum with a NUL and a space.
        let sum = format!("{:06o}\0 ", header.cksum()?);
        header.as_mut_bytes()[148..156].copy_from_slice(sum.as_bytes());
        self.bytes.extend(header.as_bytes());
        self.bytes.extend(data);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        // Two empty blocks are the end.
        self.bytes.resize((self.bytes.len() + 1024).next_multiple_of(RECORD), 0);
        self.bytes
    }
}

#[cfg(test)]
mod tests;
