//! Paths of the target: bytes with `/` between them, on whatever computer `diag` runs.
//!
//! What is asked of them here goes by bytes: the kernel resolves paths and writes mount points without a `//` or a `.`, and
//! typed_path's own ways, which take a path apart, are 2,000 bytes on a router.

pub use typed_path::{UnixPath as Path, UnixPathBuf as PathBuf};

/// A path in a folder; one that is absolute already stays as it is.
pub fn join(folder: &Path, path: &Path) -> PathBuf {
    let (folder, path) = (folder.as_bytes(), path.as_bytes());
    if path.starts_with(b"/") {
        return PathBuf::from(path);
    }
    let slash: &[u8] = if folder.is_empty() || folder.ends_with(b"/") { b"" } else { b"/" };
    PathBuf::from([folder, slash, path].concat())
}

/// Whether a path is a folder's, or lies below it.
pub fn is_below(path: &Path, folder: &Path) -> bool {
    let folder = folder.as_bytes();
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    path.as_bytes().strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_as_typed_path_does() {
        for (folder, path) in [("/tmp", "a"), ("/tmp/", "a"), ("", "a"), ("/tmp", "/a"), ("/", "a")] {
            let joined = join(Path::new(folder), Path::new(path));
            assert_eq!(joined.as_bytes(), Path::new(folder).join(path).as_bytes(), "{folder} {path}");
        }
    }

    #[test]
    fn below_by_whole_names() {
        let is = |path: &str, folder: &str| is_below(Path::new(path), Path::new(folder));
        assert!(is("/tmp/a", "/tmp") && is("/tmp", "/tmp") && is("/tmp/a", "/") && is("/", "/"));
        assert!(!is("/tmpfs", "/tmp") && !is("/tm", "/tmp") && !is("tmp/a", "/tmp"));
    }
}
