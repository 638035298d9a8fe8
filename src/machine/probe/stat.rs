//! stat(2) without the C library, where its structure is not the kernel's: musl's conversion takes 1,500 bytes.

use std::ffi::CStr;
use std::os::fd::RawFd;

pub(super) use ways::{of_fd, of_path};

/// What is told of a file.
#[derive(PartialEq, Eq)]
pub(super) struct Found {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) mode: u32,
    pub(super) size: u64,
}

#[cfg(any(
    target_arch = "arm",
    target_arch = "mips",
    target_arch = "mips64",
    target_arch = "powerpc",
    target_arch = "x86"
))]
mod ways {
    use std::ffi::c_long;
    use std::mem::MaybeUninit;

    #[cfg(target_arch = "mips64")]
    use nix::libc::{SYS_fstat as OF_FD, SYS_stat as OF_PATH};
    #[cfg(not(target_arch = "mips64"))]
    use nix::libc::{SYS_fstat64 as OF_FD, SYS_stat64 as OF_PATH};
    use nix::{errno, libc};

    use super::{CStr, Found, RawFd};

    /// The kernel's `struct stat64` for o32, and `struct stat` for n64 (arch/mips/include/uapi/asm/stat.h).
    #[cfg(any(target_arch = "mips", target_arch = "mips64"))]
    #[repr(C)]
    struct Stat {
        st_dev: u32,
        st_pad0: [u32; 3],
        st_ino: u64,
        st_mode: u32,
        st_nlink: u32,
        st_uid: u32,
        st_gid: u32,
        st_rdev: u32,
        st_pad1: [u32; 3],
        st_size: u64,
        times_and_blocks: [u32; 10],
    }

    /// The kernel's `struct stat64` (arch/{arm,x86}/include/uapi/asm/stat.h).
    #[cfg(any(target_arch = "arm", target_arch = "x86"))]
    #[repr(C)]
    struct Stat {
        st_dev: u64,
        pad0: u32,
        /// Its lower half.
        old_st_ino: u32,
        st_mode: u32,
        st_nlink: u32,
        st_uid: u32,
        st_gid: u32,
        st_rdev: u64,
        pad3: u32,
        st_size: u64,
        st_blksize: u32,
        st_blocks: u64,
        times: [u32; 6],
        st_ino: u64,
    }

    /// The kernel's `struct stat64` (arch/powerpc/include/uapi/asm/stat.h).
    #[cfg(target_arch = "powerpc")]
    #[repr(C)]
    struct Stat {
        st_dev: u64,
        st_ino: u64,
        st_mode: u32,
        st_nlink: u32,
        st_uid: u32,
        st_gid: u32,
        st_rdev: u64,
        pad2: u16,
        st_size: u64,
        st_blksize: u32,
        st_blocks: u64,
        times_and_room: [u32; 8],
    }

    /// stat(2) for a path.
    pub(in super::super) fn of_path(path: &CStr) -> nix::Result<Found> {
        // SAFETY: a path that ends in NUL.
        unsafe { ask(OF_PATH, path.as_ptr().expose_provenance()) }
    }

    /// The same for a descriptor.
    #[allow(clippy::cast_sign_loss)] // As it is passed, whatever it is.
    pub(in super::super) fn of_fd(fd: RawFd) -> nix::Result<Found> {
        // SAFETY: a number.
        unsafe { ask(OF_FD, fd as usize) }
    }

    /// # Safety
    ///
    /// `of` is what the call takes first.
    unsafe fn ask(call: c_long, of: usize) -> nix::Result<Found> {
        let mut found = MaybeUninit::<Stat>::uninit();
        // SAFETY: room of the size that the kernel fills.
        errno::Errno::result(unsafe { libc::syscall(call, of, found.as_mut_ptr()) })?;
        // SAFETY: it was filled.
        let found = unsafe { found.assume_init_ref() };
        #[allow(clippy::useless_conversion)] // Of another size from architecture to architecture.
        let device = found.st_dev.into();
        Ok(Found { device, inode: found.st_ino, mode: found.st_mode, size: found.st_size })
    }
}

#[cfg(not(any(
    target_arch = "arm",
    target_arch = "mips",
    target_arch = "mips64",
    target_arch = "powerpc",
    target_arch = "x86"
)))]
mod ways {
    use std::os::fd::BorrowedFd;

    use nix::sys::stat::{FileStat, fstat, stat};

    use super::{CStr, Found, RawFd};

    /// stat(2) for a path.
    pub(in super::super) fn of_path(path: &CStr) -> nix::Result<Found> {
        stat(path).map(|found| of_stat(&found))
    }

    /// The same for a descriptor.
    pub(in super::super) fn of_fd(fd: RawFd) -> nix::Result<Found> {
        // SAFETY: it is only asked about.
        fstat(unsafe { BorrowedFd::borrow_raw(fd) }).map(|found| of_stat(&found))
    }

    fn of_stat(found: &FileStat) -> Found {
        Found {
            device: found.st_dev,
            inode: found.st_ino,
            mode: found.st_mode,
            size: u64::try_from(found.st_size).unwrap_or(0),
        }
    }
}
