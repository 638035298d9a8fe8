//! What has to be done before anything else.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int, c_long, c_ulong};
use std::os::unix::ffi::OsStrExt as _;

use nix::libc;
#[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
use nix::libc::{SYS_setresgid, SYS_setresuid};
// Without the number they take ids of 16 bits there.
#[cfg(any(target_arch = "arm", target_arch = "x86"))]
use nix::libc::{SYS_setresgid32 as SYS_setresgid, SYS_setresuid32 as SYS_setresuid};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{getgid, getuid};

use super::stdio;

/// Gives up the rights that diag's own file brought (set-user-ID, set-group-ID, file capabilities), then makes sure of
/// the standard descriptors, and that a write nobody takes is an error and no signal. Gives the arguments, without the
/// program's own name; None where the rights could not be given up.
///
/// # Safety
///
/// At the beginning of `main`, with what `main` is given.
pub unsafe fn begin(count: c_int, arguments: *const *const c_char) -> Option<impl Iterator<Item = OsString>> {
    // Before anything is opened: diag tells what it reads to who has called it.
    take_callers_rights()?;
    stdio::look();
    // Blocked, they wait for ever: a pipe without a reader, and RLIMIT_FSIZE.
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGPIPE);
    signals.add(Signal::SIGXFSZ);
    let _ = signals.thread_block();
    Some((1..usize::try_from(count).unwrap_or(0)).map(move |at| {
        // SAFETY: there are `count` of them, each ends in NUL, and they stay as long as we run.
        let argument = unsafe { CStr::from_ptr(*arguments.add(at)) };
        OsStr::from_bytes(argument.to_bytes()).to_os_string()
    }))
}

/// For good: effective and saved ids become the real ones, and no capability is left that these do not bring.
fn take_callers_rights() -> Option<()> {
    // SAFETY: getauxval only looks the number up.
    let secure: c_ulong = unsafe { libc::getauxval(libc::AT_SECURE) };
    if secure == 0 {
        return Some(());
    }
    let (user, group) = (getuid(), getgid());
    set_ids(SYS_setresgid, group.as_raw())?;
    set_ids(SYS_setresuid, user.as_raw())?;
    if user.is_root() {
        return Some(());
    }
    drop_capabilities()
}

/// setresuid(2) or setresgid(2). There is one thread; the C library's have code to stop others (4,000 bytes on a router).
fn set_ids(call: c_long, id: u32) -> Option<()> {
    // SAFETY: numbers only.
    let failed = unsafe { libc::syscall(call, id, id, id) };
    (failed == 0).then_some(())
}

/// capset(2): no capability is left, and none can come back.
fn drop_capabilities() -> Option<()> {
    /// `struct __user_cap_header_struct`: _LINUX_CAPABILITY_VERSION_3 (Linux 2.6.26), and 0 for this process.
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    /// Two of `struct __user_cap_data_struct`: effective, permitted, inheritable.
    const NONE: [u32; 6] = [0; 6];
    // SAFETY: the structures that this version stands for; the kernel writes to the header only to name another one.
    let failed = unsafe { libc::syscall(libc::SYS_capset, HEADER.as_ptr(), NONE.as_ptr()) };
    (failed == 0).then_some(())
}
