//! Builds and edits ELF files: for diag's tests, for the oracle's changed programs, for the lab's samples, and for the
//! builds that xtask finishes. It shares no code with diag, which reads these files.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`layout`] | which fields the headers have, where, and of what size: names as in elf.h |
//! | [`elf_h`] | numbers of elf.h |
//! | [`abi`] | processors and calling conventions, and their instructions for exit(2) |
//! | [`image`] | a file's bytes, its fields read and written by name |
//! | [`elf`] | a small file from its parts: program headers, dynamic section, notes, sections |
//! | [`meeting`](mod@meeting) | names that meet in a hash table |
//! | [`program`] | copies of programs that are started |

pub mod abi;
pub mod elf;
pub mod elf_h;
pub mod image;
pub mod layout;
pub mod meeting;
pub mod program;

pub use abi::Abi;
pub use elf::Elf;
pub use image::{Image, Place, Segment};
pub use layout::Encoding;
pub use meeting::meeting;
pub use program::copy_program;
