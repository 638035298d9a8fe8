use super::Case;
use crate::exec::Step;
use crate::finding::Found;

rule! {
    /// # What it means
    /// Somebody holds the file open for writing, perhaps a copy that is still under way.
    /// # How it looks
    /// Status 126. The reverse, `scp: Text file busy`, is a copy onto a program that is running.
    /// # Why
    /// A program must not change while it runs (ETXTBSY). Linux 6.11 to 6.12.1 allowed it.
    /// # Fix
    /// Wait for the copy to end. Replace a program by copying under another name and then `mv`: the old file lives on
    /// until it ends.
    /// # Kernel source
    /// fs/exec.c `do_open_execat`, `deny_write_access`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/copying elf mipsel go abiflags=32,1,3,0 busy
    /// $ diag /tmp/copying
    /// error[file-busy]: /tmp/copying is open for writing, so it may not be executed
    ///   kernel:  ETXTBSY
    ///   you see: Text file busy
    ///   fix:     wait until its copy has ended; if a program keeps it open, put a copy
    ///            in its place
    ///            cp -p /tmp/copying /tmp/copying.new && mv /tmp/copying.new /tmp/copying
    /// [1]
    /// ```
    FileBusy, looks ["Text file busy"],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    if !case.meets(Step::Busy) {
        return None;
    }
    let argument = case.argument();
    Some(case.error(format_args!(
        "\
is open for writing, so it may not be executed
kernel:  ETXTBSY
you see: Text file busy
fix:     wait until its copy has ended; if a program keeps it open, put a copy in its place
run:     cp -p {argument} {argument}.new && mv {argument}.new {argument}"
    )))
}
