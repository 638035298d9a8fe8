//! `cargo xtask bench`: what diag costs, beside programs that people know. It writes docs/benchmarks.md.

mod counted;
mod router;
mod timed;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::check::build_for_this_computer;
use crate::samples::{self, Order, Size};
use crate::{host, sh};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out the emulated router; its figures on the page stay as they are
    #[arg(long)]
    no_lab: bool,
}

const HEAD: &str = "\
# Benchmarks

What `diag` costs, beside programs that look at less. `cargo xtask bench` writes this page; `--no-lab` leaves the emulated
router's figures as they are. *v2ray* is the program of [the seed](the-seed.md): 16.5 MB, static, for MIPS.
";
const ROUTER: &str = "\n## On a router\n";

pub(crate) fn main(args: &Args) -> Result<()> {
    host::ensure(&[("valgrind", "valgrind"), ("file", "file"), ("readelf", "binutils"), ("cc", "gcc")])?;
    let page = sh::root().join("docs/benchmarks.md");
    let work = tempfile::tempdir().context("create a folder for the benchmarks")?;
    let programs = Programs::new(work.path())?;
    let (counts, over) = counted::table(&programs)?;
    let times = timed::table(&programs)?;
    let router = if args.no_lab {
        let before = fs::read_to_string(&page).unwrap_or_default();
        before.split_once(ROUTER).map(|(_, router)| router.to_owned())
    } else {
        Some(router::table()?)
    };
    let router = router.map_or_else(String::new, |text| ROUTER.to_owned() + &text);
    fs::write(&page, format!("{HEAD}{counts}{times}{router}"))
        .with_context(|| format!("write {}", page.display()))?;
    sh::say(format!("wrote {}", page.display()));
    ensure!(over.is_empty(), "{}", over.join("\n       "));
    Ok(())
}

/// What is measured, and on what.
struct Programs {
    diag: PathBuf,
    v2ray: PathBuf,
    /// `int main(void) { return 0; }`
    empty: PathBuf,
    /// A folder to work in.
    work: PathBuf,
}

impl Programs {
    fn new(work: &Path) -> Result<Programs> {
        let (source, empty) = (work.join("empty.c"), work.join("empty"));
        fs::write(&source, "int main(void) { return 0; }\n")?;
        sh::run(Command::new("cc").arg("-O2").arg("-o").arg(&empty).arg(&source))?;
        let v2ray = work.join("v2ray");
        let sample = samples::v2ray(Order::Big, Size::Stripped)?;
        fs::copy(&sample, &v2ray).with_context(|| format!("copy {}", sample.display()))?;
        Ok(Programs { diag: build_for_this_computer()?, v2ray, empty, work: work.to_path_buf() })
    }

    /// A command line: `diag`, `empty` and `v2ray` are ours, the rest is this computer's.
    fn command(&self, line: &[&str]) -> Command {
        let word = |word: &str| match word {
            "diag" => self.diag.clone(),
            "empty" => self.empty.clone(),
            "v2ray" => self.v2ray.clone(),
            other => PathBuf::from(other),
        };
        let mut words = line.iter().map(|it| word(it));
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        self.plain(&mut command);
        command
    }

    /// The same surroundings for all: the length of the environment costs instructions, too.
    fn plain(&self, command: &mut Command) {
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C");
        command.current_dir(&self.work).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    }
}
