use super::Case;
use super::damaged_tables::tell_fault;
use super::shown::{Shown, names};
use crate::exec::Step;
use crate::finding::{Found, Severity};
use crate::ldso::{Fault, FaultKind};

rule! {
    /// # What it means
    /// The program was linked with a newer library than the one on this machine: a version of its symbols is not there. Or
    /// what it says of versions and what is loaded do not go together.
    /// # How it looks
    /// Status 1; of the others 127. The second is of a file that nothing loads any more (patchelf `--remove-needed` of old,
    /// which left DT_VERNEED as it was); the third of a library that has lost all its versions: a firmware's, which
    /// LD_LIBRARY_PATH puts before the program's own. A loader that does not hold that message takes the symbol (Debian's
    /// glibc 2.36 holds it, its 2.41 does not).
    /// # Why
    /// glibc's loader compares the versions that a program asks for (DT_VERNEED) with those that a library defines
    /// (DT_VERDEF) before anything runs. A program takes on the versions of the C library it is linked with.
    /// # Fix
    /// Build it where the C library is as old as this machine's, or statically: `CGO_ENABLED=0` for Go, a musl target for
    /// Rust and C. Where the finding names LD_LIBRARY_PATH or LD_PRELOAD, the variable leads to an older library than the
    /// program's own: `unset` it.
    /// # Kernel source
    /// None: glibc elf/dl-version.c `_dl_check_map_versions`, elf/dl-lookup.c `check_match`.
    /// # Example
    /// ```text
    /// machine x86-64, not by a router's build
    /// file /lib64/ld-linux-x86-64.so.2 elf x86-64 e_type=3 base=0 p_flags=7 soname=ld-linux-x86-64.so.2 strings=/etc/ld.so.cache,/lib/,/usr/lib/
    /// file /lib/libc.so.6 elf x86-64 e_type=3 base=0 soname=libc.so.6 version=GLIBC_2.2.5 version=GLIBC_2.14
    /// file /tmp/new elf x86-64 gcc interp=/lib64/ld-linux-x86-64.so.2 needed=libc.so.6 needs-version=libc.so.6,GLIBC_2.34
    /// $ diag /tmp/new
    /// error[version-missing]: /tmp/new needs version GLIBC_2.34 of /lib/libc.so.6,
    ///   which this machine's does not have
    ///   program: DT_VERNEED GLIBC_2.34
    ///   machine: C library glibc 2.14
    ///   kernel:  starts it; its loader then ends it, status 1
    ///   you see: /tmp/new: /lib/libc.so.6: version `GLIBC_2.34' not found (required by
    ///            /tmp/new)
    ///   fix:     take its build for glibc 2.14 or older, or a static one (musl); or
    ///            take the build for linux-amd64-musl (also named x86_64, amd64-v1,
    ///            amd64-compatible), or a static one, or rebuild it for this machine
    ///            x86_64-openwrt-linux-musl-gcc -static
    /// [1]
    /// ```
    VersionMissing, looks [
        "./x: /lib/libc.so.6: version `GLIBC_2.34' not found (required by ./x)",
        "Assertion `needed != NULL' failed!",
        "Assertion `version->filename == NULL || ! _dl_name_match_p (version->filename, map)' failed!",
        "unsupported version 2 of Verneed record",
    ],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    if let Some(fault) = case.link?.fault.as_ref().filter(|_| !crate::ROUTER) {
        let is_of_versions = fault.kind.row().1 == Step::VersionMissing;
        return is_of_versions.then(|| mismatch(case, fault));
    }
    let versions = &case.link?.versions;
    let first = versions.first()?;
    let names = names(&mut versions.iter().map(|version| version.name.as_slice()));
    let (path, ends) = (Shown(&case.candidate.path), case.loader_ends());
    let (version, library, needed_by) = (Shown(&first.name), Shown(&first.of), Shown(&first.needed_by));
    let link = case.link?;
    let is_glibcs = !crate::ROUTER && first.name.starts_with(b"GLIBC_") && !link.release.is_empty();
    let (libc, release) = if is_glibcs { ("glibc ", link.release.as_slice()) } else { ("", &[][..]) };
    let release = Shown(release);
    let mut finding = case.error(format_args!(
        "\
needs version {version} of {library}, which this machine's does not have
program: DT_VERNEED={names}
machine: C library={libc}{release}
kernel:  {ends}, status 1"
    ));
    let told = format_args!("version `{version}' not found (required by {needed_by})");
    if crate::ROUTER || first.of.contains(&b'/') {
        finding.tell(format_args!("you see: {path}: {library}: {told}"));
    } else {
        // Where the library lies is not known of a machine by name.
        finding.tell(format_args!("you see: {told}"));
    }
    if is_glibcs {
        let other = format_args!("take its build for glibc {release} or older, or a static one (musl)");
        case.tell_rebuild_after(&mut finding, other, "or");
    } else {
        let other = format_args!("build it with a library as old as this machine's");
        case.tell_rebuild_after(&mut finding, other, "or, to need no library,");
    }
    Some(finding)
}

/// What a file says of versions, and what is loaded, do not go together.
fn mismatch(case: &Case<'_>, fault: &Fault) -> Found {
    let (of, name, number) = (Shown(&fault.of), Shown(&fault.name), fault.number);
    let severity = if fault.lazy { Severity::Warning } else { Severity::Error };
    let mut finding = match fault.kind {
        FaultKind::VersionsOfNoFile => case.about(
            severity,
            format_args!(
                "\
asks for versions of {name}, which is not loaded
program: DT_VERNEED={name} (of {of}), which no DT_NEEDED names
fix:     build it again, or have it load the library:
run:     patchelf --add-needed {name} {of}"
            ),
        ),
        FaultKind::NoVersions => case.about(
            severity,
            format_args!(
                "\
asks for a version of {name}, and the library that has it has no versions
program: undefined={name}, with a version
machine: file={of}: no DT_VERSYM
fix:     have it find the library that it was linked with: does LD_LIBRARY_PATH, or LD_PRELOAD, lead elsewhere?"
            ),
        ),
        _ => {
            let what = match fault.kind {
                FaultKind::VerneedRecord => "DT_VERNEED: version of its records",
                FaultKind::VerdefRecord => "DT_VERDEF: version of its records",
                FaultKind::NoVerdef => "DT_VERDEF: at",
                _ => "DT_VERSYM: none, beside versions; number",
            };
            case.about(
                severity,
                format_args!(
                    "\
has, or a library of it has, tables of versions that its loader cannot use
program: file={of}
program: {what}={number}
fix:     {}",
                    case.copy_again_of(fault)
                ),
            )
        }
    };
    tell_fault(&mut finding, case, fault);
    if fault.lazy {
        // Whatever it calls of that library.
        finding.dies();
    }
    finding
}
