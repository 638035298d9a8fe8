//! Programs by kind of machine.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Verdict;
use crate::path::PathBuf;

/// A kind of machine, and what becomes of each program there.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name, as `--on` takes it.
    pub name: String,
    /// How many devices it stands for.
    pub devices: usize,
    /// Each program, in their order.
    pub cells: Vec<Cell>,
}

/// What becomes of a program on a kind of machine.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The program.
    pub path: PathBuf,
    /// Whether it starts.
    pub verdict: Verdict,
    /// The decisive finding, where it fails.
    pub code: Option<&'static str>,
}

/// A program's lines: a word, and the kinds that it is true of with their devices. Those that no device of today has are
/// counted.
pub(super) fn lines(rows: &[Row], program: usize) -> Vec<(String, String)> {
    let mut groups: BTreeMap<(u8, &str), (usize, usize, Vec<String>)> = BTreeMap::new();
    for row in rows {
        let Some(cell) = row.cells.get(program) else { continue };
        // Where it starts, where that is not known, and what it fails with.
        let group = match cell.verdict {
            Verdict::Starts => (0, "starts"),
            Verdict::Unknown => (1, "unknown"),
            Verdict::Fails => (2, cell.code.unwrap_or("fails")),
        };
        let (devices, others, names) = groups.entry(group).or_default();
        *devices = devices.saturating_add(row.devices);
        if row.devices > 0 {
            names.push(format!("{} ({})", row.name, row.devices));
        } else {
            *others = others.saturating_add(1);
        }
    }
    let line = |((_, word), (devices, others, mut names)): ((u8, &str), (usize, usize, Vec<String>))| {
        if others > 0 {
            names.push(format!("{others} kinds without devices"));
        }
        (String::from(word), format!("{devices} devices: {}", names.join(", ")))
    };
    groups.into_iter().map(line).collect()
}
