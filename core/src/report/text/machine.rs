//! The description of a machine, a screenful.

use alloc::string::String;
use core::mem;

use super::lines::Lines;
use crate::advice::release::{self, Wanted};
use crate::advice::targets::Kind;
use crate::advice::{self, Build};
use crate::candidate::Toolchain;
use crate::elf::Class;
use crate::elf::consts::machine_name;
use crate::machine::{Fact, Machine, Mount, Words};
use crate::report::Style;
use crate::target::{Answer, Space};
use crate::text::{free_space, printable, size};

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
pub(in crate::report) fn behind_programs(machine: &Machine, style: Style) -> String {
    description("\n", machine, style)
}

fn description(before: &str, machine: &Machine, style: Style) -> String {
    let lines = &mut Lines::new(before, style);
    let (cpu, openwrt) = (machine.cpu(), machine.openwrt());
    names(lines, &[&openwrt.model, &cpu.system_type, &cpu.machine]);
    if lines.words.is_empty() {
        names(lines, &[&cpu.model]);
    }
    if let Some(name) = machine.catalogue_name() {
        lines.add(if lines.words.is_empty() { "" } else { ", " });
        lines.add(name);
        lines.add(" (by name)");
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
    mem::take(&mut lines.out)
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
    list(lines, "; ", &cpu.isa);
    list(lines, "; ASEs ", &cpu.ases);
    // Over a hundred flags on x86: too many for a screen.
    if cpu.features.get().is_some_and(|features| features.iter().count() <= 24) {
        list(lines, "; ", &cpu.features);
    }
    lines.line("CPU");
    let fpu = machine.fpu();
    lines.add(fpu.get().map_or("not known", |fpu| fpu.name()));
    lines.add(" (");
    lines.add(fpu.source);
    lines.add(")");
    lines.line("FPU");
}

/// Words, and what stands before the first.
fn list(lines: &mut Lines, before: &str, fact: &Fact<Words>) {
    let mut before = before;
    if let Some(words) = fact.get() {
        for word in words.iter() {
            lines.add_known(before, Some(word.as_bytes()));
            before = " ";
        }
    }
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
        lines.add(&free_space(available));
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
                lines.out.push_str(mem::take(&mut head));
                line(lines, machine, mount);
            }
        }
    }
}

fn line(lines: &mut Lines, machine: &Machine, mount: &Mount) {
    let space = machine.space(mount);
    lines.out.push_str("  ");
    let (total, available) = match space {
        Some(Space { size, available }) => (free_space(size), free_space(available)),
        None => (String::from("-"), String::from("-")),
    };
    lines.column(&total, 10);
    lines.column(&available, 10);
    lines.column(&printable(mount.fstype.as_bytes()), 9);
    lines.add_known("", Some(mount.point.as_bytes()));
    lines.add(if mount.is_ram() { " (RAM)" } else { "" });
    lines.add(if mount.has("noexec") { " (noexec)" } else { "" });
    lines.add(if mount.has("ro") { " (read-only)" } else { "" });
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

/// What to take of a release, and what to build.
fn build(lines: &mut Lines, machine: &Machine) {
    let Some(target) = advice::build(machine) else { return };
    lines.out.push_str("\nTake the build for it, or build it with\n");
    let android = if advice::is_android(machine) { target.android } else { None };
    let wanted = Wanted { build: target, libc: "", more: [android, None, None] };
    lines.add(&wanted.words(machine));
    if let Some(libc) = machine.libc().get().filter(|_| android.is_none()) {
        lines.add("; a dynamic one for ");
        lines.add(libc.name());
    }
    lines.line("release");
    let names = release::names(machine);
    let wider = advice::wider(machine);
    let is_else = |name: &&str| {
        let is_in = |build: &Build| build.names.contains(name);
        !is_in(target) && !wider.is_some_and(is_in)
    };
    for name in names.into_iter().filter(is_else) {
        lines.add(if lines.words.is_empty() { "" } else { ", " });
        lines.add(name);
    }
    if !lines.words.is_empty() {
        lines.line("or else");
    }
    if let Some(build) = wider {
        let wanted = Wanted { build, libc: "static", more: [None; 3] };
        lines.add(&wanted.words(machine));
        lines.add("; its own programs are 32-bit");
        lines.line("static");
    }
    if let Some(arch) = machine.openwrt().arch.get() {
        lines.add_known("packages for ", Some(arch.as_bytes()));
        lines.line("OpenWrt");
    }
    let tools =
        [("Go", Toolchain::Go), ("Rust", Toolchain::Rust), ("Zig", Toolchain::Zig), ("C", Toolchain::C)];
    for (label, toolchain) in &tools {
        if let Some(command) = target.command(*toolchain, machine) {
            lines.add(&command);
            lines.command(label);
        }
    }
    if !crate::ROUTER {
        names_elsewhere(lines, machine, target);
    }
}

/// What others call the machine.
fn names_elsewhere(lines: &mut Lines, machine: &Machine, target: &Build) {
    for (label, kind) in [("Debian", Kind::Debian), ("Docker", Kind::Docker)] {
        if let Some(name) = kind.of(machine) {
            lines.add(&name);
            lines.line(label);
        }
    }
    if let Some(triple) = target.android {
        lines.add(triple);
        lines.line("Android");
    }
    let openwrt = machine.openwrt();
    if let Some((release, board)) = openwrt.release.get().zip(openwrt.target.get()) {
        lines.add("openwrt-sdk of ");
        lines.add_known("", Some(release.as_bytes()));
        lines.add_known(" for ", Some(board.as_bytes()));
        lines.line("SDK");
    }
}
