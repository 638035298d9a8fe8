//! The recipe for OpenWrt's packages feed, read by make.

use std::fs;
use std::process::Command;

use super::about;
use crate::{host, sh};

/// What OpenWrt's build system would define, as far as a package's Makefile uses it.
const STAND_INS: [(&str, &str); 3] = [
    ("rules.mk", "INCLUDE_DIR:=$(TOPDIR)/include\n"),
    (
        "include/package.mk",
        "define BuildPackage\n\
         $(eval $(Package/$(1)))\n\
         $(foreach name,$(SHOWN),$(info $(name)=$($(name))))\n\
         $(info install=$(Package/$(1)/install))\n\
         $(info description=$(Package/$(1)/description))\n\
         endef\n\
         SHOWN:=PKG_NAME PKG_VERSION PKG_RELEASE PKG_SOURCE PKG_SOURCE_URL PKG_HASH PKG_MAINTAINER PKG_LICENSE \
         PKG_LICENSE_FILES PKG_BUILD_DEPENDS SECTION CATEGORY TITLE URL DEPENDS CARGO_PKG_ARGS \
         CARGO_PKG_VARS\n\
         .PHONY: all\nall: ;\n",
    ),
    (
        "lang/rust/rust-package.mk",
        "RUST_ARCH_DEPENDS:=@(mips||mipsel)\nCARGO_PKG_ARGS:=--locked\n\
         CARGO_PKG_VARS=CARGO_PROFILE_RELEASE_PANIC=unwind\n\
         define RustBinPackage\ndefine Package/$(1)/install\nbinaries of $(1)\nendef\nendef\n",
    ),
];

#[test]
fn make_reads_the_feeds_makefile() {
    host::ensure(&[("make", "make")]).unwrap();
    let about = about().unwrap();
    let version = about.version.split('-').next().unwrap();
    let top = sh::root();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (path, text) in STAND_INS {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let package = folder.join("utils/diag");
    fs::create_dir_all(&package).unwrap();
    fs::copy(top.join("package/openwrt/diag/Makefile"), package.join("Makefile")).unwrap();
    let mut make = Command::new("make");
    make.args(["--silent", "--warn-undefined-variables", "--directory"]).arg(&package);
    let output = make.arg(format!("TOPDIR={}", folder.display())).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let value = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.unwrap_or_else(|| panic!("{name} is not in\n{said}")).to_owned()
    };
    assert_eq!((value("PKG_NAME"), value("PKG_VERSION")), ("diag".to_owned(), version.to_owned()));
    assert_eq!(value("PKG_SOURCE"), format!("diag-{version}.tar.gz"));
    assert!(value("PKG_SOURCE_URL").ends_with(&format!("/diag/tar.gz/v{version}?")));
    // As the feed writes a choice; with "OR" the SBOM would have a licence of that name.
    let mut licences: Vec<&str> = about.license.split(" OR ").collect();
    licences.sort_unstable();
    assert_eq!(value("PKG_LICENSE"), licences.join(" "));
    for file in value("PKG_LICENSE_FILES").split_whitespace() {
        assert!(top.join(file).is_file(), "{file}");
    }
    assert_eq!((value("SECTION"), value("CATEGORY")), ("utils".to_owned(), "Utilities".to_owned()));
    assert_eq!(
        (value("DEPENDS"), value("install")),
        ("@(mips||mipsel)".to_owned(), "binaries of diag".to_owned())
    );
    assert_eq!(value("CARGO_PKG_ARGS"), "--locked --no-default-features");
    // Of two assignments in front of a command the second counts.
    assert_eq!(
        value("CARGO_PKG_VARS"),
        "CARGO_PROFILE_RELEASE_PANIC=unwind CARGO_PROFILE_RELEASE_PANIC=abort \
         CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=false"
    );
    assert!(!value("description").is_empty() && !value("TITLE").is_empty());
    // These are for the one who submits it; nobody is invented.
    for (name, holds) in [("PKG_MAINTAINER", "@MAINTAINER@"), ("PKG_HASH", "@HASH@"), ("URL", "@OWNER@")] {
        assert!(value(name).contains(holds), "{name}");
    }
}
