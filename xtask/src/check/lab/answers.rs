//! What the kernel answers when diag's tiny programs put their questions: against QEMU's -cpu, the kernel's
//! configuration, and who asks.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use jsonschema::Validator;
use oracle::tally::Tally;
use serde_json::Value;

use super::schema;
use crate::lab::{self, Kernel};

/// An answer that differs from those on a 24Kc as root.
type Difference = (&'static str, &'static str);

/// 24Kc: MIPS16, no FPU, so either NaN encoding.
pub(super) fn of_24kc(kernel: Kernel, report: &Value, tally: &mut Tally) {
    check("24Kc", kernel, &[], report, tally);
}

/// The same kernel on a processor with microMIPS or with an FPU; root asks, then nobody.
pub(super) fn elsewhere(kernel: Kernel, diag: &Path, schema: &Validator, tally: &mut Tally) -> Result<()> {
    let (cpu, differences): (&str, &[Difference]) = match kernel {
        // Its FPU has the legacy NaN encoding alone.
        Kernel::MipselFpu => ("24Kf", &[("mips-nan2008", "refused ENOEXEC")]),
        _ => ("M14Kc", &[("mips16", "killed"), ("micromips", "works")]),
    };
    let name = diag.file_name().context("diag without a name")?.to_string_lossy();
    let commands =
        format!("./{name} --json >out/root && exec busybox chpst -u 65534:65534 ./{name} --json >out/nobody");
    let mut run = lab::Run::new(kernel, commands).file(diag);
    cpu.clone_into(&mut run.cpu);
    let ran = lab::run(&run)?;
    let said = String::from_utf8_lossy(&ran.output);
    ensure!(ran.status == 0, "diag on a {cpu}: status {}: {said}", ran.status);
    let refused: Vec<Difference> = differences.iter().copied().chain([("low-address", "killed")]).collect();
    for (user, differences) in [("root", differences), ("nobody", &refused)] {
        let what = format!("{cpu}, {user}");
        let json = ran.pulled.get(user).with_context(|| format!("{what}: no report"))?;
        if let Some(report) = schema::report(schema, &what, json, tally) {
            check(&what, kernel, differences, &report, tally);
        }
    }
    Ok(())
}

fn check(what: &str, kernel: Kernel, differences: &[Difference], report: &Value, tally: &mut Tally) {
    let fpu = kernel == Kernel::MipselFpu;
    let usual = [
        ("fp-instruction", if fpu { "works" } else { "killed" }),
        ("mips-fp64", if fpu { "works" } else { "refused ENOEXEC" }),
        ("mips-nan2008", "works"),
        ("mips-nan-legacy", "works"),
        ("mips16", "works"),
        ("micromips", "killed"),
        ("mips-before-r6", "works"),
        ("page-4k", "works"),
        ("low-address", "works"),
    ];
    let truth =
        usual.map(|usual| differences.iter().copied().find(|(asked, _)| *asked == usual.0).unwrap_or(usual));
    let answers = report["machine"]["answers"].as_array().map_or(&[][..], Vec::as_slice);
    let word = |answer: &Value, key: &str| answer[key].as_str().unwrap_or("null").to_owned();
    let said: Vec<(String, String)> =
        answers.iter().map(|answer| (word(answer, "question"), word(answer, "answer"))).collect();
    let truth = truth.map(|(question, answer)| (question.to_owned(), answer.to_owned()));
    tally.check(said == truth, || format!("{what}: machine/answers is {said:?}, and in truth {truth:?}"));
}
