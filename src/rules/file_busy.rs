use super::Case;
use crate::finding::{Finding, Severity};
use crate::loader::Step;

rule! {
    /// # What it means
    /// Somebody holds the file open for writing, perhaps a copy that is still under way.
    /// # How it looks
    /// `Text file busy`, status 126. The reverse, `scp: Text file busy`, is a copy onto a program that is running.
    /// # Why
    /// A program must not change while it runs (ETXTBSY). Linux 6.11 to 6.12.1 allowed it.
    /// # Fix
    /// Wait for the copy to end. Replace a program by copying under another name and then `mv`: the old file lives on
    /// until it ends.
    /// # Kernel source
    /// fs/exec.c `do_open_execat`, `deny_write_access`.
    "file-busy", check
}

const WORDS: &str = "\
%n is open for writing, so it may not be executed
k ETXTBSY; the shell: Text file busy
> wait until its copy has ended; if a program keeps it open, put a copy in its place
$ cp -p %f %f.new && mv %f.new %f";

fn check(case: &Case<'_>) -> Option<Finding> {
    case.meets(Step::Busy).then(|| case.tell(Severity::Error, &[WORDS], &[]))
}
