//! What goes out with a release, kept in step with the program: the manual page, the package's recipe, the version.

use std::fs;
use std::path::Path;
use std::process::Command;

use diag::args::{HELP, OPERANDS, OPTIONS};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_default()
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Text for roff: dashes are dashes, and no line is taken for a request.
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

/// The manual page: the facts are those of `--help`.
fn manual() -> String {
    let summary = HELP.lines().next().unwrap().trim_end_matches('.');
    let usage = HELP.lines().find_map(|line| line.strip_prefix("usage: ")).unwrap();
    let statuses = HELP.split_once("exit status: ").unwrap().1;
    let mut page = format!(
        ".\\\" Generated from `diag --help` by UPDATE=1 cargo test --test release\n\
         .TH DIAG 1 \"\" \"diag {VERSION}\" \"User Commands\"\n\
         .SH NAME\ndiag \\- {}\n.SH SYNOPSIS\n.nf\n{}\n.fi\n",
        roff(&(summary[..1].to_lowercase() + &summary[1..])),
        roff(usage)
    );
    page += DESCRIPTION;
    page += ".SH OPTIONS\n";
    let operands = OPERANDS.iter().map(|(name, help)| (String::from(*name), *help));
    for (name, help) in operands.chain(OPTIONS.iter().map(|row| (row.name(), row.help))) {
        page += &format!(".TP\n.B {}\n{}\n", roff(&name), roff(help));
    }
    page += ".SH EXIT STATUS\n";
    let joined = statuses.split_whitespace().collect::<Vec<_>>().join(" ");
    for status in joined.split(", ") {
        let (number, text) = status.split_once(' ').unwrap();
        assert!(number.parse::<u8>().is_ok(), "{status}");
        page += &format!(".TP\n.B {number}\n{}\n", roff(text));
    }
    page + REST
}

const DESCRIPTION: &str = "\
.SH DESCRIPTION
.B diag
reads a program and the machine, follows the kernel's steps, and names what keeps the one from starting on the other:
a wrong byte order, word size or architecture, hard float without an FPU, a missing loader, a mount without exec,
want of space and others. The decisive finding comes first; each has its evidence, what the kernel answers, what the shell
then prints, and a cure.
.PP
The program is never run. Where a fact is in no file of the machine and decides,
.B diag
asks the kernel by starting a tiny program of its own. Where the answer is no, that program may die by a signal: what the
kernel's log or the audit system then says of it is an answer, not a fault.
.PP
A program that starts and will most likely die is told so in its first line. Its exit status is 0 all the same, and 1 with
.BR \\-\\-strict .
.PP
A PROGRAM without a slash that is no file here is looked up in
.BR PATH .
";

const REST: &str = "\
.SH ENVIRONMENT
.TP
.B NO_COLOR
If it is set and not empty, the report has no colours. It has none anyway where it is not written to a terminal.
.SH EXAMPLES
.TP
.B diag ./v2ray
Say whether ./v2ray would start here.
.TP
.B diag \\-\\-dest /usr/bin ./v2ray
The same, as if it were installed in /usr/bin.
.TP
.B diag \\-\\-json >router.json
Describe this machine, for another program or person.
.SH SEE ALSO
.BR execve (2),
.BR elf (5),
.BR ld.so (8)
";

#[test]
fn the_manual_is_fresh() {
    let page = manual();
    let path = top().join("docs/diag.1");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(read("docs/diag.1") == page, "docs/diag.1 is stale: UPDATE=1 cargo test --test release");
    assert!(page.contains(".B \\-\\-dest DIR\n"), "{page}");
}

/// What a terminal of 80 columns has room for, each option on a line of its own.
#[test]
fn the_help_has_every_option() {
    for row in OPTIONS.iter().filter(|row| row.is_here()) {
        let told = HELP.lines().filter(|line| line.trim_start().starts_with(&row.name())).count();
        assert_eq!(told, 1, "{}", row.name());
    }
    assert!(HELP.lines().all(|line| line.len() <= 80), "{HELP}");
}

#[test]
fn one_version_everywhere() {
    assert!(read("CHANGELOG.md").contains(&format!("\n## {VERSION} - ")), "CHANGELOG.md");
    let makefile = read("package/openwrt/diag/Makefile");
    assert!(makefile.contains(&format!("\nPKG_VERSION:={VERSION}\n")), "package/openwrt/diag/Makefile");
    let oldest_rust = format!("cargo +{}.0 install --locked", env!("CARGO_PKG_RUST_VERSION"));
    assert!(read(".github/workflows/ci.yml").contains(&oldest_rust), "{oldest_rust}");
}

/// The feed's CI runs the test with the package installed.
#[test]
fn the_feeds_test_passes() {
    let folder = std::env::temp_dir().join(format!("diag-feed-test-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let run = |program: &str, version: &str| {
        let link = folder.join("diag");
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(program, link).unwrap();
        let mut test = Command::new("sh");
        test.arg(top().join("package/openwrt/diag/test.sh")).args(["diag", version]);
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        test.env("PATH", path).output().unwrap()
    };
    let passed = run(env!("CARGO_BIN_EXE_diag"), VERSION);
    let others = [run(env!("CARGO_BIN_EXE_diag"), "9.9.9"), run("/bin/true", VERSION)];
    fs::remove_dir_all(&folder).unwrap();
    assert!(passed.status.success(), "{passed:?}");
    assert!(others.iter().all(|output| !output.status.success()), "{others:?}");
}
