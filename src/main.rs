//! Arguments in, report out: the only place that prints.

use std::process::ExitCode;

use diag::cli::{self, Command, Output};
use diag::machine::probe::{self, Live, stdio};
use diag::report::Style;
use log::LevelFilter;

fn main() -> ExitCode {
    let args = match cli::parse(std::env::args_os().skip(1)) {
        Command::Report(args) => args,
        Command::Print(text) => return print(&Output { text: text.to_owned(), status: 0 }),
        Command::Usage(problem) => {
            complain(&problem);
            return ExitCode::from(2);
        }
    };
    let level = match args.verbose {
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        _ => LevelFilter::Debug,
    };
    // A second logger is the only failure, and there is none.
    let _ = simple_logger::SimpleLogger::new().with_level(level).init();
    let style = Style {
        colour: stdio::is_terminal() && probe::variable(c"NO_COLOR").is_none_or(|value| value.is_empty()),
        quiet: args.quiet,
        verbose: args.verbose > 0,
    };
    print(&cli::run(&Live, &args, style))
}

/// Writes a report to stdout; one that cannot be written is status 2.
fn print(output: &Output) -> ExitCode {
    match stdio::write_stdout(output.text.as_bytes()) {
        Ok(()) => ExitCode::from(output.status),
        Err(why) => {
            complain(&format!("the report could not be written: {why}"));
            ExitCode::from(2)
        }
    }
}

fn complain(problem: &str) {
    eprintln!("diag: {problem}");
}
