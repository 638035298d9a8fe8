//! One change of a case, and its text.

use std::fmt;

use crate::base::Kind;
use crate::layout::{Field, HEADER, SEGMENT};

/// Names of places in a base beyond its headers.
const MARKS: [&str; 6] =
    ["reginfo", "abiflags.version", "abiflags.isa_level", "abiflags.fp_abi", "abiflags.ases", "descriptor"];

/// Which file is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The one that is executed.
    Program,
    /// The one that PT_INTERP names: then a copy of its own.
    Interpreter,
}

/// What is changed in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A field of the ELF header.
    Header(&'static str),
    /// A field of a program header.
    Segment(usize, &'static str),
    /// A place with a name.
    Mark(&'static str),
    /// A byte.
    Byte(usize),
}

/// Bytes, several times: how long names and lines are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// What.
    pub bytes: Vec<u8>,
    /// How often.
    pub times: usize,
}

/// One change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// `e_type=3`, `phdr[0].p_vaddr=0x1000`, `byte[5]=7`: a number is written.
    Set(Part, Place, u64),
    /// `cut=100`: the file ends there.
    Cut(Part, usize),
    /// `pad=5000`: zeros up to that length.
    Pad(Part, usize),
    /// `mode=0644`.
    Mode(Part, u32),
    /// `interp=interp-exec`: another interpreter.
    Interpreter(&'static Kind),
    /// `name=...`: what PT_INTERP holds, in pieces, without the NUL at its end.
    Name(Chunk),
    /// `text=...`: the content of a script, in pieces.
    Text(Chunk),
    /// `path=...`: what is handed to execve(2), in pieces; `@` is the file.
    Path(Chunk),
    /// `suffix=.orc`: how the file's name ends, for binfmt_misc.
    Suffix(Chunk),
    /// `noexec`: the file lies on a file system that is mounted so.
    NoExec,
    /// `busy`: somebody holds the file open for writing.
    Busy,
}

impl Chunk {
    /// Bytes once.
    pub fn once(bytes: impl Into<Vec<u8>>) -> Chunk {
        Chunk { bytes: bytes.into(), times: 1 }
    }

    /// Bytes several times.
    pub fn times(bytes: impl Into<Vec<u8>>, times: usize) -> Chunk {
        Chunk { bytes: bytes.into(), times }
    }

    /// What it stands for.
    pub fn expanded(&self) -> Vec<u8> {
        self.bytes.repeat(self.times)
    }

    fn parse(text: &str) -> Option<Chunk> {
        let (text, times) = match text.rsplit_once('*') {
            Some((text, times)) => (text, times.parse().ok().filter(|times| *times <= 0x10_0000)?),
            None => (text, 1),
        };
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(escaped) = rest.strip_prefix("\\x") {
                bytes.push(u8::from_str_radix(escaped.get(..2)?, 16).ok()?);
                rest = &escaped[2..];
            } else {
                bytes.push(u8::try_from(u32::from(first)).ok().filter(|byte| is_plain(*byte))?);
                rest = &rest[1..];
            }
        }
        Some(Chunk { bytes, times })
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'*' | b'\\')
}

impl fmt::Display for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.bytes {
            if is_plain(*byte) {
                write!(f, "{}", char::from(*byte))?;
            } else {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        if self.times == 1 { Ok(()) } else { write!(f, "*{}", self.times) }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Part::Program { "" } else { "interp." })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Header(name) | Place::Mark(name) => f.write_str(name),
            Place::Segment(index, name) => write!(f, "phdr[{index}].{name}"),
            Place::Byte(at) => write!(f, "byte[{at}]"),
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Edit::Set(part, place, value @ 0..10) => write!(f, "{part}{place}={value}"),
            Edit::Set(part, place, value) => write!(f, "{part}{place}={value:#x}"),
            Edit::Cut(part, len) => write!(f, "{part}cut={len}"),
            Edit::Pad(part, len) => write!(f, "{part}pad={len}"),
            Edit::Mode(part, mode) => write!(f, "{part}mode={mode:04o}"),
            Edit::Interpreter(kind) => write!(f, "interp={}", kind.name),
            Edit::Name(chunk) => write!(f, "name={chunk}"),
            Edit::Text(chunk) => write!(f, "text={chunk}"),
            Edit::Path(chunk) => write!(f, "path={chunk}"),
            Edit::Suffix(chunk) => write!(f, "suffix={chunk}"),
            Edit::NoExec => f.write_str("noexec"),
            Edit::Busy => f.write_str("busy"),
        }
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn name_in(table: &[Field], name: &str) -> Option<&'static str> {
    table.iter().map(|(known, ..)| *known).find(|known| *known == name)
}

impl Place {
    fn parse(text: &str) -> Option<Place> {
        if let Some(at) = text.strip_prefix("byte[").and_then(|rest| rest.strip_suffix(']')) {
            return Some(Place::Byte(at.parse().ok()?));
        }
        if let Some(rest) = text.strip_prefix("phdr[") {
            let (index, name) = rest.split_once("].")?;
            return Some(Place::Segment(index.parse().ok()?, name_in(SEGMENT, name)?));
        }
        let mark = MARKS.into_iter().find(|mark| *mark == text);
        mark.map(Place::Mark).or_else(|| name_in(HEADER, text).map(Place::Header))
    }
}

impl Edit {
    /// The reverse of its text.
    pub fn parse(text: &str) -> Option<Edit> {
        match text {
            "noexec" => return Some(Edit::NoExec),
            "busy" => return Some(Edit::Busy),
            _ => {}
        }
        let (what, value) = text.split_once('=')?;
        match what {
            "interp" => return Kind::of(value).map(Edit::Interpreter),
            "name" => return Chunk::parse(value).map(Edit::Name),
            "text" => return Chunk::parse(value).map(Edit::Text),
            "path" => return Chunk::parse(value).map(Edit::Path),
            "suffix" => return Chunk::parse(value).map(Edit::Suffix),
            _ => {}
        }
        let (part, what) = match what.strip_prefix("interp.") {
            Some(what) => (Part::Interpreter, what),
            None => (Part::Program, what),
        };
        Some(match what {
            "cut" => Edit::Cut(part, value.parse().ok()?),
            "pad" => Edit::Pad(part, value.parse().ok()?),
            "mode" => Edit::Mode(part, u32::from_str_radix(value, 8).ok()?),
            place => Edit::Set(part, Place::parse(place)?, number(value)?),
        })
    }

    /// Which file it changes, where it changes the bytes of one.
    pub fn part(&self) -> Option<Part> {
        match self {
            Edit::Set(part, ..) | Edit::Cut(part, _) | Edit::Pad(part, _) | Edit::Mode(part, _) => {
                Some(*part)
            }
            _ => None,
        }
    }
}
