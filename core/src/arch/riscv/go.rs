//! GORISCV64 (RVA profiles) against "isa" of /proc/cpuinfo. Go's runtime asks nothing.

use crate::candidate::{Go, Image};
use crate::exec::go::{GoEnd, GoLacks};
use crate::machine::Machine;

pub(super) fn lacks(machine: &Machine, _: &Image, go: &Go) -> Option<GoLacks> {
    // Of a profile those that Go's runtime executes before `main`: each was taken away in turn under qemu-user. Without zbs
    // or zicond such a program still starts.
    let extensions: &[&str] = match go.level.as_deref()? {
        "rva22u64" => &["zba", "zbb"],
        "rva23u64" => &["zba", "zbb", "v"],
        _ => return None,
    };
    let isa = machine.cpu().isa.get().and_then(|isa| isa.iter().next());
    let lists = |extension: &str| isa.is_some_and(|isa| has(isa, extension));
    let what = extensions.iter().find(|extension| !lists(extension))?;
    // arch/riscv/kernel/cpufeature.c knows them since 6.5; before, what is not listed may be there.
    let is_told = isa.is_some() && !machine.kernel().older_than((6, 5, 0));
    let end = if is_told { GoEnd::Killed } else { GoEnd::Unknown };
    Some(GoLacks { what, source: "isa", end, instead: "GOARCH=riscv64 GORISCV64=rva20u64" })
}

/// "rv64imafdcv_zicntr_zba": single letters up to the first underscore, then names.
fn has(isa: &str, extension: &str) -> bool {
    let mut parts = isa.split('_');
    let letters = parts.next().and_then(|letters| letters.get(4..)).unwrap_or_default();
    if extension.len() == 1 { letters.contains(extension) } else { parts.any(|part| part == extension) }
}
