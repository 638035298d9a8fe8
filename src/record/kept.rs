//! What is kept of a machine's texts. What is not listed is left out: serial numbers, names, addresses.

/// What is kept of a text.
#[derive(Clone, Copy)]
pub(super) enum Keep {
    /// All of it.
    Whole,
    /// Lines that begin with one of these, up to a separator.
    Keys(u8, &'static [&'static str]),
    /// Lines that end with one of these.
    Ends(&'static [&'static str]),
}

/// The texts, by their paths.
pub(super) static TEXTS: &[(&str, Keep)] = &[
    (
        "/proc/cpuinfo",
        Keep::Keys(
            b':',
            &[
                "processor",
                // MIPS, LoongArch
                "system type",
                "machine",
                "cpu model",
                "isa",
                "ASEs implemented",
                "Options implemented",
                "ISA",
                "Model Name",
                // ARM; "Serial" stands beside them
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
                // x86
                "vendor_id",
                "cpu family",
                "model",
                "stepping",
                "flags",
                // PowerPC, RISC-V, s390
                "cpu",
                "platform",
                "revision",
                "uarch",
                "hart isa",
                "mmu",
                "features",
            ],
        ),
    ),
    (
        "/proc/meminfo",
        Keep::Keys(
            b':',
            &["MemTotal", "MemFree", "MemAvailable", "Cached", "SwapTotal", "CommitLimit", "Committed_AS"],
        ),
    ),
    (
        "/etc/openwrt_release",
        Keep::Keys(
            b'=',
            &["DISTRIB_ID", "DISTRIB_RELEASE", "DISTRIB_REVISION", "DISTRIB_TARGET", "DISTRIB_ARCH"],
        ),
    ),
    (
        "/etc/os-release",
        Keep::Keys(
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
    ),
    ("/etc/apk/arch", Keep::Whole),
    ("/tmp/sysinfo/board_name", Keep::Whole),
    ("/tmp/sysinfo/model", Keep::Whole),
    ("/proc/device-tree/compatible", Keep::Whole),
    ("/proc/device-tree/model", Keep::Whole),
    ("/proc/sys/vm/mmap_min_addr", Keep::Whole),
    ("/proc/sys/vm/overcommit_memory", Keep::Whole),
    ("/proc/self/maps", Keep::Ends(&["[vdso]", "[vsyscall]", "[vectors]", "[stack]"])),
    ("/sys/fs/selinux/enforce", Keep::Whole),
    ("/etc/ld.so.preload", Keep::Whole),
];

/// Variables that bear on the start of a program.
pub(super) const VARIABLES: [&std::ffi::CStr; 6] =
    [c"PATH", c"LD_LIBRARY_PATH", c"LD_PRELOAD", c"LD_BIND_NOW", c"LD_AUDIT", c"GLIBC_TUNABLES"];

/// Folders of libraries; those in them that are for one processor are found there.
pub(super) const LIBRARIES: [&str; 14] = [
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
];

/// Folders of programs, which scripts name.
pub(super) const PROGRAMS: [&str; 6] = ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/opt/bin", "/opt/sbin"];

/// Programs of the machine's own, whose headers tell what it runs.
pub(super) const OWN: [&str; 5] =
    ["/bin/busybox", "/bin/sh", "/bin/bash", "/system/bin/sh", "/proc/self/exe"];

/// Folders of people.
const PEOPLE: [&[u8]; 7] =
    [b"/home/", b"/root/", b"/Users/", b"/var/home/", b"/run/user/", b"/run/media/", b"/media/"];

/// Whether a text names something of a person's: what lies below those folders, and below $HOME.
pub(super) fn is_private(text: &[u8], home: &[u8]) -> bool {
    let names = |folder: &[u8]| text.windows(folder.len()).any(|part| part == folder);
    PEOPLE.iter().any(|folder| names(folder)) || (home.len() > 1 && names(home))
}

/// What is kept of a text.
pub(super) fn kept(text: &[u8], keep: Keep, home: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let is_kept = match keep {
            Keep::Whole => true,
            Keep::Keys(separator, keys) => {
                let key = line.split(|byte| *byte == separator).next().unwrap_or_default().trim_ascii();
                // What stands between two processors.
                key.is_empty() || keys.iter().any(|known| known.as_bytes() == key)
            }
            Keep::Ends(ends) => ends.iter().any(|end| line.trim_ascii_end().ends_with(end.as_bytes())),
        };
        if is_kept && !is_private(line, home) {
            kept.extend_from_slice(line);
        }
    }
    kept
}
