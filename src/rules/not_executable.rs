use super::{Case, words};
use crate::finding::{Finding, Severity};
use crate::loader::Step;

rule! {
    /// # What it means
    /// The file's mode does not let you execute it. A file that was downloaded, or copied with scp from a Windows
    /// machine, has no x bit.
    /// # How it looks
    /// `Permission denied`, status 126; for root too.
    /// # Why
    /// execve wants an x bit that applies to the caller; root needs any one of the three. FAT and NTFS hold no modes:
    /// there the mount's options decide, and chmod changes nothing.
    /// # Fix
    /// `chmod +x FILE`; on FAT or a read-only mount, copy the file to another folder first.
    /// # Kernel source
    /// fs/namei.c `inode_permission` with MAY_EXEC; `generic_permission`.
    "not-executable", check
}

/// File systems without modes.
const MODELESS: [&str; 8] = ["vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "cifs", "smb3"];

const NO_BIT: &str = "%n is not executable: its mode %o0 has no x bit";
const ANY_BIT: &str = "%n may not be executed, although its mode is %o0";
const ONE_BIT: &str = "%n may not be executed by this user: its mode is %o0";
const MODE: &str = "p mode=%o0 (%1)";
const SET: &str = "$ chmod +x %f";
const FORBIDDEN: &str = "> run it as root; a folder's mode, an ACL or a security module forbids it";
const SET_AS_ROOT: &str = "> as root or as the owner:\n$ chmod a+x %f";
const COPY: &str = "\
m mount=%2
> its mount keeps no changed modes; copy it to %3
$ cp %f %4 && chmod +x %4";
const NO_ROOM: &str = "m mount=%2\n> its mount keeps no changed modes; copy it to another file system";

fn check(case: &Case<'_>) -> Option<Finding> {
    let mode = case.candidate.stat.ok()?.mode & 0o777;
    let x = mode & 0o111;
    // faccessat(2) answers for the mount too, so behind a noexec mount only the mode tells.
    let hidden = case.meets(Step::NoExecMount) && x != 0;
    if hidden || !case.meets(Step::Permission) || super::not_a_program::is_no_program(case) {
        return None;
    }
    let (title, set) = match x {
        0 => (NO_BIT, SET),
        0o111 => (ANY_BIT, FORBIDDEN),
        _ => (ONE_BIT, SET_AS_ROOT),
    };
    let mount = case.machine.mount_of(&case.candidate.resolved);
    let fixed = mount.filter(|mount| mount.has("ro") || MODELESS.contains(&mount.fstype.as_str()));
    let room = fixed.and_then(|mount| words::room(case, case.candidate.size().unwrap_or(0), mount));
    let fix = match (mount, fixed, &room) {
        (None, ..) => SET,
        (_, None, _) => set,
        (_, _, Some(_)) => COPY,
        _ => NO_ROOM,
    };
    let room = room.unwrap_or_default();
    let mount = mount.map(words::mount).unwrap_or_default();
    Some(case.tell(
        Severity::Error,
        &[title, MODE, words::PERMISSION_DENIED, fix],
        &[&u64::from(mode), &letters(mode), &mount, &room.words, &room.copy],
    ))
}

/// As `ls -l` shows a mode.
fn letters(mode: u32) -> String {
    let letter = |(at, letter): (u32, char)| if mode << at & 0o400 == 0 { '-' } else { letter };
    (0..).zip("rwxrwxrwx".chars()).map(letter).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_is_one_word_of_a_command() {
        let quoted = |name: &str| super::words::quoted(name.as_ref());
        assert_eq!(quoted("/tmp/v2ray-4.34"), "/tmp/v2ray-4.34");
        assert_eq!(quoted("-rf"), "./-rf");
        assert_eq!(quoted("it's $(here)"), "'it'\\''s $(here)'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn letters() {
        assert_eq!(super::letters(0o644), "rw-r--r--");
        assert_eq!(super::letters(0o751), "rwxr-x--x");
    }
}
