use core::fmt::{self, Display, Formatter, Write as _};

use super::Case;
use super::shown::{Mode, Shown};
use super::words::{self, MountWords, bytes};
use crate::candidate::last_name;
use crate::elf::consts::ET_DYN;
use crate::exec::Step;
use crate::finding::Found;
use crate::machine::holds;
use crate::path::Path;

rule! {
    /// # What it means
    /// The file's mode does not let you execute it. A file that was downloaded, or copied with scp from a Windows
    /// machine, has no x bit.
    /// # How it looks
    /// Status 126; for root too.
    /// # Why
    /// execve wants an x bit that applies to the caller; root needs any one of the three. FAT and NTFS hold no modes:
    /// there the mount's options decide, and chmod changes nothing. Where SELinux is enforced, the file's label has to
    /// allow it as well.
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
    NotExecutable, looks ["Permission denied"],
    check, quiet after [NotAProgram]
}

/// File systems without modes.
const MODELESS: [&str; 8] = ["vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "cifs", "smb3"];

fn check(case: &Case<'_>) -> Option<Found> {
    let bits = case.candidate.found()?.mode & 0o777;
    let x = bits & 0o111;
    // faccessat(2) answers for the mount too, so behind a noexec mount only the mode tells.
    let hidden = case.meets(Step::NoExecMount) && x != 0;
    if hidden || !case.meets(Step::Permission) || case.is_foreign_format() {
        return None;
    }
    let (argument, mode) = (case.argument(), Mode(bits));
    let (what, but) = match x {
        0 => ("is not executable: its mode", " has no x bit"),
        0o111 => ("may not be executed, although its mode is", ""),
        _ => ("may not be executed by this user: its mode is", ""),
    };
    let mut finding =
        case.error(format_args!("{what} {mode}{but}\nprogram: mode={mode} ({})", Letters(bits)));
    let mount = case.machine.mount_of(&case.candidate.resolved);
    match mount.filter(|mount| mount.has("ro") || MODELESS.contains(&mount.fstype.as_str())) {
        Some(mount) => {
            finding.tell(format_args!("machine: mount={}", MountWords(mount)));
            if mount.has("ro") {
                finding.tell(format_args!("fix: {} is read-only; copy it to ", Shown(&mount.point)));
            } else {
                finding
                    .tell(format_args!("fix: chmod has no effect on {}; copy it to ", Shown(&mount.fstype)));
            }
            match words::runnable_folder(case, mount) {
                Some(folder) => {
                    let copy = folder.copy();
                    finding.tell(format_args!("fix: {folder}\nrun: cp {argument} {copy} && chmod +x {copy}"));
                }
                None => finding.tell(format_args!("fix: another file system")),
            }
        }
        None if !crate::ROUTER && is_library(case) => finding.tell(format_args!(
            "\
program: e_type=3 (ET_DYN), without PT_INTERP
fix: a shared library needs no x bit: start the program that uses it"
        )),
        None if x != 0 && is_by_selinux(case, x) => tell_selinux(case, &mut finding),
        None if mount.is_none() || x == 0 => finding.tell(format_args!("run: chmod +x {argument}")),
        None if x == 0o111 => finding.tell(format_args!(
            "fix: run it as root; a folder's mode, an ACL or a security module forbids it"
        )),
        None => finding.tell(format_args!("fix: as root or as the owner:\nrun: chmod a+x {argument}")),
    }
    finding.tell(format_args!("kernel: EACCES\nyou see: Permission denied"));
    Some(finding)
}

/// Whether SELinux most likely refuses what the mode allows: it answers to faccessat(2), too
/// (security/selinux/hooks.c `selinux_inode_permission`, FILE__EXECUTE). Who has all rights is refused by nothing else.
fn is_by_selinux(case: &Case<'_>, x: u32) -> bool {
    if crate::ROUTER {
        return false;
    }
    let target = case.machine.target;
    let is_root = target.kernel.caller().is_some_and(|caller| caller.euid == 0);
    let enforces = || matches!(target.root.read(Path::new("/sys/fs/selinux/enforce")), Some(Ok(text)) if text.starts_with(b"1"));
    (x == 0o111 || is_root) && enforces()
}

fn tell_selinux(case: &Case<'_>, finding: &mut Found) {
    let (root, argument) = (case.machine.target.root, case.argument());
    let caller = root.read(Path::new("/proc/self/attr/current")).and_then(Result::ok).unwrap_or_default();
    let label = root.label(&case.candidate.path).unwrap_or_default();
    let caller = caller.strip_suffix(b"\0").unwrap_or(&caller);
    finding.tell(format_args!(
        "\
program: label={}
machine: SELinux=enforcing
machine: caller={}
fix:     SELinux most likely forbids it; give the file the label that its folder's programs have
run:     restorecon -v {argument}
run:     dmesg | grep avc",
        Shown(&label),
        Shown(caller.trim_ascii_end()),
    ));
}

/// Whether it is a shared library: named so, and without what a program has.
fn is_library(case: &Case<'_>) -> bool {
    let Some(image) = case.image.filter(|image| image.header.e_type == ET_DYN && image.interp.is_none())
    else {
        return false;
    };
    let Some(dynamic) = image.dynamic.as_ref() else { return false };
    let name = last_name(bytes(&case.candidate.path)).1;
    let is_loader = dynamic.soname.as_deref().unwrap_or(name).starts_with(b"ld");
    !is_loader
        && !dynamic.is_pie()
        && (dynamic.soname.is_some() || name.ends_with(b".so") || holds(name, b".so."))
}

/// A mode as `ls -l` shows it: "rw-r--r--".
struct Letters(u32);

impl Display for Letters {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut bit = 0o400;
        for letter in "rwxrwxrwx".chars() {
            f.write_char(if self.0 & bit == 0 { '-' } else { letter })?;
            bit >>= 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::Letters;
    use crate::rules::shown::Quoted;

    #[test]
    fn a_name_is_one_word_of_a_command() {
        let quoted = |name: &str| Quoted(name.as_ref()).to_string();
        assert_eq!(quoted("/tmp/v2ray-4.34"), "/tmp/v2ray-4.34");
        assert_eq!(quoted("-rf"), "./-rf");
        assert_eq!(quoted("it's $(here)"), "'it'\\''s $(here)'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn letters() {
        assert_eq!(Letters(0o644).to_string(), "rw-r--r--");
        assert_eq!(Letters(0o751).to_string(), "rwxr-x--x");
    }
}
