//! What the kernel gets as its initramfs: the guest's own part, and the files to copy in.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufWriter, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::cpio::{self, Entry, Node};
use super::{Copy, Kernel, busybox, root};
use crate::debian;

/// The first process of a router's initramfs, and of one that is the root itself.
const INIT: &str = include_str!("init.sh");
const PLAIN: &str = include_str!("plain.sh");
/// What runs the commands in the end, and sends what came of them.
const RUN: &str = include_str!("run.sh");

/// What a router's initramfs calls.
const APPLETS: &str = "sh insmod mknod losetup mount find mv rmdir poweroff switch_root";

/// The first process's script with its last part, and with the names of the kernel's wires.
pub(super) fn script(kernel: Kernel, first: &str) -> String {
    let [output, results] = kernel.machine().wires.devices();
    format!("{first}{RUN}").replace("OUTPUT", output).replace("RESULTS", results)
}

/// The guest's own part: BusyBox, the modules, the root, the commands.
pub(super) fn own(kernel: Kernel, commands: &str) -> Result<Vec<Entry>> {
    let mut entries = ["bin", "modules", "root", "lab"].map(Entry::dir).to_vec();
    // In the order of their names.
    for (index, module) in kernel.modules()?.into_iter().enumerate() {
        entries.push(Entry::bytes(&format!("modules/{index:02}.ko"), 0o644, module));
    }
    if kernel.is_router() {
        entries.push(Entry::copy("bin/busybox", 0o755, busybox::file(kernel.arch())?));
        entries.extend(APPLETS.split(' ').map(|name| Entry::link(&format!("bin/{name}"), "busybox")));
        entries.push(Entry::bytes("init", 0o755, INIT));
        entries.push(Entry::copy("rom.squashfs", 0o644, root::squashfs(kernel)?));
    } else {
        entries.extend(
            ["dev", "etc", "mnt", "proc", "sbin", "sys", "usr", "usr/bin", "usr/sbin"].map(Entry::dir),
        );
        entries.push(Entry::copy("bin/busybox", 0o755, debian::busybox(kernel.arch())?));
        entries.push(Entry::link("bin/sh", "busybox"));
        entries.push(Entry::bytes("init", 0o755, script(kernel, PLAIN)));
    }
    entries.push(Entry::bytes("lab/commands", 0o644, commands));
    Ok(entries)
}

/// The files to copy in, where the guest's script expects them: those for /tmp under tmp, others under
/// lab/root. A folder is taken with all that is in it.
pub(super) fn files(files: &[Copy]) -> Result<Vec<Entry>> {
    let mut found = Vec::new();
    for Copy { from, to, owner } in files {
        let inner = to.strip_prefix('/').with_context(|| format!("{to}: not an absolute name"))?;
        let place = if inner.starts_with("tmp/") { inner.to_owned() } else { format!("lab/root/{inner}") };
        let place = place.trim_end_matches('/');
        let from = from.canonicalize().with_context(|| format!("copy {} in", from.display()))?;
        collect(&from, place, *owner, &mut found).with_context(|| format!("copy {} in", from.display()))?;
    }
    let mut folders = BTreeSet::new();
    let named: BTreeSet<&str> = found.iter().map(|entry| entry.name.as_str()).collect();
    for entry in &found {
        let above = Path::new(&entry.name).ancestors().skip(1);
        folders.extend(above.filter_map(Path::to_str).filter(|dir| !dir.is_empty() && !named.contains(dir)));
    }
    Ok(folders.into_iter().map(Entry::dir).collect::<Vec<_>>().into_iter().chain(found).collect())
}

/// A file with its kind and mode; a folder with what is in it.
fn collect(from: &Path, place: &str, owner: u32, found: &mut Vec<Entry>) -> Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    let mode = metadata.permissions().mode() & 0o7777;
    let kind = metadata.file_type();
    let node = if kind.is_dir() {
        Node::Dir
    } else if kind.is_symlink() {
        Node::Link(text(&fs::read_link(from)?)?)
    } else if kind.is_fifo() {
        Node::Fifo
    } else if kind.is_file() {
        Node::Copy(from.to_path_buf())
    } else {
        bail!("{}: neither a file nor a folder, a link or a FIFO", from.display())
    };
    found.push(Entry { name: place.to_owned(), mode, owner, node });
    if kind.is_dir() {
        let mut children = fs::read_dir(from)?.collect::<Result<Vec<_>, _>>()?;
        children.sort_by_key(fs::DirEntry::file_name);
        for child in children {
            let name = text(Path::new(&child.file_name()))?;
            collect(&child.path(), &format!("{place}/{name}"), owner, found)?;
        }
    }
    Ok(())
}

fn text(name: &Path) -> Result<String> {
    Ok(name.to_str().with_context(|| format!("{}: not UTF-8", name.display()))?.to_owned())
}

/// Writes an initramfs of these entries to a file; gives its size.
pub(super) fn write(entries: &[Entry], file: &Path) -> Result<u64> {
    let mut to = BufWriter::new(fs::File::create(file)?);
    cpio::write(entries, &mut to)?;
    to.flush().with_context(|| format!("write {}", file.display()))?;
    Ok(fs::metadata(file)?.len())
}
