use super::Case;
use super::shown::{Shown, names};
use crate::finding::Found;

rule! {
    /// # What it means
    /// The program was linked with a newer library than the one on this machine: a version of its symbols is not there.
    /// # How it looks
    /// Status 1.
    /// # Why
    /// glibc's loader compares the versions that a program asks for (DT_VERNEED) with those that a library defines
    /// (DT_VERDEF) before anything runs. A program takes on the versions of the C library it is linked with.
    /// # Fix
    /// Build it where the C library is as old as this machine's, or statically: `CGO_ENABLED=0` for Go, a musl target for
    /// Rust and C. Where the finding names LD_LIBRARY_PATH or LD_PRELOAD, the variable leads to an older library than the
    /// program's own: `unset` it.
    /// # Kernel source
    /// None: glibc elf/dl-version.c `_dl_check_map_versions`.
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
    VersionMissing, looks ["./x: /lib/libc.so.6: version `GLIBC_2.34' not found (required by ./x)"],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
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
kernel:  {ends}, status 1
you see: {path}: {library}: version `{version}' not found (required by {needed_by})"
    ));
    if is_glibcs {
        let other = format_args!("take its build for glibc {release} or older, or a static one (musl)");
        case.tell_rebuild_after(&mut finding, other, "or");
    } else {
        let other = format_args!("build it with a library as old as this machine's");
        case.tell_rebuild_after(&mut finding, other, "or, to need no library,");
    }
    Some(finding)
}
