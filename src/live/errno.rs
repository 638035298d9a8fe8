//! Errno names from this architecture's numbers.

use std::io;

use nix::libc;

use crate::errno::Errno;

pub(crate) fn of_nix(errno: nix::errno::Errno) -> Errno {
    of_raw(errno as i32)
}

/// What std calls an error.
pub(crate) fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, of_raw)
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
        libc::EINTR => Errno::EINTR,
        libc::EMFILE => Errno::EMFILE,
        libc::ENFILE => Errno::ENFILE,
        #[cfg(feature = "every-machine")]
        other => of_more(other),
        #[cfg(not(feature = "every-machine"))]
        _ => Errno::EOTHER,
    }
}

/// Those of media and of servers, for which a router has no room.
#[cfg(feature = "every-machine")]
fn of_more(number: i32) -> Errno {
    match number {
        libc::EBADMSG => Errno::EBADMSG,
        libc::EUCLEAN => Errno::EUCLEAN,
        libc::ENOKEY => Errno::ENOKEY,
        libc::ENOTCONN => Errno::ENOTCONN,
        libc::ETIMEDOUT => Errno::ETIMEDOUT,
        libc::EHOSTDOWN => Errno::EHOSTDOWN,
        libc::EREMOTEIO => Errno::EREMOTEIO,
        _ => Errno::EOTHER,
    }
}
