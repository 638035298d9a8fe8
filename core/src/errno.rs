//! Error names, free of the numbers that differ between architectures (ELIBBAD is 80, on MIPS 84).

macro_rules! errno {
    ($($(#[$doc:meta])* $name:ident $text:literal)* ; $($(#[$more_doc:meta])* $more:ident $more_text:literal)*) => {
        /// An errno by name.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(clippy::upper_case_acronyms)]
        pub enum Errno {
            $($(#[$doc])* $name,)*
            $(#[cfg(feature = "every-machine")] $(#[$more_doc])* $more,)*
        }

        impl Errno {
            /// The name as in errno(3).
            pub const fn name(self) -> &'static str {
                match self {
                    $(Errno::$name => stringify!($name),)*
                    $(#[cfg(feature = "every-machine")] Errno::$more => stringify!($more),)*
                }
            }

            /// What strerror(3) says: in musl, and in glibc where that differs.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Errno::$name => $text,)*
                    $(#[cfg(feature = "every-machine")] Errno::$more => $more_text,)*
                }
            }

            /// The errno of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Errno::$name),)*
                    $(#[cfg(feature = "every-machine")] stringify!($more) => Some(Errno::$more),)*
                    _ => None,
                }
            }
        }
    };
}

impl Errno {
    /// Whether it says that nothing is there, or what is there.
    pub const fn is_absence(self) -> bool {
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
    pub const fn is_of_the_medium(self) -> bool {
        #[cfg(feature = "every-machine")]
        if matches!(
            self,
            Errno::EBADMSG
                | Errno::EUCLEAN
                | Errno::ENOKEY
                | Errno::ENOTCONN
                | Errno::ETIMEDOUT
                | Errno::EHOSTDOWN
                | Errno::EREMOTEIO
        ) {
            return true;
        }
        matches!(self, Errno::EIO | Errno::ENXIO | Errno::ESTALE)
    }

    /// Whether it tells of who asks, not of the file: the loader has fewer files open, and asks at another moment.
    pub const fn is_of_who_asks(self) -> bool {
        matches!(self, Errno::EAGAIN | Errno::EINTR | Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM)
    }

    /// What to do where it keeps diag from reading a file.
    // 240 bytes of a router's build: three places ask.
    #[inline(never)]
    pub const fn fix(self) -> &'static str {
        match self {
            Errno::EACCES | Errno::EPERM => "run diag as root",
            Errno::EMFILE => "ulimit -n 256, then run diag again",
            Errno::ENFILE if !crate::ROUTER => {
                "see who has so many files open (lsof), or raise fs.file-max; then run diag again"
            }
            Errno::ENOMEM if !crate::ROUTER => "see that there is memory (free), then run diag again",
            _ if self.is_of_who_asks() => "run diag again",
            _ => "copy it again, to another file system",
        }
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
    /// A signal came in between.
    EINTR "Interrupted system call"
    /// As many files are open as this process may have: RLIMIT_NOFILE.
    EMFILE "No file descriptors available (glibc: Too many open files)"
    /// As many files are open as the system can have: fs.file-max.
    ENFILE "Too many open files in system"
    /// Any other.
    EOTHER "Unknown error"
    ;
    /// A checksum of the medium is wrong (UBI, ext4, Btrfs).
    EBADMSG "Bad message"
    /// A file system is damaged (ext4, XFS, UBIFS).
    EUCLEAN "Structure needs cleaning"
    /// An encrypted file whose key is not there.
    ENOKEY "Required key not available"
    /// A FUSE file system whose daemon has ended.
    ENOTCONN "Socket not connected (glibc: Transport endpoint is not connected)"
    /// A network file system whose server does not answer.
    ETIMEDOUT "Operation timed out (glibc: Connection timed out)"
    /// So is one that is down.
    EHOSTDOWN "Host is down"
    /// A server has an error of its own (NFS, AFS).
    EREMOTEIO "Remote I/O error"
}
