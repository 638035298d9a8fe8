//! diag on the emulated router, against BusyBox `true`.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::timed::median;
use crate::dist;
use crate::lab::{self, Kernel};
use crate::samples::{self, Order, Size};
use crate::scratch::Scratch;

/// Rounds, and calls of each program in a round: the guest's clock has hundredths of a second.
const ROUNDS: usize = 11;
const CALLS: u32 = 50;
/// What is called, by its name in the table and by the guest's.
const PROGRAMS: [(&str, &str); 3] =
    [("BusyBox true", "/bin/true"), ("diag v2ray", "./diag v2ray"), ("diag", "./diag")];

/// Nothing else runs in the guest, so the clock on the wall is the CPU's.
fn script() -> String {
    let mut script = "now() { read -r up idle </proc/uptime; echo $up; }\n".to_owned();
    script += &format!("round=0; while [ $round -lt {ROUNDS} ]; do\n");
    for (_, command) in PROGRAMS {
        script += &format!(
            "from=$(now); i=0; while [ $i -lt {CALLS} ]; do {command} >/tmp/said 2>&1; i=$((i+1)); done\n\
             echo $from $(now) >>/tmp/out/times\n"
        );
    }
    script + "round=$((round+1)); done\ntrue\n"
}

pub(super) fn table() -> Result<String> {
    let [diag] = &dist::build(&["diag-mipsel"])?[..] else { bail!("dist built nothing") };
    let folder = Scratch::open("guest")?;
    let (program, v2ray) = (folder.path().join("diag"), folder.path().join("v2ray"));
    std::fs::copy(diag, &program)?;
    std::fs::copy(samples::v2ray(Order::Big, Size::Stripped)?, &v2ray)?;
    let mut run = lab::Run::new(Kernel::Mipsel, script()).file(&program).file(&v2ray);
    run.timeout = Duration::from_secs(900);
    let ran = lab::run(&run)?;
    let said = String::from_utf8_lossy(&ran.output);
    let times = ran.pulled.get("times").with_context(|| format!("the guest left no times: {said}"))?;
    rows(&String::from_utf8_lossy(times))
}

/// Of `FROM TO` lines, round by round.
fn rows(times: &str) -> Result<String> {
    let mut calls = Vec::new();
    for line in times.lines() {
        let (from, to) = line.split_once(' ').with_context(|| format!("no times: {line}"))?;
        let seconds = to.parse::<f64>()? - from.parse::<f64>()?;
        calls.push(seconds * 1000.0 / f64::from(CALLS));
    }
    let rounds: Vec<&[f64]> = calls.chunks_exact(PROGRAMS.len()).collect();
    let mut text = format!(
        "\nMIPS 24Kc in QEMU, little-endian: medians of {} rounds of {CALLS} calls each, the shell's fork included.\n\n\
         | call | ms | beside BusyBox `true` |\n| --- | ---: | ---: |\n",
        rounds.len()
    );
    for (index, (name, _)) in PROGRAMS.iter().enumerate() {
        let took = median(rounds.iter().map(|round| round[index]).collect());
        let ratio = median(rounds.iter().map(|round| round[index] / round[0]).collect());
        writeln!(text, "| {name} | {took:.1} | {ratio:.2} |")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_one_row_of_each_program() {
        let text = rows("1.00 2.00\n2.00 5.00\n5.00 7.00\n7.00 8.00\n8.00 11.00\n11.00 13.00\n").unwrap();
        assert!(
            text.contains("medians of 2 rounds") && text.contains("| diag v2ray | 60.0 | 3.00 |"),
            "{text}"
        );
        assert!(rows("1.00\n").is_err());
    }
}
