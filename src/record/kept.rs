//! What is kept of a machine's texts. What is not listed is left out: serial numbers, names, addresses.

use crate::machine::holds;

/// A text, and what is kept of it.
pub(super) struct Text {
    pub(super) path: &'static str,
    /// What stands behind a key; a line's end: the key is its last word.
    separator: u8,
    /// The keys of the lines that are kept, one a line; none: all of it.
    pub(super) keys: &'static str,
}

const fn text(path: &'static str, separator: u8, keys: &'static str) -> Text {
    Text { path, separator, keys }
}

/// One that is kept whole.
pub(super) const WHOLE: Text = text("", 0, "");

impl Text {
    /// What is kept of it.
    pub(super) fn of(&self, text: &[u8]) -> Vec<u8> {
        let mut kept = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let separator = if self.separator == b'\n' { b' ' } else { self.separator };
            let mut words = line.split(|byte| *byte == separator);
            let key = if self.separator == b'\n' { words.next_back() } else { words.next() };
            let key = key.unwrap_or_default().trim_ascii();
            // An empty line stands between two processors.
            let mut keys = self.keys.as_bytes().split(|byte| *byte == b'\n');
            if self.keys.is_empty() || key.is_empty() || keys.any(|known| known == key) {
                kept.extend_from_slice(line);
            }
        }
        kept
    }
}

/// The texts.
pub(super) static TEXTS: &[Text] = &[
    text(
        "/proc/cpuinfo",
        b':',
        // Of MIPS, LoongArch, ARM (where "Serial" stands beside them), x86, PowerPC, RISC-V and s390.
        "processor\n\
         system type\n\
         machine\n\
         cpu model\n\
         isa\n\
         ASEs implemented\n\
         Options implemented\n\
         ISA\n\
         Model Name\n\
         Processor\n\
         model name\n\
         Features\n\
         CPU implementer\n\
         CPU architecture\n\
         CPU variant\n\
         CPU part\n\
         CPU revision\n\
         Hardware\n\
         Revision\n\
         vendor_id\n\
         cpu family\n\
         model\n\
         stepping\n\
         flags\n\
         cpu\n\
         platform\n\
         revision\n\
         uarch\n\
         hart isa\n\
         mmu\n\
         features",
    ),
    text(
        "/proc/meminfo",
        b':',
        "MemTotal\n\
         MemFree\n\
         MemAvailable\n\
         Cached\n\
         SwapTotal\n\
         CommitLimit\n\
         Committed_AS",
    ),
    text(
        "/etc/openwrt_release",
        b'=',
        "DISTRIB_ID\n\
         DISTRIB_RELEASE\n\
         DISTRIB_REVISION\n\
         DISTRIB_TARGET\n\
         DISTRIB_ARCH",
    ),
    text(
        "/etc/os-release",
        b'=',
        "ID\n\
         ID_LIKE\n\
         VERSION_ID\n\
         VERSION_CODENAME\n\
         UBUNTU_CODENAME\n\
         OPENWRT_RELEASE\n\
         OPENWRT_BOARD\n\
         OPENWRT_ARCH",
    ),
    text("/etc/apk/arch", 0, ""),
    text("/tmp/sysinfo/board_name", 0, ""),
    text("/tmp/sysinfo/model", 0, ""),
    text("/proc/device-tree/compatible", 0, ""),
    text("/proc/device-tree/model", 0, ""),
    text("/proc/sys/vm/mmap_min_addr", 0, ""),
    text("/proc/sys/vm/overcommit_memory", 0, ""),
    text(
        "/proc/self/maps",
        b'\n',
        "[vdso]\n\
         [vsyscall]\n\
         [vectors]\n\
         [stack]",
    ),
    text("/sys/fs/selinux/enforce", 0, ""),
    text("/etc/ld.so.preload", 0, ""),
];

/// Variables that bear on the start of a program.
pub(super) const VARIABLES: [&std::ffi::CStr; 6] =
    [c"PATH", c"LD_LIBRARY_PATH", c"LD_PRELOAD", c"LD_BIND_NOW", c"LD_AUDIT", c"GLIBC_TUNABLES"];

/// Folders of libraries; those in them that are for one processor are found there.
pub(super) const LIBRARIES: &[&str] = if cfg!(feature = "every-machine") {
    &[
        "/lib",
        "/lib64",
        "/lib32",
        "/libx32",
        "/usr/lib",
        "/usr/lib64",
        "/usr/lib32",
        "/usr/libx32",
        "/usr/local/lib",
        "/usr/local/lib64",
        "/opt/lib",
        "/system/bin",
        "/system/lib",
        "/system/lib64",
    ]
} else {
    &["/lib", "/usr/lib", "/usr/local/lib", "/opt/lib"]
};

/// Folders of programs, which scripts name.
pub(super) const PROGRAMS: [&str; 6] = ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/opt/bin", "/opt/sbin"];

/// Programs of the machine's own, whose headers tell what it runs.
pub(super) const OWN: [&str; 4] = ["/bin/busybox", "/bin/sh", "/bin/bash", "/system/bin/sh"];

/// Folders of people.
const PEOPLE: [&[u8]; 7] =
    [b"/home/", b"/root/", b"/Users/", b"/var/home/", b"/run/user/", b"/run/media/", b"/media/"];

/// Whether a text names something of a person's: what lies below those folders, and below $HOME.
pub(super) fn is_private(text: &[u8], home: &[u8]) -> bool {
    PEOPLE.iter().any(|folder| holds(text, folder)) || (home.len() > 1 && holds(text, home))
}
