//! The programs, and where they are judged.

/// A program as Debian packages it, which ends with status 0 when it is started so.
pub(super) struct Program {
    pub(super) package: &'static str,
    pub(super) path: &'static str,
    pub(super) args: &'static [&'static str],
}

const fn program(package: &'static str, path: &'static str, args: &'static [&'static str]) -> Program {
    Program { package, path, args }
}

const VERSION: &[&str] = &["--version"];

/// Of C and of C++, with one library and with ninety.
pub(super) const PROGRAMS: [Program; 50] = [
    program("apt", "/usr/bin/apt", VERSION),
    program("bash", "/usr/bin/bash", VERSION),
    program("bc", "/usr/bin/bc", VERSION),
    program("bzip2", "/usr/bin/bzip2", &["--help"]),
    program("coreutils", "/usr/bin/cp", VERSION),
    program("coreutils", "/usr/bin/expr", VERSION),
    program("coreutils", "/usr/bin/ls", VERSION),
    program("coreutils", "/usr/bin/sha256sum", VERSION),
    program("coreutils", "/usr/bin/sort", VERSION),
    program("curl", "/usr/bin/curl", VERSION),
    program("dash", "/usr/bin/dash", &["-c", ":"]),
    program("diffutils", "/usr/bin/diff", VERSION),
    program("file", "/usr/bin/file", VERSION),
    program("findutils", "/usr/bin/find", VERSION),
    program("gawk", "/usr/bin/gawk", VERSION),
    program("gdisk", "/usr/sbin/sgdisk", VERSION),
    program("gpgv", "/usr/bin/gpgv", VERSION),
    program("grep", "/usr/bin/grep", VERSION),
    program("groff-base", "/usr/bin/grotty", VERSION),
    program("gzip", "/usr/bin/gzip", VERSION),
    program("htop", "/usr/bin/htop", VERSION),
    program("iproute2", "/usr/bin/ip", &["-V"]),
    program("iproute2", "/usr/sbin/tc", &["-V"]),
    program("jq", "/usr/bin/jq", VERSION),
    program("kmod", "/usr/bin/kmod", VERSION),
    program("less", "/usr/bin/less", VERSION),
    program("libxml2-utils", "/usr/bin/xmllint", VERSION),
    program("nano", "/usr/bin/nano", VERSION),
    program("ninja-build", "/usr/bin/ninja", VERSION),
    program("openssl", "/usr/bin/openssl", &["version"]),
    program("perl-base", "/usr/bin/perl", VERSION),
    program("procps", "/usr/bin/ps", VERSION),
    program("procps", "/usr/bin/free", VERSION),
    program("psmisc", "/usr/bin/killall", VERSION),
    program("python3-minimal", "/usr/bin/python3", VERSION),
    program("rsync", "/usr/bin/rsync", VERSION),
    program("screen", "/usr/bin/screen", VERSION),
    program("sed", "/usr/bin/sed", VERSION),
    program("smbclient", "/usr/bin/smbclient", VERSION),
    program("socat", "/usr/bin/socat", &["-V"]),
    program("sqlite3", "/usr/bin/sqlite3", VERSION),
    program("strace", "/usr/bin/strace", VERSION),
    program("systemd", "/usr/bin/systemctl", VERSION),
    program("tar", "/usr/bin/tar", VERSION),
    program("tcpdump", "/usr/bin/tcpdump", VERSION),
    program("tmux", "/usr/bin/tmux", &["-V"]),
    program("util-linux", "/usr/bin/lsblk", VERSION),
    program("w3m", "/usr/bin/w3m", &["-version"]),
    program("wget", "/usr/bin/wget", VERSION),
    program("xz-utils", "/usr/bin/xz", VERSION),
];

/// A Debian architecture, and the releases whose programs are judged in each other's places.
pub(super) struct Row {
    pub(super) arch: &'static str,
    pub(super) suites: &'static [&'static str],
    /// Its part of what each change has to pass.
    pub(super) each_change: &'static [&'static str],
}

const fn row(
    arch: &'static str,
    suites: &'static [&'static str],
    each_change: &'static [&'static str],
) -> Row {
    Row { arch, suites, each_change }
}

const THREE: &[&str] = &["bullseye", "bookworm", "trixie"];
const BOOKWORM: &[&str] = &["bookworm"];

/// The longest first.
pub(super) const ROWS: [Row; 10] = [
    row("arm64", THREE, &[]),
    row("armhf", THREE, &["bullseye", "bookworm"]),
    row("i386", THREE, &[]),
    row("amd64", THREE, BOOKWORM),
    row("s390x", BOOKWORM, &[]),
    row("ppc64el", BOOKWORM, &[]),
    row("riscv64", &["trixie"], &[]),
    row("mips64el", BOOKWORM, &[]),
    row("mipsel", BOOKWORM, &[]),
    row("armel", BOOKWORM, &[]),
];
