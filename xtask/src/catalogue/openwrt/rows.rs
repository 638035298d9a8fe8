//! What OpenWrt dumps, as rows of the tables.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// The order of releases: by number, what is still being made last.
fn rank(release: &str) -> (bool, Vec<u32>) {
    (release == "master", release.split('.').map(|number| number.parse().unwrap_or(0)).collect())
}

/// A list of releases with this one in it, the oldest first; without it where the release does not have the row.
fn with(releases: &str, release: &str, has: bool) -> String {
    let mut all: Vec<&str> =
        releases.split(' ').filter(|other| !other.is_empty() && *other != release).collect();
    if has {
        all.push(release);
    }
    all.sort_by_key(|release| rank(release));
    all.join(" ")
}

/// A row of openwrt-devices.tsv, in the order of its columns.
pub(super) struct Device {
    pub(super) columns: [String; 10],
}

/// A row of openwrt-architectures.tsv.
pub(super) struct Architecture {
    pub(super) columns: [String; 10],
}

/// What a release has.
#[derive(Default)]
pub(super) struct Found {
    pub(super) devices: Vec<Device>,
    pub(super) architectures: Vec<Architecture>,
}

/// The target that is told of.
#[derive(Default)]
struct Target<'a> {
    /// "ramips/mt7620", "x86/generic"; empty where subtargets are told of behind it.
    name: String,
    packages: &'a str,
    features: Vec<&'a str>,
}

/// Reads what was dumped.
pub(super) fn read(dumped: &str, release: &str) -> Result<Found> {
    let mut found = Found::default();
    let mut target = Target::default();
    let mut device: Option<BTreeMap<&str, &str>> = None;
    let mut described: Vec<(String, Vec<String>)> = Vec::new();
    let mut finish = |device: Option<BTreeMap<&str, &str>>, target: &Target<'_>| {
        found.devices.extend(device.map(|lines| self::device(&lines, target, release)));
    };
    for line in dumped.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key {
            "Target" => {
                finish(device.take(), &target);
                target = Target { name: whole_name(dumped, value), ..Target::default() };
            }
            "Target-Arch-Packages" if !target.name.is_empty() => {
                target.packages = value;
                let (architecture, target_name) = (value.to_owned(), target.name.clone());
                match described.iter_mut().find(|(known, _)| *known == architecture) {
                    Some((_, targets)) => targets.push(target_name),
                    None => described.push((architecture, vec![target_name])),
                }
            }
            "Target-Features" => target.features = value.split_whitespace().collect(),
            "Target-Profile" => {
                finish(device.take(), &target);
                device = value.strip_prefix("DEVICE_").map(|id| BTreeMap::from([("id", id)]));
            }
            _ => {
                if let Some(lines) = &mut device {
                    lines.insert(key, value);
                }
            }
        }
    }
    finish(device.take(), &target);
    found.architectures = architectures(dumped, &described, release)?;
    Ok(found)
}

fn device(lines: &BTreeMap<&str, &str>, target: &Target<'_>, release: &str) -> Device {
    let of = |key: &str| lines.get(key).copied().unwrap_or_default();
    let id = of("id");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let others = of("Diag-Others").split('|').map(words).filter(|title| !title.is_empty());
    let mut names: Vec<&str> = Vec::new();
    for name in of("Diag-Names").split_whitespace() {
        if name != id && name.replace(',', "_") != id && !names.contains(&name) {
            names.push(name);
        }
    }
    let no_images = target.features.contains(&"source-only") || !of("Diag-Broken").is_empty();
    let columns = [
        id.to_owned(),
        words(of("Diag-Title")),
        others.collect::<Vec<_>>().join(" | "),
        target.name.clone(),
        target.packages.to_owned(),
        of("Diag-SoC").to_owned(),
        bytes(of("Diag-Size")).map_or_else(String::new, |bytes| bytes.to_string()),
        names.join(" "),
        release.to_owned(),
        if no_images { "source-only".to_owned() } else { String::new() },
    ];
    Device { columns }
}

/// "16064k", "7m", "0x7d0000", "16121856".
fn bytes(size: &str) -> Option<u64> {
    if let Some(digits) = size.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    let (digits, unit) = match size.to_ascii_lowercase() {
        size if size.ends_with('k') => (size[..size.len() - 1].to_owned(), 1 << 10),
        size if size.ends_with('m') => (size[..size.len() - 1].to_owned(), 1 << 20),
        size => (size, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// Each architecture, as the first of its targets has it.
fn architectures(
    dumped: &str,
    described: &[(String, Vec<String>)],
    release: &str,
) -> Result<Vec<Architecture>> {
    let mut rows = Vec::new();
    for (name, targets) in described {
        let first = targets.first().context("an architecture has a target")?;
        let board = first.strip_suffix("/generic").filter(|board| whole_name(dumped, board) == *first);
        let start = [Some(first.as_str()), board].into_iter().flatten();
        let mut starts = start.filter_map(|name| dumped.find(&format!("Target: {name}\n")));
        let start = starts.next();
        let start = start.context("a target was dumped")?;
        let part = &dumped[start..];
        let of = |key: &str| {
            let mut lines = part.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            lines.next().unwrap_or_default().trim()
        };
        let (arch, cpu, features) = (of("Target-Arch"), cpu(part), of("Target-Features"));
        let is_soft = may_be_soft(arch) && !features.split_whitespace().any(|word| word == "fpu");
        let is_wide = arch.contains("64");
        let is_big = ["mips", "mips64", "armeb", "powerpc", "powerpc64", "aarch64_be"].contains(&arch);
        rows.push(Architecture {
            columns: [
                name.clone(),
                uname(arch, &cpu).to_owned(),
                if is_big { "big" } else { "little" }.to_owned(),
                if is_wide { "64" } else { "32" }.to_owned(),
                if is_soft { "soft" } else { "hard" }.to_owned(),
                cpu,
                loader(arch, is_soft),
                release.to_owned(),
                targets.join(" "),
                String::new(),
            ],
        });
    }
    Ok(rows)
}

/// DISTRIB_TARGET of a board or of its subtarget (include/version.mk); empty for a board that has some.
fn whole_name(dumped: &str, name: &str) -> String {
    match name.contains('/') {
        true => name.to_owned(),
        false if dumped.contains(&format!("Target: {name}/")) => String::new(),
        false => format!("{name}/generic"),
    }
}

/// CPU-Type and CPU-Subtype of the target that a text begins with: later ones are another's.
fn cpu(part: &str) -> String {
    let own = part.lines().enumerate().take_while(|(at, line)| *at == 0 || !line.starts_with("Target: "));
    let mut cpu = String::new();
    for (_, line) in own {
        match line.split_once(": ") {
            Some(("CPU-Type", value)) => value.trim().clone_into(&mut cpu),
            Some(("CPU-Subtype", value)) if !value.trim().is_empty() => cpu.extend(["+", value.trim()]),
            _ => {}
        }
    }
    cpu
}

/// toolchain/Config.in: SOFT_FLOAT.
fn may_be_soft(arch: &str) -> bool {
    arch.starts_with("mips") || ["arm", "armeb", "powerpc"].contains(&arch)
}

/// What the kernel says (arch/*/kernel: UTS_MACHINE, ELF_PLATFORM).
fn uname<'a>(arch: &'a str, cpu: &str) -> &'a str {
    match (arch, cpu.split('+').next().unwrap_or_default()) {
        ("mips" | "mipsel", _) => "mips",
        ("mips64" | "mips64el", _) => "mips64",
        ("armeb", _) => "armv5teb",
        ("arm", "fa526") => "armv4l",
        ("arm", "arm926ej-s" | "xscale") => "armv5tel",
        ("arm", "arm1176jzf-s" | "arm1136j-s" | "mpcore") => "armv6l",
        ("arm", _) => "armv7l",
        ("powerpc", _) => "ppc",
        ("powerpc64", _) => "ppc64",
        ("i386", _) => "i686",
        _ => arch,
    }
}

/// musl's (configure, arch/*/reloc.h).
fn loader(arch: &str, is_soft: bool) -> String {
    let behind = match arch {
        "arm" | "armeb" if !is_soft => "hf",
        "mips" | "mipsel" | "mips64" | "mips64el" | "powerpc" if is_soft => "-sf",
        _ => "",
    };
    format!("/lib/ld-musl-{arch}{behind}.so.1")
}

impl Device {
    /// The table with a release's devices, by their ids; the facts are those of the newest release that has a row. The names
    /// that others have given a device stay.
    pub(super) fn merge(table: &str, found: Vec<Device>, release: &str) -> String {
        let key = |columns: &[String; 10]| (columns[0].clone(), columns[3].clone());
        let old: BTreeMap<_, _> =
            table.lines().skip(1).map(columns_of).map(|row| (key(&row), row[7].clone())).collect();
        let found = found.into_iter().map(|device| device.columns).collect();
        let (head, mut rows) = merge(table, found, release, key);
        for row in &mut rows {
            for name in old.get(&key(row)).map(String::as_str).unwrap_or_default().split(' ') {
                if !row[7].split(' ').any(|known| known == name) {
                    let names = format!("{} {name}", row[7]);
                    row[7].clear();
                    row[7].push_str(names.trim());
                }
            }
        }
        rows.sort_by_key(key);
        written(&head, &rows)
    }
}

impl Architecture {
    /// The same of architectures, with how many devices each has in its newest release.
    pub(super) fn merge(
        table: &str,
        found: Vec<Architecture>,
        release: &str,
        counts: &BTreeMap<(String, String), usize>,
    ) -> String {
        // Their releases stand one column before those of devices.
        let moved = |mut columns: [String; 10]| {
            columns.swap(7, 8);
            columns
        };
        let table: String = table.lines().map(|row| moved(columns_of(row)).join("\t") + "\n").collect();
        let found = found.into_iter().map(|architecture| moved(architecture.columns)).collect();
        let (head, rows) = merge(&table, found, release, |columns| (columns[0].clone(), String::new()));
        let counted = |row: [String; 10]| {
            let mut row = moved(row);
            let newest = row[7].split(' ').rfind(|release| *release != "master").unwrap_or("master");
            if let Some(count) = counts.get(&(row[0].clone(), newest.to_owned())) {
                row[9] = count.to_string();
            }
            row
        };
        let rows: Vec<[String; 10]> = rows.into_iter().map(counted).collect();
        written(&moved(columns_of(&head)).join("\t"), &rows)
    }
}

fn columns_of(row: &str) -> [String; 10] {
    let mut columns = row.split('\t').map(str::to_owned);
    std::array::from_fn(|_| columns.next().unwrap_or_default())
}

/// Puts rows of a release, whose releases are column 8, into a table. The order of its rows stays, with new ones before them.
fn merge(
    table: &str,
    found: Vec<[String; 10]>,
    release: &str,
    key: impl Fn(&[String; 10]) -> (String, String),
) -> (String, Vec<[String; 10]>) {
    let mut lines = table.lines();
    let head = lines.next().unwrap_or_default().to_owned();
    let mut rows: Vec<[String; 10]> = lines.map(columns_of).collect();
    let mut places = BTreeMap::new();
    for (at, row) in rows.iter_mut().enumerate() {
        row[8] = with(&row[8], release, false);
        places.insert(key(row), at);
    }
    let mut new = Vec::new();
    for mut row in found {
        let old = places.get(&key(&row)).and_then(|at| rows.get_mut(*at));
        row[8] = with(old.as_ref().map_or("", |old| &old[8]), release, true);
        let is_newest = row[8].split(' ').next_back() == Some(release);
        match old {
            Some(old) if is_newest => *old = row,
            Some(old) => old[8].clone_from(&row[8]),
            None => new.push(row),
        }
    }
    // What no release has any more is gone.
    let rows = new.into_iter().chain(rows).filter(|row| !row[8].is_empty()).collect();
    (head, rows)
}

fn written(head: &str, rows: &[[String; 10]]) -> String {
    let body: String = rows.iter().map(|row| row.join("\t") + "\n").collect();
    format!("{head}\n{body}")
}
