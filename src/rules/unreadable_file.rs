use super::Case;
use crate::candidate::Content;
use crate::errno::Errno;
use crate::finding::{Certainty, Finding, Severity};
use crate::loader::Step;
use crate::system::FileKind;

rule! {
    /// # What it means
    /// The file exists, but its content may not be read, so that diag cannot judge it. It may start all the same: the
    /// kernel needs no read permission to execute a file.
    /// # How it looks
    /// `cat FILE`: `Permission denied`, or `Input/output error` on a damaged medium.
    /// # Why
    /// The mode gives you no r bit, or the medium does not deliver.
    /// # Fix
    /// Run diag as root, or copy the file to where you may read it.
    /// # Kernel source
    /// fs/namei.c `inode_permission` with MAY_READ.
    "unreadable-file", check
}

const FORBIDDEN: &str = "\
%n may not be read, so what is in it is not known
p mode=%o0
> run diag as root";
const MAY_START: &str = "k open=%1; execve needs the x bit only, so it may start all the same";
const REFUSED: &str = "k open=%1; the shell: %2";
const BROKEN: &str = "\
%n cannot be read, so what is in it is not known
p mode=%o0
> copy it again, to another file system";

fn check(case: &Case<'_>) -> Option<Finding> {
    let Content::Unread(errno) = case.candidate.content else { return None };
    let stat = case.candidate.stat.ok().filter(|stat| stat.kind == FileKind::Regular)?;
    let words = match errno {
        Errno::EACCES | Errno::EPERM => {
            [FORBIDDEN, if case.meets(Step::Permission) { REFUSED } else { MAY_START }]
        }
        _ => [BROKEN, REFUSED],
    };
    let mode = u64::from(stat.mode & 0o7777);
    let mut finding = case.tell(Severity::Warning, &words, &[&mode, &errno.name(), &errno.text()]);
    finding.certainty = Certainty::Certain;
    Some(finding)
}
