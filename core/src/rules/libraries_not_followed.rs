use super::Case;
use crate::finding::{Found, Severity};
use crate::machine::Libc;

rule! {
    /// # What it means
    /// The program's loader is there, and is one whose rules diag does not know: uClibc's, Android's (bionic), or a foreign
    /// one. Whether it finds the libraries and symbols that the program needs, diag does not say.
    /// # How it looks
    /// The first is uClibc's, the second bionic's.
    /// # Why
    /// Each loader has rules of its own for where libraries lie. diag knows musl's and glibc's.
    /// # Fix
    /// `ls` the libraries in /lib and /usr/lib, on Android in /system/lib and /system/lib64.
    /// # Kernel source
    /// None.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/glibc elf mipsel gcc e_flags=0x70001007 abiflags=32,2,3,0 interp=/lib/ld.so.1 needed=libc.so.6
    /// file /lib/ld.so.1 link libc.so
    /// $ diag /tmp/glibc
    /// /tmp/glibc starts on this machine
    /// note[libraries-not-followed]: diag does not look for the libraries of /tmp/glibc
    ///   program: C library not known
    /// [0]
    /// ```
    LibrariesNotFollowed, looks [
        "can't load library 'libfoo.so.0'",
        "CANNOT LINK EXECUTABLE \"./x\": library \"libfoo.so\" not found",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    // What would look for them is not there.
    if case.candidate.lacks_interpreter() {
        return None;
    }
    let libc = match case.link?.libc {
        Some(Libc::Musl | Libc::Glibc) => return None,
        Some(libc) => libc.name(),
        None => "not known",
    };
    let file = case.file();
    case.starts().then(|| {
        case.finding(
            Severity::Note,
            format_args!(
                "\
diag does not look for the libraries of {file}
program: C library={libc}"
            ),
        )
    })
}
