//! The command line: one call that does a whole job.

use std::fmt::{self, Write};

#[cfg(feature = "every-machine")]
use crate::advice::targets::Kind;
#[cfg(feature = "every-machine")]
pub use crate::args::script;
pub use crate::args::{Args, Command, HELP, Programs, Task, VERSION, parse};
#[cfg(feature = "catalogue")]
use crate::catalogue::{self, matrix};
use crate::judge;
use crate::ldso::Kept;
use crate::machine::Machine;
#[cfg(feature = "every-machine")]
use crate::on::{self, Carried};
use crate::path::Path;
use crate::pick;
use crate::report::{self, Parts, Style};
#[cfg(feature = "every-machine")]
use crate::target::Root;
use crate::target::Target;

/// A finished report, and the exit status it stands for.
pub struct Output {
    /// For stdout.
    pub text: String,
    /// 0, 1 or 2.
    pub status: u8,
}

/// Describes the machine or judges the programs, and gives the exit status. Each program is written as soon as it is
/// judged; where that fails, no further one is judged.
pub fn run(target: Target<'_>, args: &Args, style: Style, out: &mut dyn Write) -> Result<u8, fmt::Error> {
    run_in(target, args, args.dest.as_deref(), style, out, |_, _, _| ())
}

/// [`run`] for another machine than the one that has the programs.
#[cfg(feature = "every-machine")]
pub fn run_on(
    there: Target<'_>,
    here: &dyn Root,
    args: &Args,
    style: Style,
    out: &mut dyn Write,
) -> Result<u8, fmt::Error> {
    let folder = args.dest.as_deref().unwrap_or(Path::new(on::FOLDER));
    let carried = Carried::new(here, there.root, folder);
    let target = Target { root: &carried, kernel: there.kernel };
    run_in(target, args, Some(folder), style, out, |machine, kept, path| {
        carried.take_next(path, machine, kept);
    })
}

/// Calls `next` before each program is judged.
fn run_in(
    target: Target<'_>,
    args: &Args,
    dest: Option<&Path>,
    style: Style,
    out: &mut dyn Write,
    next: impl Fn(&Machine, &Kept, &Path),
) -> Result<u8, fmt::Error> {
    if args.programs.is_empty() {
        let machine = judge::describe(target).machine;
        let text = if args.json {
            report::json::write(&machine, &[])
        } else {
            report::text::machine(&machine, style)
        };
        out.write_str(&text)?;
        return Ok(0);
    }
    let (mut machine, kept) = (Machine::new(target), Kept::default());
    let mut parts = Parts::new(args.json, style);
    let mut status = 0;
    for path in args.programs.iter() {
        next(&machine, &kept, path);
        let judged = judge::judge(&mut machine, &kept, path, dest);
        let dies = args.strict && judged.dies_of().is_some();
        status = worse(status, if dies { 1 } else { judged.verdict().status() });
        out.write_str(&parts.program(&judged))?;
    }
    out.write_str(&parts.end(&machine))?;
    Ok(status)
}

/// --pick: says which of the files is for the machine; where `-` stands for names, they are in `input`.
pub fn pick(
    target: Target<'_>,
    args: &Args,
    style: Style,
    input: &[u8],
    out: &mut dyn Write,
) -> Result<u8, fmt::Error> {
    let mut all = Programs::default();
    for name in args.programs.iter().map(Path::as_bytes) {
        if name == b"-" {
            listed(input, &mut all);
        } else {
            all.push(name);
        }
    }
    let mut machine = Machine::new(target);
    let choices = pick::pick(&mut machine, all.iter().map(Path::as_bytes));
    let text = if args.json {
        report::json::choices(&machine, &choices)
    } else {
        report::text::choices(&choices, style)
    };
    out.write_str(&text)?;
    Ok(pick::status(&choices))
}

/// A release's JSON, or one name a line.
fn listed(input: &[u8], names: &mut Programs) {
    if !pick::release::names(input, |name| names.push(name)) {
        let lines = input.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        lines.filter(|line| !line.is_empty()).for_each(|line| names.push(line));
    }
}

/// `--on all`: what becomes of the programs on every kind of machine.
///
/// # Errors
///
/// There is no such kind, or what --require names is no machine: a sentence.
#[cfg(feature = "catalogue")]
pub fn on_all(
    name: &str,
    here: &dyn Root,
    args: &Args,
    style: Style,
    out: &mut dyn Write,
) -> Result<Result<u8, fmt::Error>, String> {
    let programs: Vec<&Path> = args.programs.iter().collect();
    let required: Vec<&str> = args.require.iter().flat_map(|names| names.split(',')).collect();
    let kind = matrix::kind(name)?;
    let rows = matrix::judge(here, &programs, args.dest.as_deref(), kind, &required)?;
    let text = if args.json { report::json::matrix(&rows) } else { report::text::matrix(&rows, style) };
    Ok(out.write_str(&text).map(|()| matrix::status(&rows, &required)))
}

/// `--on list`: the devices with these words in their names, one a line: id, title, target, architecture, releases. Behind
/// them the systems: name, C library and kernel, system, architecture, release.
#[cfg(feature = "catalogue")]
pub fn list(args: &Args, out: &mut dyn Write) -> Result<u8, fmt::Error> {
    let words: Vec<_> = args.programs.iter().map(|word| String::from_utf8_lossy(word.as_bytes())).collect();
    let mut text = String::new();
    for device in catalogue::list(&words.join(" ")) {
        let images = if device.is_source_only { "\tno images" } else { "" };
        writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}{images}",
            device.id,
            device.title,
            device.target,
            device.architecture,
            device.releases().collect::<Vec<_>>().join(" ")
        )?;
    }
    for system in catalogue::list_systems(&words.join(" ")) {
        let (name, title) = (system.whole_name(), system.title());
        writeln!(text, "{name}\t{title}\t{}\t{}\t{}", system.name, system.architecture, system.release)?;
    }
    out.write_str(&text)?;
    Ok(if text.is_empty() { 2 } else { 0 })
}

/// --targets: what one toolchain calls the machine; None where there is no such word.
#[cfg(feature = "every-machine")]
pub fn targets(target: Target<'_>, kind: Kind) -> Option<String> {
    kind.of(&judge::describe(target).machine)
}

/// [`run`] with its whole report as one text.
pub fn report(target: Target<'_>, args: &Args, style: Style) -> Output {
    let mut text = String::new();
    // A String takes all that is written.
    let status = run(target, args, style, &mut text).unwrap_or(2);
    Output { text, status }
}

/// The status of two programs: 1 wins over 2, and 2 over 0.
pub(crate) fn worse(one: u8, other: u8) -> u8 {
    if one == 1 || other == 1 { 1 } else { one.max(other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_fails_decides() {
        let of = |statuses: &[u8]| statuses.iter().fold(0, |status, other| worse(status, *other));
        assert_eq!([of(&[]), of(&[0, 0]), of(&[0, 2, 0])], [0, 0, 2]);
        assert_eq!([of(&[2, 1]), of(&[1, 2]), of(&[1, 0])], [1, 1, 1]);
    }
}
