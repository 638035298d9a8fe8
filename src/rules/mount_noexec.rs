use super::{Case, words};
use crate::candidate::Content;
use crate::finding::{Finding, Severity};
use crate::loader::Step;
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
    "mount-noexec", check
}

const WORDS: &str = "%n lies on %0, which is mounted noexec\nm mount=%1";
const COPY: &str = "\
> as root, remount it with exec%5; or copy its %s2 to %3:
$ mount -o remount,exec %4
$ cp %f %6";
const REMOUNT: &str = "\
> no other file system has room for it; as root%5:
$ mount -o remount,exec %4";
const FOLDER: &str = "\
programs cannot be started from %0, which is mounted noexec
m mount=%1
> install it in another folder";

fn check(case: &Case<'_>) -> Option<Finding> {
    if case.meets(Step::NoExecMount) && !super::not_a_program::is_no_program(case) {
        return Some(here(case, case.machine.mount_of(&case.candidate.resolved)?));
    }
    let folder = &case.destination.filter(|destination| destination.asked)?.folder;
    let mount = case.machine.mount_of(folder).filter(|mount| mount.has("noexec"))?;
    Some(case.tell(Severity::Error, &[FOLDER, words::PERMISSION_DENIED], &[folder, &words::mount(mount)]))
}

fn here(case: &Case<'_>, mount: &Mount) -> Finding {
    let size = case.candidate.size().unwrap_or(0);
    let script = match &case.candidate.content {
        Content::Script(_) => "; or call its interpreter with it as an argument",
        _ => "",
    };
    let room = words::room(case, size, mount);
    let fix = if room.is_some() { COPY } else { REMOUNT };
    let room = room.unwrap_or_default();
    case.tell(
        Severity::Error,
        &[WORDS, words::PERMISSION_DENIED, fix],
        &[
            &mount.point,
            &words::mount(mount),
            &size,
            &room.words,
            &words::quoted(&mount.point),
            &script,
            &room.run,
        ],
    )
}
