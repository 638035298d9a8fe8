//! Lines of 80 columns.

use alloc::string::String;
use core::mem;

use crate::report::Style;
use crate::text::short;

/// Columns of a line; commands and paths may be longer.
const WIDTH: usize = 80;

/// Indentation of what stands behind a label.
const INDENT: usize = 11;

/// A text in the making.
pub(super) struct Lines {
    pub(super) out: String,
    /// What the next line is to say.
    pub(super) words: String,
    pub(super) style: Style,
}

impl Lines {
    pub(super) fn new(before: &str, style: Style) -> Lines {
        Lines { out: String::from(before), words: String::new(), style }
    }

    pub(super) fn add(&mut self, words: &str) {
        self.words.push_str(words);
    }

    /// What came from a file or from a machine, and what stands before it where it is known.
    pub(super) fn add_known(&mut self, before: &str, words: Option<&[u8]>) {
        if let Some(words) = words {
            self.add(before);
            self.add(&short(words));
        }
    }

    /// A label and a command, which is not broken.
    pub(super) fn command(&mut self, label: &str) {
        self.label(label);
        self.unbroken();
    }

    pub(super) fn unbroken(&mut self) {
        self.out.push_str(&self.words);
        self.end();
    }

    /// A label and words broken at blanks; "not known" where there are none.
    pub(super) fn line(&mut self, label: &str) {
        if self.words.is_empty() {
            self.add("not known");
        }
        self.label(label);
        self.wrap(INDENT, INDENT);
        self.end();
    }

    /// Words below a line, broken at blanks.
    pub(super) fn note(&mut self) {
        self.blanks(2);
        self.wrap(2, 2);
        self.end();
    }

    fn label(&mut self, label: &str) {
        self.out.push_str("  ");
        self.out.push_str(label);
        self.out.push(if label.is_empty() { ' ' } else { ':' });
        self.blanks(INDENT.saturating_sub(3).saturating_sub(label.len()));
    }

    pub(super) fn end(&mut self) {
        self.words.clear();
        self.out.push('\n');
    }

    fn blanks(&mut self, number: usize) {
        for _ in 0..number {
            self.out.push(' ');
        }
    }

    /// The words from a column on, broken at blanks.
    fn wrap(&mut self, column: usize, indent: usize) {
        let mut column = column;
        let words = mem::take(&mut self.words);
        for (index, word) in words.split(' ').enumerate() {
            let length = width(word);
            if index > 0 && column.saturating_add(length).saturating_add(1) > WIDTH {
                self.out.push('\n');
                self.blanks(indent);
                column = indent;
            } else if index > 0 {
                self.out.push(' ');
                column = column.saturating_add(1);
            }
            self.out.push_str(word);
            column = column.saturating_add(length);
        }
    }

    /// A title behind a label of some columns: the whole line where only the first one is wanted.
    pub(super) fn title(&mut self, column: usize) {
        if self.style.quiet {
            self.out.push_str(&self.words);
        } else {
            self.wrap(column, 2);
        }
    }

    /// A text, and blanks up to the next column of a table.
    pub(super) fn column(&mut self, text: &str, columns: usize) {
        self.out.push_str(text);
        self.blanks(columns.saturating_sub(width(text)).saturating_add(1));
    }

    /// What follows is in a colour, up to [`Lines::plain`].
    pub(super) fn paint(&mut self, colour: &str) {
        if self.style.colour {
            self.out.push_str("\x1b[1;");
            self.out.push_str(colour);
            self.out.push('m');
        }
    }

    pub(super) fn plain(&mut self) {
        if self.style.colour {
            self.out.push_str("\x1b[0m");
        }
    }
}

pub(super) const RED: &str = "31";
pub(super) const GREEN: &str = "32";
pub(super) const YELLOW: &str = "33";

/// Columns that a text takes.
fn width(text: &str) -> usize {
    text.chars().count()
}
