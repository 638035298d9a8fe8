use super::super::tiny_elf::tests::of_this_host;
use super::*;

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
    assert_eq!(start(&of_this_host(62, EXIT)), Some(Answer::Works));
    assert_eq!(start(&of_this_host(62, UD2)), Some(Answer::Killed));
    assert_eq!(start(&of_this_host(8, EXIT)), Some(Answer::Refused(Errno::ENOEXEC)));
    assert_eq!(start(b""), Some(Answer::Refused(Errno::ENOEXEC)));
    assert_eq!(start(&of_this_host(62, TERM)), None);
}

#[test]
fn from_a_file_and_within_two_seconds() {
    assert_eq!(from_file(&of_this_host(62, EXIT)), Some(Answer::Works));
    assert_eq!(from_file(&of_this_host(62, UD2)), Some(Answer::Killed));
    assert_eq!(from_file(&of_this_host(62, LOOP)), None);
    let own = format!(".diag-{}-", std::process::id());
    let names = std::fs::read_dir("/tmp").expect("/tmp").map(|entry| entry.expect("an entry").file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().starts_with(&own)).count(), 0);
}

#[test]
fn what_nothing_survives_is_no_answer() {
    let [good, bad, foreign] = [of_this_host(62, EXIT), of_this_host(62, UD2), of_this_host(8, EXIT)];
    assert_eq!(answer(&good, &bad), Some(Answer::Works));
    assert_eq!(answer(&bad, &good), Some(Answer::Killed));
    assert_eq!(answer(&foreign, &good), Some(Answer::Refused(Errno::ENOEXEC)));
    assert_eq!(answer(&bad, &bad), None);
    assert_eq!(answer(&foreign, &foreign), None);
}
