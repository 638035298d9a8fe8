//! Programs by kind of machine.

use alloc::string::String;

use super::lines::Lines;
use crate::report::Style;
use crate::report::matrix::{self, Row};
use crate::text;

/// For each program on which kinds of machines it starts, and what it fails with on the others.
pub fn matrix(rows: &[Row], style: Style) -> String {
    let mut lines = Lines::new("", style);
    let Some(first) = rows.first() else { return lines.out };
    for (index, cell) in first.cells.iter().enumerate() {
        lines.add(&text::path(&cell.path));
        lines.add(":");
        lines.unbroken();
        for (word, machines) in matrix::lines(rows, index) {
            lines.add(word);
            lines.add(" on ");
            lines.add(&machines);
            lines.note();
        }
    }
    lines.out
}
