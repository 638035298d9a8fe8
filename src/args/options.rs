//! The options as one table: the parser, `--help`, the manual page (docs/diag.1) and the completions come from it.

use std::str;

use crate::text;

/// The shells that there are completions for.
pub const SHELLS: &[&str] = &["bash", "zsh", "fish"];

/// Who calls a machine by a name of its own.
pub(super) const KINDS: &[&str] = &["go", "rust", "zig", "gcc", "openwrt", "debian", "docker"];

/// What an option asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opt {
    Json,
    Dest,
    Strict,
    Record,
    On,
    Require,
    Pick,
    Targets,
    Completions,
    Verbose,
    Quiet,
    Help,
    Version,
}

/// The value of an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// It has none.
    None,
    /// A folder.
    Folder,
    /// A file or a folder.
    File,
    /// Anything else.
    Text,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub(super) opt: Opt,
    /// Its long name, without the dashes; empty where it has none.
    pub long: &'static str,
    /// Its letter; 0 where it has none.
    pub letter: u8,
    /// What it takes.
    pub value: Value,
    /// The name of that in `--help`: "DIR".
    pub named: &'static str,
    /// What it wants where the value is missing: "a folder".
    pub wants: &'static str,
    /// The line of `--help`, or two.
    pub help: &'static str,
    /// A router's build does without.
    pub only_hosts: bool,
}

/// One without a value.
const fn flag(opt: Opt, long: &'static str, letter: u8, help: &'static str) -> Row {
    Row { opt, long, letter, value: Value::None, named: "", wants: "", help, only_hosts: false }
}

/// All of them, in the order of `--help`.
pub const OPTIONS: &[Row] = &[
    flag(Opt::Json, "json", 0, "the report as one JSON document"),
    Row {
        value: Value::Folder,
        named: "DIR",
        wants: "a folder",
        ..flag(Opt::Dest, "dest", 0, "judge as if the program were installed in DIR")
    },
    flag(Opt::Strict, "strict", 0, "what starts and will most likely die counts as\nfailing"),
    flag(
        Opt::Record,
        "record",
        0,
        "this machine, with what PROGRAM needs of it, as a\ntar on stdout, for --on elsewhere",
    ),
    Row {
        value: Value::File,
        named: "MACHINE",
        wants: "a machine",
        only_hosts: true,
        ..flag(
            Opt::On,
            "on",
            0,
            "judge for another machine: what --record gave, a\nname[@RELEASE] of OpenWrt's (a device, a target, an\narchitecture), debian:11/armhf and its like, all of\nthem (all, all:debian), or list [WORDS]",
        )
    },
    Row {
        value: Value::Text,
        named: "NAMES",
        wants: "names of machines, with commas between",
        only_hosts: true,
        ..flag(
            Opt::Require,
            "require",
            0,
            "with --on all: on each of these at least one\nPROGRAM has to start",
        )
    },
    flag(
        Opt::Pick,
        "pick",
        0,
        "which of these files of a release is for the machine;\n- has their names on stdin, or the release's JSON",
    ),
    Row {
        value: Value::Words(KINDS),
        named: "KIND",
        wants: "go, rust, zig, gcc, openwrt, debian or docker",
        only_hosts: true,
        ..flag(
            Opt::Targets,
            "targets",
            0,
            "what KIND calls the machine, and nothing else: go,\nrust, zig, gcc, openwrt, debian or docker",
        )
    },
    Row {
        value: Value::Words(SHELLS),
        named: "SHELL",
        wants: "bash, zsh or fish",
        only_hosts: true,
        ..flag(Opt::Completions, "completions", 0, "what has that shell complete these options")
    },
    flag(Opt::Verbose, "", b'v', "more: every fact"),
    flag(Opt::Quiet, "", b'q', "only the first line of each program"),
    flag(Opt::Help, "help", b'h', "this text"),
    flag(Opt::Version, "version", b'V', "the version"),
];

impl Row {
    /// Whether this build has it.
    pub const fn is_here(&self) -> bool {
        cfg!(feature = "every-machine") || !self.only_hosts
    }

    /// As in `--help`: "-h, --help", "--dest DIR", "-v".
    pub fn name(&self) -> String {
        let mut name = String::new();
        if self.letter != 0 {
            name.extend(['-', char::from(self.letter)]);
        }
        if !self.long.is_empty() {
            name.push_str(if name.is_empty() { "--" } else { ", --" });
            name.push_str(self.long);
        }
        if !self.named.is_empty() {
            name.push(' ');
            name.push_str(self.named);
        }
        name
    }
}

/// What the parser has to know of an option. Not [`Row`]: a router's build would have its texts twice.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) opt: Opt,
    pub(super) long: &'static [u8],
    pub(super) letter: u8,
    pub(super) value: Value,
    pub(super) wants: &'static str,
}

impl Known {
    /// The word that the value is, where it is one of those that the option takes.
    #[cfg_attr(not(feature = "every-machine"), allow(dead_code))]
    pub(super) fn word(&self, value: &[u8]) -> Result<&'static str, String> {
        let words = if let Value::Words(words) = self.value { words } else { &[] };
        words.iter().find(|word| word.as_bytes() == value).copied().ok_or_else(|| self.wanted())
    }

    /// What is said where the value is missing, or is none.
    pub(super) fn wanted(&self) -> String {
        format!("--{} wants {}", text::printable(self.long), self.wants)
    }
}

const HERE: usize = {
    let (mut rest, mut count) = (OPTIONS, 0_usize);
    while let [row, tail @ ..] = rest {
        count = count.wrapping_add(row.is_here() as usize);
        rest = tail;
    }
    count
};

/// Those that this build has.
pub(super) static KNOWN: [Known; HERE] = {
    let nothing = Known { opt: Opt::Help, long: b"", letter: 0, value: Value::None, wants: "" };
    let mut known = [nothing; HERE];
    let (mut rest, mut free): (_, &mut [Known]) = (OPTIONS, &mut known);
    while let [row, tail @ ..] = rest {
        if row.is_here() {
            let [first, others @ ..] = free else { break };
            *first = Known {
                opt: row.opt,
                long: row.long.as_bytes(),
                letter: row.letter,
                value: row.value,
                wants: row.wants,
            };
            free = others;
        }
        rest = tail;
    }
    known
};

const HEAD: &str = "\
Says why a program will not start on this machine, and what to do.

usage: diag [OPTIONS] [PROGRAM...]

";
/// What stands in the place of options.
pub const OPERANDS: [(&str, &str); 2] = [
    ("no PROGRAM", "describe this machine, and what to build for it"),
    ("PROGRAM...", "say whether each would start here, and if not why"),
];
const TAIL: &str = "
exit status: 0 every program would start, 1 at least one would not,
             2 could not tell
";

/// Where a line of `--help` begins to say what an option does.
const COLUMN: usize = 20;

/// A text that is made when diag is compiled: a router has no use for the code that makes it. With a length of 0 it is
/// measured.
struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    #[allow(clippy::indexing_slicing)] // When diag is compiled.
    const fn byte(&mut self, byte: u8) {
        if self.len < N {
            self.bytes[self.len] = byte;
        }
        self.len = self.len.wrapping_add(1);
    }

    /// Its lines but for the first begin at that column.
    const fn text(&mut self, text: &str, column: usize) {
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            self.byte(*first);
            if *first == b'\n' {
                self.blanks(column);
            }
            rest = tail;
        }
    }

    const fn blanks(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            self.byte(b' ');
            left = left.wrapping_sub(1);
        }
    }

    /// The second column, in a line that began there.
    const fn explain(&mut self, start: usize, help: &str) {
        let used = self.len.wrapping_sub(start);
        // One that is too long has what it does below it.
        if used < COLUMN {
            self.blanks(COLUMN.wrapping_sub(used));
        } else {
            self.text("\n", COLUMN);
        }
        self.text(help, COLUMN);
        self.byte(b'\n');
    }

    const fn row(&mut self, row: &Row) {
        let start = self.len;
        self.text("  ", 0);
        if row.letter == 0 {
            self.text("    ", 0);
        } else {
            self.byte(b'-');
            self.byte(row.letter);
        }
        if !row.long.is_empty() {
            self.text(if row.letter == 0 { "--" } else { ", --" }, 0);
            self.text(row.long, 0);
        }
        if !row.named.is_empty() {
            self.byte(b' ');
            self.text(row.named, 0);
        }
        self.explain(start, row.help);
    }

    const fn help() -> Text<N> {
        let mut text = Text { bytes: [0; N], len: 0 };
        text.text(HEAD, 0);
        let mut operands = OPERANDS.as_slice();
        while let [(name, help), tail @ ..] = operands {
            let start = text.len;
            text.text("  ", 0);
            text.text(name, 0);
            text.explain(start, help);
            operands = tail;
        }
        text.byte(b'\n');
        let mut options = OPTIONS;
        while let [row, tail @ ..] = options {
            if row.is_here() {
                text.row(row);
            }
            options = tail;
        }
        text.text(TAIL, 0);
        text
    }
}

const LENGTH: usize = Text::<0>::help().len;
static BYTES: [u8; LENGTH] = Text::help().bytes;

/// `diag --help`.
pub static HELP: &str = match str::from_utf8(&BYTES) {
    Ok(text) => text,
    Err(_) => "",
};
