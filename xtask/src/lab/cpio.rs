//! The initramfs: a cpio archive ("newc", the kernel's Documentation/driver-api/early-userspace/
//! buffer-format.rst), written here because neither the user's ids nor the clock may get into it.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};

/// What lies under a name.
#[derive(Clone, Hash)]
pub(super) enum Node {
    Dir,
    Link(String),
    Bytes(Vec<u8>),
    /// The bytes of a file of this computer.
    Copy(PathBuf),
    Fifo,
}

/// A file of the guest: its name without a leading slash, its permissions, its owner (and group), its content.
#[derive(Clone, Hash)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) mode: u32,
    pub(super) owner: u32,
    pub(super) node: Node,
}

impl Entry {
    pub(super) fn dir(name: &str) -> Self {
        Self { name: name.to_owned(), mode: 0o755, owner: 0, node: Node::Dir }
    }

    pub(super) fn link(name: &str, to: &str) -> Self {
        Self { name: name.to_owned(), mode: 0o777, owner: 0, node: Node::Link(to.to_owned()) }
    }

    pub(super) fn bytes(name: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.to_owned(), mode, owner: 0, node: Node::Bytes(bytes.into()) }
    }

    pub(super) fn copy(name: &str, mode: u32, from: impl Into<PathBuf>) -> Self {
        Self { name: name.to_owned(), mode, owner: 0, node: Node::Copy(from.into()) }
    }
}

/// Writes the archive. A folder must stand before what is in it.
pub(super) fn write(entries: &[Entry], to: &mut impl Write) -> Result<()> {
    for (index, entry) in entries.iter().enumerate() {
        let inode = u32::try_from(index).context("more than 4 billion files")? + 1;
        write_entry(inode, entry, to).with_context(|| format!("put {} into the initramfs", entry.name))?;
    }
    header(0, 0, &Entry::bytes("TRAILER!!!", 0, ""), 0, to)?;
    Ok(())
}

fn write_entry(inode: u32, entry: &Entry, to: &mut impl Write) -> Result<()> {
    const DIR: u32 = 0o040_000;
    const FILE: u32 = 0o100_000;
    const LINK: u32 = 0o120_000;
    const FIFO: u32 = 0o010_000;
    match &entry.node {
        Node::Dir => header(inode, DIR, entry, 0, to)?,
        Node::Fifo => header(inode, FIFO, entry, 0, to)?,
        Node::Link(target) => body(inode, LINK, entry, target.as_bytes(), to)?,
        Node::Bytes(bytes) => body(inode, FILE, entry, bytes, to)?,
        Node::Copy(path) => {
            let mut file = File::open(path).with_context(|| format!("open {}", path.display()))?;
            let size = file.metadata()?.len();
            header(inode, FILE, entry, u32::try_from(size)?, to)?;
            let copied = io::copy(&mut file, to)?;
            anyhow::ensure!(copied == size, "{} changed while it was read", path.display());
            pad(copied, to)?;
        }
    }
    Ok(())
}

fn body(inode: u32, kind: u32, entry: &Entry, bytes: &[u8], to: &mut impl Write) -> Result<()> {
    header(inode, kind, entry, u32::try_from(bytes.len())?, to)?;
    to.write_all(bytes)?;
    pad(bytes.len() as u64, to)?;
    Ok(())
}

fn header(inode: u32, kind: u32, entry: &Entry, size: u32, to: &mut impl Write) -> Result<()> {
    const NO_TIME: u32 = 0;
    const NO_DEVICES: [u32; 4] = [0; 4];
    let name = &entry.name;
    let name_size = u32::try_from(name.len())? + 1;
    write!(to, "070701")?;
    let links = 1;
    let before = [inode, kind | entry.mode, entry.owner, entry.owner, links, NO_TIME, size];
    for field in before.iter().chain(&NO_DEVICES).chain(&[name_size, 0]) {
        write!(to, "{field:08x}")?;
    }
    write!(to, "{name}\0")?;
    pad(110 + u64::from(name_size), to)?;
    Ok(())
}

/// Fills up to a multiple of four.
fn pad(written: u64, to: &mut impl Write) -> io::Result<()> {
    let missing = (4 - written % 4) % 4;
    to.write_all(&[0; 3][..usize::try_from(missing).unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_and_body_starts_at_a_multiple_of_four() {
        let mut archive = Vec::new();
        write(&[Entry::dir("a"), Entry::bytes("a/b", 0o644, "hello")], &mut archive).unwrap();
        let starts: Vec<usize> =
            archive.windows(6).enumerate().filter(|(_, w)| w == b"070701").map(|(at, _)| at).collect();
        assert_eq!(starts, [0, 112, 236]);
        assert_eq!(archive.len() % 4, 0);
        assert!(archive[112..].starts_with(b"070701000000020000"));
    }
}
