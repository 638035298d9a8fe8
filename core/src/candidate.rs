//! The facts of a file that is to be judged. [`open`] is the only code that reads it.

mod contents;
pub mod damage;
pub mod env;
pub mod file;
pub mod foreign;
pub mod go;
mod image;
pub mod late;
pub mod library;
mod open;
pub mod origin;
pub mod package;
mod program;
mod property;
pub mod reader;
pub mod sample;
pub mod script;
pub mod system;
mod toolchain;
mod upx;
mod x86_code;

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use crate::path::PathBuf;

pub use contents::Lost;
pub use damage::Damage;
pub use env::EnvCall;
pub(crate) use file::bytes_of;
pub use file::{File, Files};
pub use foreign::Foreign;
pub use go::Go;
pub use image::last_name;
pub use late::LateLine;
pub use open::open;
pub use origin::{Origin, Toolchain};
pub use script::Script;
pub use system::{Mark, Noted};
pub use x86_code::X86Code;

use crate::elf::consts::{DF_1_PIE, DT_FLAGS_1};
use crate::elf::{AbiFlags, Attributes, Encoding, Header, ProgramHeader};
use crate::errno::Errno;
use crate::machine::binfmt_misc::BinfmtRule;
use crate::machine::{Machine, Version};
use crate::target::{Known, Stat};

/// What a kernel executes (`struct linux_binfmt`, the list `formats` of fs/exec.c): what [`open`] has to know of it.
#[derive(Clone)]
pub struct Formats<'a> {
    /// In which ways it decodes an ELF file.
    pub encodings: &'a [Encoding],
    /// How it reads a `#!` line.
    pub script: script::Rules,
    /// The rules of binfmt_misc.
    pub binfmt_misc: &'a [BinfmtRule],
    /// What tells whether a path that a file names may be looked at; None: each may.
    pub reach: Option<&'a Machine<'a>>,
}

/// A file that is to be judged, and the interpreter it names.
#[derive(Debug)]
pub struct Candidate {
    /// As it was given, or as the program names its interpreter.
    pub path: PathBuf,
    /// Absolute, symbolic links resolved; as given where that fails.
    pub resolved: PathBuf,
    /// stat(2), or why it failed.
    pub stat: Known<Result<Stat, Errno>>,
    /// May the caller execute it: faccessat(2) with X_OK.
    pub may_execute: Known<Result<(), Errno>>,
    /// Somebody holds it open for writing.
    pub busy: Option<bool>,
    /// What is in it.
    pub content: Content,
    /// A `#!` that is not at the front of a text.
    pub late_line: Option<Box<LateLine>>,
    /// The rule of binfmt_misc that takes it, before anything else is looked at.
    pub binfmt_misc: Option<MatchedRule>,
    /// The interpreter that binfmt_misc, a script or an ELF file names, opened in turn; at most 6 deep.
    pub interpreter: Option<Box<Candidate>>,
    /// What its interpreter does with the line of the script, where that is env(1).
    pub env: Option<Box<EnvCall>>,
}

/// A rule of binfmt_misc that matches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MatchedRule {
    /// Its name.
    pub rule: String,
    /// Its interpreter is held open by the kernel.
    pub fixed: bool,
    /// Another rule with another interpreter matches as well; the kernel takes the one registered last.
    pub contested: bool,
}

/// What is in a file.
#[derive(Debug)]
pub enum Content {
    /// It was not read: it does not exist, is no regular file, or may not be read.
    Unread(Errno),
    /// What is in it is not known.
    Unknown,
    /// It begins with \x7fELF.
    Elf(Box<Program>),
    /// It begins with `#!`.
    Script(Script),
    /// Anything else.
    Foreign(Foreign),
}

/// An ELF file.
#[derive(Debug)]
pub struct Program {
    /// e_ident.
    pub ident: [u8; 16],
    /// Decoded as EI_DATA and EI_CLASS say. None where those are no valid values or the header is cut short.
    pub declared: Option<Rc<Image>>,
    /// Decoded as the machine's kernel would, one for each of [`crate::machine::Machine::encodings`], in that order. A
    /// header cut short reads as zeros, as in the kernel's buffer.
    pub as_read: Vec<Rc<Image>>,
    /// The file, for what is seldom asked; None for one of values.
    pub(crate) file: Option<Rc<File>>,
    /// Packed by UPX: the size it unpacks to, where the packer's header tells it.
    pub upx: Option<Upx>,
    /// What became of its content on the way.
    pub damage: Damage,
    /// What Go left in it.
    pub go: Option<Go>,
}

/// What UPX left in a packed file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Upx {
    /// Size of the unpacked program in bytes, where it is told.
    pub unpacked: Option<u64>,
}

/// An ELF file decoded in one [`Encoding`].
#[derive(Debug)]
pub struct Image {
    /// Byte order and layout of this decoding.
    pub encoding: Encoding,
    /// The ELF header.
    pub header: Header,
    /// The program header table, or why the kernel cannot have it.
    pub program_headers: Result<Vec<ProgramHeader>, TableError>,
    /// The first PT_INTERP.
    pub interp: Option<Interp>,
    /// The structure that the last PT_MIPS_ABIFLAGS points to. None where its p_filesz is under 24, or the file ends
    /// before it.
    pub abiflags: Option<AbiFlags>,
    /// Build attributes, where a program header or a section table leads to them; read of processors that are judged.
    pub attributes: Option<Attributes>,
    /// Units in .PPC.EMB.apuinfo, without their revisions.
    pub apus: Vec<u16>,
    /// What PT_DYNAMIC holds.
    pub dynamic: Option<Dynamic>,
    /// NT_GNU_ABI_TAG: OS number (0 is Linux), and the release that it wants at least.
    pub abi_tag: Option<(u32, Version)>,
    /// The operating systems whose notes it has.
    pub noted: Noted,
    /// It has the note of the Go linker.
    pub is_go: bool,
    /// What the kernel makes of PT_GNU_PROPERTY where the file is for arm64.
    pub gnu_property: Result<(), Errno>,
    /// Where the function descriptor at e_entry leads (ELFv1 of PowerPC), without what is added to the file's addresses.
    pub descriptor: Option<u64>,
    /// GNU_PROPERTY_X86_ISA_1_NEEDED: bit 0 baseline, 1 v2, 2 v3, 3 v4; read for machines that have an x86.
    pub x86_isa_needed: Option<u32>,
    /// What a sample of an i386's code uses.
    pub x86_code: Option<X86Code>,
}

/// Why a program header table cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableError {
    /// e_phentsize is not the size of a program header.
    EntrySize,
    /// e_phnum is 0.
    Empty,
    /// Over 65,536 bytes.
    TooLarge,
    /// It lies, in part at least, beyond the end of the file.
    Truncated,
}

/// A PT_INTERP, as `load_elf_binary` reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Interp {
    /// The name, up to its first NUL.
    Path(Vec<u8>),
    /// p_filesz is under 2 or over 4096.
    Size(u64),
    /// It lies beyond the end of the file.
    Truncated,
    /// p_offset, or where it ends, is negative as a loff_t.
    NegativeOffset,
    /// Its last byte is not NUL.
    NotTerminated,
}

/// PT_DYNAMIC. Strings are bytes: they can hold anything.
#[allow(clippy::struct_excessive_bools)] // What is seen of it, each for itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dynamic {
    /// DT_NEEDED, in order.
    pub needed: Vec<Vec<u8>>,
    /// Something stands behind DT_NULL.
    pub goes_on: bool,
    /// There is more of it, or of a name, than is read.
    pub is_cut: bool,
    /// The name of one of those lies nowhere.
    pub lost_name: bool,
    /// The name of one of those lies outside of DT_STRTAB. A router does not look.
    pub has_far_name: bool,
    /// DT_SONAME.
    pub soname: Option<Vec<u8>>,
    /// DT_RPATH.
    pub rpath: Option<Vec<u8>>,
    /// DT_RUNPATH.
    pub runpath: Option<Vec<u8>>,
    /// Every entry, as it stands: its tag and its value. Addresses are those of the file.
    pub entries: Vec<(u32, u64)>,
}

impl Dynamic {
    /// The value of an entry; of several the last, as in the loaders.
    pub fn get(&self, tag: u32) -> Option<u64> {
        self.entries.iter().rfind(|(known, _)| *known == tag).map(|(_, value)| *value)
    }

    /// It holds nothing, or nothing that was ever written: erased flash.
    pub(crate) fn is_blank(&self) -> bool {
        self.entries
            .first()
            .is_none_or(|first| *first == (u32::MAX, u64::MAX) || *first == (u32::MAX, u32::MAX.into()))
    }

    /// The bits of an entry that holds flags.
    pub fn flags(&self, tag: u32) -> u64 {
        self.get(tag).unwrap_or_default()
    }

    /// Whether it is of a program that is moved (-pie, -static-pie).
    pub fn is_pie(&self) -> bool {
        self.flags(DT_FLAGS_1) & DF_1_PIE != 0
    }
}

impl Candidate {
    /// The ELF file, where it is one.
    pub fn program(&self) -> Option<&Program> {
        match &self.content {
            Content::Elf(program) => Some(program),
            _ => None,
        }
    }

    /// stat(2), where it is known that the file is there.
    pub fn found(&self) -> Option<&Stat> {
        match &self.stat {
            Some(Ok(stat)) => Some(stat),
            _ => None,
        }
    }

    /// Why stat(2) fails, where it is known to.
    pub fn missing(&self) -> Option<Errno> {
        match self.stat {
            Some(Err(errno)) => Some(errno),
            _ => None,
        }
    }

    /// It is an ELF file whose interpreter is not there: the one that its own header leads to.
    pub fn lacks_interpreter(&self) -> bool {
        let is_elf = matches!(self.content, Content::Elf(_)) && self.binfmt_misc.is_none();
        let named = self.program().and_then(Program::image).map_or(&[][..], Image::interp_path);
        let interpreter = self.interpreter.as_ref().filter(|_| is_elf);
        interpreter.is_some_and(|there| there.missing().is_some() && there.path.as_bytes() == named)
    }

    /// Bytes; None where stat(2) failed, or nobody knows.
    pub fn size(&self) -> Option<u64> {
        Some(self.found()?.size)
    }
}

impl Program {
    /// What made it, as far as the header area tells.
    pub fn origin(&self) -> &Origin {
        const NOT_TOLD: &Origin = &Origin { toolchain: Toolchain::Unknown, detail: None };
        match (&self.file, self.image()) {
            (Some(file), Some(image)) => file.origin(image, self.go.as_ref()),
            _ => NOT_TOLD,
        }
    }

    /// The kernel's decoding in one encoding.
    pub fn as_read_by(&self, encoding: Encoding) -> Option<&Image> {
        self.as_read.iter().find(|image| image.encoding == encoding).map(Rc::as_ref)
    }

    /// Whether it executes instructions of an FPU on MIPS, by `.MIPS.abiflags` or by what Go says in their place.
    pub(crate) fn is_mips_hard_float(&self, image: &Image) -> bool {
        image.is_mips_hard_float() || self.go.as_ref().is_some_and(|go| go.is_hard_float(image))
    }

    /// The same, to keep.
    pub fn shared_in(&self, encoding: Encoding) -> Option<&Rc<Image>> {
        self.as_read.iter().find(|image| image.encoding == encoding)
    }

    /// The decoding to explain with: the file's own, else the machine's.
    pub fn image(&self) -> Option<&Image> {
        self.declared.as_ref().or(self.as_read.first()).map(Rc::as_ref)
    }
}
