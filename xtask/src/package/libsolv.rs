//! libsolv, a solver of dependencies, has a reader of apk's formats of its own; it says what it finds in ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{about, write};
use crate::{debian, host, sh};

/// The sources of `apk2solv`, and of `dumpsolv`, beside all of `src`.
const TOOLS: [(&str, &[&str]); 2] = [
    (
        "apk2solv",
        &["tools/common_write.c", "ext/repo_apk.c", "ext/repo_apkv3.c", "ext/tarhead.c", "ext/solv_xfopen.c"],
    ),
    ("dumpsolv", &["ext/solv_xfopen.c"]),
];

/// What its build system would find out.
const FOUND: [&str; 7] = [
    "LIBSOLV_INTERNAL",
    "ENABLE_ZLIB_COMPRESSION",
    "MULTI_SEMANTICS",
    "ENABLE_APK",
    "HAVE_STRCHRNUL",
    "HAVE_FOPENCOOKIE",
    "_GNU_SOURCE",
];

const VERSION: &str = "\
#define LIBSOLV_VERSION_STRING \"0\"
#define LIBSOLV_VERSION_MAJOR 0
#define LIBSOLV_VERSION_MINOR 0
#define LIBSOLV_VERSION_PATCH 0
#define LIBSOLV_TOOLVERSION \"1\"
extern const char solv_version[], solv_toolversion[];
extern int solv_version_major, solv_version_minor, solv_version_patch;
";

/// The folder with both tools; Debian builds them without apk.
fn tools() -> PathBuf {
    let source = debian::newer_source("libsolv").unwrap();
    host::ensure(&[
        ("gcc", "gcc"),
        ("/usr/include/zlib.h", "zlib1g-dev"),
        ("/usr/include/zstd.h", "libzstd-dev"),
    ])
    .unwrap();
    let dir = sh::target("tools").unwrap().join("libsolv");
    if dir.is_dir() {
        return dir;
    }
    sh::build_dir(&dir, |new| {
        fs::write(new.join("solvversion.h"), VERSION)?;
        for (tool, sources) in TOOLS {
            let mut gcc = Command::new("gcc");
            gcc.args(["-w", "-Isrc", "-Iext", "-I"]).arg(new).current_dir(&source);
            gcc.args(FOUND.map(|name| format!("-D{name}"))).arg(format!("tools/{tool}.c")).args(sources);
            for entry in fs::read_dir(source.join("src"))? {
                let path = entry?.path();
                // util.c includes the other one.
                if path.extension().is_some_and(|end| end == "c") && !path.ends_with("qsort_r.c") {
                    gcc.arg(path);
                }
            }
            sh::run(gcc.arg("-o").arg(new.join(tool)).args(["-lz", "-lzstd"]))?;
        }
        Ok(())
    })
    .unwrap()
}

/// What libsolv knows after reading a file: lines of `solvable:key: value`.
fn read(options: &[&str], file: &Path) -> String {
    let tools = tools();
    let mut reader = Command::new(tools.join("apk2solv"));
    let mut reader = reader.args(options).arg(file).stdout(Stdio::piped()).spawn().unwrap();
    let mut dump = Command::new(tools.join("dumpsolv"));
    let dump = dump.stdin(reader.stdout.take().unwrap()).output().unwrap();
    assert!(reader.wait().unwrap().success() && dump.status.success(), "{}", file.display());
    String::from_utf8(dump.stdout).unwrap()
}

#[test]
#[ignore = "downloads and compiles libsolv"]
fn reads_the_package_and_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("diag-mips");
    fs::write(&binary, [0x5a; 5000]).unwrap();
    write(&binary, &crate::openwrt::named(&["mips_24kc"]), folder.path()).unwrap();
    let about = about().unwrap();
    let feed = folder.path().join("mips_24kc");
    let package = feed.join(format!("diag-{}.apk", about.version));
    let list = "/usr/bin/diag\n";
    let both = [
        "solvable:name: diag".to_owned(),
        "solvable:arch: mips_24kc".to_owned(),
        format!("solvable:evr: {}", about.version),
        format!("solvable:summary: {}", about.description),
        format!("solvable:license: {}", about.license),
        format!("solvable:buildtime: {}", about.epoch),
        format!("solvable:installsize: {}", 5000 + list.len()),
    ];
    let in_package = read(&[], &package);
    let in_index = read(&["-r"], &feed.join("packages.adb"));
    for line in both {
        for found in [&in_package, &in_index] {
            assert!(found.lines().any(|it| it == line), "{line} is not in\n{found}");
        }
    }
    let size = format!("solvable:downloadsize: {}", fs::metadata(package).unwrap().len());
    assert!(in_index.lines().any(|line| line == size), "{size} is not in\n{in_index}");
    assert_eq!(in_index.matches("solvable:name: ").count(), 1);
}
