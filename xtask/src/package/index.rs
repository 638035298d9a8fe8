//! The indices that make a folder of packages a feed: `Packages` for opkg, `packages.adb` for apk. Neither is signed:
//! opkg takes the feed with `--force-signature`, apk with `--allow-untrusted`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::apk::{self, Row};
use crate::pack;

/// A package of the old format in a folder.
pub(crate) struct Listed {
    /// Its file's name.
    pub(crate) filename: String,
    /// Its control file.
    pub(crate) control: String,
    pub(crate) size: usize,
    pub(crate) sha256: [u8; 32],
}

/// What OpenWrt leaves out of `Packages`.
const LEFT_OUT: [&str; 2] = ["Maintainer", "SourceDateEpoch"];

/// The text of `Packages`: each control file with three fields more, and an empty line.
fn packages(listed: &[Listed]) -> String {
    let mut text = String::new();
    for package in listed {
        for line in package.control.lines() {
            let field = line.split(':').next().unwrap_or_default();
            if LEFT_OUT.contains(&field) {
                continue;
            }
            if field == "Description" {
                text += &format!(
                    "Filename: {}\nSize: {}\nSHA256sum: {}\n",
                    package.filename,
                    package.size,
                    super::hex(&package.sha256)
                );
            }
            text += line;
            text += "\n";
        }
        text += "\n";
    }
    text
}

/// Writes `Packages` and `Packages.gz`.
pub(crate) fn write_opkg(folder: &Path, listed: &[Listed]) -> Result<()> {
    let text = packages(listed);
    write(&folder.join("Packages"), text.as_bytes())?;
    write(&folder.join("Packages.gz"), &pack::gzip(text.as_bytes())?)
}

/// Writes `packages.adb`.
pub(crate) fn write_apk(folder: &Path, rows: &[Row]) -> Result<()> {
    write(&folder.join("packages.adb"), &apk::index(rows)?)
}

/// What an index says of one package's file.
pub(crate) fn listed(filename: &str, control: &str, bytes: &[u8]) -> Listed {
    Listed {
        filename: filename.to_owned(),
        control: control.to_owned(),
        size: bytes.len(),
        sha256: Sha256::digest(bytes).into(),
    }
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_as_openwrt_writes_it() {
        let control = "Package: diag\nVersion: 1-r1\nSourceDateEpoch: 7\nURL: https://example.org\n\
                       Architecture: mips_24kc\nInstalled-Size: 10240\nDescription:  Says why\n";
        let listed = [listed("diag_1-r1_mips_24kc.ipk", control, b"abc")];
        let expected = "Package: diag\nVersion: 1-r1\nURL: https://example.org\nArchitecture: mips_24kc\n\
             Installed-Size: 10240\n\
             Filename: diag_1-r1_mips_24kc.ipk\nSize: 3\n\
             SHA256sum: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n\
             Description:  Says why\n\n";
        assert_eq!(packages(&listed), expected);
    }
}
