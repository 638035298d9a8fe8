use super::Case;
use super::words::{self, PackageManager};
use crate::finding::{Finding, Severity};
use crate::linker::{Object, State};
use crate::machine::Libc;

rule! {
    /// # What it means
    /// A library that the program needs (DT_NEEDED) is in none of the folders that its loader looks in.
    /// # How it looks
    /// musl: `Error loading shared library libatomic.so.1: No such file or directory (needed by ./x)`; glibc: `error while
    /// loading shared libraries: libatomic.so.1: cannot open shared object file: No such file or directory`. Status 127.
    /// # Why
    /// The kernel starts the program's loader, which then looks for each library: in LD_LIBRARY_PATH, in the folders that
    /// the program names (DT_RPATH, DT_RUNPATH), and in those of the C library.
    /// # Fix
    /// Install the package that has it, or link the program statically.
    /// # Kernel source
    /// None: musl ldso/dynlink.c `load_library`; glibc elf/dl-load.c `_dl_map_object`.
    "library-missing", check
}

const WORDS: &str = "\
%n needs %0, which is not on this machine
p DT_NEEDED=%1
m looked for=%2";
const MUSL: &str = "k %l, status 127: Error loading shared library %0: %3 (needed by %4)";
const GLIBC: &str =
    "k %l, status 127: %5: error while loading shared libraries: %0: cannot open shared object file%8%3";
const PACKAGE: &str = "\
> install the package that has it
$ %6 %7";

const COPY: &str = "> copy it into one of these folders; or, to need none, ";

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

fn check(case: &Case<'_>) -> Option<Finding> {
    let link = case.link?;
    let missing = |library: &&Object| matches!(library.state, State::Missing(_));
    let first = link.libraries().skip(1).find(missing)?;
    let State::Missing(errno) = first.state else { return None };
    let all = link.libraries().skip(1).filter(missing);
    let names = words::names(&mut all.map(|library| library.name.as_slice()));
    let tried = words::names(&mut first.tried.iter().map(Vec::as_slice));
    let package = package(&first.name).zip(PackageManager::of(case.machine));
    let [advice, fix] = match &package {
        Some(_) => ["", PACKAGE],
        None if first.tried.is_empty() => ["", words::REBUILD],
        None => [COPY, words::REBUILD],
    };
    let (name, install) = match package {
        Some((name, PackageManager::Apk)) => (name, "apk add"),
        Some((name, PackageManager::Opkg)) => (name, "opkg install"),
        None => ("", ""),
    };
    // glibc has no errno where it has looked nowhere.
    let nowhere = first.tried.is_empty();
    let is_musl = link.libc == Some(Libc::Musl);
    let [colon, reason] = if nowhere && !is_musl { [""; 2] } else { [": ", errno.text()] };
    let loader = if is_musl { MUSL } else { GLIBC };
    Some(case.tell(
        Severity::Error,
        &[WORDS, loader, advice, fix],
        &[
            &first.name,
            &names,
            if nowhere { &"no folder" } else { &tried },
            &reason,
            &link.needed_by(first),
            &case.candidate.path,
            &install,
            &name,
            &colon,
        ],
    ))
}

/// The package of OpenWrt that has a library.
fn package(library: &[u8]) -> Option<&'static str> {
    let (_, package) = PACKAGES.iter().find(|(known, _)| known.as_bytes() == library)?;
    Some(package)
}
