//! The recipe for OpenWrt's packages feed: that it says what Cargo.toml says.

use std::fs;

use super::about;
use crate::sh;

#[test]
fn the_feeds_makefile_says_what_cargo_toml_says() {
    let about = about().unwrap();
    let version = about.version.split('-').next().unwrap();
    let makefile = fs::read_to_string(sh::root().join("package/openwrt/diag/Makefile")).unwrap();
    let value = |name: &str| {
        let assigned = |line: &str| {
            let rest = line.trim_start().strip_prefix(name)?;
            Some(rest.strip_prefix(":=").or_else(|| rest.strip_prefix("+="))?.trim().to_owned())
        };
        let mut all = makefile.lines().filter_map(assigned);
        let value = all.next().unwrap_or_else(|| panic!("the Makefile assigns no {name}"));
        assert_eq!(all.next(), None, "{name} is assigned twice");
        value
    };
    assert_eq!((value("PKG_NAME"), value("PKG_VERSION")), ("diag".to_owned(), version.to_owned()));
    assert_eq!(value("PKG_SOURCE"), "$(PKG_NAME)-$(PKG_VERSION).tar.gz");
    assert!(value("PKG_SOURCE_URL").ends_with("/diag/tar.gz/v$(PKG_VERSION)?"));
    // As the feed writes a choice; with "OR" the SBOM would have a licence of that name.
    let mut licences: Vec<&str> = about.license.split(" OR ").collect();
    licences.sort_unstable();
    assert_eq!(value("PKG_LICENSE"), licences.join(" "));
    for file in value("PKG_LICENSE_FILES").split_whitespace() {
        assert!(sh::root().join(file).is_file(), "{file}");
    }
    assert_eq!((value("SECTION"), value("CATEGORY")), ("utils".to_owned(), "Utilities".to_owned()));
    assert_eq!(
        (value("DEPENDS"), value("PKG_BUILD_DEPENDS")),
        ("$(RUST_ARCH_DEPENDS)".into(), "rust/host".into())
    );
    // Added to what rust-package.mk assigns, so behind it; of two assignments in front of a command the second counts.
    assert_eq!(value("CARGO_PKG_ARGS"), "--no-default-features");
    assert_eq!(
        value("CARGO_PKG_VARS"),
        "CARGO_PROFILE_RELEASE_PANIC=abort CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=false"
    );
    let at = |text: &str| makefile.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(
        at("/rust-package.mk") < at("CARGO_PKG_ARGS+=") && at("/rust-package.mk") < at("CARGO_PKG_VARS+=")
    );
    assert!(at("endef") < at("$(eval $(call RustBinPackage,diag))"));
    assert!(at("RustBinPackage,diag") < at("$(eval $(call BuildPackage,diag))"));
    assert!(!value("TITLE").is_empty() && makefile.contains("define Package/diag/description\n  Reads"));
    // These are for the one who submits it; nobody is invented.
    for (name, holds) in [("PKG_MAINTAINER", "@MAINTAINER@"), ("PKG_HASH", "@HASH@"), ("URL", "@OWNER@")] {
        assert!(value(name).contains(holds), "{name}");
    }
}
