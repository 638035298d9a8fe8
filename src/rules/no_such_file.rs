use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::Case;
use crate::errno::Errno;
use crate::finding::{Certainty, Finding, Severity};
use crate::text;

rule! {
    /// # What it means
    /// There is no file of that name, or the path to it cannot be followed.
    /// # How it looks
    /// `not found` or `No such file or directory`, status 127.
    /// # Why
    /// A component of the path is missing, is no folder, or may not be searched; or a symbolic link leads nowhere.
    /// # Fix
    /// `ls -l FILE` shows a link and where it leads. A program in the current folder is called `./NAME`.
    /// # Kernel source
    /// fs/namei.c `path_openat`.
    "no-such-file", check
}

const NOWHERE: &str = "%n is neither in this folder nor in PATH";
const ABSENT: &str = "%n does not exist, or is a symbolic link that leads nowhere";
const NO_FOLDER: &str = "the path %n leads through a file that is no folder";
const BARRED: &str = "%n cannot be reached: a folder on its path may not be searched";
const LOOP: &str = "%n is a symbolic link that leads back to itself";
const TOO_LONG: &str = "the name %2... is too long";
const OTHER: &str = "%n cannot be looked up: %1";
const WAY: &str = "> see which of them is no folder:\n$ ls -ld%3";
const LIST: &str = "> see what is there:\n$ ls -l %f";

fn check(case: &Case<'_>) -> Option<Finding> {
    let Err(errno) = case.candidate.stat else { return None };
    let is_bare = super::words::is_bare(&case.candidate.path);
    let list = if is_bare { "" } else { LIST };
    let (title, shell, fix) = match errno {
        Errno::ENOENT if is_bare => (NOWHERE, "not found", ""),
        Errno::ENOENT => (ABSENT, "not found", list),
        Errno::ENOTDIR => (NO_FOLDER, "not found", WAY),
        Errno::EACCES => (BARRED, errno.text(), "> run diag as root"),
        Errno::ELOOP => (LOOP, errno.text(), list),
        Errno::ENAMETOOLONG => (TOO_LONG, errno.text(), ""),
        _ => (OTHER, errno.text(), ""),
    };
    let short: String = text::path(&case.candidate.path).chars().take(40).collect();
    let path = super::words::bytes(&case.candidate.path);
    let mut folders = String::new();
    for (at, _) in path.iter().enumerate().filter(|(at, byte)| *at > 0 && **byte == b'/') {
        let folder = OsStr::from_bytes(path.get(..at).unwrap_or_default());
        folders.push(' ');
        folders.push_str(&super::words::quoted(folder.as_ref()));
    }
    // Nobody can tell whether a program starts that is not there; that it is not, is certain.
    let mut finding = case.tell(
        Severity::Warning,
        &[title, "k stat=%0; the shell: %1", fix],
        &[&errno.name(), &shell, &short, &folders],
    );
    finding.certainty = Certainty::Certain;
    Some(finding)
}
