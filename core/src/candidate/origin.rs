//! What made a program.

use alloc::string::String;

/// The toolchain, as far as the header area, `.comment` and the names of sections and symbols tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// Which one.
    pub toolchain: Toolchain,
    /// What it says of itself: "GCC: (Debian 12.2.0-14) 12.2.0", "rustc version 1.95.0".
    pub detail: Option<String>,
}

/// A family of toolchains: those whose programs are rebuilt in the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Toolchain {
    /// Not told.
    #[default]
    Unknown,
    /// The Go linker.
    Go,
    /// rustc.
    Rust,
    /// GCC or clang, of C.
    C,
    /// The same, of C++.
    Cxx,
    /// Zig.
    Zig,
    /// Nim, which writes C.
    Nim,
    /// LDC, GDC or DMD.
    D,
    /// Swift.
    Swift,
    /// Free Pascal.
    Pascal,
    /// Crystal.
    Crystal,
    /// GHC.
    Haskell,
    /// ocamlopt.
    OCaml,
    /// A single-file bundle of .NET, or its native compiler.
    DotNet,
    /// GraalVM's native-image.
    Graal,
    /// Dart: a runtime, with the compiled program behind it.
    Dart,
    /// Bun: its runtime, or a program in it.
    Bun,
    /// Deno: its runtime, or a program in it.
    Deno,
    /// Node.js, alone or with a program in it.
    Node,
    /// Another program around V8.
    V8,
    /// A frozen Python program (PyInstaller).
    Python,
}

impl Toolchain {
    /// What it is called; empty where it is not told.
    pub const fn name(self) -> &'static str {
        match self {
            Toolchain::Unknown => "",
            Toolchain::Go => "Go",
            Toolchain::Rust => "Rust",
            Toolchain::C => "C",
            Toolchain::Cxx => "C++",
            Toolchain::Zig => "Zig",
            Toolchain::Nim => "Nim",
            Toolchain::D => "D",
            Toolchain::Swift => "Swift",
            Toolchain::Pascal => "Free Pascal",
            Toolchain::Crystal => "Crystal",
            Toolchain::Haskell => "Haskell",
            Toolchain::OCaml => "OCaml",
            Toolchain::DotNet => ".NET",
            Toolchain::Graal => "GraalVM",
            Toolchain::Dart => "Dart",
            Toolchain::Bun => "Bun",
            Toolchain::Deno => "Deno",
            Toolchain::Node => "Node.js",
            Toolchain::V8 => "V8",
            Toolchain::Python => "Python",
        }
    }
}
