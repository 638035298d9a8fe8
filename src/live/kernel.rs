//! What the kernel tells this process: uname(2), the auxiliary vector, resource limits.

use std::ffi::{CStr, c_ulong};
use std::os::unix::ffi::OsStrExt as _;
use std::{mem, ptr};

use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use procfs::KernelVersion;

use super::files::Devices;
use crate::machine::word;
use crate::target::{Auxv, Caller, Limits, Uname};

/// uname(2). Under the personality UNAME26 (`setarch --uname-2.6`, in some containers) it calls Linux 3.n 2.6.(40 + n), and
/// later ones 2.6.(60 + n) (kernel/sys.c `override_release`); the file of sysctl has the true one.
pub(super) fn uname(devices: &Devices) -> Option<Uname> {
    let found = nix::sys::utsname::uname().ok()?;
    let machine = word(found.machine().as_bytes());
    let mut release = word(found.release().as_bytes());
    let is_changed = |version: KernelVersion| {
        version >= KernelVersion::new(2, 6, 40) && version < KernelVersion::new(3, 0, 0)
    };
    // Nobody calls `setarch --uname-2.6` on a router (600 bytes of the package).
    if cfg!(feature = "every-machine") && release.parse().is_ok_and(is_changed) {
        if let Ok(told) = devices.read(c"/proc/sys/kernel/osrelease") {
            let own = word(told.trim_ascii_end());
            let told = Some(mem::replace(&mut release, own));
            return Some(Uname { told, release, machine });
        }
    }
    Some(Uname { told: None, release, machine })
}

/// Our own auxiliary vector: it needs no /proc.
pub(super) fn auxv() -> Auxv {
    Auxv {
        hwcap: entry(libc::AT_HWCAP),
        hwcap2: entry(libc::AT_HWCAP2),
        platform: word_at(libc::AT_PLATFORM),
        base_platform: word_at(libc::AT_BASE_PLATFORM),
        page_size: entry(libc::AT_PAGESZ),
    }
}

/// None where the kernel gave none.
#[allow(clippy::useless_conversion)] // c_ulong is 32 bits wide on routers.
fn entry(key: c_ulong) -> Option<u64> {
    Errno::clear();
    // SAFETY: getauxval only looks the number up.
    let value = unsafe { libc::getauxval(key) };
    // 0 may be a value: then errno stays clear.
    (value != 0 || Errno::last_raw() == 0).then(|| u64::from(value))
}

/// The text that an entry leads to.
fn word_at(key: c_ulong) -> Option<String> {
    // SAFETY: getauxval only looks the number up.
    let at = unsafe { libc::getauxval(key) };
    if at == 0 {
        return None;
    }
    // SAFETY: the kernel put a NUL-terminated string there, on our stack, where it stays as long as we run.
    let text = unsafe { CStr::from_ptr(ptr::with_exposed_provenance(usize::try_from(at).ok()?)) };
    Some(word(text.to_bytes()))
}

/// A variable of the environment. Not by std, which has a lock for other threads, and formats (1,100 bytes on a router).
pub(super) fn variable(name: &CStr) -> Option<Vec<u8>> {
    // SAFETY: a text that ends in NUL.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: a text that ends in NUL, which stays, since nothing in this program changes the environment.
    Some(unsafe { CStr::from_ptr(value) }.to_bytes().to_vec())
}

/// Who we are, and so who starts a program from here.
pub(super) fn caller() -> Caller {
    // SAFETY: calls that take nothing, and do not fail.
    let (user, group) = unsafe { ((libc::getuid(), libc::geteuid()), (libc::getgid(), libc::getegid())) };
    // SAFETY: a question that takes numbers only.
    let no_new_privs = || unsafe { libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) };
    Caller {
        uid: user.0,
        euid: user.1,
        gid: group.0,
        egid: group.1,
        no_new_privs: cfg!(feature = "every-machine") && no_new_privs() == 1,
    }
}

/// Soft limits.
#[allow(clippy::useless_conversion)] // rlim_t is 32 bits wide in some C libraries.
pub(super) fn limits() -> Limits {
    let limit = |resource| match getrlimit(resource) {
        Ok((RLIM_INFINITY, _)) => Some(u64::MAX),
        Ok((limit, _)) => Some(u64::from(limit)),
        Err(_) => None,
    };
    Limits {
        address_space: limit(Resource::RLIMIT_AS),
        data: limit(Resource::RLIMIT_DATA),
        stack: limit(Resource::RLIMIT_STACK),
    }
}
