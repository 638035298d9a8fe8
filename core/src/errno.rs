//! Error names, free of the numbers that differ between architectures (ELIBBAD is 80, on MIPS 84).

macro_rules! errno {
    ($($(#[$doc:meta])* $name:ident $text:literal)*) => {
        /// An errno by name.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(clippy::upper_case_acronyms)]
        pub enum Errno {
            $($(#[$doc])* $name,)*
        }

        impl Errno {
            /// The name as in errno(3).
            pub const fn name(self) -> &'static str {
                match self { $(Errno::$name => stringify!($name),)* }
            }

            /// What strerror(3) says: in musl, and in glibc where that differs.
            pub const fn text(self) -> &'static str {
                match self { $(Errno::$name => $text,)* }
            }

            /// The errno of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Errno::$name),)* _ => None }
            }
        }
    };
}

impl Errno {
    /// Whether it says that nothing is there, or what is there.
    pub(crate) const fn is_absence(self) -> bool {
        matches!(
            self,
            Errno::ENOENT
                | Errno::ENOTDIR
                | Errno::ENAMETOOLONG
                | Errno::ELOOP
                | Errno::EISDIR
                | Errno::EINVAL
                | Errno::ETXTBSY
        )
    }

    /// Whether a file is there that its medium, or its server, does not deliver: the kernel gets no further, either.
    pub(crate) const fn is_of_the_medium(self) -> bool {
        matches!(self, Errno::EIO | Errno::ENXIO | Errno::ESTALE)
    }
}

errno! {
    /// Not permitted.
    EPERM "Operation not permitted"
    /// The path, or an interpreter it names, does not exist.
    ENOENT "No such file or directory"
    /// Short read of a structure that the kernel needs.
    EIO "I/O error (glibc: Input/output error)"
    /// Arguments too large.
    E2BIG "Argument list too long"
    /// No handler takes the file.
    ENOEXEC "Exec format error"
    /// Out of processes.
    EAGAIN "Resource temporarily unavailable"
    /// Out of memory.
    ENOMEM "Out of memory (glibc: Cannot allocate memory)"
    /// No x bit, a noexec mount, or not a regular file.
    EACCES "Permission denied"
    /// A component of the path is no directory.
    ENOTDIR "Not a directory"
    /// A directory where a file is wanted.
    EISDIR "Is a directory"
    /// A bad argument.
    EINVAL "Invalid argument"
    /// Open for writing somewhere.
    ETXTBSY "Text file busy"
    /// Over RLIMIT_FSIZE, or over what the file system takes.
    EFBIG "File too large"
    /// No space.
    ENOSPC "No space left on device"
    /// A component over 255 bytes, or a path over 4095.
    ENAMETOOLONG "Filename too long (glibc: File name too long)"
    /// A pipe that nobody reads.
    EPIPE "Broken pipe"
    /// No such system call.
    ENOSYS "Function not implemented"
    /// Too many symbolic links, or too many interpreters.
    ELOOP "Symbolic link loop (glibc: Too many levels of symbolic links)"
    /// The ELF interpreter is no ELF file for this machine.
    ELIBBAD "Accessing a corrupted shared library"
    /// No such device.
    ENXIO "No such device or address"
    /// A file that its server has no more.
    ESTALE "Stale file handle"
    /// Any other.
    EOTHER "Unknown error"
}
