use alloc::borrow::ToOwned as _;
use alloc::vec::Vec;

use super::Case;
use super::shown::{Shown, names};
use super::words::PackageManager;
use crate::finding::Found;
use crate::ldso::{Library, LibraryState};
use crate::machine::Libc;

rule! {
    /// # What it means
    /// A library that the program needs (DT_NEEDED) is in none of the folders that its loader looks in.
    /// # How it looks
    /// The first is musl's, the second glibc's. Status 127.
    /// # Why
    /// The kernel starts the program's loader, which then looks for each library: in LD_LIBRARY_PATH, in the folders that
    /// the program names (DT_RPATH, DT_RUNPATH), and in those of the C library.
    /// # Fix
    /// Install the package that has it, or link the program statically.
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
    check
}

/// Libraries and OpenWrt's packages of them (their Makefiles in openwrt and packages, 24.10).
const PACKAGES: [(&str, &str); 29] = [
    ("libatomic.so.1", "libatomic1"),
    ("libgcc_s.so.1", "libgcc1"),
    ("libstdc++.so.6", "libstdcpp6"),
    ("libgomp.so.1", "libgomp"),
    ("libssl.so.3", "libopenssl3"),
    ("libcrypto.so.3", "libopenssl3"),
    ("libssl.so.1.1", "libopenssl1.1"),
    ("libcrypto.so.1.1", "libopenssl1.1"),
    ("libz.so.1", "zlib"),
    ("libcurl.so.4", "libcurl4"),
    ("libjson-c.so.5", "libjson-c5"),
    ("libncursesw.so.6", "libncurses6"),
    ("libreadline.so.8", "libreadline8"),
    ("libsqlite3.so.0", "libsqlite3-0"),
    ("libpcap.so.1", "libpcap1"),
    ("libusb-1.0.so.0", "libusb-1.0-0"),
    ("libevent-2.1.so.7", "libevent2-7"),
    ("libuv.so.1", "libuv1"),
    ("libcap.so.2", "libcap"),
    ("libblkid.so.1", "libblkid1"),
    ("libuuid.so.1", "libuuid1"),
    ("libmnl.so.0", "libmnl0"),
    ("libffi.so.8", "libffi"),
    ("libexpat.so.1", "libexpat"),
    ("libpcre2-8.so.0", "libpcre2"),
    ("liblzma.so.5", "liblzma"),
    ("libzstd.so.1", "libzstd1"),
    ("libnl-3.so.200", "libnl-core200"),
    ("libubox.so", "libubox"),
];

fn check(case: &Case<'_>) -> Option<Found> {
    let link = case.link?;
    let is_missing = |library: &&Library| matches!(library.state, LibraryState::Missing(_));
    let first = link.needed().find(is_missing)?;
    let LibraryState::Missing(errno) = first.state else { return None };
    let all = link.needed().filter(is_missing);
    let (name, ends) = (Shown(&first.name), case.loader_ends());
    let nowhere = first.tried.is_empty();
    let mut finding = case.error(format_args!(
        "\
needs {name}, which is not on this machine
program: DT_NEEDED={missing}
machine: looked for={tried}
kernel:  {ends}, status 127",
        missing = names(all.map(|library| library.name.as_slice())),
        tried = if nowhere { "no folder".to_owned() } else { names(first.tried.iter().map(Vec::as_slice)) },
    ));
    let (path, reason) = (Shown(&case.candidate.path), errno.text());
    if link.libc == Some(Libc::Musl) {
        let needed_by = Shown(link.needed_by(first));
        finding.tell(format_args!(
            "you see: Error loading shared library {name}: {reason} (needed by {needed_by})"
        ));
    } else {
        // glibc has no errno where it has looked nowhere.
        let (colon, reason) = if nowhere { ("", "") } else { (": ", reason) };
        finding.tell(format_args!(
            "you see: {path}: error while loading shared libraries: {name}: cannot open shared object file{colon}{reason}"
        ));
    }
    match package(&first.name).zip(PackageManager::of(case.machine)) {
        Some((package, manager)) => {
            let install = manager.install();
            finding.tell(format_args!("fix: install the package that has it\nrun: {install} {package}"));
        }
        None if nowhere => finding.tell(format_args!("fix: {}", case.rebuild())),
        None => case.tell_rebuild_after(
            &mut finding,
            format_args!("copy the library into one of these folders"),
            "or, to need no library,",
        ),
    }
    Some(finding)
}

/// The package of OpenWrt that has a library.
fn package(library: &[u8]) -> Option<&'static str> {
    let (_, package) = PACKAGES.iter().find(|(known, _)| known.as_bytes() == library)?;
    Some(package)
}
