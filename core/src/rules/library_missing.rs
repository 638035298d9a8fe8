use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::iter;

use super::Case;
use super::shown::{Quoted, Shown, list, names};
use super::words::{Install, PackageManager, bytes, is_bundled};
use crate::candidate::{Lost, last_name};
use crate::finding::Found;
use crate::ldso::{Elsewhere, Fit, Library, LibraryState, LinkResult, Rights};
use crate::machine::{Libc, holds};
use crate::path::Path;
use crate::text;

rule! {
    /// # What it means
    /// A library that the program needs (DT_NEEDED) is in none of the folders that its loader looks in.
    /// # How it looks
    /// The first is musl's, the second glibc's. Status 127.
    /// # Why
    /// The kernel starts the program's loader, which then looks for each library: in LD_LIBRARY_PATH, in the folders that
    /// the program names (DT_RPATH, DT_RUNPATH), and in those of the C library.
    /// # Fix
    /// Install the package that has it, or link the program statically. A library that is on the machine, in a folder where
    /// the loader does not look, is found by LD_LIBRARY_PATH, or by the loader's own list of folders (/etc/ld.so.conf of
    /// glibc, /etc/ld-musl-ARCH.path of musl). A symbolic link helps only to a file whose DT_SONAME is the name that the
    /// program asks for: libssl.so.3 is another library than libssl.so.1.1. A name with a hash in it
    /// (libgcc_s-998f13c4.so.1) is of the program's own package, which brings it in a folder beside the program.
    ///
    /// A program that gets other rights than who starts it (set-user-ID, set-group-ID, capabilities: AT_SECURE) heeds
    /// neither LD_LIBRARY_PATH nor $ORIGIN in its DT_RUNPATH, unless that comes out in a folder of the system's (glibc).
    /// Give its libraries to the loader's own list, give it an absolute DT_RUNPATH, or take the rights away (`setcap -r`).
    /// # Kernel source
    /// None: musl ldso/dynlink.c `load_library`; glibc elf/dl-load.c `_dl_map_object`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/atomic elf mipsel gcc interp=/lib/ld-musl-mipsel-sf.so.1 needed=libatomic.so.1 needed=libgcc_s.so.1 needed=libc.so
    /// $ diag /tmp/atomic
    /// error[library-missing]: /tmp/atomic needs libatomic.so.1, which is not on this
    ///   machine
    ///   program: DT_NEEDED libatomic.so.1
    ///   machine: looked for /lib/libatomic.so.1, /usr/local/lib/libatomic.so.1,
    ///            /usr/lib/libatomic.so.1
    ///   kernel:  starts it; its loader then ends it, status 127
    ///   you see: Error loading shared library libatomic.so.1: No such file or
    ///            directory (needed by /tmp/atomic)
    ///   fix:     install the package that has it
    ///            opkg install libatomic1
    /// [1]
    /// ```
    LibraryMissing, looks [
        "Error loading shared library libatomic.so.1: No such file or directory (needed by ./x)",
        "error while loading shared libraries: libatomic.so.1: cannot open shared object file: No such file or directory",
    ],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let link = case.link?;
    let missing: Vec<&Library> = link.needed().filter(|library| is_missing(library)).collect();
    let first = *missing.first()?;
    let LibraryState::Missing(errno) = first.state else { return None };
    let chain = if crate::ROUTER { Vec::new() } else { link.chain(first) };
    let preloaded = chain.first().filter(|library| library.preloaded);
    let is_of_it =
        |lost: &&Lost| !crate::ROUTER && (first.tried.contains(&lost.path) || lost.path == link.path_file);
    let refused = case.lost.iter().find(is_of_it);
    let mut finding = match preloaded {
        Some(library) => of_preloaded(case, library, first),
        None if refused.is_some() => {
            case.error(format_args!("needs {}, which cannot be opened", Shown(&first.name)))
        }
        None => titled(case, first),
    };
    let nowhere = first.tried.is_empty();
    let tried =
        if nowhere { "no folder".to_owned() } else { names(&mut first.tried.iter().map(Vec::as_slice)) };
    let asks = if crate::ROUTER { last_asks(case, link, first) } else { all_ask(case, &chain) };
    finding.tell(format_args!(
        "\
program: DT_NEEDED={missing}
machine: looked for={tried}
program: asked for by={asks}",
        missing = names(&mut missing.iter().map(|library| library.name.as_slice())),
    ));
    if let Some(Lost { path, errno }) = refused {
        finding.tell(format_args!("machine: refused={}: {}", Shown(path), errno.name()));
    }
    if link.rights == Rights::Others && !crate::ROUTER {
        finding.tell(format_args!(
            "program: rights=other ones than its caller's (set-user-ID, set-group-ID, capabilities): its loader heeds neither LD_LIBRARY_PATH nor its $ORIGIN"
        ));
    }
    for Elsewhere { path, fit } in missing.iter().filter_map(|library| library.elsewhere.as_ref()) {
        let (what, why) = match fit {
            Fit::Whole | Fit::Soname => ("found", ""),
            Fit::Version => ("another version", ""),
            Fit::Unusable(why) => ("unusable", why.reason()),
        };
        let colon = if why.is_empty() { "" } else { ": " };
        finding.tell(format_args!("machine: {what}={}{colon}{why}", Shown(path)));
    }
    // glibc has no errno where it has looked nowhere.
    let (colon, reason) = if nowhere { ("", "") } else { (": ", errno.text()) };
    tell_ends(
        &mut finding,
        case,
        (link, first),
        errno.text(),
        &format!("{}: cannot open shared object file{colon}{reason}", Shown(&first.name)),
    );
    if let Some(Lost { path, errno }) = refused {
        let path = Shown(path);
        if errno.is_of_the_medium() {
            finding.tell(format_args!("fix: copy {path} again, to another file system"));
        } else {
            finding.tell(format_args!("fix: let whoever starts it open {path}"));
        }
        return Some(finding);
    }
    let others: Vec<&Library> = missing.into_iter().filter(|library| found(library).is_none()).collect();
    match (preloaded, found(first)) {
        (Some(library), _) => tell_without(&mut finding, case, library),
        (None, Some(there)) => {
            tell_found(&mut finding, case, link, first, there);
            if let Some(install) = Install::libraries(case, &others, link.libc) {
                finding.tell(format_args!("fix: ; and install what else is missing\nrun: {install}"));
            }
        }
        (None, None) => tell_install(&mut finding, case, link, &others),
    }
    Some(finding)
}

/// Who asks for a library, from the program on; nobody where the program does itself.
fn all_ask(case: &Case<'_>, chain: &[&Library]) -> String {
    if chain.is_empty() {
        return String::new();
    }
    let files = chain.iter().map(|library| library.path.as_slice());
    list(&mut iter::once(bytes(&case.candidate.path)).chain(files))
}

/// The last of them.
fn last_asks(case: &Case<'_>, link: &LinkResult, library: &Library) -> String {
    let by = link.needed_by(library);
    let is_program = by == bytes(&case.candidate.path);
    text::name(if is_program { b"" } else { by })
}

/// That the loader ends the program for a library, and what it prints: musl the reason, glibc its own words.
pub(super) fn tell_ends(
    finding: &mut Found,
    case: &Case<'_>,
    (link, library): (&LinkResult, &Library),
    reason: &str,
    glibcs: &str,
) {
    let (ends, path, name) = (case.loader_ends(), Shown(&case.candidate.path), Shown(&library.name));
    finding.tell(format_args!("kernel: {ends}, status 127"));
    if link.libc == Some(Libc::Musl) {
        let by = Shown(link.needed_by(library));
        finding.tell(format_args!("you see: Error loading shared library {name}: {reason} (needed by {by})"));
    } else {
        finding.tell(format_args!("you see: {path}: error while loading shared libraries: {glibcs}"));
    }
}

fn is_missing(library: &Library) -> bool {
    matches!(library.state, LibraryState::Missing(_))
}

/// Where a library is that the program could be given.
fn found(library: &Library) -> Option<&Elsewhere> {
    library.elsewhere.as_ref().filter(|there| matches!(there.fit, Fit::Whole | Fit::Soname))
}

fn titled(case: &Case<'_>, library: &Library) -> Found {
    let name = Shown(&library.name);
    match found(library) {
        Some(there) if crate::ROUTER || there.fit == Fit::Whole => {
            let folder = Shown(folder(there));
            case.error(format_args!("needs {name}, which is in {folder}, where its loader does not look"))
        }
        Some(there) => {
            let file = Shown(&there.path);
            case.error(format_args!("needs {name}, which is on this machine under another name: {file}"))
        }
        None => case.error(format_args!("needs {name}, which is not on this machine")),
    }
}

/// A library that the program does not need brings the need along.
fn of_preloaded(case: &Case<'_>, preloaded: &Library, missing: &Library) -> Found {
    let by = if is_variables(case, preloaded) { "LD_PRELOAD" } else { "/etc/ld.so.preload" };
    let (library, name) = (Shown(&preloaded.name), Shown(&missing.name));
    case.error(format_args!(
        "is given {library} by {by}, which needs {name}, and that is not on this machine"
    ))
}

/// Whether LD_PRELOAD has it.
fn is_variables(case: &Case<'_>, preloaded: &Library) -> bool {
    let variable = case.machine.target.kernel.variable(c"LD_PRELOAD").unwrap_or_default();
    variable.split(|byte| matches!(byte, b':' | b' ')).any(|word| word == preloaded.name)
}

fn tell_without(finding: &mut Found, case: &Case<'_>, preloaded: &Library) {
    let (library, program) = (Shown(&preloaded.name), case.argument());
    if is_variables(case, preloaded) {
        finding.tell(format_args!(
            "\
fix: start it without {library}, which the program does not need
run: unset LD_PRELOAD
run: LD_PRELOAD= {program}"
        ));
    } else {
        finding.tell(format_args!(
            "fix: take {library} out of /etc/ld.so.preload: the program does not need it"
        ));
    }
}

/// The packages that have some libraries; else where the first is to be had from.
fn tell_install(finding: &mut Found, case: &Case<'_>, link: &LinkResult, missing: &[&Library]) {
    let Some(first) = missing.first() else { return };
    if !crate::ROUTER && matches!(first.elsewhere, Some(Elsewhere { fit: Fit::Version, .. })) {
        finding.tell(format_args!(
            "fix: a link to the other version does not help, it is another library to the program; "
        ));
    }
    if is_bundled(&first.name) {
        return finding.tell(format_args!(
            "fix: the program's own package brings it: copy the whole folder, with the libraries beside the program"
        ));
    }
    match Install::libraries(case, missing, link.libc) {
        Some(install) if install.is_sure() => {
            finding.tell(format_args!("fix: install the package that has it\nrun: {install}"));
        }
        _ if !crate::ROUTER && first.tried.is_empty() => {
            finding.tell(format_args!("fix: {}", case.rebuild()));
        }
        install => {
            let whole = if looks_beside(case, first) {
                "copy the program's whole folder, if its package brings the library, or the library"
            } else {
                "copy the library"
            };
            let before = if PackageManager::had(case, &first.name) {
                "no package of this release has it: take a build for this release, or "
            } else if let Some(install) = install {
                finding.tell(format_args!("run: {install}"));
                "look for its package, or "
            } else {
                ""
            };
            let other = format_args!("{before}{whole} into one of these folders");
            case.tell_rebuild_after(finding, other, "or, to need no library,");
        }
    }
}

/// How its loader finds what is there.
fn tell_found(finding: &mut Found, case: &Case<'_>, link: &LinkResult, library: &Library, found: &Elsewhere) {
    let folder = folder(found);
    let (place, program) = (Quoted(Path::new(folder)), case.argument());
    if crate::ROUTER {
        // Its own folders are full, and a list of more of them is for all programs.
        return finding
            .tell(format_args!("fix: have its loader look there\nrun: LD_LIBRARY_PATH={place} {program}"));
    }
    if found.fit == Fit::Soname {
        // A link beside it, where the loader looks there.
        let beside = library.tried.iter().find(|tried| last_folder(tried) == folder);
        if let Some(link) = beside.or_else(|| library.tried.last()) {
            let (file, link) = (Quoted(Path::new(&found.path)), Quoted(Path::new(link)));
            finding.tell(format_args!(
                "fix: it is that library under another name: link it\nrun: ln -s {file} {link}"
            ));
        }
        return;
    }
    // The dynamic loader heeds no variable for a program with other rights (AT_SECURE).
    let is_secure = link.rights == Rights::Others;
    finding.tell(format_args!("fix: have its loader look there"));
    if !is_secure {
        let set = case.machine.target.kernel.variable(c"LD_LIBRARY_PATH").unwrap_or_default();
        let colon = if set.is_empty() { "" } else { ":" };
        let list = [folder, colon.as_bytes(), &set].concat();
        finding.tell(format_args!("run: LD_LIBRARY_PATH={} {program}", Quoted(Path::new(&list))));
    }
    // What lies beside a program is of no use to others.
    if !is_secure && bytes(&case.candidate.resolved).starts_with(last_name(folder).0) && !is_of_system(folder)
    {
        return;
    }
    match link.libc {
        Some(Libc::Musl) => {
            let file = Path::new(&link.path_file);
            let (is_there, list) = (matches!(case.machine.target.root.stat(file), Some(Ok(_))), Quoted(file));
            if is_there {
                finding.tell(format_args!("run: echo {place} >> {list}"));
            } else {
                // It takes the place of the three that are compiled in.
                let usual = "/lib:/usr/local/lib:/usr/lib";
                finding.tell(format_args!("run: echo {usual}:{place} > {list}"));
            }
        }
        Some(Libc::Glibc) if !case.interpreter_path().starts_with(b"/opt/") => {
            finding.tell(format_args!("run: {}", Install::for_ldconfig(case, folder)));
        }
        _ => {}
    }
}

/// Whether a folder is the system's.
fn is_of_system(folder: &[u8]) -> bool {
    [&b"/lib"[..], b"/usr", b"/opt/lib"].iter().any(|system| folder.starts_with(system))
}

/// Whether its loader was told to look beside the program (DT_RUNPATH with $ORIGIN), as of programs that bring libraries.
fn looks_beside(case: &Case<'_>, library: &Library) -> bool {
    if crate::ROUTER {
        return false;
    }
    let origin = last_folder(bytes(&case.candidate.resolved));
    let is_beside = |tried: &Vec<u8>| tried.strip_prefix(origin).is_some_and(|rest| rest.starts_with(b"/"));
    let mut tried = library.tried.iter();
    !origin.is_empty()
        && tried.any(|tried| holds(tried, b"/../") || (is_beside(tried) && !is_of_system(origin)))
}

/// The folder of what was found.
fn folder(found: &Elsewhere) -> &[u8] {
    last_folder(&found.path)
}

/// The folder of a file, without a slash at its end.
fn last_folder(file: &[u8]) -> &[u8] {
    let folder = last_name(file).0;
    folder.strip_suffix(b"/").unwrap_or(folder)
}
