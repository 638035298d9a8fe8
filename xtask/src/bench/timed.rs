//! CPU time of diag against that of other programs, pair by pair: what slows a computer down for a while slows both.

use std::fmt::Write;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use super::Programs;
use crate::{host, sh};

/// Pairs of calls with one file, and with many.
const PAIRS: [usize; 2] = [201, 11];
const FOLDER: &str = "/usr/bin";
/// What looks at one file. `ldd` runs the dynamic loader, and with it the program's libraries are mapped.
const OF_LS: [&[&str]; 5] = [
    &["empty"],
    &["readelf", "-h", "/bin/ls"],
    &["file", "/bin/ls"],
    &["ldd", "/bin/ls"],
    &["libtree", "/bin/ls"],
];
const OF_V2RAY: [&[&str]; 3] = [&["empty"], &["readelf", "-h", "v2ray"], &["file", "v2ray"]];

pub(super) fn table(programs: &Programs) -> Result<String> {
    let mut text = "\n## CPU time\n\nMedians of pairs of calls, user and system time together; the ratio is the median of \
                    the pairs' ratios. Below 1, diag takes less.\n\n\
                    | call | ms | beside | ms | ratio |\n| --- | ---: | --- | ---: | ---: |\n"
        .to_owned();
    // Debian has it since bookworm.
    if let Err(error) = host::ensure(&[("libtree", "libtree")]) {
        sh::say(format!("left out: {error:#}"));
    }
    let ours: [(&[&str], &[&[&str]]); 2] = [(&["diag", "/bin/ls"], &OF_LS), (&["diag", "v2ray"], &OF_V2RAY)];
    for (ours, others) in ours {
        for other in others.iter().filter(|other| other[0] == "empty" || sh::on_path(other[0])) {
            let pairs = pairs(PAIRS[0], || programs.command(ours), || programs.command(other))?;
            row(&mut text, &ours.join(" "), &other.join(" "), &pairs)?;
        }
    }
    let files = files()?;
    let all = |program: &str| {
        let mut command = programs.command(&[program]);
        command.args(&files);
        command
    };
    for other in ["file", "readelf -h"] {
        let (program, option) = other.split_once(' ').unwrap_or((other, "--"));
        let of_all = || {
            let mut command = programs.command(&[program, option]);
            command.args(&files);
            command
        };
        let pairs = pairs(PAIRS[1], || all("diag"), of_all)?;
        row(&mut text, &format!("diag, {} files of {FOLDER}", files.len()), other, &pairs)?;
    }
    Ok(text)
}

/// The regular files of a folder, links followed, in the order of their names.
fn files() -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(FOLDER).with_context(|| format!("read {FOLDER}"))? {
        let path = entry?.path();
        if path.is_file() {
            files.extend(path.to_str().map(str::to_owned));
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "{FOLDER} is empty");
    Ok(files)
}

/// The time of each pair, diag's first.
fn pairs(
    count: usize,
    ours: impl Fn() -> Command,
    other: impl Fn() -> Command,
) -> Result<Vec<(Duration, Duration)>> {
    // What is read for the first time comes from the disk.
    cpu(&mut ours())?;
    cpu(&mut other())?;
    (0..count).map(|_| Ok((cpu(&mut ours())?, cpu(&mut other())?))).collect()
}

/// CPU time of a command and of what it starts.
fn cpu(command: &mut Command) -> Result<Duration> {
    let used = || -> Result<i64> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("getrusage")?;
        Ok((usage.user_time() + usage.system_time()).num_microseconds())
    };
    let before = used()?;
    command.status().with_context(|| format!("start {:?}", command.get_program()))?;
    Ok(Duration::from_micros(u64::try_from(used()? - before).unwrap_or_default()))
}

fn row(text: &mut String, ours: &str, other: &str, pairs: &[(Duration, Duration)]) -> Result<()> {
    let seconds = |pick: fn(&(Duration, Duration)) -> Duration| {
        median(pairs.iter().map(|pair| pick(pair).as_secs_f64()).collect()) * 1000.0
    };
    let ratio = median(pairs.iter().map(|(ours, other)| ours.as_secs_f64() / other.as_secs_f64()).collect());
    let (ours_took, other_took) = (seconds(|pair| pair.0), seconds(|pair| pair.1));
    writeln!(text, "| `{ours}` | {ours_took:.2} | `{other}` | {other_took:.2} | {ratio:.2} |")?;
    Ok(())
}

/// 0 of nothing.
pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 90.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }

    #[test]
    fn work_of_a_child_is_counted() {
        let mut idle = Command::new("true");
        let mut busy = Command::new("sh");
        busy.args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]);
        assert!(cpu(&mut busy).unwrap() > cpu(&mut idle).unwrap() * 2);
    }
}
