//! Arguments in, report out: the only place that prints.

#![no_main]

use std::ffi::{OsString, c_char, c_int};
use std::fmt::{self, Write as _};

#[cfg(feature = "catalogue")]
use diag::catalogue;
use diag::cli::{self, Args, Command, Task};
#[cfg(feature = "every-machine")]
use diag::computer::{self, memory};
use diag::computer::{Here, start, stdio};
#[cfg(feature = "every-machine")]
use diag::path::Path;
use diag::record;
#[cfg(feature = "every-machine")]
use diag::recorded::Recorded;
use diag::report::Style;
#[cfg(not(feature = "every-machine"))]
use diag::router::heap;
use diag::target::{Kernel as _, Root as _, Target};
use diag::text;
use log::{LevelFilter, Log, Metadata, Record};
use simple_logger::SimpleLogger;

#[cfg(not(feature = "every-machine"))]
#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new();
#[cfg(feature = "every-machine")]
#[global_allocator]
static HEAP: memory::Heap = memory::Heap;

// std's prebuilt code could unwind, and has libgcc_s loaded for it at each start: 22,000 instructions of 350,000. A
// release never unwinds (`panic = "abort"`): what is asked for is linked in, and never called.
#[cfg(all(
    feature = "every-machine",
    target_os = "linux",
    target_env = "gnu",
    not(target_feature = "crt-static")
))]
#[link(name = "gcc_eh", kind = "static", modifiers = "-bundle,+whole-archive")]
unsafe extern "C" {}

/// Called by the C library, for three things that std's own start-up keeps from a `fn main`: it opens /dev/null in the
/// place of a closed stdout, and then no report is known to be lost; it opens files before any right can be given up;
/// and with glibc it takes 114,000 instructions, a third of what a foreign program takes to be judged.
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    // SAFETY: what `main` is given.
    let Some(arguments) = (unsafe { start::begin(count, arguments) }) else {
        complain("the rights of its own file (set-user-ID or capabilities) cannot be given up");
        return 2;
    };
    job(arguments).into()
}

/// Does what was asked for, and gives the exit status.
fn job(arguments: impl Iterator<Item = OsString>) -> u8 {
    let args = match cli::parse(arguments) {
        Command::Do(args) if !Here::IS_MACHINE && args.on.is_none() => {
            complain(NO_MACHINE);
            return 2;
        }
        Command::Do(args) if args.task == Task::Record => return record(&args),
        Command::Do(args) => args,
        #[cfg(feature = "every-machine")]
        Command::Complete(shell) => {
            return Stdout(stdio::write_stdout(cli::script(shell).as_bytes())).end(0);
        }
        Command::Print(text) => return Stdout(stdio::write_stdout(text.as_bytes())).end(0),
        Command::Usage(problem) => {
            complain(&problem);
            return 2;
        }
    };
    log_from(args.verbose);
    let live = Here::default();
    let style = Style {
        colour: stdio::is_terminal() && live.variable(c"NO_COLOR").is_none_or(|value| value.is_empty()),
        quiet: args.quiet,
        verbose: args.verbose > 0,
    };
    if let Some(status) = waited(&live, &args) {
        return status;
    }
    let mut stdout = Stdout(Ok(()));
    #[cfg(feature = "every-machine")]
    if let Some(machine) = &args.on {
        #[cfg(feature = "catalogue")]
        if let Some(status) = in_catalogue(machine.as_bytes(), &live, &args, style, &mut stdout) {
            return stdout.end(status);
        }
        return match other(machine) {
            Ok(recorded) => {
                let there = Target::new(&recorded);
                let report = |out: &mut Stdout| cli::run_on(there, &live, &args, style, out);
                let status = do_for(there, &args, style, &mut stdout, report);
                stdout.end(status)
            }
            Err(why) => {
                complain(&format!("{} is no machine: {why}", text::path(machine)));
                2
            }
        };
    }
    let here = Target::new(&live);
    let status = do_for(here, &args, style, &mut stdout, |out| {
        let status = cli::run(here, &args, style, out)?;
        if style.verbose && !args.json && !args.quiet {
            out.write_str(SEND)?;
        }
        Ok(status)
    });
    stdout.end(status)
}

/// What is asked of the whole catalogue.
#[cfg(feature = "catalogue")]
fn in_catalogue(name: &[u8], live: &Here, args: &Args, style: Style, out: &mut Stdout) -> Option<u8> {
    let status = match name {
        b"list" => cli::list(args, out),
        b"all" | [b'a', b'l', b'l', b':', ..] => {
            let name = String::from_utf8_lossy(name);
            match cli::on_all(&name, live, args, style, out) {
                Ok(status) => status,
                Err(why) => {
                    complain(&why);
                    Ok(2)
                }
            }
        }
        _ => return None,
    };
    Some(status.unwrap_or(2))
}

/// Another machine: a recording, or else one that the catalogue knows.
#[cfg(feature = "every-machine")]
fn other(machine: &Path) -> Result<Recorded, String> {
    let place = computer::own_path(machine);
    #[cfg(feature = "catalogue")]
    if place.symlink_metadata().is_err() {
        return catalogue::find(&String::from_utf8_lossy(machine.as_bytes()))?.machine();
    }
    Recorded::open(&place)
}

/// Does what was asked for a machine, and gives the exit status.
fn do_for(
    machine: Target<'_>,
    args: &Args,
    style: Style,
    out: &mut Stdout,
    report: impl FnOnce(&mut Stdout) -> Result<u8, fmt::Error>,
) -> u8 {
    let status = match args.task {
        #[cfg(feature = "every-machine")]
        Task::Targets(kind) => {
            if let Some(word) = cli::targets(machine, kind) {
                out.write_str(&format!("{word}\n")).map(|()| 0)
            } else {
                complain(&format!("{} for this machine is known", kind.what()));
                Ok(2)
            }
        }
        Task::Pick => match names(args) {
            Ok(input) => cli::pick(machine, args, style, &input, out),
            Err(why) => {
                complain(&format!("the names could not be read: {why}"));
                Ok(2)
            }
        },
        _ => report(out),
    };
    status.unwrap_or(2)
}

/// What stands on stdin, where `-` asks for it.
fn names(args: &Args) -> Result<Vec<u8>, &'static str> {
    if !args.programs.iter().any(|name| name.as_bytes() == b"-") {
        return Ok(Vec::new());
    }
    stdio::read_stdin()
}

/// What may wait for ever is done by a child: the exit status of that, for its parent. None for who does it.
fn waited(live: &Here, args: &Args) -> Option<u8> {
    // Of --pick they are names, of no file here.
    let programs = args.programs.iter().filter(|_| args.task != Task::Pick);
    let paths = programs.chain(args.dest.as_deref()).chain(args.on.as_deref());
    Some(live.wait_for(paths)?.unwrap_or_else(|why| {
        complain(&why);
        2
    }))
}

/// A recording of this machine.
fn record(args: &Args) -> u8 {
    if stdio::is_terminal() {
        complain("a recording is a tar archive, which is not for a terminal: diag --record >machine.tar");
        return 2;
    }
    log_from(args.verbose);
    let live = Here::default();
    if let Some(status) = waited(&live, args) {
        return status;
    }
    let mut stdout = Stdout(Ok(()));
    let written = record::write(Target::new(&live), &args.programs, &mut |bytes| stdout.bytes(bytes));
    if let Some((path, errno)) = live.take_refusal() {
        let (path, why, fix) = (text::path(&path), errno.name(), errno.fix());
        complain(&format!("the recording lacks {path} ({why}), and perhaps more: {fix}"));
        return stdout.end(2);
    }
    stdout.end(if written.is_ok() { 0 } else { 2 })
}

/// Where there is no Linux.
const NO_MACHINE: &str = "it judges programs for Linux, which this computer has not: --on MACHINE says for which machine \
                          (diag --on list finds one, diag --help has more)";

/// How a mistake is reported.
const SEND: &str = "\nIs diag wrong? Send what `diag --record PROGRAM >machine.tar` writes along with it.\n";

/// stdout, and why the last text could not be written.
struct Stdout(Result<(), &'static str>);

impl fmt::Write for Stdout {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes())
    }
}

impl Stdout {
    fn bytes(&mut self, bytes: &[u8]) -> fmt::Result {
        // What can be written behind a part that is lost would hide that it is.
        if self.0.is_ok() {
            self.0 = stdio::write_stdout(bytes);
        }
        self.0.map_err(|_| fmt::Error)
    }

    /// The exit status; where something could not be written, that is 2.
    fn end(self, status: u8) -> u8 {
        let Err(why) = self.0 else { return status };
        complain(&format!("the report could not be written: {why}"));
        2
    }
}

fn complain(problem: &str) {
    stdio::write_stderr(format!("diag: {problem}\n").as_bytes());
}

fn log_from(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        _ => LevelFilter::Debug,
    };
    log::set_max_level(level);
    let logger = Box::leak(Box::new(Logger(SimpleLogger::new().with_level(level))));
    // A second logger is the only failure, and there is none.
    let _ = log::set_logger(logger);
}

/// simple_logger says what is logged, and diag writes it: simple_logger's own `eprintln!` panics where stderr cannot be
/// written.
struct Logger(SimpleLogger);

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let line = format!("{:<5} [{}] {}\n", record.level(), record.target(), record.args());
            stdio::write_stderr(line.as_bytes());
        }
    }

    fn flush(&self) {}
}
