//! The report as JSON, schema 1: docs/report.schema.json. Fields are only ever added within a schema number.

use super::Judged;
use crate::elf::ByteOrder;
use crate::finding::Finding;
use crate::linker::{Link, Object};
use crate::loader::Outcome;
use crate::machine::misc::{MiscRule, Pattern};
use crate::machine::{Abi, Fact, Fpu, Libc, Limits, Machine, Mount};
use crate::system::Answer;
use crate::text::{Packed, number, packed as key, path, printable};

/// The document.
pub fn write(machine: &Machine, judged: &[Judged]) -> String {
    let mut json = Json { out: String::new() };
    json.open(Packed::NONE, '{');
    json.number(key!("schema"), 1);
    json.text(key!("diag"), env!("CARGO_PKG_VERSION"));
    write_machine(&mut json, machine);
    json.open(key!("programs"), '[');
    for judged in judged {
        write_program(&mut json, judged);
    }
    json.close(']');
    json.close('}');
    json.out.push('\n');
    json.out
}

/// A document in the making. In a list, there is no key.
struct Json {
    out: String,
}

impl Json {
    /// Begins a member: a comma unless it is the first, and its key.
    #[inline(never)]
    fn key(&mut self, key: Packed) {
        if !self.out.ends_with(['{', '[']) && !self.out.is_empty() {
            self.out.push(',');
        }
        if key != Packed::NONE {
            self.quote(&key.unpack());
            self.out.push(':');
        }
    }

    fn open(&mut self, key: Packed, bracket: char) {
        self.key(key);
        self.out.push(bracket);
    }

    fn close(&mut self, bracket: char) {
        self.out.push(bracket);
    }

    #[inline(never)]
    fn raw(&mut self, key: Packed, value: &str) {
        self.key(key);
        self.out.push_str(value);
    }

    #[inline(never)]
    fn text(&mut self, key: Packed, value: &str) {
        self.key(key);
        self.quote(value);
    }

    #[inline(never)]
    fn number(&mut self, key: Packed, value: u64) {
        self.key(key);
        self.out.push_str(&number(value, 10, 1));
    }

    fn optional_text(&mut self, key: Packed, value: Option<&str>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.raw(key, "null"),
        }
    }

    fn optional_number(&mut self, key: Packed, value: Option<u64>) {
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
    fn fact(&mut self, key: Packed) {
        self.open(key, '{');
    }

    fn source(&mut self, source: Packed) {
        self.text(key!("source"), &source.unpack());
        self.close('}');
    }

    #[inline(never)]
    fn word_fact(&mut self, key: Packed, value: Option<&str>, source: Packed) {
        self.fact(key);
        self.optional_text(key!("value"), value);
        self.source(source);
    }

    #[inline(never)]
    fn number_fact(&mut self, key: Packed, value: Option<u64>, source: Packed) {
        self.fact(key);
        self.optional_number(key!("value"), value);
        self.source(source);
    }

    #[inline(never)]
    fn text_fact(&mut self, key: Packed, fact: &Fact<String>) {
        let value = fact.get().map(|value| printable(value.as_bytes()));
        self.word_fact(key, value.as_deref(), fact.source);
    }

    fn amount_fact(&mut self, key: Packed, fact: &Fact<u64>) {
        self.number_fact(key, fact.value, fact.source);
    }

    fn list(&mut self, key: Packed, words: &[String]) {
        self.open(key, '[');
        for word in words {
            self.text(Packed::NONE, &printable(word.as_bytes()));
        }
        self.close(']');
    }

    #[inline(never)]
    fn list_fact(&mut self, key: Packed, fact: &Fact<Vec<String>>) {
        self.fact(key);
        match fact.get() {
            Some(words) => self.list(key!("value"), words),
            None => self.raw(key!("value"), "null"),
        }
        self.source(fact.source);
    }
}

fn write_machine(json: &mut Json, machine: &Machine) {
    json.open(key!("machine"), '{');
    write_cpu(json, machine);
    write_kernel(json, machine);
    write_userland(json, &machine.userland);
    json.amount_fact(key!("hwcap"), &machine.hwcap);
    json.amount_fact(key!("hwcap2"), &machine.hwcap2);
    json.text_fact(key!("platform"), &machine.platform);
    json.word_fact(key!("fpu"), machine.fpu.value.map(Fpu::name), machine.fpu.source);
    json.open(key!("answers"), '[');
    for (question, fact) in &machine.answers {
        json.open(Packed::NONE, '{');
        json.text(key!("question"), question.name());
        json.optional_text(key!("answer"), fact.value.map(Answer::words).as_deref());
        json.source(fact.source);
    }
    json.close(']');
    json.open(key!("memory"), '{');
    json.amount_fact(key!("total"), &machine.memory.total);
    json.amount_fact(key!("available"), &machine.memory.available);
    json.amount_fact(key!("swap"), &machine.memory.swap);
    json.amount_fact(key!("overcommit"), &machine.memory.overcommit);
    json.amount_fact(key!("commit"), &machine.memory.commit);
    json.close('}');
    write_limits(json, &machine.limits);
    write_misc(json, &machine.misc);
    json.fact(key!("mounts"));
    match machine.mounts.get() {
        Some(mounts) => {
            json.open(key!("value"), '[');
            for mount in mounts {
                write_mount(json, mount);
            }
            json.close(']');
        }
        None => json.raw(key!("value"), "null"),
    }
    json.source(machine.mounts.source);
    json.word_fact(key!("libc"), machine.libc.value.map(Libc::name), machine.libc.source);
    json.list_fact(key!("loaders"), &machine.loaders);
    json.open(key!("openwrt"), '{');
    let openwrt = &machine.openwrt;
    for (key, fact) in [
        (key!("release"), &openwrt.release),
        (key!("target"), &openwrt.target),
        (key!("arch"), &openwrt.arch),
        (key!("board"), &openwrt.board),
        (key!("model"), &openwrt.model),
    ] {
        json.text_fact(key, fact);
    }
    json.close('}');
    json.close('}');
}

fn write_limits(json: &mut Json, limits: &Limits) {
    json.open(key!("limits"), '{');
    for (key, fact) in [
        (key!("address_space"), &limits.address_space),
        (key!("data"), &limits.data),
        (key!("stack"), &limits.stack),
    ] {
        match fact.value {
            Some(u64::MAX) => json.word_fact(key, Some("unlimited"), fact.source),
            _ => json.amount_fact(key, fact),
        }
    }
    json.close('}');
}

fn write_misc(json: &mut Json, misc: &Fact<Vec<MiscRule>>) {
    json.fact(key!("binfmt_misc"));
    match misc.get() {
        Some(rules) => {
            json.open(key!("value"), '[');
            for rule in rules {
                write_rule(json, rule);
            }
            json.close(']');
        }
        None => json.raw(key!("value"), "null"),
    }
    json.source(misc.source);
}

fn write_rule(json: &mut Json, rule: &MiscRule) {
    json.open(Packed::NONE, '{');
    json.text(key!("name"), &printable(rule.name.as_bytes()));
    json.text(key!("interpreter"), &path(&rule.interpreter));
    json.raw(key!("fixed"), if rule.fixed { "true" } else { "false" });
    match &rule.pattern {
        Pattern::Extension(extension) => json.text(key!("extension"), &printable(extension)),
        Pattern::Magic { offset, magic, mask } => {
            json.number(key!("offset"), *offset as u64);
            json.text(key!("magic"), &hexadecimal(magic));
            json.text(key!("mask"), &hexadecimal(mask));
        }
    }
    json.close('}');
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in bytes {
        digits.push_str(&number((*byte).into(), 16, 2));
    }
    digits
}

fn write_userland(json: &mut Json, userland: &Fact<Abi>) {
    json.fact(key!("userland"));
    match userland.get() {
        Some(abi) => {
            json.open(key!("value"), '{');
            json.number(key!("e_machine"), abi.e_machine.into());
            json.number(key!("class"), abi.view.class.bits().into());
            json.text(key!("byte_order"), abi.view.order.name());
            json.number(key!("e_flags"), abi.e_flags.into());
            json.close('}');
        }
        None => json.raw(key!("value"), "null"),
    }
    json.source(userland.source);
}

fn write_cpu(json: &mut Json, machine: &Machine) {
    let cpu = &machine.cpu;
    json.open(key!("cpu"), '{');
    json.text_fact(key!("system_type"), &cpu.system_type);
    json.text_fact(key!("machine"), &cpu.machine);
    json.text_fact(key!("model"), &cpu.model);
    json.list_fact(key!("isa"), &cpu.isa);
    json.list_fact(key!("ases"), &cpu.ases);
    json.list_fact(key!("options"), &cpu.options);
    json.list_fact(key!("features"), &cpu.features);
    let arm = &cpu.arm_architecture;
    json.number_fact(key!("arm_architecture"), arm.value.map(Into::into), arm.source);
    json.close('}');
}

fn write_kernel(json: &mut Json, machine: &Machine) {
    let kernel = &machine.kernel;
    json.open(key!("kernel"), '{');
    let release = kernel.release.get().map(|release| printable(release.text.as_bytes()));
    json.word_fact(key!("release"), release.as_deref(), kernel.release.source);
    json.text_fact(key!("machine"), &kernel.machine);
    json.number_fact(key!("e_machine"), kernel.e_machine.value.map(Into::into), kernel.e_machine.source);
    json.number_fact(key!("class"), kernel.class.value.map(|class| class.bits().into()), kernel.class.source);
    json.word_fact(
        key!("byte_order"),
        kernel.byte_order.value.map(ByteOrder::name),
        kernel.byte_order.source,
    );
    json.amount_fact(key!("page_size"), &kernel.page_size);
    json.amount_fact(key!("mmap_min_addr"), &kernel.mmap_min_addr);
    json.close('}');
}

fn write_mount(json: &mut Json, mount: &Mount) {
    json.open(Packed::NONE, '{');
    json.text(key!("device"), &printable(mount.device.as_bytes()));
    json.text(key!("point"), &path(&mount.point));
    json.text(key!("type"), &printable(mount.fstype.as_bytes()));
    json.list(key!("options"), &mount.options);
    json.optional_number(key!("size"), mount.space.map(|space| space.size));
    json.optional_number(key!("available"), mount.space.map(|space| space.available));
    json.raw(key!("ram"), if mount.is_ram() { "true" } else { "false" });
    json.close('}');
}

fn write_program(json: &mut Json, judged: &Judged) {
    json.open(Packed::NONE, '{');
    json.text(key!("path"), &path(&judged.given));
    json.text(key!("verdict"), judged.verdict().name());
    write_outcome(json, judged.outcome);
    json.open(key!("findings"), '[');
    for finding in &judged.findings {
        write_finding(json, finding);
    }
    json.close(']');
    json.open(key!("libraries"), '[');
    if let Some(link) = &judged.link {
        for library in link.libraries() {
            write_library(json, link, library);
        }
    }
    json.close(']');
    json.close('}');
}

fn write_library(json: &mut Json, link: &Link, library: &Object) {
    json.open(Packed::NONE, '{');
    json.text(key!("name"), &printable(&library.name));
    let path = printable(&library.path);
    json.optional_text(key!("path"), Some(path.as_str()).filter(|path| !path.is_empty()));
    json.text(key!("needed_by"), &printable(link.needed_by(library)));
    json.text(key!("state"), library.state.name());
    json.open(key!("tried"), '[');
    for file in library.tried.iter() {
        json.text(Packed::NONE, &printable(file));
    }
    json.close(']');
    json.close('}');
}

fn write_outcome(json: &mut Json, outcome: Outcome) {
    json.open(key!("outcome"), '{');
    match outcome {
        Outcome::Starts => json.text(key!("kind"), "starts"),
        Outcome::Refused { errno, step } => {
            json.text(key!("kind"), "refused");
            json.text(key!("errno"), errno.name());
            json.text(key!("step"), &step.name().unpack());
        }
        Outcome::Killed { signal, when, step } => {
            json.text(key!("kind"), "killed");
            json.text(key!("signal"), signal.name());
            json.text(key!("when"), when.name());
            json.text(key!("step"), &step.name().unpack());
        }
        Outcome::Exits { status, step } => {
            json.text(key!("kind"), "exits");
            json.number(key!("status"), status.into());
            json.text(key!("when"), "start");
            json.text(key!("step"), &step.name().unpack());
        }
        Outcome::Unknown { missing } => {
            json.text(key!("kind"), "unknown");
            json.text(key!("missing"), &missing.words().unpack());
        }
    }
    json.close('}');
}

fn write_finding(json: &mut Json, finding: &Finding) {
    json.open(Packed::NONE, '{');
    json.text(key!("code"), finding.code);
    json.text(key!("severity"), finding.severity.name());
    json.text(key!("certainty"), finding.certainty.name());
    json.text(key!("title"), &finding.title);
    json.open(key!("evidence"), '[');
    for evidence in &finding.evidence {
        json.open(Packed::NONE, '{');
        json.text(key!("side"), evidence.side.name());
        json.text(key!("field"), &evidence.field);
        json.text(key!("value"), &evidence.value);
        json.close('}');
    }
    json.close(']');
    match &finding.fix {
        None => json.raw(key!("fix"), "null"),
        Some(fix) => {
            json.open(key!("fix"), '{');
            json.text(key!("text"), &fix.text);
            json.optional_text(key!("command"), fix.command.as_deref());
            json.close('}');
        }
    }
    json.close('}');
}
