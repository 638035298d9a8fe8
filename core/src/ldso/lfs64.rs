//! musl's names of before 1.2.4 for files beyond 2 GiB. What nothing defines and ends in `64` is looked for without that, if it
//! is one of these: ldso/dynlink.c `get_lfs64`, `lfs64_list`.

/// What is asked for under another name: `open` of `open64`.
pub(super) fn plain_name(name: &[u8]) -> Option<&[u8]> {
    if name == b"readdir64_r" {
        return Some(b"readdir_r");
    }
    let plain = name.strip_suffix(b"64")?;
    NAMES.contains(&plain).then_some(plain)
}

static NAMES: [&[u8]; 59] = [
    b"aio_cancel",
    b"aio_error",
    b"aio_fsync",
    b"aio_read",
    b"aio_return",
    b"aio_suspend",
    b"aio_write",
    b"alphasort",
    b"creat",
    b"fallocate",
    b"fgetpos",
    b"fopen",
    b"freopen",
    b"fseeko",
    b"fsetpos",
    b"fstat",
    b"fstatat",
    b"fstatfs",
    b"fstatvfs",
    b"ftello",
    b"ftruncate",
    b"ftw",
    b"getdents",
    b"getrlimit",
    b"glob",
    b"globfree",
    b"lio_listio",
    b"lockf",
    b"lseek",
    b"lstat",
    b"mkostemp",
    b"mkostemps",
    b"mkstemp",
    b"mkstemps",
    b"mmap",
    b"nftw",
    b"open",
    b"openat",
    b"posix_fadvise",
    b"posix_fallocate",
    b"pread",
    b"preadv",
    b"prlimit",
    b"pwrite",
    b"pwritev",
    b"readdir",
    b"scandir",
    b"sendfile",
    b"setrlimit",
    b"stat",
    b"statfs",
    b"statvfs",
    b"tmpfile",
    b"truncate",
    b"versionsort",
    b"__fxstat",
    b"__fxstatat",
    b"__lxstat",
    b"__xstat",
];
