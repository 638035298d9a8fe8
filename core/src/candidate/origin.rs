//! What made a program.

use alloc::string::String;

/// The toolchain, as far as the header area and `.comment` tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// Which one.
    pub toolchain: Toolchain,
    /// What it says of itself: "GCC: (Debian 12.2.0-14) 12.2.0", "rustc version 1.95.0".
    pub detail: Option<String>,
}

/// A family of toolchains.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Toolchain {
    /// Not told.
    #[default]
    Unknown,
    /// The Go linker's build id note.
    Go,
    /// rustc in `.comment`.
    Rust,
    /// GCC or clang in `.comment`.
    C,
}
