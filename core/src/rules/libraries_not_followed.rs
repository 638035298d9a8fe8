#[cfg(feature = "every-machine")]
use alloc::vec::Vec;

use super::Case;
use super::shown::Shown;
#[cfg(feature = "every-machine")]
use super::shown::names;
use crate::exec::{Missing, Outcome};
use crate::finding::{Found, Severity};
use crate::ldso::{LinkResult, Setting};
#[cfg(feature = "every-machine")]
use crate::ldso::{is_of_glibc, is_of_musl};
use crate::machine::Libc;

rule! {
    /// # What it means
    /// The program's loader is there, and is one whose rules diag does not know: uClibc's, Android's (bionic), or a foreign
    /// one; or glibc's is told to ask a library where all others are (LD_AUDIT, rtld-audit(7)). Whether it finds the
    /// libraries and symbols that the program needs, diag does not say: only of Android's, which come with the system, it
    /// takes it for granted.
    /// # How it looks
    /// The first is uClibc's, the second bionic's.
    /// # Why
    /// Each loader has rules of its own for where libraries lie. diag knows musl's and glibc's.
    /// # Fix
    /// `ls` the libraries in /lib and /usr/lib, on Android in /system/lib and /system/lib64; `unset LD_AUDIT`.
    /// # Kernel source
    /// None.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/glibc elf mipsel gcc e_flags=0x70001007 abiflags=32,2,3,0 interp=/lib/ld.so.1 needed=libc.so.6
    /// file /lib/ld.so.1 link libc.so
    /// $ diag /tmp/glibc
    /// cannot tell whether /tmp/glibc starts: it is unknown where its loader, whose
    ///   rules diag does not know, looks for libraries
    /// note[libraries-not-followed]: diag does not look for the libraries of /tmp/glibc
    ///   program: C library not known; loader /lib/ld.so.1
    /// [2]
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
    let link = case.link?;
    if !crate::ROUTER && case.content == (Outcome::Unknown { missing: Missing::Auditor }) {
        return Some(audited(case, link));
    }
    #[cfg(feature = "every-machine")]
    if case.content == (Outcome::Unknown { missing: Missing::Installed }) {
        return Some(not_known(case, link));
    }
    let libc = match link.libc {
        Some(Libc::Musl | Libc::Glibc) => return None,
        Some(libc) => libc.name(),
        None => "not known",
    };
    let is_unknown = case.content == Outcome::Unknown { missing: Missing::LoaderRules };
    if !(is_unknown || case.starts() && (link.libc.is_some() || link.needs_any())) {
        return None;
    }
    let file = case.file();
    let mut finding = case.finding(
        Severity::Note,
        format_args!(
            "\
diag does not look for the libraries of {file}
program: C library={libc}"
        ),
    );
    if is_unknown {
        finding.tell(format_args!("program: loader={}", Shown(case.interpreter_path())));
    }
    Some(finding)
}

/// Of the machine's C library the release alone is known.
#[cfg(feature = "every-machine")]
fn not_known(case: &Case<'_>, link: &LinkResult) -> Found {
    let dynamic = case.image.and_then(|image| image.dynamic.as_ref());
    let needed = dynamic.map_or(&[][..], |dynamic| &dynamic.needed);
    let is_musl = link.libc == Some(Libc::Musl);
    let is_own = |name: &[u8]| if is_musl { is_of_musl(name) } else { is_of_glibc(name) };
    let others = needed.iter().map(Vec::as_slice).filter(|name| !is_own(name));
    let folders = dynamic.and_then(|dynamic| dynamic.runpath.as_ref().or(dynamic.rpath.as_ref()));
    let (file, release) = (case.file(), Shown(&link.release));
    // musl has no versions of symbols, and which library defines what is not known.
    let (new_enough, libc) =
        if is_musl { ("", "musl") } else { ("; the C library is new enough for it", "glibc") };
    case.finding(
        Severity::Note,
        format_args!(
            "\
it is not known which libraries {file} finds there{new_enough}
program: DT_NEEDED={needed}
program: its own folders={folders}
machine: C library={libc} {release}",
            needed = names(&mut others.into_iter()),
            folders = Shown(folders.map_or(&[][..], Vec::as_slice)),
        ),
    )
}

/// Whatever diag finds, the auditing library may say otherwise.
fn audited(case: &Case<'_>, link: &LinkResult) -> Found {
    let (file, library) = (case.file(), Shown(&link.auditor));
    let mut finding = case.finding(
        Severity::Note,
        format_args!(
            "\
{library} is asked where the libraries of {file} are, and diag does not run it
program: la_objsearch={library}"
        ),
    );
    let variable = case.machine.target.kernel.variable(c"LD_AUDIT").unwrap_or_default();
    if !variable.is_empty() {
        finding.tell(format_args!("machine: LD_AUDIT={}", Shown(&variable)));
    }
    if link.blamed == Some(Setting::Audit) {
        finding.tell(format_args!(
            "\
fix: without LD_AUDIT it starts
run: unset LD_AUDIT
run: LD_AUDIT= {}",
            case.argument()
        ));
    }
    finding
}
