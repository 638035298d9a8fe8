//! What proves diag's model of the dynamic loaders: programs and libraries, whole and broken on purpose, each
//! started, traced by its own loader, and judged by diag.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`host`] | a place with a loader: this computer, or a root folder of another C library |
//! | [`kit`] | the folder of one case: compiles, damages, starts |
//! | [`cases`] | the table |
//! | [`glibc`], [`musl`] | what those loaders tell of a program |
//! | [`said`] | what diag tells of it |
//! | [`compare`] | whether they agree |

pub mod cases;
pub mod compare;
pub mod glibc;
pub mod host;
pub mod kit;
pub mod musl;
pub mod said;

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use cases::{Case, Gap};
use host::Host;
use kit::Kit;
use said::Said;

use crate::tally::Tally;

/// A shared object, as a loader tells of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Library {
    /// The first DT_NEEDED that asks for it.
    pub name: String,
    /// As the loader opens it; None where it is not found.
    pub path: Option<String>,
    /// Who asks for it first, where that is told.
    pub needed_by: Option<String>,
    /// Where it was looked for before, where that is told.
    pub tried: Option<Vec<String>>,
}

/// What a loader tells of a program without starting it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Traced {
    /// All shared objects in load order, without the loader itself; None where the loader gave up before it had them.
    pub libraries: Option<Vec<Library>>,
    /// What it says is wrong, but for symbols.
    pub errors: Vec<String>,
    /// Symbols that nothing defines and that are bound at the start.
    pub unresolved: Vec<String>,
    /// Those that are bound later.
    pub unresolved_later: Vec<String>,
}

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// With this status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Exited(status) => write!(f, "exited {status}"),
            End::Killed(signal) => write!(f, "killed by {}", said::signal(*signal)),
        }
    }
}

/// A program that was started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// Its end.
    pub end: End,
    /// Lines on stdout.
    pub output: Vec<String>,
    /// Lines on stderr.
    pub words: Vec<String>,
}

impl Ran {
    /// The first line on stderr that is more than a remark of glibc's ld.so; empty where there is none.
    pub fn decisive(&self) -> &str {
        let remark = |line: &str| {
            line.starts_with("ERROR: ld.so: object ")
                || line.starts_with("WARNING: ld.so: ")
                || line.contains(": no version information available (")
                || line.contains(": weak version `")
        };
        self.words.iter().find(|line| !remark(line)).map_or("", String::as_str)
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Result<Ran, String> {
    command.stdin(Stdio::null());
    let mut output = command.output();
    // Another thread's child may hold a new file open for a moment, from fork to execve.
    for _ in 0..200 {
        if !output.as_ref().is_err_and(|error| error.kind() == ErrorKind::ExecutableFileBusy) {
            break;
        }
        thread::sleep(Duration::from_millis(5));
        output = command.output();
    }
    let output = output.map_err(|error| format!("{command:?} does not start: {error}"))?;
    let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect();
    let end = match (output.status.code(), output.status.signal()) {
        (Some(status), _) => End::Exited(status),
        (None, signal) => End::Killed(signal.unwrap_or_default()),
    };
    Ok(Ran { end, output: lines(&output.stdout), words: lines(&output.stderr) })
}

/// What became of one case.
#[derive(Debug)]
pub struct Judged {
    /// The case's name.
    pub name: &'static str,
    /// The program, started.
    pub ran: Ran,
    /// What it is there to show did not happen.
    pub off: Vec<String>,
    /// Where the loader and diag disagree.
    pub disagreements: Vec<String>,
    /// Why they must.
    pub gap: Option<Gap>,
}

/// Builds a case in a folder of its own, starts it, has it traced and judged.
pub fn judge(host: &Host, case: &Case) -> Result<Judged, String> {
    let kit = Kit::new(host, case.name, case.guarded)?;
    (case.build)(&kit)?;
    let env: Vec<(String, String)> = case
        .env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.replace("$PWD", kit.seen())))
        .collect();
    let ran = run(&mut kit.command(case.program, &[], &env))?;
    let traced = kit.trace(case.program, &env)?;
    let mut off = case.expect(host.family).unmet(&ran, &traced);
    let preloaded: Vec<&str> = env
        .iter()
        .filter(|(name, _)| name == "LD_PRELOAD")
        .flat_map(|(_, value)| value.split([' ', ':']))
        .collect();
    let said = Said::of(&run(&mut kit.diag(case.program, &env))?)?;
    let mut disagreements = compare::start(&ran, &traced, &said);
    if case.listed {
        disagreements.extend(compare::libraries(&traced, &said, &preloaded, &|path| kit.path(path)));
    }
    let gap = case.not_known(host.family);
    if let Some(gap) = gap.filter(|gap| gap.verdict != said.verdict) {
        off.push(format!(
            "for want of it diag said {}, now it says {}: {}",
            gap.verdict, said.verdict, gap.what
        ));
    }
    Ok(Judged { name: case.name, ran, off, disagreements, gap })
}

/// All cases that a host's loader is to be asked of, on both processors; errors by the name of the case.
pub fn judge_all(host: &Host) -> (Vec<Judged>, BTreeMap<&'static str, String>) {
    let (cases, left): (Vec<&Case>, Vec<&Case>) = cases::all()
        .filter(|case| case.concerns(host.family))
        .partition(|case| !case.guarded || host::can_guard());
    if !left.is_empty() {
        println!("linking: no PR_SET_MDWE here (Linux 6.3 has it): {} cases are left out", left.len());
    }
    let next = AtomicUsize::new(0);
    let (judged, failed) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match judge(host, case) {
                        Ok(one) => judged.lock().expect("no panic").push(one),
                        Err(error) => drop(failed.lock().expect("no panic").insert(case.name, error)),
                    }
                }
            });
        }
    });
    (judged.into_inner().expect("no panic"), failed.into_inner().expect("no panic"))
}

/// Of the cases, those at least that start, and those that do not: a table without either proves little.
const AT_LEAST_OF_EACH_KIND: usize = 40;

/// Checks all cases of a host's loader.
pub fn check(host: &Host, tally: &mut Tally) {
    let (judged, failed) = judge_all(host);
    let (mut started, mut ended, mut gaps) = (0, 0, 0);
    for one in &judged {
        let counted = if one.ran.end == End::Exited(0) { &mut started } else { &mut ended };
        *counted += 1;
        let closed = one.gap.filter(|_| one.disagreements.is_empty());
        let closed = closed.map(|gap| format!("they agree now; so it is no gap any more: {}", gap.what));
        let disagreements = if one.gap.is_some() { &[][..] } else { &one.disagreements };
        gaps += usize::from(one.gap.is_some());
        let wrong: Vec<&str> =
            one.off.iter().chain(disagreements).chain(&closed).map(String::as_str).collect();
        tally.check(wrong.is_empty(), || format!("{}: {}", one.name, wrong.join("; ")));
    }
    for (name, error) in failed {
        tally.check(false, || format!("{name}: {error}"));
    }
    tally.check(started >= AT_LEAST_OF_EACH_KIND && ended >= AT_LEAST_OF_EACH_KIND, || {
        "too few programs of either kind".to_owned()
    });
    tally.note(format!("{started} programs start, {ended} do not; {gaps} known gaps"));
}
