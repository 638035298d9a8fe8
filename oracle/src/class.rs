//! Kinds of cases, to count them by.

use serde::{Deserialize, Serialize};

use crate::base::Role;
use crate::case::{Case, Start};
use crate::edit::{Edit, Part, Place};
use crate::folder::{MAGIC, OSABI};
use crate::generate::script::ENV;

/// What a case is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Nothing is changed.
    Unchanged,
    /// A field of the ELF header.
    Header,
    /// A field of a program header.
    Segment,
    /// Two fields.
    Pair,
    /// More.
    Several,
    /// Bytes at random.
    Bytes,
    /// A file that ends early, or late.
    Length,
    /// The interpreter, or how it is named.
    Interpreter,
    /// What one processor's kernel alone looks at: e_flags and what is only on MIPS.
    Abi,
    /// A text.
    Script,
    /// A script whose interpreter is a script.
    Nesting,
    /// The path, the mode, the mount, a writer.
    Path,
    /// What a rule of binfmt_misc is for.
    Misc,
    /// A program of this computer.
    Host,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 14] = [
        Class::Unchanged,
        Class::Header,
        Class::Segment,
        Class::Pair,
        Class::Several,
        Class::Bytes,
        Class::Length,
        Class::Interpreter,
        Class::Abi,
        Class::Script,
        Class::Nesting,
        Class::Path,
        Class::Misc,
        Class::Host,
    ];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Class::Unchanged => "unchanged",
            Class::Header => "ELF header field",
            Class::Segment => "program header field",
            Class::Pair => "two fields",
            Class::Several => "several fields",
            Class::Bytes => "random bytes",
            Class::Length => "length",
            Class::Interpreter => "interpreter",
            Class::Abi => "processor's own",
            Class::Script => "script",
            Class::Nesting => "nested scripts",
            Class::Path => "path and permissions",
            Class::Misc => "binfmt_misc",
            Class::Host => "this computer's programs",
        }
    }

    /// What a case is about, by its changes.
    pub fn of(case: &Case) -> Class {
        let any = |test: fn(&Edit) -> bool| case.edits.iter().any(test);
        let path = |edit: &Edit| {
            matches!(edit, Edit::Path(_) | Edit::NoExec | Edit::Busy | Edit::Mode(Part::Program, _))
        };
        let interpreter = |edit: &Edit| {
            matches!(edit, Edit::Name(_) | Edit::Interpreter(_)) || edit.part() == Some(Part::Interpreter)
        };
        let of_abi = |edit: &Edit| {
            matches!(edit, Edit::Set(_, Place::Mark(_) | Place::Header("e_flags" | "EI_OSABI"), _))
        };
        let nests = |edit: &Edit| matches!(edit, Edit::Text(chunk) if contains(&chunk.bytes, b".chain-"));
        let of_misc = |edit: &Edit| match edit {
            Edit::Suffix(_) => true,
            Edit::Text(chunk) => chunk.bytes.starts_with(MAGIC),
            Edit::Set(Part::Program, Place::Header("EI_OSABI"), value) => *value == OSABI,
            _ => false,
        };
        if any(of_misc) {
            return Class::Misc;
        }
        if any(|edit| matches!(edit, Edit::Text(chunk) if chunk.bytes.starts_with(ENV.as_bytes()))) {
            return Class::Script;
        }
        if any(path) {
            return Class::Path;
        }
        match case.start {
            Start::Script if any(nests) => return Class::Nesting,
            Start::Script => return Class::Script,
            Start::Host(_) => return Class::Host,
            Start::Ours(_) => {}
        }
        if any(interpreter) {
            Class::Interpreter
        } else if any(|edit| matches!(edit, Edit::Set(_, Place::Byte(_), _))) {
            Class::Bytes
        } else if any(|edit| matches!(edit, Edit::Cut(..) | Edit::Pad(..))) {
            Class::Length
        } else if any(of_abi) {
            Class::Abi
        } else {
            match (case.edits.as_slice(), &case.start) {
                ([], Start::Ours(kind)) if kind.role == Role::Interpreter => Class::Interpreter,
                ([], _) => Class::Unchanged,
                ([Edit::Set(_, Place::Header(_), _)], _) => Class::Header,
                ([_], _) => Class::Segment,
                ([_, _], _) => Class::Pair,
                _ => Class::Several,
            }
        }
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|part| part == word)
}
