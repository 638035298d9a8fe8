//! catalogue/musl.tsv: what libc.so of musl defines, as Debian's packages of it do, for each architecture.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use object::{Object as _, ObjectSymbol as _};

use crate::{debian, sh};

/// Debian's releases with musl 1.2.3 and 1.2.5.
const OLD: &str = "bookworm";
const NEW: &str = "trixie";

/// musl's architectures (its arch/), Debian's that they are read from, and whether words are of 64 bits. Neither byte order nor float ABI makes a difference
/// to musl: `armhf` is told to have the same as `armel` below.
const ARCHITECTURES: [(&str, &str, bool); 9] = [
    ("aarch64", "arm64", true),
    ("arm", "armel", false),
    ("i386", "i386", false),
    ("mips", "mipsel", false),
    ("mips64", "mips64el", true),
    ("powerpc64", "ppc64el", true),
    ("riscv64", "riscv64", true),
    ("s390x", "s390x", true),
    ("x86_64", "amd64", true),
];

/// New in 1.2.5 and not in 1.2.4: src/linux/preadv2.c, statx.c.
const SINCE_1_2_5: [&str; 3] = ["preadv2", "pwritev2", "statx"];

/// What Debian's patches take out of its 1.2.3 (libcrypt has it there), and put into its 1.2.5.
const TAKEN_OUT: [&str; 4] = ["crypt", "crypt_r", "encrypt", "setkey"];
const PUT_IN: [&str; 1] = ["renameat2"];

type Names = BTreeSet<String>;

/// Writes the table anew.
pub(super) fn write() -> Result<()> {
    ensure!(exports(OLD, "armhf")? == exports(OLD, "armel")?, "armhf and armel have different ones");
    // What changed is the same for all architectures of a word size: those that Debian has once alone take it from these.
    let (of_64, of_32) = (Changes::between("amd64")?, Changes::between("i386")?);
    // Of each symbol, since when and until when it is there, and where.
    let mut rows: BTreeMap<(String, &str, &str), Names> = BTreeMap::new();
    for (architecture, arch, is_64) in ARCHITECTURES {
        let changes = if is_64 { &of_64 } else { &of_32 };
        let (old, latest) = (exports(OLD, arch).ok(), exports(NEW, arch).ok());
        if old.is_some() && latest.is_some() {
            ensure!(Changes::between(arch)? == *changes, "{arch} changed otherwise than others");
        }
        let names = match (old, latest) {
            (Some(old), _) => &old | &changes.new,
            (None, Some(latest)) => &latest | &changes.gone,
            (None, None) => anyhow::bail!("Debian has no musl for {arch}"),
        };
        for name in names {
            let since = match changes.new.contains(&name) {
                true if SINCE_1_2_5.contains(&name.as_str()) => "1.2.5",
                true => "1.2.4",
                false => "",
            };
            let until = if changes.gone.contains(&name) { "1.2.3" } else { "" };
            rows.entry((name, since, until)).or_default().insert(architecture.to_owned());
        }
    }
    let mut table = String::from("symbol\tsince\tuntil\tarchitectures\n");
    for ((name, since, until), architectures) in rows {
        let all = architectures.len() == ARCHITECTURES.len();
        let listed =
            if all { String::new() } else { architectures.into_iter().collect::<Vec<_>>().join(" ") };
        let row = format!("{name}\t{since}\t{until}\t{listed}");
        table.push_str(row.trim_end_matches('\t'));
        table.push('\n');
    }
    fs::write(sh::root().join("catalogue/musl.tsv"), table)?;
    Ok(())
}

/// What differs between 1.2.3 and 1.2.5.
#[derive(PartialEq)]
struct Changes {
    gone: Names,
    new: Names,
}

impl Changes {
    fn between(arch: &str) -> Result<Changes> {
        let (old, latest) = (exports(OLD, arch)?, exports(NEW, arch)?);
        Ok(Changes { gone: &old - &latest, new: &latest - &old })
    }
}

/// The symbols that its libc.so defines.
fn exports(suite: &str, arch: &str) -> Result<Names> {
    let root = debian::fetch_for(suite, arch, &["musl"])?;
    let place = |folder: &str| -> Result<Option<std::path::PathBuf>> {
        let mut found = None;
        for entry in fs::read_dir(root.join(folder))? {
            let library = entry?.path().join("libc.so");
            if library.is_file() && library.to_string_lossy().contains("-linux-musl") {
                found = Some(library);
            }
        }
        Ok(found)
    };
    let library = place("usr/lib")?.with_context(|| format!("no libc.so in {}", root.display()))?;
    let bytes = fs::read(&library)?;
    let file = object::File::parse(&*bytes).with_context(|| library.display().to_string())?;
    let mut names = Names::new();
    for symbol in file.dynamic_symbols().filter(object::ObjectSymbol::is_definition) {
        names.insert(symbol.name()?.to_owned());
    }
    names.extend(TAKEN_OUT.map(str::to_owned));
    names.retain(|name| !PUT_IN.contains(&name.as_str()));
    Ok(names)
}
