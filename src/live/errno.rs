//! Errno names from this architecture's numbers.

use nix::libc;

use crate::errno::Errno;

pub(crate) fn of_nix(errno: nix::errno::Errno) -> Errno {
    of_raw(errno as i32)
}

pub(super) fn of_raw(number: i32) -> Errno {
    match number {
        libc::EPERM => Errno::EPERM,
        libc::ENOENT => Errno::ENOENT,
        libc::EIO => Errno::EIO,
        libc::E2BIG => Errno::E2BIG,
        libc::ENOEXEC => Errno::ENOEXEC,
        libc::EAGAIN => Errno::EAGAIN,
        libc::ENOMEM => Errno::ENOMEM,
        libc::EACCES => Errno::EACCES,
        libc::ENOTDIR => Errno::ENOTDIR,
        libc::EISDIR => Errno::EISDIR,
        libc::EINVAL => Errno::EINVAL,
        libc::ETXTBSY => Errno::ETXTBSY,
        libc::EFBIG => Errno::EFBIG,
        libc::ENOSPC => Errno::ENOSPC,
        libc::EPIPE => Errno::EPIPE,
        libc::ENAMETOOLONG => Errno::ENAMETOOLONG,
        libc::ENOSYS => Errno::ENOSYS,
        libc::ELOOP => Errno::ELOOP,
        libc::ELIBBAD => Errno::ELIBBAD,
        libc::ENXIO => Errno::ENXIO,
        libc::ESTALE => Errno::ESTALE,
        _ => Errno::EOTHER,
    }
}
