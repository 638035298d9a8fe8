//! The lab's tests: what diag says of a file, against what real kernels and a real ash then do with it.

mod answers;
mod compare;
mod facts;
mod go;
mod guest;
mod linked;
mod recording;
mod space;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;
use jsonschema::Validator;
use oracle::tally::Tally;

use super::{Args, Job, schema};
use crate::lab::Kernel;
use crate::samples::{Order, Where};
use crate::{dist, sh};
use guest::{Boot, Observed, Results};

const MEMORY_SCRIPT: &str = include_str!("lab/memory.sh");

const KERNELS: [Kernel; 5] =
    [Kernel::Mips, Kernel::Mipsel, Kernel::MipselFpu, Kernel::MipsOld, Kernel::MipselOld];
/// Those that are enough where not all are asked for: one of either byte order. What differs with an FPU, the oracle has on
/// four CPUs.
const USUAL: [Kernel; 2] = [Kernel::Mips, Kernel::Mipsel];

/// Boots of a kernel that need nothing of each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Boots {
    /// One for small files, then one for large ones, which takes from the first how to build one of them
    Files,
    /// One for programs with libraries
    Libraries,
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KERNELS.iter().map(|kernel| kernel.name())
}

pub(super) fn knows(name: &str) -> bool {
    names().any(|known| known == name)
}

/// The kernels that are asked for: all of them with `--full`.
fn kernels(args: &Args) -> impl Iterator<Item = Kernel> {
    let usual = |kernel: Kernel| args.full || USUAL.contains(&kernel);
    let named = |kernel: Kernel| args.kernels.iter().any(|name| name == kernel.name());
    KERNELS.into_iter().filter(
        move |kernel| {
            if args.kernels.is_empty() { usual(*kernel) } else { named(*kernel) }
        },
    )
}

/// The longest first, so that neither core is left with one at the end.
pub(super) fn jobs(args: &Args) -> Vec<Job<'_>> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    if args.boots != Some(Boots::Libraries) {
        for kernel in kernels(args) {
            jobs.push(Box::new(move || lab(kernel, "files", |tally| Lab::new(kernel, args)?.files(tally))));
        }
    }
    if args.boots != Some(Boots::Files) {
        for kernel in kernels(args) {
            jobs.push(Box::new(move || {
                lab(kernel, "libraries", |tally| Lab::new(kernel, args)?.libraries(tally))
            }));
        }
    }
    jobs
}

/// Of what diag's memory is measured: below /tmp, in the boots for large files and for programs with libraries.
const MEMORY: &str = "bin/runner s/v2ray-swapped-16 s/v2ray-16 s/v2ray-swapped-23";
const MEMORY_LINKED: [&str; 2] = ["s/musl-whole s/musl-older", "s/v2ray-with-libc6 s/curl"];

fn lab(kernel: Kernel, what: &str, judge: impl FnOnce(&mut Tally) -> Result<()>) -> Tally {
    super::tally(format!("lab {}, {what}", kernel.name()), judge)
}

/// A kernel, and what its boots have in common.
struct Lab<'a> {
    kernel: Kernel,
    order: Order,
    diag: PathBuf,
    /// With `--full`: the same with what a computer's build knows and says.
    whole: Option<PathBuf>,
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
        let whole =
            args.full.then(|| dist::of_every_machine(&format!("diag-{}", order.arch()))).transpose()?;
        Ok(Lab { kernel, order, diag, whole, keep: args.keep.as_deref(), schema: schema::load()? })
    }

    fn files(&self, tally: &mut Tally) -> Result<()> {
        let seen = self.small(tally)?;
        self.large(&seen, tally)
    }

    fn boot(&self, place: Where) -> Result<Boot> {
        Boot::new(self.kernel, &self.diag, place)
    }

    /// With the script that has it record itself.
    fn recording(&self, boot: Boot) -> Result<Boot> {
        let boot = boot.script("record", recording::SCRIPT, "")?;
        match &self.whole {
            Some(whole) => boot.tool(whole, "diag-every-machine"),
            None => Ok(boot),
        }
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
        let boot = self.recording(boot)?;
        let (small, seen) = self.run(boot, "small", tally)?;
        facts::check(self.kernel, &small, &self.schema, tally);
        let judged = recording::check(&small, &seen, self.whole.is_some(), tally);
        tally.attempt(judged);
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
        let boot = self.recording(boot)?;
        let (results, seen) = self.run(boot, "linked", tally)?;
        linked::check(self.kernel, &results, &seen, tally);
        let judged = recording::check(&results, &seen, self.whole.is_some(), tally);
        tally.attempt(judged);
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
