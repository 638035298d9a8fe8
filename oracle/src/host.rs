//! A whole run on this computer: cases are written, judged, executed, compared, and what disagrees is shrunk.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::abi::Abi;
use crate::answer::Answer;
use crate::case::{Case, Files};
use crate::compare::{Verdict, compare};
use crate::counts::{Counts, Disagreement};
use crate::folder::Folder;
use crate::generate::Plan;
use crate::model::{Model, Outcome};
use crate::runner::Runner;
use crate::shrink::shrink;

/// How often a kernel is asked that disagrees: it places stacks and libraries at random.
const AGAIN: usize = 12;
/// How often one is asked again whose file is held open, with a millisecond between.
const MOMENTS: usize = 500;
/// The answer then.
const BUSY: &str = "ETXTBSY";
/// Kinds of disagreements that are shrunk.
const SHRUNK: usize = 40;

/// Judges a program by its path, in the current folder.
pub type Judge<'a> = Box<dyn FnMut(&Path) -> Model + 'a>;

/// The ABIs that share this computer's kernel; its own first.
pub fn abis() -> Vec<&'static Abi> {
    let little = cfg!(target_endian = "little");
    let names: &[&str] = match std::env::consts::ARCH {
        "x86_64" => &["x86-64", "i386", "x32"],
        "x86" => &["i386", "x86-64"],
        "aarch64" => &["aarch64", "arm", "thumb", "arm-oabi"],
        "arm" => &["arm", "thumb", "arm-oabi"],
        "riscv64" => &["riscv64"],
        "loongarch64" => &["loongarch64"],
        "powerpc64" if little => &["ppc64le"],
        "powerpc64" => &["ppc64", "ppc64-v2", "ppc"],
        "powerpc" => &["ppc"],
        "mips" if little => &["mipsel"],
        "mips" => &["mips"],
        "mips64" if little => &["n64el", "n32el", "mipsel"],
        "mips64" => &["n64", "n32", "mips"],
        _ => &[],
    };
    names.iter().filter_map(|name| Abi::of(name)).collect()
}

/// Asks again for a moment: another thread's child may hold our file open, from fork to execve.
fn patient<T>(
    files: &Files,
    is_busy: impl Fn(&T) -> bool,
    mut ask: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    for _ in 0..MOMENTS {
        let answer = ask()?;
        if files.busy || !is_busy(&answer) {
            return Ok(answer);
        }
        thread::sleep(Duration::from_millis(1));
    }
    ask()
}

/// One worker: a folder (the current one), a runner and a judge.
struct Desk<'a> {
    folder: Folder,
    in_work: Arc<Mutex<HashSet<String>>>,
    runner: Runner,
    judge: Judge<'a>,
}

impl Desk<'_> {
    fn ask(&mut self, files: &Files) -> io::Result<Answer> {
        let is_busy = |answer: &Answer| matches!(answer, Answer::Refused(errno) if errno == BUSY);
        patient(files, is_busy, || self.runner.ask(&files.path))
    }

    fn model(&mut self, files: &Files) -> io::Result<Model> {
        let path = Path::new(OsStr::from_bytes(&files.path));
        // The program itself, or its interpreter.
        let is_busy = |model: &Model| matches!(&model.outcome, Outcome::Refused(errno) if errno == BUSY);
        patient(files, is_busy, || Ok((self.judge)(path)))
    }

    /// What diag says, what the kernel does, and what it does where it is asked again, should they disagree.
    fn try_out(&mut self, case: &Case) -> io::Result<(Model, Answer, Verdict, bool)> {
        // Another worker may have drawn the very same case: it is one file.
        let text = case.to_string();
        while !self.in_work().insert(text.clone()) {
            thread::sleep(Duration::from_millis(1));
        }
        let result = self.try_files(case, &case.files());
        self.in_work().remove(&text);
        result
    }

    fn in_work(&self) -> MutexGuard<'_, HashSet<String>> {
        self.in_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_files(&mut self, case: &Case, files: &Files) -> io::Result<(Model, Answer, Verdict, bool)> {
        self.folder.place(files)?;
        let writer = self.folder.occupy(files)?;
        let model = self.model(files)?;
        let mut answer = self.ask(files)?;
        let mut verdict = compare(case, &model, &answer);
        let mut varied = false;
        for _ in 0..AGAIN {
            if verdict != Verdict::Disagrees {
                break;
            }
            let other = self.ask(files)?;
            verdict = compare(case, &model, &other);
            varied = verdict == Verdict::Agrees;
            if varied {
                answer = other;
            }
        }
        drop(writer);
        self.folder.clear(files);
        Ok((model, answer, verdict, varied))
    }

    /// The smallest forms of what disagrees in one way; of those that change the same places, one.
    fn shrink(&mut self, found: &Disagreement) -> Vec<String> {
        let mut shapes = Vec::new();
        let mut smallest = Vec::new();
        for case in found.examples.iter().filter_map(|text| Case::parse(text).ok()) {
            let case = shrink(&case, |case| {
                self.try_out(case).is_ok_and(|(model, answer, verdict, _)| {
                    verdict == Verdict::Disagrees
                        && model.to_string() == found.model
                        && answer.words() == found.kernel
                })
            });
            if !shapes.contains(&case.shape()) {
                shapes.push(case.shape());
                smallest.push(case.to_string());
            }
        }
        smallest
    }
}

/// Runs a plan in the current folder, which a [`crate::sandbox::Sandbox`] has made.
pub fn run<'a>(
    plan: &Plan,
    count: usize,
    shrinks: bool,
    judges: &(dyn Fn() -> Judge<'a> + Sync),
) -> io::Result<Counts> {
    let desks = Desks::new(plan)?;
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let work = || -> io::Result<Counts> {
        let mut desk = desks.one(judges())?;
        let mut counts = Counts::default();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(counts);
            }
            let case = plan.case(index);
            let (model, answer, verdict, varied) = desk.try_out(&case)?;
            counts.count(&case, &model, &answer, verdict);
            if varied {
                counts.varied(&case);
            }
        }
    };
    let each: Vec<io::Result<Counts>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a panic"))))
            .collect()
    });
    let mut all = Counts::new(desks.kernel.clone());
    for counts in each {
        all.merge(counts?);
    }
    all.disagreements.sort_by_key(|found| std::cmp::Reverse(found.cases));
    let mut desk = desks.one(judges())?;
    for found in all.disagreements.iter_mut().take(if shrinks { SHRUNK } else { 0 }) {
        found.examples = desk.shrink(found);
    }
    Ok(all)
}

/// One case in full: its text, what diag says, what the kernel does, and the bytes.
pub fn one(plan: &Plan, case: &Case, judge: Judge<'_>) -> io::Result<(String, Verdict)> {
    let mut desk = Desks::new(plan)?.one(judge)?;
    let (model, answer, verdict, varied) = desk.try_out(case)?;
    let mut out = format!("case:    {case}\ndiag:    {model}\nkernel:  {answer}\nverdict: {verdict:?}\n");
    if varied {
        out += "the kernel answers now this, now that\n";
    }
    let files = case.files();
    out += &format!("path:    {}\n", files.path.escape_ascii());
    for file in files.files {
        out += &format!("{} ({} bytes, mode {:04o})\n", file.name, file.bytes.len(), file.mode);
        for (line, bytes) in file.bytes.chunks(16).enumerate().take(40) {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            out += &format!("  {:06x}  {}\n", line * 16, hex.join(" "));
        }
    }
    Ok((out, verdict))
}

/// What all workers share.
struct Desks {
    folder: Folder,
    in_work: Arc<Mutex<HashSet<String>>>,
    runner: PathBuf,
    kernel: String,
}

impl Desks {
    fn new(plan: &Plan) -> io::Result<Desks> {
        let folder = Folder::create(Path::new("."), &plan.abis)?;
        folder.special()?;
        let kernel = nix::sys::utsname::uname()?;
        let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
        let kernel = format!("{} {}", text(kernel.release()), text(kernel.machine()));
        Ok(Desks { folder, in_work: Arc::default(), runner: PathBuf::from("../runner"), kernel })
    }

    fn one<'a>(&self, judge: Judge<'a>) -> io::Result<Desk<'a>> {
        let runner = Runner::start(&self.runner)?;
        Ok(Desk { folder: self.folder.clone(), in_work: Arc::clone(&self.in_work), runner, judge })
    }
}
