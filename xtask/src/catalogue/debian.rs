//! The rows of Debian's releases in catalogue/systems.tsv: the versions of its C library and kernel, as its Packages files
//! have them.

use std::fs;

use anyhow::{Context, Result};

use crate::{debian, sh};

/// A release: its number, its name, and the architectures that its Release file lists.
const RELEASES: [(&str, &str, &[&str]); 3] = [
    ("11", "bullseye", &["amd64", "arm64", "armhf", "i386"]),
    (
        "12",
        "bookworm",
        &["amd64", "arm64", "armel", "armhf", "i386", "mips64el", "mipsel", "ppc64el", "s390x"],
    ),
    ("13", "trixie", &["amd64", "arm64", "armel", "armhf", "i386", "ppc64el", "riscv64", "s390x"]),
];

/// What an architecture's name says: `uname -m`, byte order, bits, float ABI, the least processor, the page's bytes, the
/// loader (glibc's sysdeps/*/shlib-versions; Debian's installation guides, "Supported Hardware"). Empty: kernels differ.
const ARCHITECTURES: [(&str, [&str; 7]); 10] = [
    ("amd64", ["x86_64", "little", "64", "hard", "", "4096", "/lib64/ld-linux-x86-64.so.2"]),
    ("arm64", ["aarch64", "little", "64", "hard", "armv8", "4096", "/lib/ld-linux-aarch64.so.1"]),
    ("armel", ["armv5tel", "little", "32", "soft", "arm926ej-s", "4096", "/lib/ld-linux.so.3"]),
    ("armhf", ["armv7l", "little", "32", "hard", "armv7+vfpv3-d16", "4096", "/lib/ld-linux-armhf.so.3"]),
    ("i386", ["i686", "little", "32", "hard", "", "4096", "/lib/ld-linux.so.2"]),
    ("mips64el", ["mips64", "little", "64", "hard", "mips64r2", "", "/lib64/ld.so.1"]),
    ("mipsel", ["mips", "little", "32", "hard", "mips32r2", "", "/lib/ld.so.1"]),
    ("ppc64el", ["ppc64le", "little", "64", "hard", "power8", "", "/lib64/ld64.so.2"]),
    ("riscv64", ["riscv64", "little", "64", "hard", "rv64gc", "4096", "/lib/ld-linux-riscv64-lp64d.so.1"]),
    ("s390x", ["s390x", "big", "64", "hard", "z196", "4096", "/lib/ld64.so.1"]),
];

/// Writes the rows anew.
pub(super) fn write() -> Result<()> {
    let path = sh::root().join("catalogue/systems.tsv");
    let table = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut rows: Vec<String> = Vec::new();
    for (number, name, architectures) in RELEASES {
        for architecture in architectures {
            rows.push(row(number, name, architecture)?);
        }
    }
    let (head, others) = table.split_once('\n').context("no head")?;
    rows.extend(others.lines().filter(|row| !row.starts_with("debian\t")).map(str::to_owned));
    fs::write(&path, format!("{head}\n{}\n", rows.join("\n")))?;
    Ok(())
}

fn row(number: &str, name: &str, architecture: &str) -> Result<String> {
    let versions = debian::versions(name, architecture, &["libc6", "linux-libc-dev"])?;
    let [libc, kernel] = versions.as_slice() else { anyhow::bail!("{name} has no libc6 for {architecture}") };
    let (_, abi) = ARCHITECTURES
        .iter()
        .find(|(known, _)| *known == architecture)
        .with_context(|| format!("nothing is known of {architecture}"))?;
    let [uname, order, bits, float, processor, page, loader] = abi;
    let columns = [
        "debian",
        number,
        "",
        name,
        architecture,
        uname,
        order,
        bits,
        float,
        processor,
        page,
        loader,
        "glibc",
    ];
    Ok(format!("{}\t{}\t{}", columns.join("\t"), release(libc), release(kernel)))
}

/// "2.31" of "2.31-13+deb11u13", "6.1" of "6.1.176-1".
fn release(version: &str) -> String {
    let numbers = version.split(|letter: char| !letter.is_ascii_digit()).take(2);
    numbers.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_the_first_two_numbers() {
        assert_eq!(
            ["2.31-13+deb11u13", "6.1.176-1", "6.12.90+deb13-1"].map(release),
            ["2.31", "6.1", "6.12"]
        );
    }
}
