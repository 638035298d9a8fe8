//! Kernel modules out of a Debian package, with those that they depend on.
//!
//! `modules.dep` is made where a package is installed, which these are not; but each module names what it
//! depends on in its section `.modinfo` (kernel: scripts/mod/modpost.c, `add_depends`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use object::{File, Object, ObjectSection};

use crate::host;

/// The contents of these modules and of all that they depend on, in the order to load them. What the kernel
/// has built in is left out.
pub(super) fn load_order(package: &Path, wanted: &[&str]) -> Result<Vec<Vec<u8>>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let folder = if package.join("lib/modules").is_dir() { "lib/modules" } else { "usr/lib/modules" };
    let mut files = BTreeMap::new();
    let mut built_in = Vec::new();
    for version in fs::read_dir(package.join(folder)).context("the package holds no modules")? {
        let version = version?.path();
        find(&version, &mut files)?;
        let list = fs::read_to_string(version.join("modules.builtin")).unwrap_or_default();
        built_in.extend(list.lines().filter_map(|line| name(Path::new(line))));
    }
    let mut order = Order { files, built_in, names: Vec::new(), contents: Vec::new() };
    for module in wanted {
        order.add(module)?;
    }
    Ok(order.contents)
}

struct Order {
    files: BTreeMap<String, PathBuf>,
    built_in: Vec<String>,
    names: Vec<String>,
    contents: Vec<Vec<u8>>,
}

impl Order {
    /// A module behind those that it depends on.
    fn add(&mut self, module: &str) -> Result<()> {
        if self.names.iter().chain(&self.built_in).any(|have| have == module) {
            return Ok(());
        }
        let Some(file) = self.files.get(module) else { bail!("the kernel has no module {module}") };
        let content = read(file)?;
        for other in depends(&content).with_context(|| format!("read {}", file.display()))? {
            self.add(&other)?;
        }
        self.names.push(module.to_owned());
        self.contents.push(content);
        Ok(())
    }
}

fn find(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            find(&entry.path(), files)?;
        } else if let Some(name) = name(&entry.path()) {
            files.insert(name, entry.path());
        }
    }
    Ok(())
}

/// `a/virtio-rng.ko.xz` is `virtio_rng`.
fn name(file: &Path) -> Option<String> {
    let (name, end) = file.file_name()?.to_str()?.split_once(".ko")?;
    ["", ".xz"].contains(&end).then(|| name.replace('-', "_"))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    if file.extension().is_none_or(|end| end != "xz") {
        return fs::read(file).with_context(|| format!("read {}", file.display()));
    }
    host::ensure(&[("xz", "xz-utils")])?;
    let unpacked = Command::new("xz").arg("-dc").arg(file).output().context("start xz")?;
    anyhow::ensure!(unpacked.status.success(), "xz -dc {}: {}", file.display(), unpacked.status);
    Ok(unpacked.stdout)
}

fn depends(module: &[u8]) -> Result<Vec<String>> {
    let file = File::parse(module)?;
    let info = file.section_by_name(".modinfo").context("no section .modinfo")?.data()?;
    let mut fields = info.split(|&byte| byte == 0).filter_map(|field| field.strip_prefix(b"depends="));
    let names = String::from_utf8_lossy(fields.next().unwrap_or_default()).replace('-', "_");
    Ok(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_named_by_its_file() {
        assert_eq!(name(Path::new("kernel/drivers/virtio-rng.ko.xz")).as_deref(), Some("virtio_rng"));
        assert_eq!(name(Path::new("loop.ko")).as_deref(), Some("loop"));
        assert_eq!(name(Path::new("modules.order")), None);
    }
}
