//! The way to a path, as the kernel goes it.

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxFlags, openat2, readlinkat_raw, statx};
use rustix::io::Errno;
use rustix::process::getcwd;

use crate::live::files::PATH_MAX;
use crate::live::here;
use crate::machine::Mount;
use crate::path::{Path, PathBuf, is_below, join};

/// Symbolic links that the kernel follows in one path (linux/namei.h MAXSYMLINKS).
const MOST_LINKS: usize = 40;

/// Of linux/fcntl.h: rustix has it for glibc alone.
const AT_STATX_DONT_SYNC: u32 = 0x4000;

/// Whether it lies on a device with blocks, and the kernel has all of the way to it in memory, so that nobody else is
/// asked (Linux 5.12). Most calls need not read what is mounted then. Older kernels cannot tell: there nobody is thought
/// to have a single folder of the system elsewhere.
pub(super) fn is_on_a_disk(path: &Path) -> bool {
    const SYSTEM: [&[u8]; 5] = [b"/lib", b"/usr/", b"/bin/", b"/sbin/", b"/opt/"];
    let Ok(named) = here(path) else { return true };
    let (flags, cached) = (OFlags::PATH | OFlags::CLOEXEC, ResolveFlags::CACHED);
    let held = match openat2(CWD, &named, flags, Mode::empty(), cached) {
        Ok(held) => held,
        Err(Errno::NOSYS | Errno::INVAL) => {
            return SYSTEM.iter().any(|system| path.as_bytes().starts_with(system));
        }
        Err(_) => return false,
    };
    let known = AtFlags::EMPTY_PATH | AtFlags::from_bits_retain(AT_STATX_DONT_SYNC);
    // FUSE, NFS and file systems in memory have 0 there.
    statx(held, c"", known, StatxFlags::TYPE).is_ok_and(|found| found.stx_dev_major != 0)
}

/// The first of these mounts on the way to a path, symbolic links followed.
pub(super) fn first_of<'a>(path: &Path, remote: &'a [Mount]) -> Option<&'a Mount> {
    let at = |place: &Path| {
        let above = remote.iter().filter(|mount| is_below(place, &mount.point));
        above.max_by_key(|mount| mount.point.as_bytes().len())
    };
    let mut place = PathBuf::from("/");
    if !path.as_bytes().starts_with(b"/") {
        place = PathBuf::from(getcwd(Vec::new()).ok()?.into_bytes());
    }
    // What is still to be walked, its first name last.
    let (mut ahead, mut links) = (names(path.as_bytes()), 0_usize);
    loop {
        if let Some(mount) = at(&place) {
            return Some(mount);
        }
        match &*ahead.pop()? {
            b"." => {}
            b".." => place = parent(&place),
            name => {
                let next = join(&place, Path::new(name));
                // What lies there is not asked for its link, where it may not answer.
                let link = if at(&next).is_some() { None } else { link_of(&next) };
                match link {
                    None => place = next,
                    Some(link) => {
                        links = links.checked_add(1).filter(|links| *links <= MOST_LINKS)?;
                        ahead.extend(names(&link));
                        if link.starts_with(b"/") {
                            place = PathBuf::from("/");
                        }
                    }
                }
            }
        }
    }
}

/// Where a symbolic link leads to.
fn link_of(path: &Path) -> Option<Vec<u8>> {
    let mut link = Vec::with_capacity(PATH_MAX);
    readlinkat_raw(CWD, here(path).ok()?.as_c_str(), spare_capacity(&mut link)).ok()?;
    Some(link)
}

/// Those of a path, the last one first.
fn names(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').rev().filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
}

/// The folder that a resolved one lies in.
fn parent(place: &Path) -> PathBuf {
    let place = place.as_bytes();
    let end = place.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    PathBuf::from(place.get(..end.max(1)).unwrap_or(b"/"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::machine::gather::mounts;

    #[test]
    fn found_on_the_way() {
        let folder = std::env::temp_dir().join(format!("diag-remote-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("far/inner")).unwrap();
        fs::create_dir_all(folder.join("near")).unwrap();
        for (link, target) in [
            ("near/up", "../far/file"),
            ("whole", &*folder.join("far").to_string_lossy()),
            ("twice", "near/up"),
            ("loop", "loop"),
            ("none", "nothing/there"),
            ("dots", "far/../near"),
        ] {
            symlink(target, folder.join(link)).unwrap();
        }
        let point = folder.join("far");
        let line = format!(
            "nas:/v {} nfs4 rw 0 0\n/dev/sda1 {}/inner ext4 rw 0 0\n",
            point.display(),
            point.display()
        );
        let remote = mounts::parse(line.as_bytes());
        let is_found = |path: &str| {
            let path = folder.join(path);
            first_of(Path::new(path.as_os_str().as_bytes()), &remote).is_some()
        };
        for path in [
            "far",
            "far/x",
            "near/up",
            "whole",
            "whole/x/y",
            "twice",
            "near/../far/x",
            "far/inner/x",
            "dots/x",
        ] {
            assert!(is_found(path), "{path}");
        }
        for path in ["near", "near/x", "loop", "none", "farther/x", "near/./x/../y"] {
            assert!(!is_found(path), "{path}");
        }
        fs::remove_dir_all(&folder).unwrap();
        assert!(is_on_a_disk(Path::new("no\0name")));
    }
}
