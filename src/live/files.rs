//! Files of this machine: what they are, opened without a risk, and what they lie on.

use std::cell::RefCell;
use std::ffi::{CStr, CString, OsStr, c_int, c_long};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path;

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::libc;
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};
use nix::sys::statfs::{Statfs, fstatfs, statfs};
use nix::sys::statvfs::statvfs;
use rustix::buffer::spare_capacity;
use rustix::fs::{RawDir, readlinkat_raw};
use rustix::io::pread;

use super::errno::{of_nix, of_raw};
use crate::errno::Errno;
use crate::path::{Path as TargetPath, PathBuf as TargetPathBuf};
use crate::target::{FileCapabilities, FileKind, Known, PROC_SUPER_MAGIC, ReadAt, Space, Stat, is_pseudo};

/// Of a path, with its NUL: limits.h.
pub(super) const PATH_MAX: usize = 4096;

/// What is known of the devices (st_dev) that files lay on: whether the kernel makes their files up. One statfs(2) each.
#[derive(Debug, Default)]
pub(super) struct Devices(RefCell<Vec<(u64, bool)>>);

impl Devices {
    /// stat(2).
    pub(super) fn stat(&self, path: &CStr) -> Result<Stat, Errno> {
        // Nothing is mounted because a file names it.
        let found = fstatat(AT_FDCWD, path, AtFlags::AT_NO_AUTOMOUNT).map_err(of_nix)?;
        Ok(self.with_pseudo(stat_of(&found), &|| statfs(path)))
    }

    /// A regular file of the kernel's own is known by the file system that it lies on.
    fn with_pseudo(&self, stat: Stat, statfs: &dyn Fn() -> nix::Result<Statfs>) -> Stat {
        match stat.kind {
            FileKind::Regular if self.is_pseudo(stat.device, statfs) => {
                Stat { kind: FileKind::Pseudo, ..stat }
            }
            _ => stat,
        }
    }

    fn is_pseudo(&self, device: u64, statfs: &dyn Fn() -> nix::Result<Statfs>) -> bool {
        let known = self.0.borrow().iter().find(|(known, _)| *known == device).copied();
        if let Some((_, is)) = known {
            return is;
        }
        let Ok(found) = statfs() else { return false };
        let is = is_pseudo(magic(&found));
        self.0.borrow_mut().push((device, is));
        is
    }

    /// Opens a file of a kind that is wanted.
    pub(super) fn open(&self, path: &CStr, is_wanted: fn(FileKind) -> bool) -> Result<File, Errno> {
        let check = |kind| match kind {
            kind if is_wanted(kind) => Ok(()),
            FileKind::Directory => Err(Errno::EISDIR),
            _ => Err(Errno::EACCES),
        };
        // Looked at before it is opened: opening a device can already do something (a watchdog starts).
        check(self.stat(path)?.kind)?;
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let file = nix::fcntl::open(path, flags, Mode::empty()).map_err(of_nix)?;
        // And after: it may be another one by now.
        let found = stat_of(&fstat(&file).map_err(of_nix)?);
        check(self.with_pseudo(found, &|| fstatfs(&file)).kind)?;
        Ok(File::from(file))
    }

    /// A text file, as far as it is read: a thousand mounts take more than one piece.
    pub(super) fn read(&self, path: &CStr) -> Result<Vec<u8>, Errno> {
        const PIECE: usize = 64 << 10;
        const LIMIT: usize = 16 << 20;
        let file = OpenFile(self.open(path, |kind| matches!(kind, FileKind::Regular | FileKind::Pseudo))?);
        // A router has few.
        if !cfg!(feature = "every-machine") {
            return file.read_at(0, PIECE);
        }
        let mut text = file.read_at(0, PIECE)?;
        let mut read = text.len();
        while read == PIECE && text.len() < LIMIT {
            let more = file.read_at(text.len() as u64, PIECE)?;
            read = more.len();
            text.extend(more);
        }
        Ok(text)
    }
}

/// lstat(2); None for a symbolic link. Not by std: what the C library is called for in addition is looked up at each start
/// of diag.
pub(crate) fn lstat(place: &path::Path) -> Result<Option<Stat>, Errno> {
    let found = fstatat(AT_FDCWD, place, AtFlags::AT_SYMLINK_NOFOLLOW).map_err(of_nix)?;
    Ok((found.st_mode & libc::S_IFMT != libc::S_IFLNK).then(|| stat_of(&found)))
}

/// Opens a file that was seen to be a regular one. What has become a FIFO by now does not block, nor does a link lead on.
pub(crate) fn open_in_place(place: &path::Path) -> io::Result<OpenFile> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
    options.open(place).map(OpenFile)
}

/// Where a folder of this computer keeps an absolute path of another; None for a name that no file can have here.
#[allow(clippy::unnecessary_wraps)] // Windows has such names.
pub(crate) fn inside(root: &path::Path, path: &TargetPath) -> Option<path::PathBuf> {
    let bytes = path.as_bytes();
    Some(root.join(OsStr::from_bytes(bytes.strip_prefix(b"/").unwrap_or(bytes))))
}

/// `struct stat`, whose fields differ in width from one C library to another.
#[allow(clippy::useless_conversion)]
fn stat_of(found: &FileStat) -> Stat {
    let kind = match found.st_mode & libc::S_IFMT {
        libc::S_IFDIR => FileKind::Directory,
        libc::S_IFIFO => FileKind::Fifo,
        libc::S_IFSOCK => FileKind::Socket,
        libc::S_IFCHR => FileKind::CharDevice,
        libc::S_IFBLK => FileKind::BlockDevice,
        _ => FileKind::Regular,
    };
    Stat {
        kind,
        mode: found.st_mode & 0o7777,
        size: found.st_size.try_into().unwrap_or(0),
        device: found.st_dev.into(),
        inode: found.st_ino.into(),
        owner: Some(found.st_uid),
        group: Some(found.st_gid),
    }
}

/// f_type: a magic number of linux/magic.h. The field's type depends on the C library; all of them have 32 bits.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::unnecessary_cast)]
fn magic(found: &Statfs) -> u32 {
    found.filesystem_type().0 as u32
}

/// An open file that is read at any offset.
pub struct OpenFile(pub File);

impl ReadAt for OpenFile {
    /// pread(2) until there is enough. No EINTR: there is no signal handler.
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let at = offset.saturating_add(bytes.len() as u64);
            match pread(&self.0, spare_capacity(&mut bytes), at) {
                Ok(1..) => {}
                Ok(_) => break,
                Err(errno) => return Err(of_raw(errno.raw_os_error())),
            }
        }
        bytes.truncate(len);
        Ok(bytes)
    }

    /// A read lease is refused with EAGAIN where that is so, and is given to the file's owner and to root only. Should
    /// somebody open the file for writing in the moment we hold it, he waits for us to give it back, and we are sent a
    /// signal: SIGURG, which does nothing, for SIGIO would end us.
    fn open_for_writing(&self) -> Known<bool> {
        /// linux/fcntl.h; asm-generic, on MIPS too.
        const F_SETSIG: c_int = 10;
        let fcntl = |command: c_int, argument: c_int| {
            // SAFETY: commands that take a number.
            nix::errno::Errno::result(unsafe { libc::fcntl(self.0.as_raw_fd(), command, argument) })
        };
        fcntl(F_SETSIG, libc::SIGURG).ok()?;
        match fcntl(libc::F_SETLEASE, libc::F_RDLCK) {
            Ok(_) => {
                let _ = fcntl(libc::F_SETLEASE, libc::F_UNLCK);
                Some(false)
            }
            Err(nix::errno::Errno::EAGAIN) => Some(true),
            Err(_) => None,
        }
    }
}

/// The absolute path with symbolic links resolved, which the kernel tells of a descriptor. realpath(3) would bring the
/// C library's heap into a router's build; and without /proc nobody knows the mounts that the path is compared with.
pub(super) fn resolve(path: &CStr, own: Option<&OwnedFd>) -> Result<TargetPathBuf, Errno> {
    let held = nix::fcntl::open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).map_err(of_nix)?;
    let own = own.ok_or(Errno::ENOENT)?;
    let name = number(held.as_raw_fd()).ok_or(Errno::ENOENT)?;
    let mut place = Vec::with_capacity(PATH_MAX);
    // Not by nix, which asks for the length before (600 bytes on a router).
    readlinkat_raw(own, name.as_c_str(), spare_capacity(&mut place))
        .map_err(|errno| of_raw(errno.raw_os_error()))?;
    Ok(TargetPathBuf::from(place))
}

/// The name of a descriptor in /proc/self/fd.
pub(super) fn number(fd: RawFd) -> Option<CString> {
    CString::new(fd.to_string()).ok()
}

/// The names in a folder that are to be kept, sorted.
pub(super) fn names(folder: &CStr, keep: fn(&[u8]) -> bool) -> Result<Vec<Vec<u8>>, Errno> {
    // Not by readdir(3): std allocates for each entry, and a folder of libraries holds thousands, of which few are kept;
    // and opendir(3) brings the C library's heap into a router's build.
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let folder = nix::fcntl::open(folder, flags, Mode::empty()).map_err(of_nix)?;
    let mut buffer = Vec::with_capacity(4096);
    let mut entries = RawDir::new(folder, buffer.spare_capacity_mut());
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|_| Errno::EIO)?;
        let name = entry.file_name().to_bytes();
        if ![&b"."[..], b".."].contains(&name) && keep(name) {
            names.push(name.to_vec());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// faccessat(2) with X_OK and AT_EACCESS. The C library's own starts a process to ask in where the kernel (before Linux
/// 5.8) has no flags: there the real user is asked for, who is another only in a set-user-ID program.
pub(super) fn may_execute(path: &CStr) -> Result<(), Errno> {
    let path = path.as_ptr();
    let [folder, mode, flags] = [libc::AT_FDCWD, libc::X_OK, libc::AT_EACCESS].map(c_long::from);
    // SAFETY: a path that ends in NUL.
    let mut failed = unsafe { libc::syscall(libc::SYS_faccessat2, folder, path, mode, flags) };
    if failed < 0 && nix::errno::Errno::last() == nix::errno::Errno::ENOSYS {
        // SAFETY: the same.
        failed = unsafe { libc::syscall(libc::SYS_faccessat, folder, path, mode) };
    }
    nix::errno::Errno::result(failed).map(|_| ()).map_err(of_nix)
}

/// The attribute `security.selinux`, which ends in a NUL.
pub(super) fn label(path: &CStr) -> Option<Vec<u8>> {
    let mut value = [0_u8; 256];
    // SAFETY: two texts that end in NUL, and room of that length.
    let length = unsafe {
        libc::getxattr(path.as_ptr(), c"security.selinux".as_ptr(), value.as_mut_ptr().cast(), value.len())
    };
    let label = value.get(..usize::try_from(length).ok()?)?;
    Some(label.strip_suffix(b"\0").unwrap_or(label).to_vec())
}

/// The attribute `security.capability` (linux/capability.h `struct vfs_cap_data`). The kernel gives one of another user
/// namespace as revision 3, with the root that it is for, or not at all: here it does not count.
pub(super) fn capabilities(path: &CStr) -> Known<Option<FileCapabilities>> {
    const NAME: &CStr = c"security.capability";
    const EFFECTIVE: u8 = 1;
    let mut value = [0_u8; 24];
    // SAFETY: two texts that end in NUL, and room of that length.
    let length =
        unsafe { libc::getxattr(path.as_ptr(), NAME.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    match nix::errno::Errno::result(length) {
        Ok(_) => {}
        Err(
            nix::errno::Errno::ENODATA
            | nix::errno::Errno::EOPNOTSUPP
            | nix::errno::Errno::ENOSYS
            | nix::errno::Errno::EOVERFLOW,
        ) => return Some(None),
        Err(_) => return None,
    }
    // magic_etc, then permitted and inheritable sets of 32 bits each.
    let [flags, _, _, revision @ 1..=2, p0, p1, p2, p3, _, _, _, _, more @ ..] = value else {
        return Some(None);
    };
    let higher = more.first_chunk::<4>().filter(|_| revision == 2).is_some_and(|more| *more != [0; 4]);
    let permitted = [p0, p1, p2, p3] != [0; 4] || higher;
    Some(Some(FileCapabilities { effective: flags & EFFECTIVE != 0, permitted }))
}

/// statvfs(3).
#[allow(clippy::useless_conversion)] // The fields' width depends on the C library.
pub(super) fn space(folder: &CStr) -> Option<Space> {
    let found = statvfs(folder).ok()?;
    let unit = u64::from(found.fragment_size());
    let bytes = |blocks: libc::fsblkcnt_t| u64::from(blocks).saturating_mul(unit);
    Some(Space { size: bytes(found.blocks()), available: bytes(found.blocks_available()) })
}

/// /proc/self/fd, where /proc is the kernel's: in a chroot, a container or an unpacked firmware it may be an ordinary
/// folder, and what lies there is somebody's file.
pub(super) fn own_descriptors() -> Option<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let folder = nix::fcntl::open(c"/proc/self/fd", flags, Mode::empty()).ok()?;
    (magic(&fstatfs(folder.as_fd()).ok()?) == PROC_SUPER_MAGIC).then_some(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn names_are_kept_and_sorted() {
        let folder = std::env::temp_dir().join(format!("diag-names-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for n in (0..300).rev() {
            fs::write(folder.join(format!("a name that takes some room {n:03}")), "").unwrap();
        }
        fs::write(folder.join("b"), "").unwrap();
        let named = CString::new(folder.as_os_str().as_bytes()).unwrap();
        let all = names(&named, |name| name.starts_with(b"a name")).unwrap();
        assert_eq!(all.len(), 300);
        assert!(all.is_sorted() && all[7] == b"a name that takes some room 007");
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(names(&named, |_| true), Err(Errno::ENOENT));
        assert_eq!(names(c"/proc/self/exe", |_| true), Err(Errno::ENOTDIR));
    }

    #[test]
    fn what_may_be_executed() {
        assert_eq!(may_execute(c"/proc/self/exe"), Ok(()));
        assert_eq!(may_execute(c"/proc/self/status"), Err(Errno::EACCES));
        assert_eq!(may_execute(c"/proc/self/nothing"), Err(Errno::ENOENT));
    }
}
