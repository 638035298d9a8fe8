//! The report as JSON, schema 1: docs/report.schema.json. Fields are only ever added within a schema number.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::Judged;
use crate::elf::ByteOrder;
use crate::exec::Outcome;
use crate::finding::Finding;
use crate::ldso::{Library, LinkResult};
use crate::machine::binfmt_misc::{BinfmtRule, Pattern};
use crate::machine::{Abi, Fact, Fpu, Libc, Limits, Machine, Mount, Words};
use crate::target::Answer;
use crate::text::{path, printable};

/// The document.
pub fn write(machine: &Machine, judged: &[Judged]) -> String {
    let mut json = Json { out: String::new() };
    json.open(NO_KEY, '{');
    json.number("schema", 1);
    json.text("diag", env!("CARGO_PKG_VERSION"));
    write_machine(&mut json, machine);
    json.open("programs", '[');
    for judged in judged {
        write_program(&mut json, judged);
    }
    json.close(']');
    json.close('}');
    json.out.push('\n');
    json.out
}

/// In the place of a key: what stands in a list has none, nor has the document itself.
const NO_KEY: &str = "";

/// A document in the making.
struct Json {
    out: String,
}

impl Json {
    /// Begins a member: a comma unless it is the first, and its key.
    fn key(&mut self, key: &str) {
        if !self.out.ends_with(['{', '[']) && !self.out.is_empty() {
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
    }

    fn close(&mut self, bracket: char) {
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

    fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.out.push_str(&value.to_string());
    }

    fn optional_text(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(key, value),
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

    fn number_fact(&mut self, key: &str, value: Option<u64>, source: &str) {
        self.fact(key);
        self.optional_number("value", value);
        self.source(source);
    }

    fn text_fact(&mut self, key: &str, fact: &Fact<String>) {
        let value = fact.get().map(|value| printable(value.as_bytes()));
        self.word_fact(key, value.as_deref(), fact.source);
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
            self.text(NO_KEY, &printable(word.as_bytes()));
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

fn write_machine(json: &mut Json, machine: &Machine) {
    json.open("machine", '{');
    write_cpu(json, machine);
    write_kernel(json, machine);
    write_userland(json, machine.userland());
    json.amount_fact("hwcap", &machine.hwcap());
    json.amount_fact("hwcap2", &machine.hwcap2());
    let platform = machine.platform();
    json.word_fact(
        "platform",
        platform.value.map(|name| printable(name.as_bytes())).as_deref(),
        platform.source,
    );
    json.word_fact("fpu", machine.fpu().value.map(Fpu::name), machine.fpu().source);
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
    json.open("openwrt", '{');
    let openwrt = &machine.openwrt();
    for (key, fact) in [
        ("release", &openwrt.release),
        ("target", &openwrt.target),
        ("arch", &openwrt.arch),
        ("board", &openwrt.board),
        ("model", &openwrt.model),
    ] {
        json.text_fact(key, fact);
    }
    json.close('}');
    json.close('}');
}

fn write_limits(json: &mut Json, limits: &Limits) {
    json.open("limits", '{');
    for (key, fact) in
        [("address_space", &limits.address_space), ("data", &limits.data), ("stack", &limits.stack)]
    {
        match fact.value {
            Some(u64::MAX) => json.word_fact(key, Some("unlimited"), fact.source),
            _ => json.amount_fact(key, fact),
        }
    }
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
    json.text("name", &printable(rule.name.as_bytes()));
    json.text("interpreter", &path(&rule.interpreter));
    json.raw("fixed", if rule.fixed { "true" } else { "false" });
    match &rule.pattern {
        Pattern::Extension(extension) => json.text("extension", &printable(extension)),
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
    json.close('}');
}

fn write_kernel(json: &mut Json, machine: &Machine) {
    let kernel = &machine.kernel();
    json.open("kernel", '{');
    let release = kernel.release.get().map(|release| printable(release.text.as_bytes()));
    json.word_fact("release", release.as_deref(), kernel.release.source);
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
    json.text("device", &printable(mount.device.as_bytes()));
    json.text("point", &path(&mount.point));
    json.text("type", &printable(mount.fstype.as_bytes()));
    json.list("options", &mount.options);
    json.optional_number("size", space.map(|space| space.size));
    json.optional_number("available", space.map(|space| space.available));
    json.raw("ram", if mount.is_ram() { "true" } else { "false" });
    json.close('}');
}

fn write_program(json: &mut Json, judged: &Judged) {
    json.open(NO_KEY, '{');
    json.text("path", &path(&judged.given));
    json.text("verdict", judged.verdict().name());
    write_outcome(json, judged.outcome);
    json.open("findings", '[');
    for finding in &judged.findings {
        write_finding(json, finding);
    }
    json.close(']');
    json.open("libraries", '[');
    if let Some(link) = &judged.link {
        for library in link.libraries() {
            write_library(json, link, library);
        }
    }
    json.close(']');
    json.close('}');
}

fn write_library(json: &mut Json, link: &LinkResult, library: &Library) {
    json.open(NO_KEY, '{');
    json.text("name", &printable(&library.name));
    let path = printable(&library.path);
    json.optional_text("path", Some(path.as_str()).filter(|path| !path.is_empty()));
    json.text("needed_by", &printable(link.needed_by(library)));
    json.text("state", library.state.name());
    json.open("tried", '[');
    for file in &library.tried {
        json.text(NO_KEY, &printable(file));
    }
    json.close(']');
    json.close('}');
}

fn write_outcome(json: &mut Json, outcome: Outcome) {
    json.open("outcome", '{');
    match outcome {
        Outcome::Starts => json.text("kind", "starts"),
        Outcome::Refused { errno, step } => {
            json.text("kind", "refused");
            json.text("errno", errno.name());
            json.text("step", step.name());
        }
        Outcome::Killed { signal, when, step } => {
            json.text("kind", "killed");
            json.text("signal", signal.name());
            json.text("when", when.name());
            json.text("step", step.name());
        }
        Outcome::Exits { status, step } => {
            json.text("kind", "exits");
            json.number("status", status.into());
            json.text("when", "start");
            json.text("step", step.name());
        }
        Outcome::Unknown { missing } => {
            json.text("kind", "unknown");
            json.text("missing", missing.words());
        }
    }
    json.close('}');
}

fn write_finding(json: &mut Json, finding: &Finding) {
    json.open(NO_KEY, '{');
    json.text("code", finding.code.name());
    json.text("severity", finding.severity.name());
    json.text("certainty", finding.certainty.name());
    json.text("title", &finding.title);
    json.open("evidence", '[');
    for evidence in &finding.evidence {
        json.open(NO_KEY, '{');
        json.text("side", evidence.side.name());
        json.text("field", &evidence.field);
        json.text("value", &evidence.value);
        json.close('}');
    }
    json.close(']');
    match &finding.fix {
        None => json.raw("fix", "null"),
        Some(fix) => {
            json.open("fix", '{');
            json.text("text", &fix.text);
            json.list("commands", &fix.commands);
            json.close('}');
        }
    }
    json.close('}');
}
