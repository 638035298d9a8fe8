//! The machine, as diag describes it: against the -cpu that QEMU was given, the kernel's configuration, and what the
//! system's own files and tools say.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use jsonschema::Validator;
use oracle::tally::Tally;
use serde_json::Value;

use super::guest::Results;
use super::{answers, schema};
use crate::gates;
use crate::lab::Kernel;
use crate::samples::Order;

pub(super) const SCRIPT: &str = include_str!("facts.sh");

pub(super) fn check(kernel: Kernel, boot: &Results, schema: &Validator, tally: &mut Tally) {
    let Some(json) = tally.attempt(boot.bytes("machine.json")) else { return };
    let Some(report) = schema::report(schema, "the machine", json, tally) else { return };
    let facts = Facts { boot, machine: &report["machine"] };
    facts.floating_point(kernel, tally);
    answers::of_24kc(kernel, &report, tally);
    let checked = [
        facts.status(tally),
        facts.processor(kernel, tally),
        facts.memory(tally),
        facts.mounts(tally),
        facts.sizes(tally),
        facts.userland(kernel, tally),
        facts.openwrt(tally),
    ];
    for outcome in checked {
        tally.attempt(outcome);
    }
}

struct Facts<'a> {
    boot: &'a Results,
    machine: &'a Value,
}

impl Facts<'_> {
    /// The value of the fact at this JSON pointer.
    fn fact(&self, pointer: &str) -> &Value {
        self.machine.pointer(&format!("{pointer}/value")).unwrap_or(&Value::Null)
    }

    fn equal(&self, tally: &mut Tally, pointer: &str, truth: impl Into<Value>) {
        let (said, truth) = (self.fact(pointer), truth.into());
        tally.check(*said == truth, || format!("machine{pointer} is {said}, and in truth {truth}"));
    }

    fn status(&self, tally: &mut Tally) -> Result<()> {
        let (status, errors) = (self.boot.text("machine.status")?, self.boot.text("machine.errors")?);
        tally.check(status == "0", || format!("diag without arguments ended with status {status}"));
        tally.check(errors.is_empty(), || format!("diag without arguments wrote to stderr: {errors}"));
        let text = self.boot.text("machine.text")?;
        // What to build with are commands, which stay on a line of their own, however long.
        let (facts, _) = text.split_once("  Go: ").unwrap_or((&text, ""));
        let (lines, width) = (text.lines().count(), facts.lines().map(|line| line.chars().count()).max());
        tally.check(lines <= 24 && width <= Some(80), || format!("this is no screenful:\n{text}"));
        Ok(())
    }

    fn processor(&self, kernel: Kernel, tally: &mut Tally) -> Result<()> {
        let model = self.fact("/cpu/model").as_str().unwrap_or_default();
        tally.check(model.contains("24Kc"), || format!("-cpu 24Kc, and machine/cpu/model is {model:?}"));
        let cpuinfo = self.boot.text("cpuinfo")?;
        let isa = field(&cpuinfo, "isa").context("no isa in /proc/cpuinfo")?;
        let isa: Vec<&str> = isa.split_whitespace().collect();
        self.equal(tally, "/cpu/isa", isa);
        let ases = field(&cpuinfo, "ASEs implemented").context("no ASEs in /proc/cpuinfo")?;
        let ases: Vec<&str> = ases.split_whitespace().collect();
        self.equal(tally, "/cpu/ases", ases);
        self.equal(tally, "/cpu/system_type", field(&cpuinfo, "system type").context("no system type")?);
        let order = Order::of(kernel).word();
        self.equal(tally, "/kernel/byte_order", order);
        self.equal(tally, "/kernel/class", 32);
        self.equal(tally, "/kernel/e_machine", 8);
        self.equal(tally, "/kernel/page_size", 4096);
        self.equal(tally, "/kernel/release", self.boot.text("release")?);
        let userland = self.fact("/userland");
        let right = userland["byte_order"] == order && userland["class"] == 32 && userland["e_machine"] == 8;
        tally.check(right, || format!("machine/userland is {userland}"));
        Ok(())
    }

    /// 24Kc has no FPU: it is the kernel that has an emulator, or none.
    fn floating_point(&self, kernel: Kernel, tally: &mut Tally) {
        let emulated = kernel == Kernel::MipselFpu;
        self.equal(tally, "/fpu", if emulated { "emulated" } else { "absent" });
        if let Ok(config) = self.boot.text("config") {
            let configured = config.lines().any(|line| line == "CONFIG_MIPS_FP_SUPPORT=y");
            tally.check(configured == emulated, || {
                format!("CONFIG_MIPS_FP_SUPPORT is {configured}, and machine/fpu is {}", self.fact("/fpu"))
            });
            let order = if config.contains("CONFIG_CPU_BIG_ENDIAN=y") { Order::Big } else { Order::Little };
            self.equal(tally, "/kernel/byte_order", order.word());
        }
    }

    fn memory(&self, tally: &mut Tally) -> Result<()> {
        let meminfo = self.boot.text("meminfo")?;
        let kib = |name| -> Result<u64> {
            let value = field(&meminfo, name).with_context(|| format!("no {name} in /proc/meminfo"))?;
            Ok(value.trim_end_matches(" kB").parse::<u64>()? * 1024)
        };
        self.equal(tally, "/memory/total", kib("MemTotal")?);
        self.equal(tally, "/memory/swap", kib("SwapTotal")?);
        let (said, truth) =
            (self.fact("/memory/available").as_u64().unwrap_or_default(), kib("MemAvailable")?);
        let near = said.abs_diff(truth) < 8 << 20;
        tally.check(near, || format!("machine/memory/available is {said}, and a moment later {truth}"));
        Ok(())
    }

    /// Every line of /proc/mounts, and no other; of their options those that matter to a program.
    fn mounts(&self, tally: &mut Tally) -> Result<()> {
        const FLAGS: [&str; 6] = ["ro", "rw", "noexec", "nosuid", "nodev", "noatime"];
        let flags = |options: &mut dyn Iterator<Item = &str>| {
            options.filter(|option| FLAGS.contains(option)).collect::<Vec<_>>().join(",")
        };
        let line = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let options = flags(&mut words.get(3).unwrap_or(&"").split(','));
            format!("{} {options}", words.get(..3).unwrap_or_default().join(" "))
        };
        let truth: BTreeSet<String> = self.boot.text("mounts")?.lines().map(line).collect();
        let mount = |mount: &Value| {
            let options = mount["options"].as_array().map_or(&[][..], Vec::as_slice);
            let options = flags(&mut options.iter().filter_map(Value::as_str));
            let words = ["device", "point", "type"].map(|key| mount[key].as_str().unwrap_or_default());
            format!("{} {options}", words.join(" "))
        };
        let said: BTreeSet<String> = self.all_mounts().iter().map(mount).collect();
        tally.check(said == truth, || {
            format!("machine/mounts is\n  {said:#?}\nand /proc/mounts is\n  {truth:#?}")
        });
        Ok(())
    }

    fn all_mounts(&self) -> &[Value] {
        self.fact("/mounts").as_array().map_or(&[], Vec::as_slice)
    }

    /// What df says, in units of its own: 1 KiB, and a little that was written meanwhile.
    fn sizes(&self, tally: &mut Tally) -> Result<()> {
        let df = self.boot.text("df")?;
        for line in df.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [_, size, _, available, _, point] = words[..] else { continue };
            let (size, available): (u64, u64) = (size.parse()?, available.parse()?);
            let mount = self.all_mounts().iter().rfind(|mount| mount["point"] == point);
            let bytes = |key: &str| mount.and_then(|mount| mount[key].as_u64()).unwrap_or_default() / 1024;
            let near = bytes("size").abs_diff(size) <= 1 && bytes("available").abs_diff(available) <= 256;
            tally.check(near, || {
                format!(
                    "{point}: {} of {} KiB; df says {available} of {size}",
                    bytes("available"),
                    bytes("size")
                )
            });
        }
        Ok(())
    }

    fn userland(&self, kernel: Kernel, tally: &mut Tally) -> Result<()> {
        self.equal(tally, "/libc", "musl");
        let there = self.boot.text("lib")?;
        let loaders: Vec<String> =
            there.lines().filter(|name| name.starts_with("ld")).map(|name| format!("/lib/{name}")).collect();
        tally.check(loaders == [format!("/lib/{}", kernel.loader())], || {
            format!("the lab's loaders: {loaders:?}")
        });
        self.equal(tally, "/loaders", loaders);
        Ok(())
    }

    fn openwrt(&self, tally: &mut Tally) -> Result<()> {
        let release = self.boot.text("openwrt_release")?;
        for (pointer, name) in [("release", "RELEASE"), ("arch", "ARCH"), ("target", "TARGET")] {
            let start = format!("DISTRIB_{name}='");
            let value = release.lines().find_map(|line| line.strip_prefix(&start));
            let value = value.with_context(|| format!("no DISTRIB_{name}"))?.trim_end_matches('\'');
            self.equal(tally, &format!("/openwrt/{pointer}"), value);
        }
        self.equal(tally, "/openwrt/model", self.boot.text("model")?);
        self.equal(tally, "/openwrt/board", self.boot.text("model")?);
        Ok(())
    }
}

/// The value behind `NAME:`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) =
        text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim())
}

/// diag's own memory: the same for a large file as for a small one, and within the budget.
pub(super) fn memory(boot: &Results, files: &str, tally: &mut Tally) {
    for file in files.split_whitespace().map(|file| file.rsplit('/').next().unwrap_or(file)) {
        let Some(line) = tally.attempt(boot.text(&format!("memory-{file}"))) else { continue };
        let peak = line.lines().find_map(|line| line.strip_prefix("VmHWM ")?.parse::<u64>().ok());
        let cost = peak.map_or(line, |peak| gates::MEMORY.of(peak));
        tally.note(format!("{file}: {cost}"));
        tally.check(peak.is_some_and(|peak| gates::MEMORY.fault(peak).is_none()), || {
            format!("{file}: {cost}")
        });
    }
}
