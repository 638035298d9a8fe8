use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::tiny_elf::tests::of_this_host;
use super::*;

/// One test at a time: a file that is still open for writing in a child that another thread has just made is not executed
/// (ETXTBSY).
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// xor edi, edi; mov eax, 60 (exit); syscall
const EXIT: &[u8] = b"\x31\xff\xb8\x3c\0\0\0\x0f\x05";
/// ud2
const UD2: &[u8] = b"\x0f\x0b";
/// mov eax, 39 (getpid); syscall; mov edi, eax; mov esi, 15 (SIGTERM); mov eax, 62 (kill); syscall
const TERM: &[u8] = b"\xb8\x27\0\0\0\x0f\x05\x89\xc7\xbe\x0f\0\0\0\xb8\x3e\0\0\0\x0f\x05";
/// jmp to itself
const LOOP: &[u8] = b"\xeb\xfe";

#[test]
fn what_becomes_of_it() {
    let _alone = alone();
    assert_eq!(start(&of_this_host(62, EXIT)), Some(Answer::Works));
    assert_eq!(start(&of_this_host(62, UD2)), Some(Answer::Killed));
    assert_eq!(start(&of_this_host(8, EXIT)), Some(Answer::Refused(Errno::ENOEXEC)));
    assert_eq!(start(b""), Some(Answer::Refused(Errno::ENOEXEC)));
    assert_eq!(start(&of_this_host(62, TERM)), None);
}

#[test]
fn without_memfd_and_within_two_seconds() {
    let _alone = alone();
    let run_in_tmp = |code| run(&in_tmp(&of_this_host(62, code)).expect("O_TMPFILE in /tmp"));
    assert_eq!(run_in_tmp(EXIT), Some(Answer::Works));
    assert_eq!(run_in_tmp(UD2), Some(Answer::Killed));
    assert_eq!(run_in_tmp(LOOP), None);
}

#[test]
fn what_is_in_memory_stays_as_it_is() {
    let _alone = alone();
    let file = in_memory(&of_this_host(62, EXIT)).expect("memfd_create");
    assert_eq!(nix::unistd::write(&file, b"x"), Err(nix::errno::Errno::EPERM));
    assert_eq!(nix::unistd::ftruncate(&file, 0), Err(nix::errno::Errno::EPERM));
}

#[test]
fn what_nothing_survives_is_no_answer() {
    let _alone = alone();
    let [good, bad, foreign] = [of_this_host(62, EXIT), of_this_host(62, UD2), of_this_host(8, EXIT)];
    assert_eq!(answer(&good, &bad), Some(Answer::Works));
    assert_eq!(answer(&bad, &good), Some(Answer::Killed));
    assert_eq!(answer(&foreign, &good), Some(Answer::Refused(Errno::ENOEXEC)));
    assert_eq!(answer(&bad, &bad), None);
    assert_eq!(answer(&foreign, &foreign), None);
}

/// ```text
///     mov ebx, 64         1: dec ebx; fcntl(ebx, F_GETFD) == -EBADF, or 2:; until ebx is 0
///     prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0) == 1, or 2:; exit(0)
///  2: ud2
/// ```
const BARE: &[u8] = b"\xbb\x40\0\0\0\xff\xcb\xb8\x48\0\0\0\x89\xdf\xbe\x01\0\0\0\x0f\x05\x83\xf8\xf7\x75\x28\
    \x85\xdb\x75\xe7\xb8\x9d\0\0\0\xbf\x27\0\0\0\x31\xf6\x31\xd2\x45\x31\xd2\x45\x31\xc0\x0f\x05\x83\xf8\x01\
    \x75\x09\x31\xff\xb8\x3c\0\0\0\x0f\x05\x0f\x0b";

/// A program whose code does not fit into a tiny one: its page is mapped whole.
fn long_program(code: &[u8]) -> Vec<u8> {
    let mut file = of_this_host(62, b"");
    let entry = u32::from_le_bytes(file[24..28].try_into().expect("e_entry"));
    file.truncate((entry & 0xfff) as usize);
    file.extend(code);
    file
}

/// Makes system calls fail with ENOSYS for this thread and its children, as on a kernel that does not have them.
fn without(calls: &[c_long]) {
    // linux/bpf_common.h, linux/seccomp.h: load the call's number; where it is one of them, return ENOSYS.
    const LOAD: u16 = 0x20;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let instruction = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut filter = vec![instruction(LOAD, 0, 0, 0)];
    for call in calls {
        filter.push(instruction(JUMP_IF_EQUAL, 0, 1, u32::try_from(*call).expect("a call")));
        filter.push(instruction(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs()));
    }
    filter.push(instruction(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW));
    let program =
        libc::sock_fprog { len: u16::try_from(filter.len()).expect("a few"), filter: filter.as_mut_ptr() };
    // SAFETY: a filter that lives until the call returns.
    let failed = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1_usize, 0_usize, 0_usize, 0_usize)
            | libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program)
    };
    assert_eq!(failed, 0, "{}", nix::errno::Errno::last());
}

/// Asks in a thread of its own, for which these calls do not exist.
fn asked_without(calls: &'static [c_long], elf: Vec<u8>) -> Option<Answer> {
    let thread = std::thread::spawn(move || {
        without(calls);
        start(&elf)
    });
    thread.join().expect("an answer")
}

#[test]
fn it_has_no_descriptors_and_no_way_to_more_rights() {
    let _alone = alone();
    // The test's own standard descriptors are open, and this one is inherited, too.
    // SAFETY: a new descriptor, which stays open.
    let inherited = unsafe { libc::fcntl(0, libc::F_DUPFD, 40) };
    assert!(inherited >= 40);
    assert_eq!(start(&long_program(BARE)), Some(Answer::Works));
    assert_eq!(asked_without(&[libc::SYS_close_range], long_program(BARE)), Some(Answer::Works));
}

#[test]
fn older_kernels() {
    let _alone = alone();
    for calls in [
        &[libc::SYS_memfd_create][..],
        &[libc::SYS_execveat],
        &[libc::SYS_memfd_create, libc::SYS_execveat, libc::SYS_close_range, libc::SYS_prctl],
    ] {
        assert_eq!(asked_without(calls, of_this_host(62, EXIT)), Some(Answer::Works), "{calls:?}");
        assert_eq!(asked_without(calls, of_this_host(62, UD2)), Some(Answer::Killed), "{calls:?}");
        assert_eq!(
            asked_without(calls, of_this_host(8, EXIT)),
            Some(Answer::Refused(Errno::ENOEXEC)),
            "{calls:?}"
        );
    }
}
