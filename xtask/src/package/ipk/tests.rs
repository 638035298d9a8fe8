//! GNU tar is asked for the same archives, and its bytes are compared.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use flate2::read::GzDecoder;

use super::*;
use crate::sh;

const EPOCH: u64 = 1_795_435_961;

fn meta() -> Meta {
    Meta {
        name: "diag".to_owned(),
        version: "0.1.0-r1".to_owned(),
        arch: "mips_24kc".to_owned(),
        description: "Says why".to_owned(),
        license: "MIT OR Apache-2.0".to_owned(),
        section: "utils".to_owned(),
        url: None,
        epoch: EPOCH,
    }
}

fn files() -> Vec<Entry> {
    let file =
        |path: &str, mode: u32, data: &[u8]| Entry { path: path.to_owned(), mode, data: data.to_vec() };
    vec![
        file("usr/share/x", 0o644, b""),
        file("usr/bin/diag", 0o755, &[7; 700]),
        // Sorted by whole paths, this one would come before what is in usr/bin.
        file("usr/bin-x", 0o644, &[8; 512]),
    ]
}

/// What GNU tar makes of `members` in a folder.
fn gnu_tar(folder: &Path, members: &[&str]) -> Vec<u8> {
    let out = tempfile::NamedTempFile::new().unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--format=gnu", "--numeric-owner", "--owner=0", "--group=0", "--sort=name", "-cpf"]);
    tar.arg(out.path()).arg(format!("--mtime=@{EPOCH}")).args(members).current_dir(folder);
    sh::run(&mut tar).unwrap();
    fs::read(out.path()).unwrap()
}

fn gunzip(data: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(data).read_to_end(&mut plain).unwrap();
    plain
}

fn unpack(archive: &[u8], folder: &Path) {
    let file = folder.join(".archive");
    fs::write(&file, archive).unwrap();
    sh::run(Command::new("tar").arg("-xpzf").arg(&file).current_dir(folder)).unwrap();
    fs::remove_file(file).unwrap();
}

#[test]
fn the_tree_is_gnu_tars() {
    let folder = tempfile::tempdir().unwrap();
    for file in files() {
        let path = folder.path().join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &file.data).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(file.mode)).unwrap();
    }
    for inner in ["", "usr", "usr/bin", "usr/share"] {
        fs::set_permissions(folder.path().join(inner), fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert!(tree(&files(), EPOCH).unwrap() == gnu_tar(folder.path(), &["."]));
}

#[test]
fn the_package_is_laid_out_as_openwrts() {
    let package = Ipk::new(&meta(), &Data::new(&files(), meta().epoch).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    unpack(&package.bytes, folder.path());
    let members = ["./debian-binary", "./data.tar.gz", "./control.tar.gz"];
    assert!(gunzip(&package.bytes) == gnu_tar(folder.path(), &members));
    assert_eq!(fs::read(folder.path().join("debian-binary")).unwrap(), b"2.0\n");

    let data = fs::read(folder.path().join("data.tar.gz")).unwrap();
    assert_eq!(&data[..10], b"\x1f\x8b\x08\0\0\0\0\0\x02\x03", "gzip without name and time");
    let root = folder.path().join("root");
    fs::create_dir(&root).unwrap();
    unpack(&data, &root);
    for file in files() {
        let path = root.join(&file.path);
        assert_eq!(fs::read(&path).unwrap(), file.data);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, file.mode);
    }

    let control = folder.path().join("control");
    fs::create_dir(&control).unwrap();
    unpack(&fs::read(folder.path().join("control.tar.gz")).unwrap(), &control);
    let control = fs::read_to_string(control.join("control")).unwrap();
    assert_eq!(control, package.control);
    let expected = format!(
        "Package: diag\nVersion: 0.1.0-r1\nLicense: MIT OR Apache-2.0\nSection: utils\n\
         SourceDateEpoch: {EPOCH}\nArchitecture: mips_24kc\nInstalled-Size: {}\nDescription:  Says why\n",
        data.len()
    );
    assert_eq!(control, expected);
}

#[test]
fn the_home_stands_behind_the_time() {
    let meta = Meta { url: Some("https://example.org/diag".to_owned()), ..meta() };
    let control = Ipk::new(&meta, &Data::new(&files(), meta.epoch).unwrap()).unwrap().control;
    let expected = format!("\nSourceDateEpoch: {EPOCH}\nURL: https://example.org/diag\nArchitecture: ");
    assert!(control.contains(&expected), "{control}");
}

#[test]
fn a_name_that_does_not_fit_is_an_error() {
    let file = Entry { path: "x".repeat(99), mode: 0o644, data: Vec::new() };
    assert!(tree(&[file], EPOCH).is_err());
}
