//! Fuzz targets: each makes files and a machine from any bytes, has diag judge them, and asserts what must hold
//! ([`hold`]). The bytes come from libFuzzer (`cargo xtask fuzz`), or from fuzz/corpus and a mutator of its own
//! (`cargo test`).
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`targets`] | what is fuzzed: one function each |
//! | [`memory`] | a target from memory: a recorded machine, with files put on it that may be larger than any disk |
//! | [`elf`] | ELF files with hostile tables |
//! | [`hold`] | what must hold of every judgement |
//! | `work` | how much a judgement takes, counted from outside |
//! | [`mutator`] | changes bytes, the same way each time |

pub mod elf;
pub mod hold;
pub mod memory;
pub mod mutator;
pub mod targets;
mod work;

use std::path::{Path, PathBuf};

pub use targets::{TARGETS, Target};
pub use work::BLOCKS;

/// Counts what a judgement allocates.
#[global_allocator]
pub(crate) static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// A folder of the project's.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What is kept in the repository of a target: inputs that reach what others do not, and those that found something.
///
/// # Panics
///
/// If a file there cannot be read.
pub fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in [folder("corpus").join(target), folder("findings").join(target)] {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("a folder of the repository").path();
            let bytes = std::fs::read(&path).expect("a file of the repository");
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}
