//! /proc/mounts.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

use crate::path::{Path, PathBuf, is_below};

use crate::machine::{Fact, Mount, parts, word};
use crate::target::Root;

/// What is mounted.
pub(in crate::machine) fn mounts(root: &dyn Root) -> Fact<Vec<Mount>> {
    const SOURCE: &str = "/proc/mounts";
    let text = root.read(Path::new(SOURCE)).and_then(Result::ok);
    let mounts = text.map(|text| parse(&text)).filter(|mounts| !mounts.is_empty());
    Fact::new(mounts, SOURCE)
}

/// Its file system is on another machine, or behind a process that may hang.
pub fn is_remote(fstype: &[u8]) -> bool {
    const FAMILIES: [&str; 12] =
        ["nfs", "cifs", "smb", "fuse", "autofs", "9p", "ceph", "afs", "coda", "ncpfs", "davfs", "glusterfs"];
    // nfsd is a pseudo file system, and fuseblk (NTFS on a stick) and fusectl are local.
    ![&b"nfsd"[..], b"fuseblk", b"fusectl"].contains(&fstype)
        && FAMILIES.iter().any(|family| fstype.starts_with(family.as_bytes()))
}

/// The file systems that /proc/mounts names.
///
/// Own code, not procfs' parser: that leaves `\040` as it is, loses the order of the options, and gives up the whole
/// list for one name that is no UTF-8.
pub fn parse(text: &[u8]) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for line in parts(text, b'\n') {
        let mut fields = parts(line, b' ');
        let (Some(device), Some(point)) = (fields.next(), fields.next()) else { continue };
        let (Some(fstype), Some(list @ [_, ..])) = (fields.next(), fields.next()) else { continue };
        let mut mount = Mount {
            device: word(&unescape(device)),
            point: PathBuf::from(unescape(point)),
            fstype: word(fstype),
            options: wanted(list),
            remote: is_remote(fstype),
            space: OnceCell::new(),
        };
        mount.remote |=
            mounts.iter().any(|above: &Mount| above.remote && is_below(&mount.point, &above.point));
        // Reports are shown to strangers: no host names, addresses or users.
        if is_remote(fstype) && !mount.device.starts_with("/dev/") {
            mount.device.clone_from(&mount.fstype);
        }
        mounts.push(mount);
    }
    mounts
}

/// Flags, and the values that bear on a program; not `addr=`, `username=` and the rest.
fn wanted(options: &[u8]) -> String {
    let mut wanted = String::new();
    for option in parts(options, b',').filter(|option| is_wanted(option)) {
        if !wanted.is_empty() {
            wanted.push(',');
        }
        wanted.push_str(&word(option));
    }
    wanted
}

fn is_wanted(option: &[u8]) -> bool {
    !option.contains(&b'=')
        || ["size=", "compr=", "compress", "upperdir="].iter().any(|name| option.starts_with(name.as_bytes()))
}

/// The kernel writes a blank as `\040`, a backslash as `\134`...
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        if let [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] = rest {
            out.push((a & 7) << 6 | (b & 7) << 3 | c & 7);
            rest = tail;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn lines() {
        let text = b"rootfs / rootfs rw 0 0\noverlayfs:/overlay / overlay rw,noatime,lowerdir=/,upperdir=/overlay/upper,workdir=/overlay/work 0 0\n\
            /dev/sda1 /mnt/my\\040stick\\134040 vfat rw,noexec,uid=1000 0 0\n//10.0.0.7/share /mnt/nas cifs rw,username=joe,addr=10.0.0.7 0 0\n\
            /dev/sdb1 /mnt/\xe9t\xe9 vfat rw 0 0\nnas:/v /n nfs rw 0 0\nshort line\n\n";
        let mounts = parse(text);
        assert_eq!(mounts.len(), 6);
        assert_eq!(mounts[1].device, "overlayfs:/overlay");
        assert_eq!(mounts[1].options, "rw,noatime,upperdir=/overlay/upper");
        assert_eq!(mounts[2].point, Path::new("/mnt/my stick\\040"));
        assert!(mounts[2].has("noexec"));
        assert_eq!((mounts[3].device.as_str(), mounts[3].options.as_str()), ("cifs", "rw"));
        assert_eq!(mounts[4].point, Path::new(b"/mnt/\xe9t\xe9"));
        assert_eq!(mounts[5].device, "nfs");
        for end in 0..text.len() {
            parse(&text[..end]);
        }
    }

    #[test]
    fn what_may_block() {
        for fstype in ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "autofs", "9p"] {
            assert!(is_remote(fstype.as_bytes()), "{fstype}");
        }
        for fstype in ["fuseblk", "fusectl", "nfsd", "ext4", "overlay", "jffs2"] {
            assert!(!is_remote(fstype.as_bytes()), "{fstype}");
        }
    }
}
