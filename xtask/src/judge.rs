//! The lab's tests: what diag says of a file, against what real kernels and a real ash then do with it.

mod answers;
mod compare;
mod facts;
mod go;
mod guest;
mod host;
mod schema;
mod space;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::lab::Kernel;
use crate::samples::{Order, Where};
use crate::{dist, sh};
use guest::{Boot, Observed};
use host::host;

const KERNELS: [Kernel; 3] = [Kernel::Mips, Kernel::Mipsel, Kernel::MipselFpu];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this kernel
    #[arg(long, value_enum)]
    kernel: Option<Kernel>,
    /// Only what needs no kernel
    #[arg(long, conflicts_with = "kernel")]
    host: bool,
    /// Take this binary instead of building the router's
    #[arg(long)]
    diag: Option<PathBuf>,
    /// Keep what the guests said in this folder
    #[arg(long)]
    keep: Option<PathBuf>,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    let kernels: Vec<Kernel> = args.kernel.map_or_else(|| KERNELS.to_vec(), |kernel| vec![kernel]);
    let mut tallies = Vec::new();
    if args.kernel.is_none() {
        tallies.push(host());
    }
    if !args.host {
        tallies.extend(
            kernels.into_iter().map(|kernel| lab(kernel, args.diag.as_deref(), args.keep.as_deref())),
        );
    }
    if tallies.iter().all(Tally::passed) { Ok(()) } else { bail!("diag and the kernel do not agree") }
}

/// The groups of checks: what needs no kernel, and each kernel.
pub(crate) fn groups() -> Vec<Box<dyn FnOnce() -> Tally>> {
    let lab = |kernel| -> Box<dyn FnOnce() -> Tally> { Box::new(move || lab(kernel, None, None)) };
    std::iter::once(Box::new(host) as Box<dyn FnOnce() -> Tally>).chain(KERNELS.map(lab)).collect()
}

/// What was checked, and what did not hold.
pub(crate) struct Tally {
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

    pub(crate) fn passed(&self) -> bool {
        self.failures.is_empty() && self.checks > 0
    }

    /// `lab mips: 512 passed, 0 failed`.
    pub(crate) fn summary(&self) -> String {
        let failed = self.failures.len();
        format!("{}: {} passed, {failed} failed", self.name, self.checks - failed)
    }

    fn done(self) -> Self {
        println!("{}", self.summary());
        self
    }
}

/// One kernel: two boots.
fn lab(kernel: Kernel, diag: Option<&Path>, keep: Option<&Path>) -> Tally {
    let mut tally = Tally::new(format!("lab {}", kernel.name()));
    let boots = judge(kernel, diag, keep, &mut tally);
    tally.attempt(boots);
    tally.done()
}

fn judge(kernel: Kernel, diag: Option<&Path>, keep: Option<&Path>, tally: &mut Tally) -> Result<()> {
    let schema = schema::load()?;
    let order = Order::of(kernel);
    let diag = match diag {
        Some(diag) => diag.to_path_buf(),
        None => one(dist::build(&[&format!("diag-{}", order.arch())])?)?,
    };
    let small = Boot::new(kernel, &diag, Where::Small)?.script("facts", facts::SCRIPT)?.run()?;
    save(&small, keep, kernel, "small")?;
    tally.check(small.said.is_empty(), || format!("the guest's scripts complain: {}", small.said));
    facts::check(kernel, &small, &schema, tally);
    let asked = answers::elsewhere(kernel, &diag, &schema, tally);
    tally.attempt(asked);
    let seen = small.observed()?;
    compare::all(kernel, &seen, &schema, tally);

    let rebuilt = tally.attempt(go::as_printed(order, &seen));
    let mut large = Boot::new(kernel, &diag, Where::Large)?
        .script("space", space::SCRIPT)?
        .script("memory", include_str!("judge/memory.sh"))?;
    if let Some(rebuilt) = &rebuilt {
        large = large.program(rebuilt, "rebuilt")?;
    }
    let large = large.run()?;
    save(&large, keep, kernel, "large")?;
    tally.check(large.said.is_empty(), || format!("the guest's scripts complain: {}", large.said));
    let seen = large.observed()?;
    compare::all(kernel, &seen, &schema, tally);
    if rebuilt.is_some() {
        let seen = large.observe("rebuilt")?;
        go::check(&seen, tally);
    }
    space::check(&large, &schema, tally);
    facts::memory(&large, tally);
    Ok(())
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
