//! The report for people: 80 columns, understandable without colour.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{Judged, Style, Verdict};
use crate::advice;
use crate::elf::Class;
use crate::exec::{Missing, Outcome};
use crate::finding::{Evidence, Finding, Fix, Severity, Side};
use crate::ldso::LibraryState;
use crate::machine::{Fact, Machine, Mount, Words};
use crate::target::Answer;
use crate::text::{path, printable, room, size};

/// Columns of a line; commands and paths may be longer.
const WIDTH: usize = 80;

/// Indentation of what stands behind a label.
const INDENT: usize = 11;

/// The report on programs.
pub fn programs(machine: &Machine, judged: &[Judged], style: Style) -> String {
    let mut out = String::new();
    for (index, judged) in judged.iter().enumerate() {
        if index > 0 && !style.quiet {
            out.push('\n');
        }
        program(&mut out, judged, style);
    }
    if style.verbose && !style.quiet {
        out.push('\n');
        out.push_str(&self::machine(machine, style));
    }
    out
}

fn program(out: &mut String, judged: &Judged, style: Style) {
    let name = path(&judged.candidate.path);
    let errors = judged.findings.iter().any(|finding| finding.severity == Severity::Error);
    let finding_leads = errors || is_explained(judged);
    if !finding_leads {
        let (mut verdict, colour) = match (judged.verdict(), judged.outcome) {
            (_, Outcome::Unknown { missing }) => {
                (format!("cannot tell whether {name} starts; not known: {}", missing.words()), YELLOW)
            }
            (Verdict::Starts, _) => (format!("{name} starts on this machine"), GREEN),
            _ => (format!("{name} does not start on this machine"), RED),
        };
        if !style.quiet {
            let line = core::mem::take(&mut verdict);
            wrap(&mut verdict, &line, 0, 2);
            verdict.pop();
        }
        paint(out, &verdict, colour, style);
        out.push('\n');
    }
    if style.verbose && !style.quiet {
        tree(out, judged);
    }
    let mut last_fix = None;
    let mut said = [String::new(), String::new()];
    for (index, finding) in judged.findings.iter().enumerate() {
        if style.quiet && (!finding_leads || index > 0) {
            return;
        }
        head(out, finding, style);
        if style.quiet {
            continue;
        }
        facts(out, finding, &mut said);
        // One rebuild often mends several faults: it is said once, behind the last of them.
        let next = judged.findings.get(index.saturating_add(1)).and_then(|next| next.fix.as_ref());
        if let Some(fix) = finding.fix.as_ref().filter(|fix| Some(*fix) != next && Some(*fix) != last_fix) {
            fix_lines(out, fix);
            last_fix = Some(fix);
        }
    }
}

/// Whether nothing is known for a reason that the first finding names: there is no file, or it may not be read.
fn is_explained(judged: &Judged) -> bool {
    let by_the_file =
        matches!(judged.outcome, Outcome::Unknown { missing: Missing::File | Missing::Content });
    by_the_file && !judged.findings.is_empty()
}

/// What is loaded with a program, in that order.
fn tree(out: &mut String, judged: &Judged) {
    let Some(link) = &judged.link else { return };
    let mut label = "loads";
    for library in link.libraries() {
        let mut words = printable(&library.name);
        if !library.path.is_empty() && library.path != library.name {
            words.push_str(" => ");
            words.push_str(&printable(&library.path));
        }
        if library.state != LibraryState::Found {
            let by = printable(link.needed_by(library));
            words.push_str(&format!(" ({}, needed by {by})", library.state.name()));
        }
        command(out, label, &words);
        label = "";
    }
}

fn head(out: &mut String, finding: &Finding, style: Style) {
    let colour = match finding.severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Note => GREEN,
    };
    let label = format!("{}[{}]:", finding.severity.name(), finding.code.name());
    paint(out, &label, colour, style);
    out.push(' ');
    if style.quiet {
        out.push_str(&finding.title);
        out.push('\n');
    } else {
        wrap(out, &finding.title, label.len().saturating_add(1), 2);
    }
}

/// What each side says; what the kernel answers and what is printed then is not said again where it is the same.
fn facts(out: &mut String, finding: &Finding, said: &mut [String; 2]) {
    let [program, machine, kernel, shell] =
        [Side::Program, Side::Machine, Side::Kernel, Side::Shell].map(|side| evidence(finding, side));
    labelled_if_any(out, "program", &program);
    labelled_if_any(out, "machine", &machine);
    let happens = [kernel, shell];
    if *said != happens {
        let [kernel, shell] = &happens;
        labelled_if_any(out, "kernel", kernel);
        labelled_if_any(out, "you see", shell);
    }
    if happens.iter().any(|line| !line.is_empty()) {
        *said = happens;
    }
}

/// The evidence of one side, as a line.
fn evidence(finding: &Finding, side: Side) -> String {
    let of_side = finding.evidence.iter().filter(|evidence| evidence.side == side);
    let shown = of_side.map(|Evidence { field, value, .. }| match side {
        Side::Program | Side::Machine if field != side.name() => format!("{field} {value}"),
        _ => value.clone(),
    });
    shown.collect::<Vec<String>>().join("; ")
}

/// A sentence, then commands, each alone on its line so that it can be copied.
fn fix_lines(out: &mut String, fix: &Fix) {
    let mut label = "fix";
    if !fix.text.is_empty() {
        labelled(out, label, &fix.text);
        label = "";
    }
    for line in &fix.commands {
        command(out, label, line);
        label = "";
    }
}

fn start(out: &mut String, label: &str) {
    let colon = if label.is_empty() { "" } else { ":" };
    let start = format!("  {label}{colon}");
    out.push_str(&format!("{start:INDENT$}"));
}

/// A label and words broken at blanks.
fn labelled(out: &mut String, label: &str, words: &str) {
    start(out, label);
    wrap(out, words, INDENT, INDENT);
}

fn labelled_if_any(out: &mut String, label: &str, words: &str) {
    if !words.is_empty() {
        labelled(out, label, words);
    }
}

/// A label and a command, which is not broken.
fn command(out: &mut String, label: &str, words: &str) {
    start(out, label);
    out.push_str(words);
    out.push('\n');
}

/// Words from a column on, broken at blanks.
fn wrap(out: &mut String, words: &str, column: usize, indent: usize) {
    let mut column = column;
    for (index, word) in words.split(' ').enumerate() {
        let length = width(word);
        if index > 0 && column.saturating_add(length).saturating_add(1) > WIDTH {
            out.push_str(&format!("\n{:indent$}", ""));
            column = indent;
        } else if index > 0 {
            out.push(' ');
            column = column.saturating_add(1);
        }
        out.push_str(word);
        column = column.saturating_add(length);
    }
    out.push('\n');
}

/// Columns that a text takes.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// A text, and blanks up to the next column of a table.
fn column(out: &mut String, text: &str, columns: usize) {
    out.push_str(text);
    for _ in width(text)..columns {
        out.push(' ');
    }
    out.push(' ');
}

/// A word size.
fn bits(class: Class) -> &'static str {
    match class {
        Class::Elf32 => "32-bit",
        Class::Elf64 => "64-bit",
    }
}

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

fn paint(out: &mut String, words: &str, colour: &str, style: Style) {
    if style.colour {
        out.push_str("\x1b[1;");
        out.push_str(colour);
        out.push('m');
        out.push_str(words);
        out.push_str("\x1b[0m");
    } else {
        out.push_str(words);
    }
}

/// The description of a machine, a screenful.
pub fn machine(machine: &Machine, style: Style) -> String {
    let mut out = String::new();
    let known = |facts: &[&Fact<String>]| {
        let mut words: Vec<String> = Vec::new();
        for word in facts.iter().filter_map(|fact| fact.get()).map(|word| printable(word.as_bytes())) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if words.is_empty() { "not known".to_owned() } else { words.join(", ") }
    };
    let openwrt = &machine.openwrt();
    let mut say = |label: &str, words: &str| labelled(&mut out, label, words);
    let names = [&openwrt.model, &machine.cpu().system_type, &machine.cpu().machine];
    let has_name = names.iter().any(|name| name.get().is_some());
    say("machine", &if has_name { known(&names) } else { known(&[&machine.cpu().model]) });
    if openwrt.release.get().is_some() {
        say("OpenWrt", &known(&[&openwrt.release, &openwrt.target, &openwrt.arch, &openwrt.board]));
    }
    say("CPU", &cpu(machine));
    say("FPU", &fpu(machine));
    say("kernel", &kernel(machine));
    say("libc", &userland(machine));
    say("loaders", &loaders(machine));
    say("memory", &memory(machine));
    mounts(&mut out, machine, style);
    if style.verbose {
        answers(&mut out, machine);
    }
    build(&mut out, machine);
    out
}

fn cpu(machine: &Machine) -> String {
    let cpu = &machine.cpu();
    let mut words =
        cpu.model.get().map_or_else(|| "not known".to_owned(), |model| printable(model.as_bytes()));
    let mut list = |label: &str, fact: &Fact<Words>| {
        if let Some(found) = fact.get().filter(|found| found.iter().next().is_some()) {
            words.push_str("; ");
            words.push_str(label);
            words.push_str(&printable(found.to_string().as_bytes()));
        }
    };
    list("", &cpu.isa);
    list("ASEs ", &cpu.ases);
    // Over a hundred flags on x86: too many for a screen.
    if cpu.features.get().is_some_and(|features| features.iter().count() <= 24) {
        list("", &cpu.features);
    }
    words
}

fn fpu(machine: &Machine) -> String {
    let fpu = machine.fpu().get().map_or("not known", |fpu| fpu.name());
    format!("{fpu} ({})", machine.fpu().source)
}

fn kernel(machine: &Machine) -> String {
    let kernel = &machine.kernel();
    let mut words =
        kernel.release.get().map_or_else(|| "not known".to_owned(), |r| printable(r.text.as_bytes()));
    if let Some(uname) = kernel.machine.get() {
        words.push_str(", uname -m ");
        words.push_str(&printable(uname.as_bytes()));
    }
    if let Some(order) = kernel.byte_order.get() {
        words.push_str(", ");
        words.push_str(order.name());
    }
    if let Some(class) = kernel.class.get() {
        words.push_str(", ");
        words.push_str(bits(*class));
    }
    if let Some(page) = kernel.page_size.get() {
        words.push_str(", pages of ");
        words.push_str(&size(*page));
    }
    words
}

fn userland(machine: &Machine) -> String {
    let libc = machine.libc().get().map_or("not known", |libc| libc.name());
    match machine.userland().get() {
        Some(abi) => {
            let processor = crate::elf::consts::machine_name(abi.e_machine).unwrap_or("unknown processor");
            let (order, bits) = (abi.encoding.order.name(), bits(abi.encoding.class));
            format!("{libc}; programs are {processor}, {order}, {bits}")
        }
        None => libc.to_owned(),
    }
}

fn loaders(machine: &Machine) -> String {
    match machine.loaders().get() {
        Some(found) if found.is_empty() => "none".to_owned(),
        Some(found) => printable(found.join(", ").as_bytes()),
        None => "not known".to_owned(),
    }
}

fn memory(machine: &Machine) -> String {
    let memory = &machine.memory();
    let (Some(total), Some(available)) = (memory.total.value, memory.available.value) else {
        return "not known".to_owned();
    };
    let swap = match memory.swap.value {
        Some(0) => "no swap".to_owned(),
        Some(swap) => format!("swap {}", size(swap)),
        None => "swap not known".to_owned(),
    };
    format!("{}, {} available, {swap}", size(total), room(available))
}

/// Real file systems first; those in RAM are marked. With -v those without blocks too.
fn mounts(out: &mut String, machine: &Machine, style: Style) {
    let Some(mounts) = machine.mounts().get() else { return };
    let shown = |mount: &&Mount| style.verbose || machine.space(mount).is_some();
    if !mounts.iter().any(|mount| shown(&mount)) {
        return;
    }
    out.push_str("\n  size       available  type\n");
    for ram in [false, true] {
        for mount in mounts.iter().filter(shown).filter(|mount| mount.is_ram() == ram) {
            line(out, machine, mount);
        }
    }
}

fn line(out: &mut String, machine: &Machine, mount: &Mount) {
    let space = machine.space(mount);
    let amount = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let total = amount(space.map(|space| room(space.size)));
    let available = amount(space.map(|space| room(space.available)));
    out.push_str("  ");
    column(out, &total, 10);
    column(out, &available, 10);
    column(out, &printable(mount.fstype.as_bytes()), 9);
    out.push_str(&path(&mount.point));
    out.push_str(if mount.is_ram() { " (RAM)" } else { "" });
    out.push_str(if mount.has("noexec") { " (noexec)" } else { "" });
    out.push_str(if mount.has("ro") { " (read-only)" } else { "" });
    out.push('\n');
}

/// What the kernel was asked, and how it is known.
fn answers(out: &mut String, machine: &Machine) {
    if !machine.answers.is_empty() {
        out.push_str("\n  asked             answer           by\n");
    }
    for (question, fact) in &machine.answers {
        let answer = fact.value.map_or_else(|| "not known".to_owned(), Answer::words);
        out.push_str("  ");
        column(out, question.name(), 17);
        column(out, &answer, 16);
        out.push_str(fact.source);
        out.push('\n');
    }
}

fn build(out: &mut String, machine: &Machine) {
    let Some(target) = advice::target(machine) else { return };
    out.push_str("\nBuild for it with\n");
    if let Some(build) = target.go() {
        command(out, "Go", &build);
    }
    if let Some(build) = target.cargo() {
        command(out, "Rust", &build);
    }
    command(out, "C", &target.compiler(machine));
    if let Some(arch) = machine.openwrt().arch.get() {
        labelled(out, "OpenWrt", &format!("packages for {}", printable(arch.as_bytes())));
    }
}
