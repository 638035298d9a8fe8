use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};

use super::shown::Shown;
use super::{Case, words};
use crate::errno::Errno;
use crate::finding::{Certainty, Finding};

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
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// $ diag v2ray
    /// warning[no-such-file]: v2ray is neither in this folder nor in PATH
    ///   kernel:  ENOENT
    ///   you see: not found
    /// [2]
    /// ```
    NoSuchFile, check
}

fn check(case: &Case<'_>) -> Option<Finding> {
    let errno = case.candidate.missing()?;
    let path = &case.candidate.path;
    let (file, argument, error) = (case.file(), case.argument(), errno.text());
    let is_bare = words::is_bare(path);
    let title = match errno {
        Errno::ENOENT if is_bare => format!("{file} is neither in this folder nor in PATH"),
        Errno::ENOENT => format!("{file} does not exist, or is a symbolic link that leads nowhere"),
        Errno::ENOTDIR => format!("the path {file} leads through a file that is no folder"),
        Errno::EACCES => format!("{file} cannot be reached: a folder on its path may not be searched"),
        Errno::ELOOP => format!("{file} is a symbolic link that leads back to itself"),
        Errno::ENAMETOOLONG => {
            let short: String = Shown(path).to_string().chars().take(40).collect();
            format!("the name {short}... is too long")
        }
        _ => format!("{file} cannot be looked up: {error}"),
    };
    let fix = match errno {
        Errno::ENOENT | Errno::ELOOP if !is_bare => format!("see what is there:\nrun: ls -l {argument}"),
        Errno::ENOTDIR => {
            let folders = folders(words::bytes(path));
            format!("see which of them is no folder:\nrun: ls -ld{folders}")
        }
        Errno::EACCES => "run diag as root".to_owned(),
        _ => String::new(),
    };
    let shell = if matches!(errno, Errno::ENOENT | Errno::ENOTDIR) { "not found" } else { error };
    let errno = errno.name();
    // Nobody can tell whether a program starts that is not there; that it is not, is certain.
    let mut finding = case.warning(format_args!(
        "\
{title}
kernel:  stat={errno}
you see: {shell}
fix:     {fix}"
    ));
    finding.certainty = Certainty::Certain;
    Some(finding)
}

/// The folders on a path, each as a word of a command with a blank before it.
fn folders(path: &[u8]) -> String {
    let slashes = path.iter().enumerate().filter(|(at, byte)| *at > 0 && **byte == b'/');
    let quoted = |end: usize| words::quoted(path.get(..end).unwrap_or_default().as_ref());
    slashes.map(|(at, _)| format!(" {}", quoted(at))).collect()
}
