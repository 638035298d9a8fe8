use super::Case;
use super::shown::{Quoted, Shown, Size};
use super::words::{self, MountWords};
use crate::candidate::Content;
use crate::exec::Step;
use crate::finding::{Found, Severity};
use crate::machine::Mount;

rule! {
    /// # What it means
    /// The file lies on a file system that is mounted with `noexec`: no program can be started from it.
    /// # How it looks
    /// Status 126, although the mode is right; for root too.
    /// # Why
    /// The mount option forbids it, for scripts and loaders as well. `sh FILE` still runs a script.
    /// # Fix
    /// Copy the file to another file system (/tmp is RAM and allows it on OpenWrt), or, as root,
    /// `mount -o remount,exec MOUNTPOINT`.
    /// # Kernel source
    /// fs/exec.c `do_open_execat`, `path_noexec`.
    /// # Example
    /// ```text
    /// machine armv7-novfp
    /// file /tmp/small elf arm go
    /// $ diag --dest /dev /tmp/small
    /// error[mount-noexec]: programs cannot be started from /dev, which is mounted
    ///   noexec
    ///   machine: mount /dev: tmpfs, rw,nosuid,noexec,noatime,size=512k
    ///   kernel:  EACCES
    ///   you see: Permission denied
    ///   fix:     install it in another folder
    /// [1]
    /// ```
    MountNoexec, looks ["Permission denied"],
    check, quiet after [NotAProgram]
}

fn check(case: &Case<'_>) -> Option<Found> {
    if case.meets(Step::NoExecMount) && !case.is_foreign_format() {
        return Some(here(case, case.machine.mount_of(&case.candidate.resolved)?));
    }
    let folder = &case.destination.filter(|destination| destination.asked)?.folder;
    let mount = case.machine.mount_of(folder).filter(|mount| mount.has("noexec"))?;
    let (folder, mount) = (Shown(folder), MountWords(mount));
    Some(case.finding(
        Severity::Error,
        format_args!(
            "\
programs cannot be started from {folder}, which is mounted noexec
machine: mount={mount}
kernel:  EACCES
you see: Permission denied
fix:     install it in another folder"
        ),
    ))
}

fn here(case: &Case<'_>, mount: &Mount) -> Found {
    let script = match &case.candidate.content {
        Content::Script(_) => "; or call its interpreter with it as an argument",
        _ => "",
    };
    let point = Shown(&mount.point);
    let mut finding = case.error(format_args!(
        "\
lies on {point}, which is mounted noexec
machine: mount={mount}
kernel:  EACCES
you see: Permission denied
run:     mount -o remount,exec {quoted}",
        mount = MountWords(mount),
        quoted = Quoted(&mount.point),
    ));
    match words::runnable_folder(case, mount) {
        Some(folder) => {
            let size = Size(case.candidate.size().unwrap_or(0));
            finding.tell(format_args!(
                "fix: as root, remount it with exec{script}; or copy its {size} to {folder}:"
            ));
            folder.tell_run(&mut finding, case);
        }
        None => finding.tell(format_args!("fix: no other file system has room for it; as root{script}:")),
    }
    finding
}
