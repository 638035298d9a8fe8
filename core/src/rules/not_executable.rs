use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use super::shown::{Mode, Shown};
use super::{Case, words};
use crate::exec::Step;
use crate::finding::Finding;

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
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/v2ray elf mipsel go abiflags=32,1,3,0 mode=0644
    /// $ diag /tmp/v2ray
    /// error[not-executable]: /tmp/v2ray is not executable: its mode 0644 has no x bit
    ///   program: mode 0644 (rw-r--r--)
    ///   kernel:  EACCES
    ///   you see: Permission denied
    ///   fix:     chmod +x /tmp/v2ray
    /// [1]
    /// ```
    NotExecutable, check, quiet after [NotAProgram]
}

/// File systems without modes.
const MODELESS: [&str; 8] = ["vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "cifs", "smb3"];

fn check(case: &Case<'_>) -> Option<Finding> {
    let bits = case.candidate.found()?.mode & 0o777;
    let x = bits & 0o111;
    // faccessat(2) answers for the mount too, so behind a noexec mount only the mode tells.
    let hidden = case.meets(Step::NoExecMount) && x != 0;
    if hidden || !case.meets(Step::Permission) || case.is_foreign_format() {
        return None;
    }
    let (file, argument, mode, letters) = (case.file(), case.argument(), Mode(bits), letters(bits));
    let title = match x {
        0 => format!("{file} is not executable: its mode {mode} has no x bit"),
        0o111 => format!("{file} may not be executed, although its mode is {mode}"),
        _ => format!("{file} may not be executed by this user: its mode is {mode}"),
    };
    let mount = case.machine.mount_of(&case.candidate.resolved);
    let fixed = mount.filter(|mount| mount.has("ro") || MODELESS.contains(&mount.fstype.as_str()));
    let fix = match fixed {
        Some(mount) => {
            let why = if mount.has("ro") {
                format!("{} is read-only", Shown(&mount.point))
            } else {
                format!("chmod has no effect on {}", Shown(&mount.fstype))
            };
            match words::room(case, case.candidate.size().unwrap_or(0), mount) {
                Some(room) => format!(
                    "{why}; copy it to {folder}\n\
                 run: cp {argument} {copy} && chmod +x {copy}",
                    folder = room.words,
                    copy = room.copy,
                ),
                None => format!("{why}; copy it to another file system"),
            }
        }
        None if mount.is_none() || x == 0 => format!("\nrun: chmod +x {argument}"),
        None if x == 0o111 => {
            "run it as root; a folder's mode, an ACL or a security module forbids it".to_owned()
        }
        None => format!("as root or as the owner:\nrun: chmod a+x {argument}"),
    };
    let mount = fixed.map(words::mount).unwrap_or_default();
    let kernel = words::PERMISSION_DENIED;
    Some(case.error(format_args!(
        "\
{title}
program: mode={mode} ({letters})
machine: mount={mount}
kernel:  {kernel}
fix:     {fix}"
    )))
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
