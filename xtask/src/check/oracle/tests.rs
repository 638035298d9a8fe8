//! A guest judges what the host prepared, file for file. Each test boots QEMU, so they run only when asked for:
//! `cargo test -p xtask -- --ignored`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::guest::{self, Extent, Said};
use super::{KERNELS, text};
use crate::{samples, sh};

const PROGRAM: &str = "int main(void) { return 42; }\n";

/// A file of every kind and mode that decides something, for a machine; with what the kernel says of it to nobody.
fn cases(folder: &Path, machine: &str) -> Vec<(&'static str, &'static str)> {
    let program = samples::static_program("returns-42", PROGRAM, machine).unwrap();
    for (name, mode) in
        [("fine", 0o755), ("setuid", 0o4755), ("hidden", 0o111), ("plain", 0o644), ("none", 0)]
    {
        fs::copy(&program, folder.join(name)).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    sh::run(Command::new("mkfifo").arg("-m").arg("0777").arg(folder.join("fifo"))).unwrap();
    fs::create_dir(folder.join("closed")).unwrap();
    fs::copy(&program, folder.join("closed/fine")).unwrap();
    fs::set_permissions(folder.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    symlink("fine", folder.join("link")).unwrap();
    symlink("loop", folder.join("loop")).unwrap();
    symlink("nothing", folder.join("dangling")).unwrap();
    fs::write(folder.join("script"), "#!fine\n").unwrap();
    fs::set_permissions(folder.join("script"), fs::Permissions::from_mode(0o755)).unwrap();
    vec![
        ("fine", "exited 42"),
        ("setuid", "exited 42"),
        ("hidden", "exited 42"),
        ("plain", "refused EACCES"),
        ("none", "refused EACCES"),
        ("fifo", "refused EACCES"),
        ("closed", "refused EACCES"),
        ("closed/fine", "refused EACCES"),
        ("link", "exited 42"),
        ("loop", "refused ELOOP"),
        ("dangling", "refused ENOENT"),
        ("script", "exited 42"),
        ("a name\\with \"all\" 'of' $it", "refused ENOENT"),
    ]
}

#[test]
#[ignore = "boots QEMU"]
fn kinds_and_modes_reach_the_guest_and_nobody_judges() {
    for judge in KERNELS.iter().filter(|judge| ["mips", "mips64el"].contains(&judge.name)) {
        let dir = tempfile::tempdir().unwrap();
        let expected = cases(dir.path(), judge.tools);
        let names: Vec<String> = expected.iter().map(|(name, _)| (*name).to_owned()).collect();
        let seen = guest::run(judge, &guest::tools(judge).unwrap(), dir.path(), &names, Extent::Run(10_000))
            .unwrap();
        assert_eq!(seen.complaints, "", "{}", judge.name);
        for (Said { name, diag, kernel }, (_, end)) in seen.cases.iter().zip(&expected) {
            assert!(kernel.ends_with(end), "{}: {name}: {kernel}, not {end}", judge.name);
            assert_eq!(diag["path"], **name, "{}", judge.name);
        }
        let of = |name: &str| &seen.cases.iter().find(|said| said.name == name).unwrap().diag;
        assert_eq!(text(&of("fine")["verdict"]), "starts", "{}", judge.name);
        assert_eq!(text(&of("fifo")["outcome"]["errno"]), "EACCES", "{}", judge.name);
        // Nobody may not read it.
        assert_eq!(text(&of("hidden")["verdict"]), "unknown", "{}", judge.name);
    }
}

#[test]
#[ignore = "boots QEMU"]
fn only_exec_runs_nothing() {
    let judge = &KERNELS[1];
    let empty = tempfile::tempdir().unwrap();
    // The first would end the guest, the others are there to be judged.
    let names = ["/sbin/poweroff", "/bin/ash", "/lib/libc.so", "/bin/nothing"].map(str::to_owned);
    let seen = guest::run(judge, &guest::tools(judge).unwrap(), empty.path(), &names, Extent::Exec).unwrap();
    let ends: Vec<bool> = seen.cases.iter().map(|said| said.kernel.ends_with(" stopped")).collect();
    assert_eq!(ends, [true, true, true, false]);
    assert_eq!(seen.cases[3].kernel, "refused ENOENT");
}
