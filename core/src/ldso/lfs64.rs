//! musl's names of before 1.2.4 for files beyond 2 GiB. What nothing defines and ends in `64` is looked for without that, if it
//! is one of these: ldso/dynlink.c `get_lfs64`, `lfs64_list`.

/// What is asked for under another name: `open` of `open64`.
pub(super) fn plain_name(name: &[u8]) -> Option<&[u8]> {
    if name == b"readdir64_r" {
        return Some(b"readdir_r");
    }
    let plain = name.strip_suffix(b"64")?;
    NAMES.split(|byte| *byte == b' ').any(|name| name == plain).then_some(plain)
}

/// With a space between: 320 bytes less of a MIPS router's build than a list of slices.
static NAMES: &[u8] = b"\
    aio_cancel aio_error aio_fsync aio_read aio_return aio_suspend aio_write alphasort creat fallocate \
    fgetpos fopen freopen fseeko fsetpos fstat fstatat fstatfs fstatvfs ftello ftruncate ftw getdents \
    getrlimit glob globfree lio_listio lockf lseek lstat mkostemp mkostemps mkstemp mkstemps mmap nftw \
    open openat posix_fadvise posix_fallocate pread preadv prlimit pwrite pwritev readdir scandir \
    sendfile setrlimit stat statfs statvfs tmpfile truncate versionsort __fxstat __fxstatat __lxstat \
    __xstat";
