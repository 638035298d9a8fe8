//! Kernels in QEMU as judges: a folder of cases goes in, and what diag and the kernel say of each comes out.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use oracle::runner;
use serde_json::Value;

use super::judges::Judge;
use crate::lab::{self, Copy};
use crate::scratch::Scratch;
use crate::{dist, samples, sh};

/// Starts a program for many names as another user.
const BATCH: &str = include_str!("batch.c");
const SCRIPT: &str = include_str!("batch.sh");

/// Who judges and runs the cases in the guest, and owns them: nobody, as on the host.
const NOBODY: u32 = 65534;

/// What a guest said.
pub(crate) struct Seen {
    /// diag's `machine`.
    pub(crate) machine: Value,
    /// One for each name, in their order.
    pub(crate) cases: Vec<Said>,
    /// What diag and its starter wrote to stderr.
    pub(crate) complaints: String,
    pub(crate) seconds: Seconds,
}

/// What was said of a case.
pub(crate) struct Said {
    pub(crate) name: String,
    /// diag's entry in `programs`.
    pub(crate) diag: Value,
    /// The runner's line.
    pub(crate) kernel: String,
}

/// How long it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds {
    /// The whole boot, here.
    pub(crate) boot: f64,
    /// diag and the runner, by the guest's clock.
    pub(crate) diag: f64,
    pub(crate) runner: f64,
}

impl fmt::Display for Seconds {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:.1} s, of which diag {:.1} and the runner {:.1}", self.boot, self.diag, self.runner)
    }
}

/// How far the kernel goes with a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extent {
    /// To the program's end, for so many milliseconds.
    Run(u32),
    /// Up to the first instruction: for programs that nobody wants to run, such as `reboot`.
    Exec,
}

/// diag, and what starts it and the programs there.
pub(crate) struct Tools([(&'static str, PathBuf); 3]);

/// Builds them.
pub(crate) fn tools(judge: &Judge) -> Result<Tools> {
    lab::prepare(judge.kernel)?;
    let [diag] = &dist::build(&[&format!("diag-{}", judge.tools)])?[..] else { bail!("dist built nothing") };
    Ok(Tools([
        ("diag", diag.clone()),
        ("batch", samples::static_program("batch", BATCH, judge.tools)?),
        ("runner", samples::static_program("oracle-runner", runner::SOURCE, judge.tools)?),
    ]))
}

/// Boots once. `names` are relative to `folder`, or absolute ones of the guest's root; a name has no line feed. The
/// folder is copied with modes, links and FIFOs, and belongs to the user who judges.
pub(crate) fn run(
    judge: &Judge,
    tools: &Tools,
    folder: &Path,
    names: &[String],
    extent: Extent,
) -> Result<Seen> {
    let bin = Scratch::open("tools")?;
    ensure!(!names.iter().any(|name| name.is_empty() || name.contains('\n')), "a name of no case");
    fs::write(bin.path().join("names"), names.iter().map(|name| format!("{name}\n")).collect::<String>())?;
    for (name, from) in &tools.0 {
        fs::copy(from, bin.path().join(name)).with_context(|| format!("copy {}", from.display()))?;
    }
    let runner = match extent {
        Extent::Run(milliseconds) => format!("-t {milliseconds}"),
        Extent::Exec => "-x".to_owned(),
    };
    let mut boot = lab::Run::new(judge.kernel, format!("RUNNER='{runner}'\n{SCRIPT}"));
    judge.cpu.clone_into(&mut boot.cpu);
    boot.timeout = Duration::from_secs(900);
    boot.files.push(Copy { from: bin.path().to_path_buf(), to: "/tmp/bin".to_owned(), owner: 0 });
    boot.files.push(Copy { from: folder.to_path_buf(), to: "/tmp/cases".to_owned(), owner: NOBODY });
    sh::say(format!("{}: judge {} files", judge.name, names.len()));
    let begin = Instant::now();
    let ran = lab::run(&boot)?;
    let took = begin.elapsed();
    let said = String::from_utf8_lossy(&ran.output);
    ensure!(ran.status == 0, "{}: the guest's script ended with status {}: {said}", judge.name, ran.status);
    seen(&ran.pulled, names, took).with_context(|| format!("{}: what the guest left", judge.name))
}

fn seen(left: &BTreeMap<String, Vec<u8>>, names: &[String], took: Duration) -> Result<Seen> {
    let bytes = |name: &str| left.get(name).with_context(|| format!("no {name}"));
    let text = |name: &str| bytes(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let (complaints, answers, times) = (text("complaints")?, text("answers")?, text("times")?);
    let mut machine = Value::Null;
    let mut programs = Vec::new();
    for report in serde_json::Deserializer::from_slice(bytes("reports")?).into_iter() {
        let mut report: Value = report.with_context(|| format!("no JSON; on stderr: {complaints}"))?;
        machine = report["machine"].take();
        match report["programs"].take() {
            Value::Array(some) => programs.extend(some),
            other => bail!("`programs` is {other}"),
        }
    }
    let answers: Vec<&str> = answers.lines().collect();
    let counts = [names.len(), programs.len(), answers.len()];
    ensure!(
        counts.iter().all(|count| *count == names.len()),
        "names, reports and answers: {counts:?}; on stderr: {complaints}"
    );
    let clock = times.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [from, middle, to] = clock[..] else { bail!("times: {times}") };
    let seconds = Seconds { boot: took.as_secs_f64(), diag: middle - from, runner: to - middle };
    let mut cases = Vec::new();
    for ((name, diag), kernel) in names.iter().zip(programs).zip(answers) {
        ensure!(diag["path"] == **name, "an entry for {} where {name} should be", diag["path"]);
        cases.push(Said { name: name.clone(), diag, kernel: kernel.to_owned() });
    }
    Ok(Seen { machine, cases, complaints, seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(reports: &str, answers: &str) -> Result<Seen> {
        let files =
            [("reports", reports), ("answers", answers), ("complaints", ""), ("times", "1.5 2.5 5.0\n")];
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        seen(&BTreeMap::from(files), &["a", "b"].map(str::to_owned), Duration::from_secs(9))
    }

    #[test]
    fn reports_of_several_runs_are_put_together() {
        let reports =
            r#"{"machine":{"x":1},"programs":[{"path":"a"}]} {"machine":{"x":1},"programs":[{"path":"b"}]}"#;
        let seen = left(reports, "refused ENOEXEC\nstarted exited 0\n").unwrap();
        assert_eq!(seen.machine["x"], 1);
        assert_eq!(seen.cases[1].name, "b");
        assert_eq!(seen.cases[1].kernel, "started exited 0");
        assert_eq!(seen.seconds.to_string(), "9.0 s, of which diag 1.0 and the runner 2.5");
    }

    #[test]
    fn what_is_missing_or_elsewhere_is_an_error() {
        let one = r#"{"machine":{},"programs":[{"path":"a"}]}"#;
        assert!(left(one, "refused ENOEXEC\nrefused ENOEXEC\n").is_err());
        let swapped = r#"{"machine":{},"programs":[{"path":"b"},{"path":"a"}]}"#;
        assert!(left(swapped, "refused ENOEXEC\nrefused ENOEXEC\n").is_err());
    }
}
