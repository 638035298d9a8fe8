//! Paths of the target: bytes with `/` between them, on whatever computer `diag` runs.

pub use typed_path::{UnixPath as Path, UnixPathBuf as PathBuf};
