//! docs/accuracy.md and docs/accuracy.tsv: what the last run of each kernel has counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use oracle::class::Class;
use oracle::counts::{Count, Counts};

use super::counts_file;
use super::judges::KERNELS;
use crate::sh;

const HEAD: &str = "\
# Accuracy

What diag says of changed programs, against what kernels do with them: one program a case, handed to `execve(2)` under
`ptrace(2)` by a runner of a few lines. `cargo xtask check oracle` judges them; with `--full` it writes this page,
and `--report` writes it from what the last runs have counted. `cargo xtask check --help` tells how to ask other kernels.

A case *agrees* where the kernel did what diag said: the errno of a refusal; the signal, and whether it came within
`execve`, at the first instruction or later; or a start, with the first instruction fetched without a fault and, where
it is ours, run to its end. *Not told* are those where diag says that it cannot tell, and why. *Varied*: the kernel
itself answers now this, now that, since addresses are random; one of its answers is diag's. *Unfinished*: the clock of
the runner was over before what diag foretells could come.

`accuracy.tsv` beside this page has the same by kind of change, and of all kernels together what diag could not tell,
what could not be asked, and which check of the kernel it named.
";

pub(crate) fn write() -> Result<()> {
    let mut all = Vec::new();
    for name in std::iter::once("host").chain(KERNELS.iter().map(|judge| judge.name)) {
        if let Ok(text) = fs::read_to_string(counts_file(name)?) {
            let counts: Counts =
                serde_json::from_str(&text).with_context(|| format!("the counts of {name}"))?;
            all.push((name, counts));
        }
    }
    ensure!(!all.is_empty(), "no kernel has judged anything yet: cargo xtask check oracle");
    for (name, text) in [("accuracy.md", page(&all)), ("accuracy.tsv", data(&all))] {
        let file = sh::root().join("docs").join(name);
        fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
        sh::say(format!("wrote {}: {} kernels", file.display(), all.len()));
    }
    Ok(())
}

fn page(all: &[(&str, Counts)]) -> String {
    let mut page = HEAD.to_owned();
    page += "\n## Kernels\n\n| kernel | cases | started | agreed | disagreed | not told | unfinished | varied |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
    for (name, counts) in all {
        let Count { cases, started, agreed, unfinished, disagreed, unknown, varied } = counts.total();
        let _ = writeln!(
            page,
            "| {name}: {} | {cases} | {started} | {agreed} | {disagreed} | {unknown} | {unfinished} | {varied} |",
            released(&counts.kernel)
        );
    }
    page += "\n## Disagreements\n";
    let mut none = true;
    for (name, counts) in all {
        for found in &counts.disagreements {
            none = false;
            let _ = write!(
                page,
                "\n- {name}, {} cases: diag says {}; the kernel: {}. Smallest: `{}`.\n",
                found.cases,
                found.model,
                found.kernel,
                found.examples.first().map_or("", String::as_str)
            );
        }
    }
    if none {
        page += "\nNone.\n";
    }
    page
}

/// The counts of each kernel by kind of change, and those of all kernels by what diag said.
fn data(all: &[(&str, Counts)]) -> String {
    let mut data =
        "count\tkernel\tof\tcases\tstarted\tagreed\tdisagreed\tnot told\tunfinished\tvaried\n".to_owned();
    for (name, counts) in all {
        for class in Class::ALL {
            if let Some(count) = counts.classes.get(&class) {
                let Count { cases, started, agreed, unfinished, disagreed, unknown, varied } = count;
                let _ = writeln!(
                    data,
                    "kind of change\t{name}\t{}\t{cases}\t{started}\t{agreed}\t{disagreed}\t{unknown}\t{unfinished}\t{varied}",
                    class.name()
                );
            }
        }
    }
    sums(&mut data, "not told", all.iter().map(|(_, counts)| &counts.missing));
    sums(&mut data, "not asked", all.iter().map(|(_, counts)| &counts.lost));
    sums(&mut data, "step", all.iter().map(|(_, counts)| &counts.steps));
    data
}

/// A kernel without what only its builder knows: "6.12.107-x1 x86_64" is "6.12.107 x86_64". Debian's name is kept.
fn released(kernel: &str) -> String {
    match kernel.split_once(' ') {
        Some((release, machine)) if release.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{} {machine}", release.split('-').next().unwrap_or_default())
        }
        _ => kernel.to_owned(),
    }
}

fn sums<'a>(data: &mut String, what: &str, all: impl Iterator<Item = &'a BTreeMap<String, u64>>) {
    let mut sum: BTreeMap<&str, u64> = BTreeMap::new();
    for (words, count) in all.flatten() {
        *sum.entry(words).or_default() += count;
    }
    for (words, count) in sum {
        let _ = writeln!(data, "{what}\tall\t{words}\t{count}");
    }
}
