//! C libraries, and the names of dynamic loaders: theirs, and those of other operating systems.

/// A C library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Libc {
    /// musl: OpenWrt since 17.01, Alpine.
    Musl,
    /// The GNU C library.
    Glibc,
    /// uClibc: OpenWrt up to 15.05.
    Uclibc,
    /// Android's.
    Bionic,
}

/// Whose a loader is.
#[derive(Clone, Copy)]
enum Owner {
    /// A C library's on Linux.
    Libc(Libc),
    /// Another operating system's.
    System(&'static str),
}

/// What the path of a loader looks like.
struct Loader {
    /// The folder that it lies in; empty: any.
    folder: &'static str,
    /// The file's name, or how it begins.
    name: &'static str,
    is_whole: bool,
    owner: Owner,
}

const fn begins(name: &'static str, libc: Libc) -> Loader {
    Loader { folder: "", name, is_whole: false, owner: Owner::Libc(libc) }
}

const fn bionic(folder: &'static str, name: &'static str) -> Loader {
    Loader { folder, name, is_whole: true, owner: Owner::Libc(Libc::Bionic) }
}

const fn other(folder: &'static str, name: &'static str, system: &'static str) -> Loader {
    Loader { folder, name, is_whole: false, owner: Owner::System(system) }
}

/// Bionic's lies in /system/bin, and since Android 10 in the module that updates it; linkerconfig, beside it, is none.
static LOADERS: [Loader; 31] = [
    begins("ld-musl-", Libc::Musl),
    begins("ld-uClibc", Libc::Uclibc),
    begins("ld64-uClibc", Libc::Uclibc),
    begins("ld-linux", Libc::Glibc),
    begins("ld64.so.", Libc::Glibc),
    begins("ld-2.", Libc::Glibc),
    Loader { is_whole: true, ..begins("ld.so.1", Libc::Glibc) },
    bionic("/system/bin", "linker"),
    bionic("/system/bin", "linker64"),
    Loader { is_whole: false, ..bionic("/system/bin", "linker_") },
    bionic("/system/bin/bootstrap", "linker"),
    bionic("/system/bin/bootstrap", "linker64"),
    bionic("/apex/com.android.runtime/bin", "linker"),
    bionic("/apex/com.android.runtime/bin", "linker64"),
    other("/system", "runtime_loader", "Haiku"),
    other("/libexec", "ld-elf", "FreeBSD"),
    other("/usr/libexec", "ld-elf.so.2", "DragonFly BSD"),
    other("/usr/libexec", "ld-elf", "FreeBSD"),
    other("/libexec", "ld.elf_so", "NetBSD"),
    other("/usr/libexec", "ld.elf_so", "NetBSD"),
    other("/usr/libexec", "ld.so", "OpenBSD"),
    other("/usr/lib", "ld.so.1", "Solaris or illumos"),
    other("/lib", "ld-x86-64.so.1", "GNU Hurd"),
    other("/lib", "ld-kfreebsd", "GNU/kFreeBSD"),
    other("/usr/lib", "ldqnx", "QNX"),
    other("/usr/lib", "Loader.so", "SerenityOS"),
    other("/usr/lib", "libc.so.1", "IRIX, UnixWare or Solaris"),
    other("/usr/lib32", "libc.so.1", "IRIX"),
    other("/usr/lib64", "libc.so.1", "IRIX"),
    other("/lib", "rld", "IRIX"),
    other("/sbin", "loader", "Tru64 UNIX"),
];

/// The first owner of a loader with that path that is of interest.
fn owner(path: &[u8], is_of_interest: fn(Owner) -> bool) -> Option<Owner> {
    let slash = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    let (folder, name) = path.split_at_checked(slash)?;
    let name = name.strip_prefix(b"/").unwrap_or(name);
    let loader = LOADERS.iter().find(|loader| {
        (loader.folder.is_empty() || folder == loader.folder.as_bytes())
            && name.starts_with(loader.name.as_bytes())
            && (!loader.is_whole || name.len() == loader.name.len())
            && is_of_interest(loader.owner)
    })?;
    Some(loader.owner)
}

/// The operating system, other than Linux, whose loader has that path.
pub(crate) fn system_of_loader(path: &[u8]) -> Option<&'static str> {
    match owner(path, |owner| matches!(owner, Owner::System(_)))? {
        Owner::System(system) => Some(system),
        Owner::Libc(_) => None,
    }
}

/// Whether a file's name may be that of a C library's loader. A folder of libraries holds hundreds of names; few are
/// looked at. glibc's ld-2.31.so is what its loader's name leads to.
pub(super) fn starts_a_loader(name: &[u8]) -> bool {
    (name.starts_with(b"ld") && !name.starts_with(b"ld-2.")) || name.starts_with(b"linker")
}

impl Libc {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Libc::Musl => "musl",
            Libc::Glibc => "glibc",
            Libc::Uclibc => "uClibc",
            Libc::Bionic => "bionic",
        }
    }

    /// The C library whose loader has that path, or that DT_SONAME.
    pub fn of_loader(path: &[u8]) -> Option<Libc> {
        match owner(path, |owner| matches!(owner, Owner::Libc(_)))? {
            Owner::Libc(libc) => Some(libc),
            Owner::System(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_loaders() {
        let of = |path| Libc::of_loader(str::as_bytes(path)).map(Libc::name);
        assert_eq!(of("/lib/ld-musl-mipsel-sf.so.1"), Some("musl"));
        assert_eq!(of("/lib64/ld-linux-x86-64.so.2"), Some("glibc"));
        assert_eq!(of("/lib/ld.so.1"), Some("glibc"));
        assert_eq!(of("/lib64/ld64.so.2"), Some("glibc"));
        assert_eq!(of("/lib/ld-uClibc.so.0"), Some("uClibc"));
        assert_eq!(of("/lib/ld64-uClibc.so.0"), Some("uClibc"));
        assert_eq!(of("/lib/ld-2.31.so"), Some("glibc"));
        assert_eq!(of("ld-linux.so.3"), Some("glibc"));
        assert_eq!(of("/system/bin/linker64"), Some("bionic"));
        assert_eq!(of("/system/bin/linker_asan"), Some("bionic"));
        assert_eq!(of("/apex/com.android.runtime/bin/linker64"), Some("bionic"));
        assert_eq!(of("/system/bin/linkerconfig"), None);
        assert_eq!(of("/opt/bin/linker"), None);
        assert_eq!(of("/lib/ld.so.1.old"), None);
        assert_eq!(of("/lib/ld.so.cache"), None);
        assert_eq!(of("/lib/libc.so"), None);
        assert_eq!(of("linker"), None);
    }

    #[test]
    fn loaders_of_other_systems() {
        let of = |path| system_of_loader(str::as_bytes(path));
        assert_eq!(of("/libexec/ld-elf.so.1"), Some("FreeBSD"));
        assert_eq!(of("/libexec/ld-elf32.so.1"), Some("FreeBSD"));
        assert_eq!(of("/usr/libexec/ld-elf.so.2"), Some("DragonFly BSD"));
        assert_eq!(of("/usr/libexec/ld-elf.so.1"), Some("FreeBSD"));
        assert_eq!(of("/usr/libexec/ld.elf_so"), Some("NetBSD"));
        assert_eq!(of("/usr/libexec/ld.so"), Some("OpenBSD"));
        assert_eq!(of("/system/runtime_loader"), Some("Haiku"));
        // glibc's on MIPS has that name too, in another folder.
        assert_eq!(of("/usr/lib/ld.so.1"), Some("Solaris or illumos"));
        assert_eq!(of("/lib/ld-x86-64.so.1"), Some("GNU Hurd"));
        assert_eq!(of("/lib/ld.so.1"), None);
        assert_eq!(of("/lib/ld-musl-mipsel-sf.so.1"), None);
        assert_eq!(of("/system/bin/linker64"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn no_loader_of_a_c_library_is_passed_over() {
        for loader in &LOADERS {
            let is_link = !loader.name.starts_with("ld-2.");
            if matches!(loader.owner, Owner::Libc(_)) {
                assert_eq!(starts_a_loader(loader.name.as_bytes()), is_link, "{}", loader.name);
            }
        }
        assert!(!starts_a_loader(b"libc.so.6") && !starts_a_loader(b"l"));
    }
}
