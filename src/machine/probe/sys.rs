//! System calls that diag makes itself: the C library's functions for them do more, and on a router each takes more
//! bytes than diag's own.

use std::ffi::{CStr, OsStr, OsString, c_int, c_long};
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;

use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::stat::Mode;

use crate::system::PROC_SUPER_MAGIC;
use crate::text::cut_bytes;

/// fcntl(2), for commands that take a number.
pub(super) fn fcntl(fd: RawFd, command: c_int, argument: c_int) -> c_long {
    let [fd, command, argument] = [fd, command, argument].map(c_long::from);
    // SAFETY: with a number the kernel touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_fcntl, fd, command, argument) }
}

/// faccessat(2) with X_OK and AT_EACCESS. Before Linux 5.8 the kernel asks for the real user; the C library then
/// starts a process to ask in, but the two differ for a setuid program only.
pub(super) fn may_execute(path: &CStr) -> nix::Result<()> {
    let folder = c_long::from(libc::AT_FDCWD);
    let mode = c_long::from(libc::X_OK);
    // SAFETY: a path that ends in NUL.
    let mut failed = unsafe {
        let flags = c_long::from(libc::AT_EACCESS);
        libc::syscall(libc::SYS_faccessat2, folder, path.as_ptr(), mode, flags)
    };
    if failed < 0 && nix::errno::Errno::last() == nix::errno::Errno::ENOSYS {
        // SAFETY: the same.
        failed = unsafe { libc::syscall(libc::SYS_faccessat, folder, path.as_ptr(), mode) };
    }
    nix::errno::Errno::result(failed).map(|_| ())
}

/// pread(2): how much was read; 0 at the end of the file, beyond it, and where it cannot be read.
pub(crate) fn pread(file: &File, buffer: &mut [u8], offset: u64) -> usize {
    let Ok(offset) = libc::off64_t::try_from(offset) else { return 0 };
    // SAFETY: room of that length.
    let len = unsafe { libc::pread64(file.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), offset) };
    usize::try_from(len).unwrap_or(0)
}

/// mmap(2) of new memory; null where there is none.
pub(super) fn memory(len: usize) -> *mut u8 {
    #[cfg(target_pointer_width = "32")]
    let call = libc::SYS_mmap2;
    #[cfg(not(target_pointer_width = "32"))]
    let call = libc::SYS_mmap;
    let access = c_long::from(libc::PROT_READ | libc::PROT_WRITE);
    let kind = c_long::from(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let (anywhere, no_file, start): (usize, c_long, c_long) = (0, -1, 0);
    // SAFETY: at an address of the kernel's choice.
    match unsafe { libc::syscall(call, anywhere, len, access, kind, no_file, start) } {
        -1 => std::ptr::null_mut(),
        #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)] // An address.
        piece => std::ptr::with_exposed_provenance_mut(piece as usize),
    }
}

/// prlimit(2) of this process: both limits, the lower one first; `u64::MAX` is none. Not getrlimit(2), which has 32 bits
/// on a machine of 32.
pub(super) fn limits(resource: c_int) -> Option<[u64; 2]> {
    let mut found = [0_u64; 2];
    let (none, resource) = (std::ptr::null::<u64>(), c_long::from(resource));
    // SAFETY: a place for what is asked.
    let failed = unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, none, found.as_mut_ptr()) };
    (failed == 0).then_some(found)
}

/// The same, set. Not setrlimit(3), which looks for other threads.
pub(super) fn set_limits(resource: c_int, limits: [u64; 2]) {
    let (nowhere, resource) = (std::ptr::null_mut::<u64>(), c_long::from(resource));
    // SAFETY: limits, and no place for the old ones.
    unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, limits.as_ptr(), nowhere) };
}

/// setitimer(2): SIGALRM after some seconds, once.
pub(super) fn alarm(seconds: c_long) {
    let (timer, nowhere) = ([0, 0, seconds, 0], std::ptr::null_mut::<c_long>());
    // SAFETY: a kernel's `struct itimerval`, and no place for the old one.
    unsafe { libc::syscall(libc::SYS_setitimer, 0, timer.as_ptr(), nowhere) };
}

/// statfs(2).
pub(super) fn statfs(path: &CStr) -> Option<libc::statfs64> {
    let mut found = MaybeUninit::uninit();
    // SAFETY: a path that ends in NUL, and room for what is told, which is all there where the call succeeds.
    unsafe { (libc::statfs64(path.as_ptr(), found.as_mut_ptr()) == 0).then(|| found.assume_init()) }
}

/// fstatfs(2).
pub(super) fn fstatfs(fd: RawFd) -> Option<libc::statfs64> {
    let mut found = MaybeUninit::uninit();
    // SAFETY: room for what is told, which is all there where the call succeeds.
    unsafe { (libc::fstatfs64(fd, found.as_mut_ptr()) == 0).then(|| found.assume_init()) }
}

/// f_type: a magic number of linux/magic.h. The field's type depends on the C library; all of them have 32 bits.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) const fn magic(found: &libc::statfs64) -> u32 {
    found.f_type as u32
}

/// /proc/self/fd, where /proc is the kernel's: in a chroot, a container or an unpacked firmware it may be an ordinary
/// folder, and what lies there is somebody's file.
pub(super) fn own_descriptors() -> Option<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let folder = nix::fcntl::open(c"/proc/self/fd", flags, Mode::empty()).ok()?;
    (magic(&fstatfs(folder.as_raw_fd())?) == PROC_SUPER_MAGIC).then_some(folder)
}

/// capset(2): no capability is left, and none can come back.
pub(super) fn drop_capabilities() -> Option<()> {
    /// `struct __user_cap_header_struct`: _LINUX_CAPABILITY_VERSION_3 (Linux 2.6.26), and 0 for this process.
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    /// Two of `struct __user_cap_data_struct`: effective, permitted, inheritable.
    const NONE: [u32; 6] = [0; 6];
    // SAFETY: the structures that this version stands for; the kernel writes to the header only to name another one.
    let failed = unsafe { libc::syscall(libc::SYS_capset, HEADER.as_ptr(), NONE.as_ptr()) };
    (failed == 0).then_some(())
}

/// Ends this process by a signal, as if it had never been blocked.
pub(super) fn end_by(signal: c_int) {
    // SAFETY: the default action; and the signal is this process's own.
    unsafe {
        at_signal(signal, &DEFAULT);
        signal_mask(libc::SIG_UNBLOCK, 1 << signal.saturating_sub(1));
        libc::raise(signal);
    }
}

/// Closes every descriptor but this one.
#[allow(clippy::cast_possible_wrap, clippy::unnecessary_cast)] // The type of RLIMIT_NOFILE depends on the C library.
pub(super) fn close_all_but(kept: RawFd) {
    let Ok(kept) = libc::c_uint::try_from(kept) else { return };
    let close = |first: libc::c_uint, last: libc::c_uint| {
        // SAFETY: what is closed here is not used any more: this is the child that execve(2) follows in.
        unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }
    };
    let below = kept.checked_sub(1).map_or(0, |last| close(0, last));
    if below == 0 && close(kept.saturating_add(1), libc::c_uint::MAX) == 0 {
        return;
    }
    // Before Linux 5.9: by number, up to what may be open. 1,048,576 is the most there is (fs.nr_open) unless raised.
    let limit = limits(libc::RLIMIT_NOFILE as c_int).map_or(1024, |[limit, _]| limit);
    for fd in 0..c_int::try_from(limit).unwrap_or(c_int::MAX).min(1 << 20) {
        if libc::c_uint::try_from(fd) != Ok(kept) {
            // SAFETY: the same.
            unsafe { libc::close(fd) };
        }
    }
}

/// The names in a folder that are to be kept, sorted; None where it cannot be listed.
pub(super) fn names(folder: &CStr, keep: fn(&[u8]) -> bool) -> Option<Vec<OsString>> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let folder = nix::fcntl::open(folder, flags, Mode::empty()).ok()?;
    let fd = c_long::from(folder.as_raw_fd());
    let mut names: Vec<OsString> = Vec::new();
    let mut entries = vec![0_u8; 4096];
    loop {
        // SAFETY: room of that length.
        let len = unsafe { libc::syscall(libc::SYS_getdents64, fd, entries.as_mut_ptr(), entries.len()) };
        let mut rest = entries.get(..usize::try_from(len).ok()?)?;
        if rest.is_empty() {
            return Some(names);
        }
        // struct linux_dirent64: d_ino and d_off of 8 bytes, d_reclen of 2, d_type of 1, d_name.
        while let [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, low, high, ..] = *rest {
            let (entry, more) = rest.split_at_checked(u16::from_ne_bytes([low, high]).into())?;
            rest = more;
            let (name, _) = cut_bytes(entry.get(19..)?, 0)?;
            if keep(name) {
                let name = OsStr::from_bytes(name);
                let at = names.iter().take_while(|other| other.as_os_str() < name).count();
                names.insert(at, name.to_os_string());
            }
        }
    }
}

/// Bytes of the kernel's set of signals.
const SET: usize = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 16 } else { 8 };

/// rt_sigprocmask(2), which says what signals wait. `set` has a bit for each; there are more than this tells.
pub(super) fn signal_mask(how: c_int, set: usize) {
    let signals = [set, 0, 0, 0];
    let (how, nowhere) = (c_long::from(how), std::ptr::null_mut::<usize>());
    // SAFETY: a set that is larger than the kernel's, and no place for the old one.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, signals.as_ptr(), nowhere, SET) };
}

/// What a process does at a signal, in the layout of the kernel; there is room for that of any architecture.
pub(super) type Action = [usize; 20];

/// SIG_DFL without flags is all zeros in any layout.
pub(super) const DEFAULT: Action = [0; 20];

/// rt_sigaction(2): sets what is done at a signal, and gives what was done before.
///
/// # Safety
///
/// The action is [`DEFAULT`], or what this has given for the same signal.
pub(super) unsafe fn at_signal(signal: c_int, action: &Action) -> Action {
    let mut before = DEFAULT;
    let to = before.as_mut_ptr();
    // SAFETY: both are larger than what the kernel reads and writes there.
    unsafe { libc::syscall(libc::SYS_rt_sigaction, c_long::from(signal), action.as_ptr(), to, SET) };
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_and_sorted() {
        let folder = std::env::temp_dir().join(format!("diag-names-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // More than one piece of 4,096 bytes.
        for n in 0..300 {
            std::fs::write(folder.join(format!("a name that takes some room {n:03}")), "").unwrap();
        }
        let path = std::ffi::CString::new(folder.as_os_str().as_bytes()).unwrap();
        let all = names(&path, |name| name.starts_with(b"a name")).unwrap();
        assert_eq!(all.len(), 300);
        assert!(all.is_sorted() && all[7] == "a name that takes some room 007");
        assert_eq!(names(&path, |name| name == b".."), Some(vec![OsString::from("..")]));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(names(&path, |_| true), None);
        assert_eq!(names(c"/proc/self/exe", |_| true), None);
    }

    #[test]
    fn what_may_be_executed() {
        use nix::errno::Errno;
        assert_eq!(may_execute(c"/proc/self/exe"), Ok(()));
        assert_eq!(may_execute(c"/proc/self/status"), Err(Errno::EACCES));
        assert_eq!(may_execute(c"/proc/self/nothing"), Err(Errno::ENOENT));
    }

    #[test]
    fn a_signal_is_put_back() {
        // SAFETY: the actions are default or given; SIGURG does nothing either way.
        unsafe {
            libc::signal(libc::SIGURG, libc::SIG_IGN);
            let ignored = at_signal(libc::SIGURG, &DEFAULT);
            assert_ne!(ignored, DEFAULT);
            assert_eq!(libc::signal(libc::SIGURG, libc::SIG_DFL), libc::SIG_DFL);
            at_signal(libc::SIGURG, &ignored);
            assert_eq!(libc::signal(libc::SIGURG, libc::SIG_DFL), libc::SIG_IGN);
        }
    }
}
