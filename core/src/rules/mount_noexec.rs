use alloc::format;

use super::shown::{Shown, Size};
use super::{Case, words};
use crate::candidate::Content;
use crate::exec::Step;
use crate::finding::Finding;
use crate::machine::Mount;

rule! {
    /// # What it means
    /// The file lies on a file system that is mounted with `noexec`: no program can be started from it.
    /// # How it looks
    /// `Permission denied`, status 126, although the mode is right; for root too.
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
    MountNoexec, check, quiet after [NotAProgram]
}

fn check(case: &Case<'_>) -> Option<Finding> {
    if case.meets(Step::NoExecMount) && !case.is_foreign_format() {
        return Some(here(case, case.machine.mount_of(&case.candidate.resolved)?));
    }
    let folder = &case.destination.filter(|destination| destination.asked)?.folder;
    let mount = case.machine.mount_of(folder).filter(|mount| mount.has("noexec"))?;
    let (folder, mount, kernel) = (Shown(folder), words::mount(mount), words::PERMISSION_DENIED);
    Some(case.error(format_args!(
        "\
programs cannot be started from {folder}, which is mounted noexec
machine: mount={mount}
kernel:  {kernel}
fix:     install it in another folder"
    )))
}

fn here(case: &Case<'_>, mount: &Mount) -> Finding {
    let size = case.candidate.size().unwrap_or(0);
    let script = match &case.candidate.content {
        Content::Script(_) => "; or call its interpreter with it as an argument",
        _ => "",
    };
    let (file, argument, point) = (case.file(), case.argument(), Shown(&mount.point));
    let remount = format!("mount -o remount,exec {}", words::quoted(&mount.point));
    let fix = match words::room(case, size, mount) {
        Some(room) => format!(
            "as root, remount it with exec{script}; or copy its {size} to {folder}:\n\
             run: {remount}\n\
             run: cp {argument} {run}",
            size = Size(size),
            folder = room.words,
            run = room.run,
        ),
        None => format!("no other file system has room for it; as root{script}:\nrun: {remount}"),
    };
    let (mount, kernel) = (words::mount(mount), words::PERMISSION_DENIED);
    case.error(format_args!(
        "\
{file} lies on {point}, which is mounted noexec
machine: mount={mount}
kernel:  {kernel}
fix:     {fix}"
    ))
}
