//! What is kept of a machine's texts. What is not listed is left out: serial numbers, names, addresses.

/// A text, and what is kept of it.
pub(super) struct Text {
    pub(super) path: &'static str,
    /// What stands behind a key; a line's end: the key is its last word.
    separator: u8,
    /// The lines that are kept; none: all of it.
    pub(super) keys: &'static [&'static str],
}

const fn text(path: &'static str, separator: u8, keys: &'static [&'static str]) -> Text {
    Text { path, separator, keys }
}

/// One that is kept whole.
pub(super) const WHOLE: Text = text("", 0, &[]);

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
            let is_key = |known: &&str| known.as_bytes() == key;
            if self.keys.is_empty() || key.is_empty() || self.keys.iter().any(is_key) {
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
        &[
            "processor",
            "system type",
            "machine",
            "cpu model",
            "isa",
            "ASEs implemented",
            "Options implemented",
            "ISA",
            "Model Name",
            "Processor",
            "model name",
            "Features",
            "CPU implementer",
            "CPU architecture",
            "CPU variant",
            "CPU part",
            "CPU revision",
            "Hardware",
            "Revision",
            "vendor_id",
            "cpu family",
            "model",
            "stepping",
            "flags",
            "cpu",
            "platform",
            "revision",
            "uarch",
            "hart isa",
            "mmu",
            "features",
        ],
    ),
    text(
        "/proc/meminfo",
        b':',
        &["MemTotal", "MemFree", "MemAvailable", "Cached", "SwapTotal", "CommitLimit", "Committed_AS"],
    ),
    text(
        "/etc/openwrt_release",
        b'=',
        &["DISTRIB_ID", "DISTRIB_RELEASE", "DISTRIB_REVISION", "DISTRIB_TARGET", "DISTRIB_ARCH"],
    ),
    text(
        "/etc/os-release",
        b'=',
        &[
            "ID",
            "ID_LIKE",
            "VERSION_ID",
            "VERSION_CODENAME",
            "UBUNTU_CODENAME",
            "OPENWRT_RELEASE",
            "OPENWRT_BOARD",
            "OPENWRT_ARCH",
        ],
    ),
    text("/etc/apk/arch", 0, &[]),
    text("/tmp/sysinfo/board_name", 0, &[]),
    text("/tmp/sysinfo/model", 0, &[]),
    text("/proc/device-tree/compatible", 0, &[]),
    text("/proc/device-tree/model", 0, &[]),
    text("/proc/sys/vm/mmap_min_addr", 0, &[]),
    text("/proc/sys/vm/overcommit_memory", 0, &[]),
    text("/proc/self/maps", b'\n', &["[vdso]", "[vsyscall]", "[vectors]", "[stack]"]),
    text("/sys/fs/selinux/enforce", 0, &[]),
    text("/etc/ld.so.preload", 0, &[]),
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
    let names = |folder: &[u8]| text.windows(folder.len()).any(|part| part == folder);
    PEOPLE.iter().any(|folder| names(folder)) || (home.len() > 1 && names(home))
}
