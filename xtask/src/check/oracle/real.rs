//! Real programs, judged and then run: Go's for every kind of MIPS, Debian's static BusyBox for every architecture
//! that it has; and whatever program a router's root holds.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use oracle::model::Model;
use oracle::tally::Tally;

use super::guest::{self, Extent, Said};
use super::judges::Judge;
use super::text;
use crate::samples::{self, Float, Order};
use crate::scratch::Scratch;
use crate::{debian, lab};

/// Debian's architectures of the releases that `debian` fetches from.
const DEBIAN: [&str; 10] =
    ["amd64", "arm64", "armel", "armhf", "i386", "mips64el", "mipsel", "ppc64el", "riscv64", "s390x"];

/// Milliseconds for a program; an emulated CPU is slow, and so may be a busy computer.
const CLOCK: u32 = 20_000;

/// A real program. Without arguments it ends with status 0 where its machine is.
pub(crate) struct Real {
    /// Its name in the folder of cases. BusyBox is what it is called as: `true`.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// All of them, fetched or built where they are missing.
pub(crate) fn programs() -> Result<Vec<Real>> {
    let mut all = Vec::new();
    for order in [Order::Big, Order::Little] {
        for float in [Float::Soft, Float::Hard] {
            let path = samples::go_hello(order, float)?;
            let name = path.file_name().context("a file")?.to_string_lossy().into_owned();
            all.push(Real { name, path });
        }
    }
    for arch in DEBIAN {
        all.push(Real { name: format!("busybox-{arch}/true"), path: debian::busybox(arch)? });
    }
    Ok(all)
}

/// Puts the programs into a folder; gives their names.
pub(crate) fn place(programs: &[Real], folder: &Path) -> Result<Vec<String>> {
    for Real { name, path } in programs {
        let to = folder.join(name);
        fs::create_dir_all(to.parent().unwrap_or(folder))?;
        fs::copy(path, &to).with_context(|| format!("copy {}", path.display()))?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
    }
    Ok(programs.iter().map(|program| program.name.clone()).collect())
}

/// All that on a kernel, in two boots.
pub(super) fn check(judge: &Judge, tally: &mut Tally) -> Result<()> {
    let tools = guest::tools(judge)?;
    let folder = Scratch::open("programs")?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let names = place(&programs()?, folder.path())?;
    let seen = guest::run(judge, &tools, folder.path(), &names, Extent::Run(CLOCK))?;
    seen.cases.iter().for_each(|said| tally.check(agree(said), || words(said)));
    let started = seen.cases.iter().filter(|said| said.kernel.starts_with("started")).count();
    tally.note(format!("{} real programs, {started} start, {}", names.len(), seen.seconds));
    let of_root = lab::programs(judge.kernel);
    if !of_root.is_empty() {
        let empty = Scratch::open("empty")?;
        let seen = guest::run(judge, &tools, empty.path(), &of_root, Extent::Exec)?;
        for said in &seen.cases {
            let starts = text(&said.diag["verdict"]) == "starts" && said.kernel.ends_with(" stopped");
            tally.check(starts, || words(said));
        }
        tally.note(format!("{} programs of its root", of_root.len()));
    }
    Ok(())
}

fn words(said: &Said) -> String {
    let outcome = Model::of_json(&said.diag["outcome"]).map_or_else(String::new, |model| model.to_string());
    format!("{}: diag: {outcome}; kernel: {}", said.name, said.kernel)
}

/// Whether the kernel did what diag said, and a program that starts ended well.
fn agree(said: &Said) -> bool {
    let (outcome, kernel) = (&said.diag["outcome"], said.kernel.as_str());
    let signal = text(&outcome["signal"]);
    match (text(&outcome["kind"]), text(&outcome["when"])) {
        ("starts", _) => kernel.starts_with("started") && kernel.ends_with(" exited 0"),
        ("refused", _) => kernel == format!("refused {}", text(&outcome["errno"])),
        ("killed", "exec") => kernel == format!("killed-exec {signal}"),
        ("killed", _) => kernel.starts_with("started") && kernel.contains(&format!(" killed {signal}")),
        _ => false,
    }
}
