//! OpenWrt's packages, and Entware's.

use alloc::string::String;

use super::PackageManager;
use crate::machine::Machine;

/// Libraries and OpenWrt's packages of them, with the ABI that Entware leaves out.
pub(super) static OPENWRT: [(&str, &str, &str); 34] = [
    ("libatomic.so.1", "libatomic", "1"),
    ("libgcc_s.so.1", "libgcc", "1"),
    ("libstdc++.so.6", "libstdcpp", "6"),
    ("libgomp.so.1", "libgomp", ""),
    ("libssl.so.3", "libopenssl", "3"),
    ("libcrypto.so.3", "libopenssl", "3"),
    ("libssl.so.1.1", "libopenssl", "1.1"),
    ("libcrypto.so.1.1", "libopenssl", "1.1"),
    ("libz.so.1", "zlib", ""),
    ("libcurl.so.4", "libcurl", "4"),
    ("libjson-c.so.5", "libjson-c", "5"),
    ("libncursesw.so.6", "libncurses", "6"),
    ("libreadline.so.8", "libreadline", "8"),
    ("libsqlite3.so.0", "libsqlite3", "-0"),
    ("libpcap.so.1", "libpcap", "1"),
    ("libusb-1.0.so.0", "libusb-1.0", "-0"),
    ("libevent-2.1.so.7", "libevent2", "-7"),
    ("libuv.so.1", "libuv", "1"),
    ("libcap.so.2", "libcap", ""),
    ("libblkid.so.1", "libblkid", "1"),
    ("libuuid.so.1", "libuuid", "1"),
    ("libmnl.so.0", "libmnl", "0"),
    ("libffi.so.8", "libffi", ""),
    ("libexpat.so.1", "libexpat", ""),
    ("libpcre2-8.so.0", "libpcre2", ""),
    ("liblzma.so.5", "liblzma", ""),
    ("libzstd.so.1", "libzstd", "1"),
    ("libnl-3.so.200", "libnl-core", "200"),
    ("libnl-genl-3.so.200", "libnl-genl", "200"),
    ("libnl-route-3.so.200", "libnl-route", "200"),
    ("libubox.so", "libubox", ""),
    ("liblua.so.5.1.5", "liblua", "5.1.5"),
    ("libmbedtls.so.21", "libmbedtls", "21"),
    ("libmbedcrypto.so.16", "libmbedtls", "21"),
];

/// Interpreters whose packages are called as they are.
pub(super) static INTERPRETERS: [&str; 7] = ["bash", "zsh", "perl", "ruby", "python3", "lua", "node"];

/// The package, and its ABI. Of OpenSSL each release has one.
pub(super) fn openwrt_package(
    manager: PackageManager,
    machine: &Machine,
    name: &[u8],
) -> Option<(&'static str, &'static str)> {
    let (_, package, abi) = OPENWRT.iter().find(|(soname, ..)| soname.as_bytes() == name)?;
    if manager == PackageManager::Entware {
        return Some((*package, "")).filter(|_| *abi != "1.1");
    }
    let release = machine.openwrt().release.get().map_or("", String::as_str);
    let fits = *package != "libopenssl"
        || (*abi == "1.1") == (release.starts_with(|c: char| c.is_ascii_digit()) && release < "23");
    fits.then_some((*package, *abi))
}
