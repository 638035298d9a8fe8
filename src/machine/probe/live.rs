//! The machine that `diag` runs on.

use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_int};
use std::fs::{File, Metadata};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::ptr;

use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::stat::Mode;

use super::{ask, beginning, stat, sys, tiny_elf};
use crate::elf::ByteOrder;
use crate::errno::Errno;
use crate::machine::{parts, word};
use crate::system::{Answer, Auxv, FileKind, Limits, Question, Space, Stat, System, Uname, is_pseudo};
use crate::text;

/// The machine that `diag` runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Live;

impl System for Live {
    fn read(&self, path: &Path) -> Result<Vec<u8>, Errno> {
        beginning(&open(path, |kind| matches!(kind, FileKind::Regular | FileKind::Pseudo))?, 65536)
    }

    fn entries(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Option<Vec<OsString>> {
        sys::names(&c_path(folder).ok()?, keep)
    }

    fn stat(&self, path: &Path) -> Result<Stat, Errno> {
        let path = c_path(path)?;
        let found = stat::of_path(&path).map_err(of_nix)?;
        Ok(of_found(&found, || sys::statfs(&path)))
    }

    fn open(&self, path: &Path) -> Result<File, Errno> {
        open(path, |kind| kind == FileKind::Regular)
    }

    fn may_execute(&self, path: &Path) -> Result<(), Errno> {
        sys::may_execute(&c_path(path)?).map_err(of_nix)
    }

    fn open_for_writing(&self, path: &Path) -> Option<bool> {
        /// linux/fcntl.h; asm-generic, on MIPS too.
        const F_SETSIG: i32 = 10;
        let file = self.open(path).ok()?;
        let fd = file.as_raw_fd();
        // A read lease is refused with EAGAIN where the file is open for writing, and is given to the file's owner
        // and to root only. Should somebody open it for writing in the moment we hold it, he waits for us to give
        // it back, and we are sent a signal: SIGURG, which does nothing, for SIGIO would end us.
        if sys::fcntl(fd, F_SETSIG, libc::SIGURG) != 0 {
            return None;
        }
        let given = sys::fcntl(fd, libc::F_SETLEASE, libc::F_RDLCK);
        if given == 0 {
            sys::fcntl(fd, libc::F_SETLEASE, libc::F_UNLCK);
        }
        match given {
            0 => Some(false),
            _ if nix::errno::Errno::last() == nix::errno::Errno::EAGAIN => Some(true),
            _ => None,
        }
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf, Errno> {
        // The kernel tells it of a descriptor. Without /proc nobody would know the mounts to compare it with.
        let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
        let held = open_as(path, flags)?;
        let name = ask::number(held.as_raw_fd())?;
        let own = sys::own_descriptors().ok_or(Errno::ENOENT)?;
        nix::fcntl::readlinkat(own, name.as_c_str()).map(PathBuf::from).map_err(of_nix)
    }

    #[allow(clippy::useless_conversion)] // The fields' width depends on the C library.
    fn space(&self, folder: &Path) -> Option<Space> {
        let found = sys::statfs(&c_path(folder).ok()?)?;
        // Linux before 2.6.36 leaves it to the file system, of which few set it.
        let unit = if found.f_frsize == 0 { found.f_bsize } else { found.f_frsize };
        let bytes = |blocks: u64| blocks.saturating_mul(u64::try_from(unit).unwrap_or(0));
        Some(Space { size: bytes(found.f_blocks), available: bytes(found.f_bavail) })
    }

    fn uname(&self) -> Option<Uname> {
        let mut found = MaybeUninit::<libc::utsname>::uninit();
        // SAFETY: room for it, which is filled where the call succeeds.
        let found = unsafe {
            if libc::uname(found.as_mut_ptr()) != 0 {
                return None;
            }
            found.assume_init_ref()
        };
        // SAFETY: each ends in NUL.
        let text = |field: &[c_char]| word(unsafe { CStr::from_ptr(field.as_ptr()) }.to_bytes());
        Some(Uname { release: text(&found.release), machine: text(&found.machine) })
    }

    fn auxv(&self) -> Auxv {
        Auxv {
            hwcap: auxv(libc::AT_HWCAP),
            hwcap2: auxv(libc::AT_HWCAP2),
            platform: platform(),
            page_size: auxv(libc::AT_PAGESZ),
        }
    }

    #[allow(clippy::cast_possible_wrap, clippy::unnecessary_cast)] // Their type depends on the C library.
    fn limits(&self) -> Limits {
        let limit = |resource| sys::limits(resource).map(|[limit, _]| limit);
        Limits {
            address_space: limit(libc::RLIMIT_AS as c_int),
            data: limit(libc::RLIMIT_DATA as c_int),
            stack: limit(libc::RLIMIT_STACK as c_int),
        }
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        variable(&c_text(name.as_bytes()).ok()?)
    }

    fn search_path(&self) -> Vec<PathBuf> {
        let path = variable(c"PATH").unwrap_or_else(|| b"/usr/sbin:/usr/bin:/sbin:/bin".to_vec());
        let mut folders = Vec::new();
        for folder in parts(&path, b':') {
            folders.push(path_of(folder));
        }
        folders
    }

    fn ask(&self, question: Question) -> Option<Answer> {
        ask::answer(&tiny_elf::file(Some(question))?, &tiny_elf::file(None)?)
    }

    fn is_itself(&self, question: Question) -> bool {
        tiny_elf::is_diag_itself(question)
    }

    fn own_byte_order(&self) -> Option<ByteOrder> {
        Some(tiny_elf::OWN.view.order)
    }
}

/// An entry of our own auxiliary vector; it needs no /proc. None where the kernel gave none.
#[allow(clippy::useless_conversion)] // c_ulong is 32 bits wide on routers.
fn auxv(key: libc::c_ulong) -> Option<u64> {
    nix::errno::Errno::clear();
    // SAFETY: getauxval only looks the number up.
    let value = unsafe { libc::getauxval(key) };
    // 0 may be a value: then errno stays clear.
    (value != 0 || nix::errno::Errno::last_raw() == 0).then(|| u64::from(value))
}

fn platform() -> Option<String> {
    // SAFETY: getauxval only looks the number up.
    let at = unsafe { libc::getauxval(libc::AT_PLATFORM) };
    if at == 0 {
        return None;
    }
    // SAFETY: the kernel put a NUL-terminated string there, on our stack, where it stays as long as we run.
    let text = unsafe { CStr::from_ptr(ptr::with_exposed_provenance(usize::try_from(at).ok()?)) };
    Some(word(text.to_bytes()))
}

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// A variable of the environment. std's own takes locks, for programs that change theirs.
pub fn variable(name: &CStr) -> Option<Vec<u8>> {
    // SAFETY: what the process was started with: texts that end in NUL, and null behind the last. diag never changes it.
    unsafe {
        let mut next = environ;
        while let Some(text) = next.as_ref().filter(|text| !text.is_null()) {
            match text::cut_bytes(CStr::from_ptr(*text).to_bytes(), b'=') {
                Some((key, value)) if key == name.to_bytes() => return Some(value.to_vec()),
                _ => next = next.add(1),
            }
        }
    }
    None
}

/// A path as the C library takes it.
fn c_path(path: &Path) -> Result<CString, Errno> {
    c_text(path.as_os_str().as_bytes())
}

/// A text as the C library takes it.
pub(super) fn c_text(bytes: &[u8]) -> Result<CString, Errno> {
    if text::has(bytes, 0) {
        return Err(Errno::EOTHER);
    }
    // SAFETY: no NUL is in it.
    Ok(unsafe { CString::from_vec_unchecked(bytes.to_vec()) })
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// Opens a file of a kind that is wanted.
fn open(path: &Path, is_wanted: fn(FileKind) -> bool) -> Result<File, Errno> {
    let check = |kind| match kind {
        kind if is_wanted(kind) => Ok(()),
        FileKind::Directory => Err(Errno::EISDIR),
        _ => Err(Errno::EACCES),
    };
    // Looked at before it is opened: opening a device can already do something (a watchdog starts).
    check(Live.stat(path)?.kind)?;
    let file = open_as(path, OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY)?;
    // And after: it may be another one by now.
    let fd = file.as_raw_fd();
    let found = stat::of_fd(fd).map_err(of_nix)?;
    check(of_found(&found, || sys::fstatfs(fd)).kind)?;
    Ok(File::from(file))
}

fn open_as(path: &Path, flags: OFlag) -> Result<OwnedFd, Errno> {
    nix::fcntl::open(c_path(path)?.as_c_str(), flags, Mode::empty()).map_err(of_nix)
}

/// What std tells of a file.
pub(in crate::machine) fn stat_of(found: &Metadata) -> Stat {
    stat(found.mode(), found.size(), found.dev(), found.ino())
}

/// `statfs` tells of the file system that it lies on.
fn of_found(found: &stat::Found, statfs: impl FnOnce() -> Option<libc::statfs64>) -> Stat {
    let mut stat = stat(found.mode, found.size, found.device, found.inode);
    if stat.kind == FileKind::Regular && statfs().is_some_and(|found| is_pseudo(sys::magic(&found))) {
        stat.kind = FileKind::Pseudo;
    }
    stat
}

fn stat(mode: u32, size: u64, device: u64, inode: u64) -> Stat {
    let kind = match mode & 0o170_000 {
        0o040_000 => FileKind::Directory,
        0o010_000 => FileKind::Fifo,
        0o140_000 => FileKind::Socket,
        0o020_000 => FileKind::CharDevice,
        0o060_000 => FileKind::BlockDevice,
        _ => FileKind::Regular,
    };
    Stat { kind, mode: mode & 0o7777, size, device, inode }
}

pub(super) fn of_nix(errno: nix::errno::Errno) -> Errno {
    of_raw(errno as i32)
}

/// By this architecture's numbers.
pub(super) fn of_raw(number: i32) -> Errno {
    const NAMES: [(i32, Errno); 20] = [
        (libc::EPERM, Errno::EPERM),
        (libc::ENOENT, Errno::ENOENT),
        (libc::EIO, Errno::EIO),
        (libc::E2BIG, Errno::E2BIG),
        (libc::ENOEXEC, Errno::ENOEXEC),
        (libc::EAGAIN, Errno::EAGAIN),
        (libc::ENOMEM, Errno::ENOMEM),
        (libc::EACCES, Errno::EACCES),
        (libc::ENOTDIR, Errno::ENOTDIR),
        (libc::EISDIR, Errno::EISDIR),
        (libc::EINVAL, Errno::EINVAL),
        (libc::ETXTBSY, Errno::ETXTBSY),
        (libc::EFBIG, Errno::EFBIG),
        (libc::ENOSPC, Errno::ENOSPC),
        (libc::EPIPE, Errno::EPIPE),
        (libc::ENAMETOOLONG, Errno::ENAMETOOLONG),
        (libc::ENOSYS, Errno::ENOSYS),
        (libc::ELOOP, Errno::ELOOP),
        (libc::ELIBBAD, Errno::ELIBBAD),
        (libc::ENXIO, Errno::ENXIO),
    ];
    NAMES.iter().find(|(known, _)| *known == number).map_or(Errno::EOTHER, |(_, name)| *name)
}
