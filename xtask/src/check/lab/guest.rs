//! The guest's side: a folder of samples goes in, what diag, the kernel and ash said of each comes out.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::lab::{self, Copy, Kernel};
use crate::samples::{self, Order, Row, Where, rows};
use crate::scratch::Scratch;
use crate::sh;

const SCRIPT: &str = include_str!("guest.sh");

/// A boot in preparation.
pub(super) struct Boot {
    kernel: Kernel,
    place: Where,
    dir: Scratch,
    list: String,
    scripts: Vec<(&'static str, String)>,
    files: Vec<Copy>,
}

impl Boot {
    /// With diag, the runner and the samples of this boot.
    pub(super) fn new(kernel: Kernel, diag: &Path, place: Where) -> Result<Self> {
        let order = Order::of(kernel);
        let dir = Scratch::open("samples")?;
        let (bin, files) = (dir.path().join("bin"), dir.path().join("s"));
        fs::create_dir(&bin)?;
        fs::create_dir(&files)?;
        fs::copy(diag, bin.join("diag")).with_context(|| format!("copy {}", diag.display()))?;
        let runner = samples::static_program("runner", oracle::runner::SOURCE, order.arch())?;
        fs::copy(runner, bin.join("runner"))?;
        fs::write(bin.join("guest.sh"), SCRIPT)?;
        let mut list = String::new();
        for row in rows(place, order) {
            samples::place(row, order, &files)?;
            let make = row.guest_command().unwrap_or("true");
            writeln!(list, "{}|{}|{make}|{}", row.name, row.path(), row.args)?;
        }
        let mut files = Vec::new();
        if place == Where::Linked {
            let (root, elsewhere) = (dir.path().join("root"), dir.path().join("elsewhere"));
            samples::place_root(order, &root, &elsewhere)?;
            files.push(Copy { from: root, to: "/".to_owned(), owner: 0 });
            files.push(Copy { from: elsewhere, to: samples::ELSEWHERE.to_owned(), owner: 0 });
        }
        Ok(Self { kernel, place, dir, list, scripts: Vec::new(), files })
    }

    /// A script to run once the samples are judged, with its arguments.
    pub(super) fn script(mut self, name: &'static str, text: &str, arguments: &str) -> Result<Self> {
        fs::write(self.dir.path().join("bin").join(format!("{name}.sh")), text)?;
        self.scripts.push((name, arguments.to_owned()));
        Ok(self)
    }

    /// One more program to judge.
    pub(super) fn program(mut self, program: &Path, name: &str) -> Result<Self> {
        self.put(program, "s", name)?;
        writeln!(self.list, "{name}|./{name}|true|")?;
        Ok(self)
    }

    /// A tool for the scripts, which is in PATH.
    pub(super) fn tool(self, tool: &Path, name: &str) -> Result<Self> {
        self.put(tool, "bin", name)?;
        Ok(self)
    }

    fn put(&self, program: &Path, folder: &str, name: &str) -> Result<()> {
        let to = self.dir.path().join(folder).join(name);
        fs::copy(program, &to).with_context(|| format!("copy {}", program.display()))?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    pub(super) fn run(self) -> Result<Results> {
        fs::write(self.dir.path().join("bin/list"), &self.list)?;
        let mut commands =
            "export PATH=$PATH:/tmp/bin\nash /tmp/bin/guest.sh /tmp/bin/list || exit\n".to_owned();
        for (script, arguments) in &self.scripts {
            writeln!(commands, "ash /tmp/bin/{script}.sh {arguments} || exit")?;
        }
        let mut run = lab::Run::new(self.kernel, commands);
        run = run.file(self.dir.path().join("bin")).file(self.dir.path().join("s"));
        run.files.extend(self.files);
        run.timeout = Duration::from_secs(900);
        sh::say(format!("lab {}: judge {} files", self.kernel.name(), self.list.lines().count()));
        let ran = lab::run(&run)?;
        let said = String::from_utf8_lossy(&ran.output).into_owned();
        if ran.status != 0 {
            bail!("the guest's script ended with status {}: {said}", ran.status);
        }
        let rows = rows(self.place, Order::of(self.kernel)).collect();
        Ok(Results { rows, files: ran.pulled, said, dir: self.dir })
    }
}

/// What a boot left.
pub(super) struct Results {
    rows: Vec<&'static Row>,
    files: BTreeMap<String, Vec<u8>>,
    /// What the scripts complained of.
    pub(super) said: String,
    dir: Scratch,
}

/// What was said of one sample.
pub(super) struct Observed {
    pub(super) name: String,
    /// Its row, where it has one.
    pub(super) row: Option<&'static Row>,
    pub(super) json: Vec<u8>,
    pub(super) status: i32,
    /// The status of `diag --strict`.
    pub(super) strict: i32,
    pub(super) text: String,
    /// diag's stderr.
    pub(super) errors: String,
    /// The runner's line.
    pub(super) kernel: String,
    /// What the program printed under the runner.
    pub(super) said: String,
    /// What ash printed when it was to start the program, and its status.
    pub(super) ash: String,
    pub(super) ash_status: String,
}

impl Results {
    /// The folder that the samples were copied from.
    pub(super) fn samples(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    pub(super) fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    pub(super) fn bytes(&self, name: &str) -> Result<&[u8]> {
        self.files.get(name).map(Vec::as_slice).with_context(|| format!("the guest left no {name}"))
    }

    pub(super) fn text(&self, name: &str) -> Result<String> {
        Ok(String::from_utf8_lossy(self.bytes(name)?).trim_end().to_owned())
    }

    /// All samples of the boot.
    pub(super) fn observed(&self) -> Result<Vec<Observed>> {
        let observe = |row: &&'static Row| Ok(Observed { row: Some(*row), ..self.observe(row.name)? });
        self.rows.iter().map(observe).collect()
    }

    pub(super) fn observe(&self, name: &str) -> Result<Observed> {
        let text = |end: &str| self.text(&format!("{name}.{end}"));
        Ok(Observed {
            name: name.to_owned(),
            row: None,
            json: self.bytes(&format!("{name}.json"))?.to_vec(),
            status: text("status")?.parse().context("no status")?,
            strict: text("strict")?.parse().context("no status of --strict")?,
            text: text("text")?,
            errors: text("errors")?,
            kernel: text("kernel").unwrap_or_else(|_| "no answer".to_owned()),
            said: text("said")?,
            ash: text("ash")?,
            ash_status: text("ash-status").unwrap_or_else(|_| "timeout".to_owned()),
        })
    }
}
