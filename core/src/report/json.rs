//! The report as JSON, schema 1: docs/report.schema.json. Fields are only ever added within a schema number.

mod machine;
mod program;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::mem;

use super::Judged;
use crate::machine::{Fact, Machine, Words};
use crate::pick::Choice;
use crate::report::matrix::Row;
use crate::text::{hex, is_printable, printable};

/// The whole document.
pub fn write(machine: &Machine, judged: &[Judged]) -> String {
    let mut document = Document::new();
    for judged in judged {
        document.program(judged);
    }
    document.end(machine);
    document.take()
}

/// What is said of the files of a release page, and the machine that they are for.
pub fn choices(machine: &Machine, choices: &[Choice]) -> String {
    let mut document = Document::of("files");
    for choice in choices {
        document.json.open(NO_KEY, '{');
        document.json.bytes("name", choice.name);
        document.json.text("fit", choice.fit.name());
        document.json.text("reason", &choice.reason);
        document.json.close('}');
    }
    document.end(machine);
    document.take()
}

/// Programs by kind of machine.
pub fn matrix(rows: &[Row]) -> String {
    let mut json = Document::of("machines").json;
    for row in rows {
        json.open(NO_KEY, '{');
        json.text("name", &row.name);
        json.text("kind", row.kind);
        json.number("devices", row.devices as u64);
        json.open("programs", '[');
        for cell in &row.cells {
            json.open(NO_KEY, '{');
            json.bytes("path", cell.path.as_bytes());
            json.text("verdict", cell.verdict.name());
            json.optional_text("code", cell.code);
            json.close('}');
        }
        json.close(']');
        json.close('}');
    }
    json.close(']');
    json.close('}');
    json.out.push('\n');
    json.out
}

/// A document that is written part by part: the programs as they are judged, then the machine, since its facts are
/// gathered on the way.
pub(super) struct Document {
    json: Json,
}

impl Document {
    pub(super) fn new() -> Document {
        Document::of("programs")
    }

    /// With a list of that name at its head.
    fn of(list: &str) -> Document {
        let mut json = Json { out: String::new(), is_first: true, full_at: 0 };
        json.open(NO_KEY, '{');
        json.number("schema", 1);
        json.text("diag", env!("CARGO_PKG_VERSION"));
        json.open(list, '[');
        Document { json }
    }

    pub(super) fn program(&mut self, judged: &Judged) {
        program::write(&mut self.json, judged);
    }

    /// Ends the document.
    pub(super) fn end(&mut self, machine: &Machine) {
        self.json.close(']');
        machine::write(&mut self.json, machine);
        self.json.close('}');
        self.json.out.push('\n');
    }

    /// What was written since the last call.
    pub(super) fn take(&mut self) -> String {
        mem::take(&mut self.json.out)
    }
}

/// In the place of a key: what stands in a list has none, nor has the document itself.
const NO_KEY: &str = "";

/// A document in the making.
struct Json {
    out: String,
    /// What is next is the first within its brackets.
    is_first: bool,
    /// How long it may become with the program that is written.
    full_at: usize,
}

impl Json {
    /// Begins a member: a comma unless it is the first, and its key.
    fn key(&mut self, key: &str) {
        if !mem::take(&mut self.is_first) {
            self.out.push(',');
        }
        if key != NO_KEY {
            self.quote(key);
            self.out.push(':');
        }
    }

    fn open(&mut self, key: &str, bracket: char) {
        self.key(key);
        self.out.push(bracket);
        self.is_first = true;
    }

    fn close(&mut self, bracket: char) {
        self.is_first = false;
        self.out.push(bracket);
    }

    fn raw(&mut self, key: &str, value: &str) {
        self.key(key);
        self.out.push_str(value);
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.quote(value);
    }

    /// What came from a file or from a machine.
    /// Where it is not shown as it is, its bytes stand beside it, in hexadecimal digits.
    fn bytes(&mut self, key: &str, value: &[u8]) {
        self.text(key, &printable(value));
        // A router's build has no room for it.
        if !crate::ROUTER && key != NO_KEY && !is_printable(value) {
            self.text(&[key, "_bytes"].concat(), &hex(value));
        }
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.raw(key, if value { "true" } else { "false" });
    }

    fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.out.push_str(&value.to_string());
    }

    /// Writes one more of a list, and takes it back where there is no room for it. A router's programs have few.
    fn fits(&mut self, write: impl FnOnce(&mut Json)) -> bool {
        let (len, is_first) = (self.out.len(), self.is_first);
        write(self);
        if crate::ROUTER || self.out.len() <= self.full_at {
            return true;
        }
        // `String::truncate` is a way to panic.
        while self.out.len() > len {
            self.out.pop();
        }
        self.is_first = is_first;
        false
    }

    /// How many more there are of what is listed; nothing where that is all.
    fn count(&mut self, key: &str, more: usize) {
        if more > 0 {
            self.number(key, more as u64);
        }
    }

    fn optional_text(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.raw(key, "null"),
        }
    }

    fn optional_bytes(&mut self, key: &str, value: Option<&[u8]>) {
        match value {
            Some(value) => self.bytes(key, value),
            None => self.raw(key, "null"),
        }
    }

    fn optional_number(&mut self, key: &str, value: Option<u64>) {
        match value {
            Some(value) => self.number(key, value),
            None => self.raw(key, "null"),
        }
    }

    /// RFC 8259. Control characters are escaped in all texts before, but for the line ends of a fix.
    fn quote(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            if matches!(c, '"' | '\\' | '\n') {
                self.out.push('\\');
            }
            self.out.push(if c == '\n' { 'n' } else { c });
        }
        self.out.push('"');
    }

    /// `{"value": ..., "source": "..."}`, begun; its value is to follow, then [`Json::source`].
    fn fact(&mut self, key: &str) {
        self.open(key, '{');
    }

    fn source(&mut self, source: &str) {
        self.text("source", source);
        self.close('}');
    }

    fn word_fact(&mut self, key: &str, value: Option<&str>, source: &str) {
        self.fact(key);
        self.optional_text("value", value);
        self.source(source);
    }

    fn bytes_fact(&mut self, key: &str, value: Option<&[u8]>, source: &str) {
        self.fact(key);
        self.optional_bytes("value", value);
        self.source(source);
    }

    fn number_fact(&mut self, key: &str, value: Option<u64>, source: &str) {
        self.fact(key);
        self.optional_number("value", value);
        self.source(source);
    }

    fn text_fact(&mut self, key: &str, fact: &Fact<String>) {
        self.bytes_fact(key, fact.get().map(String::as_bytes), fact.source);
    }

    fn amount_fact(&mut self, key: &str, fact: &Fact<u64>) {
        self.number_fact(key, fact.value, fact.source);
    }

    fn list(&mut self, key: &str, words: &[String]) {
        self.each(key, &mut words.iter().map(String::as_str));
    }

    fn each(&mut self, key: &str, words: &mut dyn Iterator<Item = &str>) {
        self.open(key, '[');
        for word in words {
            self.bytes(NO_KEY, word.as_bytes());
        }
        self.close(']');
    }

    fn words_fact(&mut self, key: &str, fact: &Fact<Words>) {
        self.fact(key);
        match fact.get() {
            Some(words) => self.each("value", &mut words.iter()),
            None => self.raw("value", "null"),
        }
        self.source(fact.source);
    }

    fn list_fact(&mut self, key: &str, fact: &Fact<Vec<String>>) {
        self.fact(key);
        match fact.get() {
            Some(words) => self.list("value", words),
            None => self.raw("value", "null"),
        }
        self.source(fact.source);
    }
}
