//! The command line: one call that does a whole job.

pub use crate::args::{Args, Command, HELP, VERSION, parse};
use crate::judge::{self, Report};
use crate::report::{self, Judged, Style};
use crate::target::Target;

/// A finished report, and the exit status it stands for.
pub struct Output {
    /// For stdout.
    pub text: String,
    /// 0, 1 or 2.
    pub status: u8,
}

/// Describes the machine or judges the programs, and writes the report.
pub fn run(target: Target<'_>, args: &Args, style: Style) -> Output {
    let Report { machine, programs } = if args.programs.is_empty() {
        judge::describe(target)
    } else {
        judge::judge_all(target, &args.programs, args.dest.as_deref())
    };
    let text = if args.json {
        report::json::write(&machine, &programs)
    } else if programs.is_empty() {
        report::text::machine(&machine, style)
    } else {
        report::text::programs(&machine, &programs, style)
    };
    Output { text, status: status(&programs) }
}

/// 1 wins over 2, and 2 over 0.
fn status(judged: &[Judged]) -> u8 {
    let all = || judged.iter().map(|judged| judged.verdict().status());
    if all().any(|status| status == 1) { 1 } else { all().max().unwrap_or(0) }
}
