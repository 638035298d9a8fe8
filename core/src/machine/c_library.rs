//! C libraries, and the names of their dynamic loaders.

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

/// What the path of a loader looks like.
struct Loader {
    /// The folder that it lies in; empty: any.
    folder: &'static str,
    /// The file's name, or how it begins.
    name: &'static str,
    is_whole: bool,
    libc: Libc,
}

const fn begins(name: &'static str, libc: Libc) -> Loader {
    Loader { folder: "", name, is_whole: false, libc }
}

const fn whole(folder: &'static str, name: &'static str, libc: Libc) -> Loader {
    Loader { folder, name, is_whole: true, libc }
}

/// Bionic's lies in /system/bin, and since Android 10 in the module that updates it; linkerconfig, beside it, is none.
static LOADERS: [Loader; 12] = [
    begins("ld-musl-", Libc::Musl),
    begins("ld-uClibc", Libc::Uclibc),
    begins("ld64-uClibc", Libc::Uclibc),
    begins("ld-linux", Libc::Glibc),
    begins("ld64.so.", Libc::Glibc),
    begins("ld-2.", Libc::Glibc),
    whole("", "ld.so.1", Libc::Glibc),
    whole("/system/bin", "linker", Libc::Bionic),
    whole("/system/bin", "linker64", Libc::Bionic),
    Loader { folder: "/system/bin", ..begins("linker_", Libc::Bionic) },
    whole("/apex/com.android.runtime/bin", "linker", Libc::Bionic),
    whole("/apex/com.android.runtime/bin", "linker64", Libc::Bionic),
];

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
        let slash = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        let (folder, name) = path.split_at_checked(slash)?;
        let name = name.strip_prefix(b"/").unwrap_or(name);
        let is = |loader: &&Loader| {
            (loader.folder.is_empty() || folder == loader.folder.as_bytes())
                && name.starts_with(loader.name.as_bytes())
                && (!loader.is_whole || name.len() == loader.name.len())
        };
        LOADERS.iter().find(is).map(|loader| loader.libc)
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
}
