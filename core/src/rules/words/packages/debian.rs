//! Debian's packages, and Ubuntu's.

use alloc::format;
use alloc::string::String;

use crate::machine::decimal;
use crate::machine::gather::Distribution;

/// Debian's generations of libraries, Ubuntu's with them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Generation {
    /// OpenSSL 1.1: up to Debian 11, Ubuntu 20.04.
    OpenSsl11,
    /// OpenSSL 3: Debian 12, Ubuntu 22.04.
    OpenSsl3,
    /// 64-bit time: Debian 13, Ubuntu 24.04 and later.
    Time64,
}

impl Generation {
    fn of(system: &Distribution) -> Generation {
        const OLD: [&str; 7] = ["jessie", "stretch", "buster", "bullseye", "xenial", "bionic", "focal"];
        const NEXT: [&str; 4] = ["bookworm", "jammy", "kinetic", "lunar"];
        let codename = system.codename.as_deref().unwrap_or_default();
        let version = system.version.as_deref().and_then(|version| decimal(version.as_bytes()));
        match (codename, version) {
            _ if OLD.contains(&codename) => Generation::OpenSsl11,
            _ if NEXT.contains(&codename) => Generation::OpenSsl3,
            ("", Some(8..=11 | 16 | 18 | 20)) => Generation::OpenSsl11,
            ("", Some(12 | 22)) => Generation::OpenSsl3,
            _ => Generation::Time64,
        }
    }
}

/// A library of Debian's.
#[derive(Clone, Copy)]
pub(super) struct Debian {
    pub(super) soname: &'static str,
    package: &'static str,
    since: Generation,
    until: Generation,
    /// Its name ends in t64 since 64-bit time.
    t64: bool,
}

const fn debian(soname: &'static str, package: &'static str) -> Debian {
    Debian { soname, package, since: Generation::OpenSsl11, until: Generation::Time64, t64: false }
}

const fn t64(soname: &'static str, package: &'static str) -> Debian {
    Debian { t64: true, ..debian(soname, package) }
}

const fn since(generation: Generation, row: Debian) -> Debian {
    Debian { since: generation, ..row }
}

const fn until(generation: Generation, row: Debian) -> Debian {
    Debian { until: generation, ..row }
}

pub(super) static DEBIAN: [Debian; 69] = {
    use Generation::{OpenSsl3, OpenSsl11};
    [
        debian("libc.so.6", "libc6"),
        debian("libm.so.6", "libc6"),
        debian("libpthread.so.0", "libc6"),
        debian("libdl.so.2", "libc6"),
        debian("librt.so.1", "libc6"),
        debian("libresolv.so.2", "libc6"),
        debian("libatomic.so.1", "libatomic1"),
        debian("libgcc_s.so.1", "libgcc-s1"),
        debian("libstdc++.so.6", "libstdc++6"),
        debian("libgomp.so.1", "libgomp1"),
        debian("libgfortran.so.5", "libgfortran5"),
        until(OpenSsl11, debian("libssl.so.1.1", "libssl1.1")),
        until(OpenSsl11, debian("libcrypto.so.1.1", "libssl1.1")),
        since(OpenSsl3, t64("libssl.so.3", "libssl3")),
        since(OpenSsl3, t64("libcrypto.so.3", "libssl3")),
        debian("libz.so.1", "zlib1g"),
        debian("libbz2.so.1.0", "libbz2-1.0"),
        debian("liblzma.so.5", "liblzma5"),
        debian("libzstd.so.1", "libzstd1"),
        debian("liblz4.so.1", "liblz4-1"),
        t64("libcurl.so.4", "libcurl4"),
        t64("libpcap.so.0.8", "libpcap0.8"),
        // Which calls it libpcap.so.0.8; see `ALIASES` of ldso/elsewhere.rs.
        t64("libpcap.so.1", "libpcap0.8"),
        debian("libncurses.so.6", "libncurses6"),
        debian("libncursesw.so.6", "libncursesw6"),
        debian("libtinfo.so.6", "libtinfo6"),
        until(OpenSsl3, debian("libncurses.so.5", "libncurses5")),
        until(OpenSsl3, debian("libncursesw.so.5", "libncursesw5")),
        until(OpenSsl3, debian("libtinfo.so.5", "libtinfo5")),
        t64("libreadline.so.8", "libreadline8"),
        t64("libuv.so.1", "libuv1"),
        debian("libnl-3.so.200", "libnl-3-200"),
        debian("libnl-genl-3.so.200", "libnl-genl-3-200"),
        debian("libnl-route-3.so.200", "libnl-route-3-200"),
        debian("libmnl.so.0", "libmnl0"),
        t64("libevent-2.1.so.7", "libevent-2.1-7"),
        debian("libusb-1.0.so.0", "libusb-1.0-0"),
        debian("libudev.so.1", "libudev1"),
        debian("libsqlite3.so.0", "libsqlite3-0"),
        debian("libpcre2-8.so.0", "libpcre2-8-0"),
        until(OpenSsl3, debian("libpcre.so.3", "libpcre3")),
        debian("liblua5.1.so.0", "liblua5.1-0"),
        debian("liblua5.3.so.0", "liblua5.3-0"),
        debian("liblua5.4.so.0", "liblua5.4-0"),
        since(OpenSsl3, until(OpenSsl3, debian("libmbedtls.so.14", "libmbedtls14"))),
        since(OpenSsl3, until(OpenSsl3, debian("libmbedcrypto.so.7", "libmbedcrypto7"))),
        since(OpenSsl3, debian("libjson-c.so.5", "libjson-c5")),
        debian("libcap.so.2", "libcap2"),
        debian("libblkid.so.1", "libblkid1"),
        debian("libuuid.so.1", "libuuid1"),
        debian("libmount.so.1", "libmount1"),
        until(OpenSsl11, debian("libffi.so.7", "libffi7")),
        since(OpenSsl3, debian("libffi.so.8", "libffi8")),
        debian("libexpat.so.1", "libexpat1"),
        debian("libcrypt.so.1", "libcrypt1"),
        debian("libselinux.so.1", "libselinux1"),
        debian("libdbus-1.so.3", "libdbus-1-3"),
        debian("libsystemd.so.0", "libsystemd0"),
        debian("libsodium.so.23", "libsodium23"),
        debian("libgmp.so.10", "libgmp10"),
        debian("libkmod.so.2", "libkmod2"),
        t64("libglib-2.0.so.0", "libglib2.0-0"),
        t64("libgnutls.so.30", "libgnutls30"),
        t64("libelf.so.1", "libelf1"),
        t64("libfuse.so.2", "libfuse2"),
        t64("libasound.so.2", "libasound2"),
        debian("libX11.so.6", "libx11-6"),
        debian("libGL.so.1", "libgl1"),
        debian("libnss3.so", "libnss3"),
    ]
};

pub(super) fn debian_package(system: &Distribution, name: &[u8]) -> Option<String> {
    let generation = Generation::of(system);
    let row = DEBIAN
        .iter()
        .find(|row| row.soname.as_bytes() == name && (row.since..=row.until).contains(&generation))?;
    let t64 = if row.t64 && generation == Generation::Time64 { "t64" } else { "" };
    Some(format!("{}{t64}", row.package))
}

/// Whether a loader is what Debian's package of musl has for an architecture.
pub(super) fn is_debians_musl(arch: &str, path: &[u8]) -> bool {
    let name = match arch {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "armel" => "arm",
        "ppc64el" => "powerpc64le",
        other => other,
    };
    path == format!("/lib/ld-musl-{name}.so.1").as_bytes()
}
