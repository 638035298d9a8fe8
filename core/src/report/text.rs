//! The report for people: 80 columns, understandable without colour.

use alloc::format;
use alloc::string::String;

use super::{Judged, Parts, Style, Verdict};
use crate::advice;
use crate::elf::Class;
use crate::elf::consts::machine_name;
use crate::exec::{Missing, Outcome};
use crate::finding::{Evidence, Finding, Fix, Severity, Side};
use crate::ldso::LibraryState;
use crate::machine::{Fact, Machine, Mount, Words};
use crate::target::Answer;
use crate::text::{printable, room, size};

/// Columns of a line; commands and paths may be longer.
const WIDTH: usize = 80;

/// Indentation of what stands behind a label.
const INDENT: usize = 11;

/// The report on programs.
pub fn programs(machine: &Machine, judged: &[Judged], style: Style) -> String {
    let mut parts = Parts::new(false, style);
    let mut text: String = judged.iter().map(|judged| parts.program(judged)).collect();
    text.push_str(&parts.end(machine));
    text
}

/// A text in the making.
struct Lines {
    out: String,
    /// What the next line is to say.
    words: String,
    style: Style,
}

impl Lines {
    fn new(before: &str, style: Style) -> Lines {
        Lines { out: String::from(before), words: String::new(), style }
    }

    fn add(&mut self, words: &str) {
        self.words.push_str(words);
    }

    /// What came from a file or from a machine, and what stands before it where it is known.
    fn add_known(&mut self, before: &str, words: Option<&[u8]>) {
        if let Some(words) = words {
            self.add(before);
            self.add(&printable(words));
        }
    }

    /// A label and a command, which is not broken.
    fn command(&mut self, label: &str) {
        self.label(label);
        self.unbroken();
    }

    fn unbroken(&mut self) {
        self.out.push_str(&self.words);
        self.end();
    }

    /// A label and words broken at blanks; "not known" where there are none.
    fn line(&mut self, label: &str) {
        if self.words.is_empty() {
            self.add("not known");
        }
        self.label(label);
        self.wrap(INDENT, INDENT);
        self.end();
    }

    fn label(&mut self, label: &str) {
        self.out.push_str("  ");
        self.out.push_str(label);
        self.out.push(if label.is_empty() { ' ' } else { ':' });
        self.blanks(INDENT.saturating_sub(3).saturating_sub(label.len()));
    }

    fn end(&mut self) {
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
        let words = core::mem::take(&mut self.words);
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
    fn title(&mut self, column: usize) {
        if self.style.quiet {
            self.out.push_str(&self.words);
        } else {
            self.wrap(column, 2);
        }
    }

    /// A text, and blanks up to the next column of a table.
    fn column(&mut self, text: &str, columns: usize) {
        self.out.push_str(text);
        self.blanks(columns.saturating_sub(width(text)).saturating_add(1));
    }

    /// What follows is in a colour, up to [`Lines::plain`].
    fn paint(&mut self, colour: &str) {
        if self.style.colour {
            self.out.push_str("\x1b[1;");
            self.out.push_str(colour);
            self.out.push('m');
        }
    }

    fn plain(&mut self) {
        if self.style.colour {
            self.out.push_str("\x1b[0m");
        }
    }
}

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

/// Columns that a text takes.
fn width(text: &str) -> usize {
    text.chars().count()
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
    lines.paint(colour);
    lines.title(0);
    lines.plain();
    lines.end();
}

/// Whether nothing is known for a reason that the first finding names: there is no file, or it may not be read.
fn is_explained(judged: &Judged) -> bool {
    let by_the_file =
        matches!(judged.outcome, Outcome::Unknown { missing: Missing::File | Missing::Content });
    by_the_file && !judged.findings.is_empty()
}

/// What is loaded with a program, in that order.
fn tree(lines: &mut Lines, judged: &Judged) {
    let Some(link) = &judged.link else { return };
    let mut label = "loads";
    for library in link.libraries() {
        let path = Some(library.path.as_slice()).filter(|path| !path.is_empty() && *path != library.name);
        lines.add_known("", Some(&library.name));
        lines.add_known(" => ", path);
        if library.state != LibraryState::Found {
            lines.add(" (");
            lines.add(library.state.name());
            lines.add_known(", needed by ", Some(link.needed_by(library)));
            lines.add(")");
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

/// A word size.
fn bits(class: Class) -> &'static str {
    match class {
        Class::Elf32 => "32-bit",
        Class::Elf64 => "64-bit",
    }
}

/// The description of a machine, a screenful.
pub fn machine(machine: &Machine, style: Style) -> String {
    description("", machine, style)
}

/// The same behind the report on programs.
pub(super) fn behind_programs(machine: &Machine, style: Style) -> String {
    description("\n", machine, style)
}

fn description(before: &str, machine: &Machine, style: Style) -> String {
    let lines = &mut Lines::new(before, style);
    let (cpu, openwrt) = (machine.cpu(), machine.openwrt());
    names(lines, &[&openwrt.model, &cpu.system_type, &cpu.machine]);
    if lines.words.is_empty() {
        names(lines, &[&cpu.model]);
    }
    lines.line("machine");
    if openwrt.release.get().is_some() {
        names(lines, &[&openwrt.release, &openwrt.target, &openwrt.arch, &openwrt.board]);
        lines.line("OpenWrt");
    }
    processor(lines, machine);
    kernel(lines, machine);
    userland(lines, machine);
    memory(lines, machine);
    mounts(lines, machine);
    if style.verbose {
        answers(lines, machine);
    }
    build(lines, machine);
    core::mem::take(&mut lines.out)
}

/// Those that are known, each once.
fn names(lines: &mut Lines, facts: &[&Fact<String>]) {
    for (index, fact) in facts.iter().enumerate() {
        let is_said = facts.iter().take(index).any(|before| before.value == fact.value);
        let before = if lines.words.is_empty() { "" } else { ", " };
        lines.add_known(before, fact.get().filter(|_| !is_said).map(String::as_bytes));
    }
}

fn processor(lines: &mut Lines, machine: &Machine) {
    let cpu = machine.cpu();
    let model = cpu.model.get().map_or("not known", String::as_str);
    lines.add_known("", Some(model.as_bytes()));
    for (before, list) in [("; ", &cpu.isa), ("; ASEs ", &cpu.ases), ("; ", &cpu.features)] {
        let words = || list.get().into_iter().flat_map(Words::iter);
        // Over a hundred flags on x86: too many for a screen.
        if words().count() <= 24 {
            for (index, word) in words().enumerate() {
                lines.add_known(if index == 0 { before } else { " " }, Some(word.as_bytes()));
            }
        }
    }
    lines.line("CPU");
    let fpu = machine.fpu();
    lines.add(fpu.get().map_or("not known", |fpu| fpu.name()));
    lines.add(" (");
    lines.add(fpu.source);
    lines.add(")");
    lines.line("FPU");
}

fn kernel(lines: &mut Lines, machine: &Machine) {
    let kernel = machine.kernel();
    let release = kernel.release.get().map_or("not known", |release| &release.text);
    lines.add_known("", Some(release.as_bytes()));
    lines.add_known(", uname -m ", kernel.machine.get().map(String::as_bytes));
    lines.add_known(", ", kernel.byte_order.get().map(|order| order.name().as_bytes()));
    lines.add_known(", ", kernel.class.get().map(|class| bits(*class).as_bytes()));
    if let Some(page) = kernel.page_size.get() {
        lines.add(", pages of ");
        lines.add(&size(*page));
    }
    lines.line("kernel");
}

fn userland(lines: &mut Lines, machine: &Machine) {
    lines.add(machine.libc().get().map_or("not known", |libc| libc.name()));
    if let Some(abi) = machine.userland().get() {
        lines.add("; programs are ");
        lines.add(machine_name(abi.e_machine).unwrap_or("unknown processor"));
        lines.add(", ");
        lines.add(abi.encoding.order.name());
        lines.add(", ");
        lines.add(bits(abi.encoding.class));
    }
    lines.line("libc");
    if let Some(found) = machine.loaders().get() {
        for path in found {
            lines.add_known(if lines.words.is_empty() { "" } else { ", " }, Some(path.as_bytes()));
        }
        if found.is_empty() {
            lines.add("none");
        }
    }
    lines.line("loaders");
}

fn memory(lines: &mut Lines, machine: &Machine) {
    let memory = machine.memory();
    if let (Some(total), Some(available)) = (memory.total.value, memory.available.value) {
        lines.add(&size(total));
        lines.add(", ");
        lines.add(&room(available));
        lines.add(" available, ");
        match memory.swap.value {
            Some(0) => lines.add("no swap"),
            Some(swap) => {
                lines.add("swap ");
                lines.add(&size(swap));
            }
            None => lines.add("swap not known"),
        }
    }
    lines.line("memory");
}

/// Real file systems first; those in RAM are marked. With -v those without blocks too.
fn mounts(lines: &mut Lines, machine: &Machine) {
    let Some(mounts) = machine.mounts().get() else { return };
    let mut head = "\n  size       available  type\n";
    for ram in [false, true] {
        for mount in mounts.iter().filter(|mount| mount.is_ram() == ram) {
            if lines.style.verbose || machine.space(mount).is_some() {
                lines.out.push_str(core::mem::take(&mut head));
                line(lines, machine, mount);
            }
        }
    }
}

fn line(lines: &mut Lines, machine: &Machine, mount: &Mount) {
    let space = machine.space(mount);
    lines.out.push_str("  ");
    for amount in [space.map(|space| space.size), space.map(|space| space.available)] {
        lines.column(&amount.map_or_else(|| String::from("-"), room), 10);
    }
    lines.column(&printable(mount.fstype.as_bytes()), 9);
    lines.add_known("", Some(mount.point.as_bytes()));
    for (is_so, words) in
        [(mount.is_ram(), " (RAM)"), (mount.has("noexec"), " (noexec)"), (mount.has("ro"), " (read-only)")]
    {
        lines.add(if is_so { words } else { "" });
    }
    lines.unbroken();
}

/// What the kernel was asked, and how it is known.
fn answers(lines: &mut Lines, machine: &Machine) {
    if !machine.answers.is_empty() {
        lines.out.push_str("\n  asked             answer           by\n");
    }
    for (question, fact) in &machine.answers {
        lines.out.push_str("  ");
        lines.column(question.name(), 17);
        lines.column(&fact.value.map_or_else(|| String::from("not known"), Answer::words), 16);
        lines.add(fact.source);
        lines.unbroken();
    }
}

fn build(lines: &mut Lines, machine: &Machine) {
    let Some(target) = advice::build(machine) else { return };
    lines.out.push_str("\nBuild for it with\n");
    let compiler = Some(target.compiler(machine));
    for (label, command) in [("Go", target.go()), ("Rust", target.cargo()), ("C", compiler)] {
        if let Some(command) = command {
            lines.add(&command);
            lines.command(label);
        }
    }
    if let Some(arch) = machine.openwrt().arch.get() {
        lines.add_known("packages for ", Some(arch.as_bytes()));
        lines.line("OpenWrt");
    }
}
