//! The command line: one call that does a whole job.

use std::fmt::{self, Write};

#[cfg(feature = "every-machine")]
pub use crate::args::script;
pub use crate::args::{Args, Command, HELP, Programs, VERSION, parse};
use crate::judge;
use crate::ldso::Kept;
use crate::machine::Machine;
#[cfg(feature = "every-machine")]
use crate::on::{self, Carried};
use crate::path::Path;
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
        // The machine may have a file of that path, which tells what its programs are.
        let _ = (machine.kernel(), machine.userland(), machine.libc(), machine.loaders());
        kept.files.forget(path);
        carried.take(path);
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

/// [`run`] with its whole report as one text.
pub fn report(target: Target<'_>, args: &Args, style: Style) -> Output {
    let mut text = String::new();
    // A String takes all that is written.
    let status = run(target, args, style, &mut text).unwrap_or(2);
    Output { text, status }
}

/// The status of two programs: 1 wins over 2, and 2 over 0.
fn worse(one: u8, other: u8) -> u8 {
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
