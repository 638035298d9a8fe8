//! The machine's part of the document.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Json, NO_KEY};
use crate::advice::targets::Kind;
use crate::elf::ByteOrder;
use crate::machine::binfmt_misc::{BinfmtRule, Pattern};
use crate::machine::{Abi, Fact, Fpu, Libc, Limits, Machine, Mount};
use crate::target::Answer;

pub(super) fn write(json: &mut Json, machine: &Machine) {
    json.open("machine", '{');
    if let Some(name) = machine.catalogue_name() {
        json.text("name", name);
    }
    write_cpu(json, machine);
    write_kernel(json, machine);
    write_userland(json, machine.userland());
    json.amount_fact("hwcap", &machine.hwcap());
    json.amount_fact("hwcap2", &machine.hwcap2());
    let platform = machine.platform();
    json.bytes_fact("platform", platform.value.map(str::as_bytes), platform.source);
    let base = machine.base_platform();
    json.bytes_fact("base_platform", base.value.map(str::as_bytes), base.source);
    let fpu = machine.fpu();
    json.word_fact("fpu", fpu.value.map(Fpu::name), fpu.source);
    json.open("answers", '[');
    for (question, fact) in &machine.answers {
        json.open(NO_KEY, '{');
        json.text("question", question.name());
        json.optional_text("answer", fact.value.map(Answer::words).as_deref());
        json.source(fact.source);
    }
    json.close(']');
    json.open("memory", '{');
    json.amount_fact("total", &machine.memory().total);
    json.amount_fact("available", &machine.memory().available);
    json.amount_fact("swap", &machine.memory().swap);
    json.amount_fact("overcommit", &machine.memory().overcommit);
    json.amount_fact("commit_limit", &machine.memory().commit_limit);
    json.amount_fact("commit", &machine.memory().commit);
    json.close('}');
    write_limits(json, machine.limits());
    write_misc(json, machine.binfmt_misc());
    json.fact("mounts");
    match machine.mounts().get() {
        Some(mounts) => {
            json.open("value", '[');
            for mount in mounts {
                write_mount(json, machine, mount);
            }
            json.close(']');
        }
        None => json.raw("value", "null"),
    }
    json.source(machine.mounts().source);
    json.word_fact("libc", machine.libc().value.map(Libc::name), machine.libc().source);
    json.list_fact("loaders", machine.loaders());
    if !crate::ROUTER {
        write_targets(json, machine);
    }
    json.open("openwrt", '{');
    let openwrt = machine.openwrt();
    json.text_fact("release", &openwrt.release);
    json.text_fact("target", &openwrt.target);
    json.text_fact("arch", &openwrt.arch);
    json.text_fact("board", &openwrt.board);
    json.text_fact("model", &openwrt.model);
    json.close('}');
    json.close('}');
}

fn write_limits(json: &mut Json, limits: &Limits) {
    json.open("limits", '{');
    let mut limit = |key: &str, fact: &Fact<u64>| match fact.value {
        Some(u64::MAX) => json.word_fact(key, Some("unlimited"), fact.source),
        _ => json.amount_fact(key, fact),
    };
    limit("address_space", &limits.address_space);
    limit("data", &limits.data);
    limit("stack", &limits.stack);
    json.close('}');
}

fn write_misc(json: &mut Json, misc: &Fact<Vec<BinfmtRule>>) {
    json.fact("binfmt_misc");
    match misc.get() {
        Some(rules) => {
            json.open("value", '[');
            for rule in rules {
                write_rule(json, rule);
            }
            json.close(']');
        }
        None => json.raw("value", "null"),
    }
    json.source(misc.source);
}

fn write_rule(json: &mut Json, rule: &BinfmtRule) {
    json.open(NO_KEY, '{');
    json.bytes("name", rule.name.as_bytes());
    json.bytes("interpreter", rule.interpreter.as_bytes());
    json.flag("fixed", rule.fixed);
    match &rule.pattern {
        Pattern::Extension(extension) => json.bytes("extension", extension),
        Pattern::Magic { offset, magic, mask } => {
            json.number("offset", *offset as u64);
            json.text("magic", &hexadecimal(magic));
            json.text("mask", &hexadecimal(mask));
        }
    }
    json.close('}');
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in bytes {
        digits.push_str(&format!("{byte:02x}"));
    }
    digits
}

fn write_userland(json: &mut Json, userland: &Fact<Abi>) {
    json.fact("userland");
    match userland.get() {
        Some(abi) => {
            json.open("value", '{');
            json.number("e_machine", abi.e_machine.into());
            json.number("class", abi.encoding.class.bits().into());
            json.text("byte_order", abi.encoding.order.name());
            json.number("e_flags", abi.e_flags.into());
            json.close('}');
        }
        None => json.raw("value", "null"),
    }
    json.source(userland.source);
}

fn write_cpu(json: &mut Json, machine: &Machine) {
    let cpu = &machine.cpu();
    json.open("cpu", '{');
    json.text_fact("system_type", &cpu.system_type);
    json.text_fact("machine", &cpu.machine);
    json.text_fact("model", &cpu.model);
    json.words_fact("isa", &cpu.isa);
    json.words_fact("ases", &cpu.ases);
    json.words_fact("options", &cpu.options);
    json.words_fact("features", &cpu.features);
    let arm = &cpu.arm_architecture;
    json.number_fact("arm_architecture", arm.value.map(Into::into), arm.source);
    json.text_fact("part", &cpu.part);
    json.close('}');
}

/// What others call the machine, where they have a word for it.
fn write_targets(json: &mut Json, machine: &Machine) {
    json.open("targets", '{');
    for kind in Kind::ALL {
        json.optional_bytes(kind.name(), kind.of(machine).as_deref().map(str::as_bytes));
    }
    json.close('}');
}

fn write_kernel(json: &mut Json, machine: &Machine) {
    let kernel = &machine.kernel();
    json.open("kernel", '{');
    let release = kernel.release.get().map(|release| release.text.as_bytes());
    json.bytes_fact("release", release, kernel.release.source);
    json.text_fact("machine", &kernel.machine);
    json.number_fact("e_machine", kernel.e_machine.value.map(Into::into), kernel.e_machine.source);
    json.number_fact("class", kernel.class.value.map(|class| class.bits().into()), kernel.class.source);
    json.word_fact("byte_order", kernel.byte_order.value.map(ByteOrder::name), kernel.byte_order.source);
    json.amount_fact("page_size", &kernel.page_size);
    json.amount_fact("mmap_min_addr", machine.mmap_min_addr());
    json.close('}');
}

fn write_mount(json: &mut Json, machine: &Machine, mount: &Mount) {
    let space = machine.space(mount);
    json.open(NO_KEY, '{');
    json.bytes("device", mount.device.as_bytes());
    json.bytes("point", mount.point.as_bytes());
    json.bytes("type", mount.fstype.as_bytes());
    json.each("options", &mut mount.options());
    json.optional_number("size", space.map(|space| space.size));
    json.optional_number("available", space.map(|space| space.available));
    json.flag("ram", mount.is_ram());
    json.close('}');
}
