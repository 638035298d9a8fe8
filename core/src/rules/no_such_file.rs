use super::shown::Quoted;
use super::{Case, words};
use crate::errno::Errno;
use crate::finding::{Certainty, Found, Severity};
use crate::path::Path;
use crate::target::FileKind;
use crate::text;

rule! {
    /// # What it means
    /// There is no file of that name, or the path to it cannot be followed.
    /// # How it looks
    /// Status 127.
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
    NoSuchFile, looks ["not found", "No such file or directory"],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let errno = case.candidate.missing()?;
    let path = &case.candidate.path;
    let (argument, error) = (case.argument(), errno.text());
    let is_bare = words::is_bare(path);
    // Nobody can tell whether a program starts that is not there; that it is not, is certain.
    let (what, why) = match errno {
        Errno::ENOENT if is_bare => ("is neither in this folder nor in PATH", ""),
        Errno::ENOENT => ("does not exist, or is a symbolic link that leads nowhere", ""),
        Errno::EACCES => {
            ("cannot be reached: a folder on its path may not be searched\nfix: run diag as root", "")
        }
        Errno::ELOOP => ("is a symbolic link that leads back to itself", ""),
        Errno::ENOTDIR => ("leads through a file that is no folder", ""),
        _ => ("cannot be looked up: ", error),
    };
    let mut finding = match errno {
        Errno::ENAMETOOLONG if !crate::ROUTER => {
            case.finding(Severity::Warning, format_args!("the name {:.40}... is too long", text::path(path)))
        }
        _ => case.warning(format_args!("{what}{why}")),
    };
    if !crate::ROUTER && errno == Errno::ENOTDIR {
        if let Some(file) = no_folder(case, path) {
            finding.tell(format_args!("fix: see what is there:\nrun: ls -ld {}", Quoted(file)));
        }
    } else if matches!(errno, Errno::ENOENT | Errno::ELOOP) && !is_bare {
        finding.tell(format_args!("fix: see what is there:\nrun: ls -l {argument}"));
    }
    let shell = if matches!(errno, Errno::ENOENT | Errno::ENOTDIR) { "not found" } else { error };
    finding.tell(format_args!("kernel: stat={}\nyou see: {shell}", errno.name()));
    finding.certainty = Certainty::Certain;
    Some(finding)
}

/// The file among the folders that a path leads through.
fn no_folder<'a>(case: &Case<'_>, path: &'a Path) -> Option<&'a Path> {
    let path = words::bytes(path);
    let slashes = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/');
    let mut above = slashes.filter_map(|(at, _)| path.get(..at)).map(Path::new);
    above.find(|place| {
        matches!(case.machine.target.root.stat(place), Some(Ok(stat)) if stat.kind != FileKind::Directory)
    })
}
