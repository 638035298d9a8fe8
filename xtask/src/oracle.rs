//! Real kernels in QEMU judge files: what each does with a file, beside what diag said of it there.

mod guest;
mod judges;
mod real;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use guest::{Extent, Said, Seen};
use judges::{Judge, KERNELS};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these kernels; where none is named, those for MIPS
    #[arg(long = "kernel", value_name = "NAME")]
    kernels: Vec<String>,
    /// A folder whose files are judged; where none is given, real programs are
    folder: Option<PathBuf>,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    let mut apart = Vec::new();
    for judge in select(&args.kernels)? {
        match &args.folder {
            Some(folder) => show(judge, &guest::run(judge, folder, &names(folder)?, Extent::Run(2_000))?),
            None => apart.extend(real::judge(judge)?),
        }
    }
    ensure!(apart.is_empty(), "diag and a kernel do not agree:\n{}", apart.join("\n"));
    Ok(())
}

fn select(names: &[String]) -> Result<Vec<&'static Judge>> {
    if names.is_empty() {
        return Ok(KERNELS.iter().filter(|judge| !judge.on_request).collect());
    }
    let find = |name: &String| {
        let all = || KERNELS.iter().map(|judge| judge.name).collect::<Vec<_>>().join(", ");
        let found = KERNELS.iter().find(|judge| judge.name == *name);
        found.with_context(|| format!("no kernel {name}; there are {}", all()))
    };
    names.iter().map(find).collect()
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// How often what diag said met what the kernel did; and what it took.
fn show(judge: &Judge, seen: &Seen) {
    let mut pairs: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for said in &seen.cases {
        pairs.entry((outcome(said), said.kernel.clone())).or_default().push(&said.name);
    }
    for ((diag, kernel), names) in pairs {
        let first = names.first().copied().unwrap_or_default();
        println!("{}: {:5}  {diag}  |  {kernel}  |  {first}", judge.name, names.len());
    }
    println!("{}: {} files in {}", judge.name, seen.cases.len(), seen.seconds);
    println!("{}: runs {}; {}", judge.name, judge.abis.join(", "), facts(&seen.machine));
    if !seen.complaints.is_empty() {
        println!("{}: on stderr: {}", judge.name, seen.complaints.trim_end());
    }
}

/// The facts that decide, as diag found them.
fn facts(machine: &Value) -> String {
    let kernel = ["release", "class", "byte_order", "page_size", "mmap_min_addr"];
    let mut words: Vec<String> =
        kernel.map(|fact| format!("{fact} {}", machine["kernel"][fact]["value"])).to_vec();
    words.push(format!("fpu {}", machine["fpu"]["value"]));
    let answers = machine["answers"].as_array().map_or(&[][..], Vec::as_slice);
    words.extend(answers.iter().map(|asked| format!("{} {}", text(&asked["question"]), asked["answer"])));
    words.join(", ")
}

/// diag's outcome in the words of the runner.
fn outcome(said: &Said) -> String {
    let words =
        ["kind", "errno", "signal", "when", "missing", "step"].map(|field| &said.diag["outcome"][field]);
    words.iter().filter_map(|word| word.as_str()).collect::<Vec<_>>().join(" ")
}

/// A field of a report as text; empty where there is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
