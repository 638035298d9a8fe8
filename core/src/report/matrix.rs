//! Programs by kind of machine.

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
    /// Whose it is: "openwrt", "debian".
    pub kind: &'static str,
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

/// A program's lines: a word, and the kinds that it is true of with their devices; systems have none. Kinds of OpenWrt that no
/// device of today has are counted.
pub(super) fn lines(rows: &[Row], program: usize) -> Vec<(&'static str, String)> {
    let grouped = || rows.iter().filter_map(|row| Some((group(row.cells.get(program)?), row)));
    let mut lines = Vec::new();
    let mut last = None;
    while let Some(next) = grouped().map(|(group, _)| group).filter(|group| Some(*group) > last).min() {
        let (mut devices, mut others, mut names) = (0_usize, 0_usize, String::new());
        let (mut is_of_openwrt, mut systems) = (false, String::new());
        for (_, row) in grouped().filter(|(group, _)| *group == next) {
            devices = devices.saturating_add(row.devices);
            let is_openwrt = row.kind == "openwrt";
            is_of_openwrt |= is_openwrt;
            if !is_openwrt && row.devices == 0 {
                add(&mut systems, &row.name);
            } else if row.devices == 0 {
                others = others.saturating_add(1);
            } else {
                add(&mut names, &format!("{} ({})", row.name, row.devices));
            }
        }
        if others > 0 {
            add(&mut names, &format!("{others} kinds without devices"));
        }
        let told = match (is_of_openwrt, systems.as_str()) {
            (true, "") => format!("{devices} devices: {names}"),
            (true, _) => format!("{devices} devices: {names}; {systems}"),
            _ => systems,
        };
        lines.push((next.1, told));
        last = Some(next);
    }
    lines
}

/// Where it starts, where that is not known, and what it fails with: in that order.
fn group(cell: &Cell) -> (u8, &'static str) {
    match cell.verdict {
        Verdict::Starts => (0, "starts"),
        Verdict::Unknown => (1, "unknown"),
        Verdict::Fails => (2, cell.code.unwrap_or("fails")),
    }
}

fn add(names: &mut String, name: &str) {
    if !names.is_empty() {
        names.push_str(", ");
    }
    names.push_str(name);
}
