use super::Case;
use super::shown::{Mode, Shown};
use crate::candidate::{Content, Lost};
use crate::errno::Errno;
use crate::exec::{Missing, Outcome, Step};
use crate::finding::{Certainty, Found, Severity};
use crate::target::FileKind;

rule! {
    /// # What it means
    /// The file exists, but its content may not be read, so that diag cannot judge it. It may start all the same: the
    /// kernel needs no read permission to execute a file.
    /// # How it looks
    /// Of `cat FILE`; the second on a damaged medium.
    /// # Why
    /// The mode gives you no r bit, the medium does not deliver, or diag itself is kept from it: EMFILE says that it may have no
    /// more files open.
    /// # Fix
    /// Run diag as root, or copy the file to where you may read it.
    /// # Kernel source
    /// fs/namei.c `inode_permission` with MAY_READ.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/secret elf mipsel go abiflags=32,1,3,0 mode=0711 read=EACCES
    /// $ diag /tmp/secret
    /// warning[unreadable-file]: /tmp/secret may not be read, so what is in it is not
    ///   known
    ///   program: mode 0711
    ///   kernel:  EACCES; execve needs the x bit only, so it may start all the same
    ///   fix:     run diag as root
    /// [2]
    /// ```
    UnreadableFile, looks ["Permission denied", "Input/output error"],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let Content::Unread(errno) = case.candidate.content else { return of_a_part(case) };
    let stat = case.candidate.found().filter(|stat| stat.kind == FileKind::Regular)?;
    let is_forbidden = matches!(errno, Errno::EACCES | Errno::EPERM);
    let cannot = if is_forbidden { "may not" } else { "cannot" };
    let (then, seen) = if is_forbidden && !case.meets(Step::Permission) {
        ("; execve needs the x bit only, so it may start all the same", "")
    } else {
        ("", if is_of_diag(errno, None) { "" } else { errno.text() })
    };
    let (mode, name, fix) = (Mode(stat.mode & 0o7777), errno.name(), errno.fix());
    let is_refused = case.meets(Step::Read);
    let call = if is_refused && !crate::ROUTER { "execve" } else { "open" };
    let text = format_args!(
        "\
{cannot} be read, so what is in it is not known
program: mode={mode}
kernel:  {call}={name}{then}
you see: {seen}
fix:     {fix}"
    );
    let mut finding = if is_refused { case.error(text) } else { case.warning(text) };
    finding.certainty = Certainty::Certain;
    Some(finding)
}

/// What it depends on, and the system refused: a part of it, its interpreter, a library, a list of its loader's.
fn of_a_part(case: &Case<'_>) -> Option<Found> {
    let Lost { path, errno } = case.lost.first()?;
    let Outcome::Unknown { missing } = case.outcome else { return None };
    let is_of_diag = is_of_diag(*errno, Some(missing));
    let is_about = matches!(
        missing,
        Missing::LostRead | Missing::InterpreterContent | Missing::Content | Missing::Access
    );
    let (what, call, seen) = if is_of_diag {
        ("cannot be opened by diag", "open", "")
    } else {
        ("cannot be read to its end", "pread", errno.text())
    };
    let (path, name, fix) = (Shown(path), errno.name(), errno.fix());
    (is_about || is_of_diag).then(|| {
        let mut finding = case.finding(
            Severity::Warning,
            format_args!(
                "\
{path} {what}
kernel:  {call}={name}
you see: {seen}
fix:     {fix}"
            ),
        );
        finding.certainty = Certainty::Certain;
        finding
    })
}

/// That is diag's trouble alone: the program's loader does not meet it.
fn is_of_diag(errno: Errno, missing: Option<Missing>) -> bool {
    errno.is_of_who_asks() || missing == Some(Missing::Refused)
}
