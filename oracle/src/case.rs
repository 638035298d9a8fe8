//! A case: a base and what is changed in it, as one line of text, and as files.

use std::fmt;

use crate::abi::Abi;
use crate::base::{Base, Kind};
use crate::edit::{Chunk, Edit, Part, Place};
use crate::layout::{self, HEADER, SEGMENT, segment_size};

/// What is changed.
#[derive(Clone, Debug)]
pub enum Start {
    /// A program of our own.
    Ours(&'static Kind),
    /// A text.
    Script,
    /// A program of this computer, by its path.
    Host(String),
}

/// `x86-64 static: e_type=3 phdr[0].p_vaddr=0x7ffffffff000 cut=300`.
#[derive(Clone, Debug)]
pub struct Case {
    /// For which ABI; what a script leads to is written for it, too.
    pub abi: &'static Abi,
    /// What is changed.
    pub start: Start,
    /// How, in this order; a cut comes last whatever its place.
    pub edits: Vec<Edit>,
}

/// A file of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Relative to the folder of cases.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Its permission bits.
    pub mode: u32,
}

/// A case as files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// What is handed to execve(2) and to diag.
    pub path: Vec<u8>,
    /// The program, and an interpreter of its own.
    pub files: Vec<File>,
    /// Whether the first one is held open for writing.
    pub busy: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = match &self.start {
            Start::Ours(kind) => kind.name,
            Start::Script => "script",
            Start::Host(path) => path,
        };
        write!(f, "{} {start}:", self.abi.name)?;
        self.edits.iter().try_for_each(|edit| write!(f, " {edit}"))
    }
}

impl Case {
    /// An unchanged base.
    pub fn pristine(abi: &'static Abi, kind: &'static Kind) -> Case {
        Case { abi, start: Start::Ours(kind), edits: Vec::new() }
    }

    /// The reverse of its text; what is wrong with it, in a sentence.
    pub fn parse(text: &str) -> Result<Case, String> {
        let (head, tail) = text.split_once(':').ok_or("a case is `ABI BASE: EDIT...`")?;
        let (abi, start) = head.trim().split_once(' ').ok_or("no base before the colon")?;
        let abi = Abi::of(abi).ok_or_else(|| format!("no ABI {abi}"))?;
        let start = match start {
            "script" => Start::Script,
            path if path.starts_with('/') => Start::Host(path.to_owned()),
            kind => Start::Ours(Kind::of(kind).ok_or_else(|| format!("no base {kind}"))?),
        };
        let edit = |word: &str| Edit::parse(word).ok_or_else(|| format!("no edit {word}"));
        Ok(Case { abi, start, edits: tail.split_whitespace().map(edit).collect::<Result<_, _>>()? })
    }

    /// What is changed, without the numbers: cases of one shape have one cause, mostly.
    pub fn shape(&self) -> String {
        let base = self.base();
        let place = |edit: &Edit| match edit {
            Edit::Set(Part::Program, Place::Byte(at), _) => {
                let field = base.as_ref().and_then(|base| base.field_at(self.abi, *at));
                field.unwrap_or(Place::Byte(*at)).to_string()
            }
            edit => {
                let text = edit.to_string();
                text.split_once('=').map_or(text.clone(), |(place, _)| place.to_owned())
            }
        };
        let mut places: Vec<String> = self.edits.iter().map(place).collect();
        places.sort();
        places.join(" ")
    }

    /// FNV-1a of its text: what its files are named after.
    fn hash(&self) -> u64 {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        self.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step)
    }

    fn chunks(&self, of: fn(&Edit) -> Option<&Chunk>) -> Option<Vec<u8>> {
        let chunks: Vec<&Chunk> = self.edits.iter().filter_map(of).collect();
        (!chunks.is_empty()).then(|| chunks.into_iter().flat_map(Chunk::expanded).collect())
    }

    fn changes(&self, part: Part) -> impl Iterator<Item = &Edit> {
        self.edits.iter().filter(move |edit| edit.part() == Some(part))
    }

    /// The interpreter's kind.
    fn interpreter(&self) -> &'static Kind {
        let chosen = self.edits.iter().find_map(|edit| match edit {
            Edit::Interpreter(kind) => Some(*kind),
            _ => None,
        });
        // The old kernels that judge MIPS load one only if it ends in what may be written, as a real loader does.
        let usual = if self.abi.e_machine == 8 { "interp-bss" } else { "interp" };
        chosen.or_else(|| Kind::of(usual)).expect("there are interpreters")
    }

    /// What PT_INTERP holds, with its NUL.
    fn interpreter_name(&self) -> Vec<u8> {
        let mut name = self.chunks(|edit| if let Edit::Name(chunk) = edit { Some(chunk) } else { None });
        if name.is_none() && self.changes(Part::Interpreter).next().is_some() {
            name = Some(format!("i{:016x}", self.hash()).into_bytes());
        }
        let mut name =
            name.unwrap_or_else(|| format!("{}.{}", self.abi.name, self.interpreter().name).into_bytes());
        name.push(0);
        name
    }

    /// The base of the program; None for a script, and where this computer has no such file.
    pub fn base(&self) -> Option<Base> {
        match &self.start {
            Start::Ours(kind) => Some(Base::build(self.abi, kind, &self.interpreter_name())),
            Start::Script => None,
            Start::Host(path) => Base::of_host(self.abi, path),
        }
    }

    /// Its files.
    pub fn files(&self) -> Files {
        let hash = self.hash();
        let folder = if self.edits.contains(&Edit::NoExec) { "noexec/" } else { "" };
        let suffix = self.chunks(|edit| if let Edit::Suffix(chunk) = edit { Some(chunk) } else { None });
        let suffix = String::from_utf8_lossy(&suffix.unwrap_or_default()).into_owned();
        let name = format!("{folder}c{hash:016x}{suffix}");
        let base = self.base().unwrap_or_else(|| {
            let text = self.chunks(|edit| if let Edit::Text(chunk) = edit { Some(chunk) } else { None });
            Base { bytes: text.unwrap_or_default(), table: 0, segments: 0, marks: Vec::new() }
        });
        let content = self.apply(&base, Part::Program);
        let path = self.chunks(|edit| if let Edit::Path(chunk) = edit { Some(chunk) } else { None });
        let mut files = vec![File { name: name.clone(), bytes: content, mode: self.mode(Part::Program) }];
        if self.changes(Part::Interpreter).next().is_some() {
            let base = Base::build(self.abi, self.interpreter(), b"");
            files.push(File {
                name: format!("i{hash:016x}"),
                bytes: self.apply(&base, Part::Interpreter),
                mode: self.mode(Part::Interpreter),
            });
        }
        let place = |byte: &u8| if *byte == b'@' { name.as_bytes().to_vec() } else { vec![*byte] };
        let path =
            path.map_or_else(|| name.clone().into_bytes(), |path| path.iter().flat_map(place).collect());
        Files { path, files, busy: self.edits.contains(&Edit::Busy) }
    }

    fn mode(&self, part: Part) -> u32 {
        let mode = |edit: &Edit| if let Edit::Mode(_, mode) = edit { Some(*mode) } else { None };
        self.changes(part).filter_map(mode).last().unwrap_or(0o755)
    }

    /// A file with its changes: numbers, then zeros at the end, then the cut.
    fn apply(&self, base: &Base, part: Part) -> Vec<u8> {
        let mut bytes = base.bytes.clone();
        for edit in self.changes(part) {
            if let Edit::Set(_, place, value) = edit {
                if let Some(place) = base.place(self.abi, *place) {
                    layout::put(&mut bytes, self.abi, place, *value);
                }
            }
        }
        for edit in self.changes(part) {
            if let Edit::Pad(_, len) = edit {
                bytes.resize((*len).max(bytes.len()), 0);
            }
        }
        for edit in self.changes(part) {
            if let Edit::Cut(_, len) = edit {
                bytes.truncate(*len);
            }
        }
        bytes
    }
}

impl Base {
    /// Where a place lies, and its size.
    pub fn place(&self, abi: &Abi, place: Place) -> Option<(usize, usize)> {
        match place {
            Place::Header(name) => layout::find(HEADER, name, abi),
            Place::Segment(index, name) => {
                let (at, size) = layout::find(SEGMENT, name, abi)?;
                Some((self.table + index.checked_mul(segment_size(abi))? + at, size))
            }
            Place::Mark(name) => self.marks.iter().find(|(mark, _)| *mark == name).map(|(_, place)| *place),
            Place::Byte(at) => Some((at, 1)),
        }
    }

    /// The field that a byte belongs to.
    fn field_at(&self, abi: &Abi, byte: usize) -> Option<Place> {
        let segments = (0..self.segments)
            .flat_map(|index| SEGMENT.iter().map(move |(name, ..)| Place::Segment(index, name)));
        let mut fields = HEADER.iter().map(|(name, ..)| Place::Header(name)).chain(segments);
        fields.find(|field| self.place(abi, *field).is_some_and(|(at, size)| (at..at + size).contains(&byte)))
    }

    /// The number at a place.
    pub fn number(&self, abi: &Abi, place: Place) -> u64 {
        self.place(abi, place).map_or(0, |place| layout::get(&self.bytes, abi, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Plan;

    #[test]
    fn text_and_back() {
        let line = "x86-64 static: e_type=3 phdr[0].p_vaddr=0x7ffffffff000 byte[7]=0xff cut=300 mode=0644";
        assert_eq!(Case::parse(line).expect("a case").to_string(), line);
        let plan = Plan::default();
        for index in 0..5000 {
            let case = plan.case(index);
            let text = case.to_string();
            let again = Case::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(again.to_string(), text);
            assert_eq!(again.edits, case.edits, "{text}");
        }
        for wrong in ["", "x86-64 static", "vax static:", "mips no:", "mips static: e_typo=1"] {
            assert!(Case::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_edit_changes_its_field_alone() {
        let plain = Case::parse("mips tiny:").expect("a case").files();
        let changed = Case::parse("mips tiny: e_machine=0x1234").expect("a case").files();
        let (plain, changed) = (&plain.files[0].bytes, &changed.files[0].bytes);
        assert_eq!(changed[18..20], [0x12, 0x34]);
        assert_eq!((&plain[..18], &plain[20..]), (&changed[..18], &changed[20..]));
    }
}
