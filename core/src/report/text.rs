//! The report for people: 80 columns, understandable without colour.

mod choices;
mod lines;
mod machine;
mod matrix;

use alloc::format;
use alloc::string::String;

use super::{Judged, Parts, Style, Verdict, file};
use crate::exec::{Missing, Outcome};
use crate::finding::{Evidence, Finding, Fix, Severity, Side};
use crate::ldso::LibraryState;
use crate::machine::Machine;
use crate::text::printable;
pub use choices::choices;
use lines::{GREEN, Lines, RED, YELLOW};
pub(super) use machine::behind_programs;
pub use machine::machine;
pub use matrix::matrix;

/// The report on programs.
pub fn programs(machine: &Machine, judged: &[Judged], style: Style) -> String {
    let mut parts = Parts::new(false, style);
    let mut text: String = judged.iter().map(|judged| parts.program(judged)).collect();
    text.push_str(&parts.end(machine));
    text
}

/// The report on one program, and what stands between it and the one before.
pub(super) fn program(between: &str, judged: &Judged, style: Style) -> String {
    let mut lines = Lines::new(between, style);
    let errors = judged.findings.iter().any(|finding| finding.severity == Severity::Error);
    let finding_leads = errors || is_explained(judged);
    if !finding_leads {
        verdict(&mut lines, judged);
    }
    if style.quiet {
        if let Some(first) = judged.findings.first().filter(|_| finding_leads) {
            head(&mut lines, first);
        }
        return lines.out;
    }
    if style.verbose {
        is(&mut lines, judged);
        tree(&mut lines, judged);
    }
    let mut said = String::new();
    let mut last_fix = None;
    let mut findings = judged.findings.iter().peekable();
    while let Some(finding) = findings.next() {
        head(&mut lines, finding);
        facts(&mut lines, finding, &mut said);
        // One rebuild often mends several faults: it is said once, behind the last of them.
        let Some(fix) = &finding.fix else { continue };
        let is_next = findings.peek().is_some_and(|next| next.fix.as_ref() == Some(fix));
        if !is_next && last_fix != Some(fix) {
            fix_lines(&mut lines, fix);
            last_fix = Some(fix);
        }
    }
    lines.out
}

fn verdict(lines: &mut Lines, judged: &Judged) {
    let name = printable(judged.candidate.path.as_bytes());
    let (before, words, colour) = match (judged.verdict(), judged.outcome) {
        (_, Outcome::Unknown { missing }) => ("cannot tell whether ", missing.words(), YELLOW),
        (Verdict::Starts, _) => ("", " starts on this machine", GREEN),
        _ => ("", " does not start on this machine", RED),
    };
    for part in [before, &name, if before.is_empty() { "" } else { " starts: it is unknown " }, words] {
        lines.add(part);
    }
    let mut colour = colour;
    if let Some(finding) = judged.dies_of() {
        let (subject, title) = without_name(&finding.title, &name);
        for part in [", and will most likely die: ", subject, title] {
            lines.add(part);
        }
        colour = YELLOW;
    }
    lines.paint(colour);
    lines.title(0);
    lines.plain();
    lines.end();
}

/// A title without the file's name that it begins with, and the word that stands for it.
fn without_name<'a>(title: &'a str, name: &str) -> (&'static str, &'a str) {
    match title.strip_prefix(name) {
        Some(rest) if rest.starts_with(' ') => ("it", rest),
        Some(rest) => rest.strip_prefix("'s").map_or(("", title), |rest| ("its", rest)),
        None => ("", title),
    }
}

/// Whether nothing is known for a reason that the first finding names: there is no file, or it may not be read.
fn is_explained(judged: &Judged) -> bool {
    let by_the_file =
        matches!(judged.outcome, Outcome::Unknown { missing: Missing::File | Missing::Content });
    by_the_file && !judged.findings.is_empty()
}

/// What the file is.
fn is(lines: &mut Lines, judged: &Judged) {
    file::facts(judged, &mut |name, value| {
        if value.is_empty() {
            return;
        }
        let before = match name {
            "interpreter" => "a script for ",
            "loader" => ", loader ",
            "needs" => ", needs ",
            _ if lines.words.is_empty() => "",
            _ => ", ",
        };
        lines.add_known(before, Some(value));
    });
    if !lines.words.is_empty() {
        lines.line("is");
    }
}

/// How long the report on a program may be for another library to be listed.
const ROOM: usize = 48 << 10;

/// What is loaded with a program, in that order.
fn tree(lines: &mut Lines, judged: &Judged) {
    let Some(link) = &judged.link else { return };
    let mut label = "loads";
    for (index, library) in link.libraries().enumerate() {
        if !crate::ROUTER && lines.out.len() >= ROOM {
            let more = link.libraries().count().saturating_sub(index);
            lines.add(&format!("... and {more} more"));
            lines.command(label);
            break;
        }
        let path = Some(library.path.as_slice()).filter(|path| !path.is_empty() && *path != library.name);
        lines.add_known("", Some(&library.name));
        lines.add_known(" => ", path);
        if library.state != LibraryState::Found {
            lines.add(" (");
            lines.add(library.state.name());
            lines.add_known(", needed by ", Some(link.needed_by(library)));
            lines.add(")");
        }
        if !crate::ROUTER && library.found_by == "LD_LIBRARY_PATH" {
            lines.add(" (by LD_LIBRARY_PATH)");
        }
        lines.command(label);
        label = "";
    }
}

fn head(lines: &mut Lines, finding: &Finding) {
    let colour = match finding.severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Note => GREEN,
    };
    let label = format!("{}[{}]:", finding.severity.name(), finding.code.name());
    lines.paint(colour);
    lines.out.push_str(&label);
    lines.plain();
    lines.out.push(' ');
    lines.add(&finding.title);
    lines.title(label.len().saturating_add(1));
    lines.end();
}

/// What each side says; what the kernel answers and what is printed then is not said again where it is the same.
fn facts(lines: &mut Lines, finding: &Finding, said: &mut String) {
    evidence(lines, finding, Side::Program, "program");
    evidence(lines, finding, Side::Machine, "machine");
    let start = lines.out.len();
    evidence(lines, finding, Side::Kernel, "kernel");
    evidence(lines, finding, Side::Shell, "you see");
    let happens = lines.out.get(start..).unwrap_or_default();
    if happens == said {
        lines.out.truncate(start);
    } else if !happens.is_empty() {
        said.clear();
        said.push_str(happens);
    }
}

/// The evidence of one side, as a line.
fn evidence(lines: &mut Lines, finding: &Finding, side: Side, label: &str) {
    for Evidence { field, value, .. } in finding.evidence.iter().filter(|evidence| evidence.side == side) {
        if !lines.words.is_empty() {
            lines.add("; ");
        }
        if matches!(side, Side::Program | Side::Machine) && field != side.name() {
            lines.add(field);
            lines.add(" ");
        }
        lines.add(value);
    }
    if !lines.words.is_empty() {
        lines.line(label);
    }
}

/// A sentence, then commands, each alone on its line so that it can be copied.
fn fix_lines(lines: &mut Lines, fix: &Fix) {
    let mut label = "fix";
    if !fix.text.is_empty() {
        lines.add(&fix.text);
        lines.line(label);
        label = "";
    }
    for command in &fix.commands {
        lines.add(command);
        lines.command(label);
        label = "";
    }
}
