//! Programs and libraries, whole and broken on purpose: glibc's ld.so and diag must say the same of each.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::path::{Path, PathBuf};

use oracle::linking;
use oracle::linking::host::{Family, Host};
use oracle::tally::Tally;

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

#[test]
fn diag_and_the_loader_of_this_computer_agree() {
    let host = Host {
        family: Family::Glibc,
        loader: LOADER.to_owned(),
        root: None,
        work: Path::new(env!("CARGO_TARGET_TMPDIR")).join("linking"),
        diag: PathBuf::from(env!("CARGO_BIN_EXE_diag")),
        cc: vec!["cc".to_owned()],
        program: (Vec::new(), Vec::new()),
        library: Vec::new(),
    };
    let mut tally = Tally::new("programs and libraries on glibc");
    linking::check(&host, &mut tally);
    assert!(tally.passed(), "{tally}");
}
