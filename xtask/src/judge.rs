//! The lab's tests: what diag says of a file, against what real kernels and a real ash then do with it.

mod answers;
mod compare;
mod facts;
mod go;
mod guest;
mod host;
mod linked;
mod schema;
mod space;

use std::fs;
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::{Result, bail};
use jsonschema::Validator;

use crate::lab::Kernel;
use crate::samples::{Order, Where};
use crate::{cores, dist, sh};
use guest::{Boot, Observed, Results};
use host::host;

const MEMORY_SCRIPT: &str = include_str!("judge/memory.sh");

pub(crate) const KERNELS: [Kernel; 3] = [Kernel::Mips, Kernel::Mipsel, Kernel::MipselFpu];
/// One of either byte order. What differs with an FPU, `cargo xtask oracle` has on four CPUs.
pub(crate) const WITHOUT_FPU: [Kernel; 2] = [Kernel::Mips, Kernel::Mipsel];

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Only this kernel
    #[arg(long, value_enum)]
    kernel: Option<Kernel>,
    /// Only what needs no kernel
    #[arg(long, conflicts_with = "kernel")]
    host: bool,
    /// Only the boots for programs with libraries
    #[arg(long, conflicts_with = "host")]
    libraries: bool,
    /// Take this binary instead of building the router's
    #[arg(long)]
    diag: Option<PathBuf>,
    /// Keep what the guests said in this folder
    #[arg(long)]
    keep: Option<PathBuf>,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    let kernels = match &args.kernel {
        _ if args.host => &[],
        Some(kernel) => slice::from_ref(kernel),
        None => &KERNELS[..],
    };
    if run(kernels, args).iter().all(Tally::passed) {
        Ok(())
    } else {
        bail!("diag and the kernel do not agree")
    }
}

/// For `cargo xtask test`: what needs no kernel, and each kernel; of each the counts in a line, and whether all holds.
pub(crate) fn all(kernels: &[Kernel]) -> Vec<(bool, String)> {
    run(kernels, &Args::default()).iter().map(|tally| (tally.passed(), tally.summary())).collect()
}

/// What is judged without waiting for another.
#[derive(Clone, Copy)]
enum Part {
    Host,
    /// A boot for small files, then one for large ones, which takes from the first how to build one of them.
    Files(Kernel),
    /// A boot for programs with libraries.
    Libraries(Kernel),
}

fn run(kernels: &[Kernel], args: &Args) -> Vec<Tally> {
    cores::each(&parts(kernels, args), |part| match *part {
        Part::Host => host(),
        Part::Files(kernel) => lab(kernel, "files", |tally| Lab::new(kernel, args)?.files(tally)),
        Part::Libraries(kernel) => lab(kernel, "libraries", |tally| Lab::new(kernel, args)?.libraries(tally)),
    })
}

/// The longest first, so that neither core is left with one at the end.
fn parts(kernels: &[Kernel], args: &Args) -> Vec<Part> {
    let kernels = || kernels.iter().copied();
    let mut parts = Vec::new();
    if !args.libraries {
        parts.extend(kernels().map(Part::Files));
    }
    if args.kernel.is_none() && !args.libraries {
        parts.push(Part::Host);
    }
    parts.extend(kernels().map(Part::Libraries));
    parts
}

/// What was checked, and what did not hold.
struct Tally {
    name: String,
    checks: usize,
    failures: Vec<String>,
}

impl Tally {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), checks: 0, failures: Vec::new() }
    }

    /// One check; `what` says in full what is wrong.
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        self.checks += 1;
        if !holds {
            let what = what();
            println!("{}: FAILED: {what}", self.name);
            self.failures.push(what);
        }
    }

    /// Something that has to work before anything can be checked; where it does not, that is a failure.
    fn attempt<T>(&mut self, what: Result<T>) -> Option<T> {
        match what {
            Ok(value) => Some(value),
            Err(error) => {
                self.check(false, || format!("{error:#}"));
                None
            }
        }
    }

    /// A figure worth keeping.
    fn note(&self, what: impl AsRef<str>) {
        println!("{}: {}", self.name, what.as_ref());
    }

    fn passed(&self) -> bool {
        self.failures.is_empty() && self.checks > 0
    }

    /// `lab mips, files: 512 passed, 0 failed`.
    fn summary(&self) -> String {
        let failed = self.failures.len();
        format!("{}: {} passed, {failed} failed", self.name, self.checks - failed)
    }

    fn done(self) -> Self {
        println!("{}", self.summary());
        self
    }
}

/// Of what diag's memory is measured: below /tmp, in the boots for large files and for programs with libraries.
const MEMORY: &str = "bin/runner s/v2ray-swapped-16 s/v2ray-16 s/v2ray-swapped-23";
const MEMORY_LINKED: [&str; 2] = ["s/musl-whole s/musl-older", "s/v2ray-with-libc6 s/curl"];

fn lab(kernel: Kernel, what: &str, judge: impl FnOnce(&mut Tally) -> Result<()>) -> Tally {
    let mut tally = Tally::new(format!("lab {}, {what}", kernel.name()));
    let judged = judge(&mut tally);
    tally.attempt(judged);
    tally.done()
}

/// A kernel, and what its boots have in common.
struct Lab<'a> {
    kernel: Kernel,
    order: Order,
    diag: PathBuf,
    keep: Option<&'a Path>,
    schema: Validator,
}

impl<'a> Lab<'a> {
    fn new(kernel: Kernel, args: &'a Args) -> Result<Self> {
        let order = Order::of(kernel);
        let diag = match &args.diag {
            Some(diag) => diag.clone(),
            None => one(dist::build(&[&format!("diag-{}", order.arch())])?)?,
        };
        Ok(Lab { kernel, order, diag, keep: args.keep.as_deref(), schema: schema::load()? })
    }

    fn files(&self, tally: &mut Tally) -> Result<()> {
        let seen = self.small(tally)?;
        self.large(&seen, tally)
    }

    fn boot(&self, place: Where) -> Result<Boot> {
        Boot::new(self.kernel, &self.diag, place)
    }

    /// Runs it; what it said of its samples is compared.
    fn run(&self, boot: Boot, name: &str, tally: &mut Tally) -> Result<(Results, Vec<Observed>)> {
        let results = boot.run()?;
        save(&results, self.keep, self.kernel, name)?;
        tally.check(results.said.is_empty(), || format!("the guest's scripts complain: {}", results.said));
        let seen = results.observed()?;
        compare::all(self.kernel, &seen, &self.schema, tally);
        Ok((results, seen))
    }

    fn small(&self, tally: &mut Tally) -> Result<Vec<Observed>> {
        let boot = self.boot(Where::Small)?.script("facts", facts::SCRIPT, "")?;
        let (small, seen) = self.run(boot, "small", tally)?;
        facts::check(self.kernel, &small, &self.schema, tally);
        let asked = answers::elsewhere(self.kernel, &self.diag, &self.schema, tally);
        tally.attempt(asked);
        Ok(seen)
    }

    /// `small`: what was seen of the small files, and in it the command that a Go program is rebuilt by.
    fn large(&self, small: &[Observed], tally: &mut Tally) -> Result<()> {
        let rebuilt = tally.attempt(go::as_printed(self.order, small));
        let mut boot = self.boot(Where::Large)?.script("space", space::SCRIPT, space::FILES)?;
        boot = boot.script("memory", MEMORY_SCRIPT, MEMORY)?;
        if let Some(rebuilt) = &rebuilt {
            boot = boot.program(rebuilt, "rebuilt")?;
        }
        let (large, _) = self.run(boot, "large", tally)?;
        if rebuilt.is_some() {
            go::check(&large.observe("rebuilt")?, tally);
        }
        space::check(&large, &self.schema, tally);
        facts::memory(&large, MEMORY, tally);
        Ok(())
    }

    fn libraries(&self, tally: &mut Tally) -> Result<()> {
        let big = self.order == Order::Big;
        let measured = if big { &MEMORY_LINKED[..1] } else { &MEMORY_LINKED }.join(" ");
        let boot = self.boot(Where::Linked)?.script("linked", linked::SCRIPT, "/tmp/bin/list")?;
        let boot = boot.script("memory", MEMORY_SCRIPT, &measured)?;
        let (results, seen) = self.run(boot, "linked", tally)?;
        linked::check(self.kernel, &results, &seen, tally);
        facts::memory(&results, &measured, tally);
        Ok(())
    }
}

fn one(mut built: Vec<PathBuf>) -> Result<PathBuf> {
    match built.pop() {
        Some(binary) => Ok(binary),
        None => bail!("dist built nothing"),
    }
}

/// Everything the guest left, for people who look into a disagreement.
fn save(boot: &guest::Results, keep: Option<&Path>, kernel: Kernel, name: &str) -> Result<()> {
    let Some(keep) = keep else { return Ok(()) };
    let dir = keep.join(kernel.name()).join(name);
    fs::create_dir_all(&dir)?;
    for (file, bytes) in boot.files() {
        fs::write(dir.join(file), bytes)?;
    }
    sh::say(format!("the guest's words are in {}", dir.display()));
    Ok(())
}
