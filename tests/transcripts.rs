//! Golden transcripts: what `diag` says of files on recorded machines, word for word.
//!
//! A transcript is a text of blocks. `machine NAME` begins a fresh copy of `machines/NAME`; `file RECIPE` puts a file on
//! it (see tests/fixtures); `$ diag ...` runs a command, and what follows is its output, closed by its exit status as
//! `[N]`. Lines that begin with `#` are for the reader. `UPDATE=1 cargo test --test transcripts` writes them anew, and
//! so it does with the examples on the rules' pages, which are transcripts as well.
//!
//! A router's build (feature `every-machine` off) judges its own architecture, and leaves out what no router meets: of the
//! transcripts it plays those of such machines, but for the blocks that begin with `machine NAME, not by a router's build`.

mod fixtures;
mod skipped;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use diag::cli::{self, Args, Command};
use diag::report::Style;
use diag::rules::PAGES;
use diag::target::Target;

use fixtures::Fixture;
use serde_json::Value;
use skipped::skipped;

#[test]
fn transcripts_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut stale = Vec::new();
    let mut played_here = false;
    for file in files {
        let written = fs::read_to_string(&file).unwrap();
        played_here |= written.lines().filter_map(|line| line.strip_prefix("machine ")).any(is_judged);
        let played = play(file.file_stem().unwrap().to_str().unwrap(), &written);
        if played != written {
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&file, &played).unwrap();
            } else {
                stale.push(difference(&file, &written, &played));
            }
        }
    }
    assert!(stale.is_empty(), "{}", stale.join("\n"));
    if !played_here {
        skipped("transcripts_hold: machines/ has none of this architecture, and the build judges no other");
    }
}

/// What stands behind the name of a machine where a router's build has other words, or none.
const NOT_BY_ROUTERS: &str = ", not by a router's build";

/// Whether this build judges a recorded machine.
fn is_judged(machine: &str) -> bool {
    if cfg!(feature = "every-machine") {
        return true;
    }
    if machine.ends_with(NOT_BY_ROUTERS) {
        return false;
    }
    let uname = Path::new(env!("CARGO_MANIFEST_DIR")).join("machines").join(machine).join("uname");
    let uname = fs::read_to_string(uname).unwrap();
    let own = |word: &str| word.starts_with(std::env::consts::ARCH);
    uname.split_whitespace().any(own)
}

/// The example on each rule's page, which is a transcript of its own and shows that rule's finding.
#[test]
fn examples_hold() {
    let mut stale = Vec::new();
    for page in PAGES {
        let code = page.code.name();
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("core/src/rules/{}.rs", code.replace('-', "_")));
        let source = fs::read_to_string(&file).unwrap();
        let (before, rest) = source.split_once(EXAMPLE).unwrap_or_else(|| panic!("{code}: no example"));
        let (block, after) = rest.split_once("    /// ```\n").unwrap();
        let written: String = block.lines().map(|line| uncommented(line) + "\n").collect();
        let played = play(&format!("example-{code}"), &written);
        if !played.contains(&format!("[{code}]: ")) {
            stale.push(format!("{code}: its example shows another finding:\n{played}"));
        } else if played != written && std::env::var_os("UPDATE").is_some() {
            let block: String =
                played.lines().map(|line| format!("    /// {line}").trim_end().to_owned() + "\n").collect();
            fs::write(&file, format!("{before}{EXAMPLE}{block}    /// ```\n{after}")).unwrap();
        } else if played != written {
            stale.push(difference(&file, &written, &played));
        }
    }
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}

/// How an example begins in a rule's file.
const EXAMPLE: &str = "    /// # Example\n    /// ```text\n";

fn uncommented(line: &str) -> String {
    line.strip_prefix("    /// ").unwrap_or_default().to_owned()
}

fn difference(file: &Path, written: &str, played: &str) -> String {
    let at = written.lines().zip(played.lines()).take_while(|(a, b)| a == b).count();
    let show =
        |text: &str| text.lines().skip(at).take(8).map(|line| format!("    {line}\n")).collect::<String>();
    format!(
        "{}: from line {} on it says\n{}  and is now\n{}",
        file.display(),
        at + 1,
        show(written),
        show(played)
    )
}

/// Plays a transcript and gives it back with the output that it has now.
fn play(name: &str, transcript: &str) -> String {
    let mut out = String::new();
    let mut fixture: Option<Fixture> = None;
    let mut machines = 0;
    let mut in_output = false;
    let mut lines = transcript.lines().peekable();
    while let Some(line) = lines.next() {
        if in_output {
            in_output = !(line.starts_with('[') && line.ends_with(']'));
            continue;
        }
        out += &format!("{line}\n");
        if let Some(machine) = line.strip_prefix("machine ") {
            machines += 1;
            if !is_judged(machine) {
                while let Some(line) = lines.next_if(|line| !line.starts_with("machine ")) {
                    out += &format!("{line}\n");
                }
                continue;
            }
            let machine = machine.strip_suffix(NOT_BY_ROUTERS).unwrap_or(machine);
            fixture = Some(Fixture::new(machine, &format!("{name}-{machines}")));
        } else if let Some(recipe) = line.strip_prefix("file ") {
            fixture.as_ref().expect("a machine first").create(recipe);
        } else if let Some(command) = line.strip_prefix("$ diag") {
            let system = fixture.as_ref().expect("a machine first").limited();
            let (text, status) = run(Target::new(&system), command);
            out += &format!("{text}[{status}]\n");
            contract(Target::new(&system), command);
            // A command that was never played has no output yet.
            let begins =
                |next: &&str| ["$ ", "# ", "file ", "machine "].iter().any(|word| next.starts_with(word));
            in_output = lines.peek().is_some_and(|next| !next.is_empty() && !begins(next));
        } else {
            assert!(line.is_empty() || line.starts_with('#'), "{name}: {line}");
        }
    }
    out
}

/// What holds of every report, whatever its words.
fn contract(target: Target<'_>, command: &str) {
    let Command::Do(args) = cli::parse(command.split_whitespace().map(OsString::from)) else { return };
    let shown =
        cli::report(target, &Args { json: false, quiet: false, ..args.clone() }, Style::default()).text;
    let json = cli::report(target, &Args { json: true, ..args }, Style::default()).text;
    let report: Value = serde_json::from_str(&json).unwrap();
    for program in report["programs"].as_array().unwrap() {
        let findings = program["findings"].as_array().unwrap();
        severities(program, findings);
        for fix in findings.iter().map(|finding| &finding["fix"]).filter(|fix| fix.is_object()) {
            commands_are_whole(fix, &shown);
        }
    }
}

/// An error finding is that it fails, and the other way round: none with exit status 2, nor with 0.
fn severities(program: &Value, findings: &[Value]) {
    let has_error = findings.iter().any(|finding| finding["severity"] == "error");
    assert_eq!(has_error, program["verdict"] == "fails", "{program:#}");
}

/// The first words of what is typed.
const TOOLS: &[&str] = &[
    "7z",
    "apk",
    "apt",
    "apt-file",
    "ar",
    "base64",
    "bash",
    "bunzip2",
    "cargo",
    "cc",
    "chmod",
    "cp",
    "dmesg",
    "dnf",
    "dotnet",
    "dpkg",
    "dvc",
    "echo",
    "export",
    "gcc",
    "git",
    "go",
    "gunzip",
    "insmod",
    "java",
    "ld",
    "ldconfig",
    "ln",
    "ls",
    "lua",
    "luajit",
    "lz4",
    "mount",
    "mv",
    "opkg",
    "pacman",
    "patchelf",
    "python3",
    "restorecon",
    "rpm",
    "sed",
    "sh",
    "sha256sum",
    "sync",
    "tar",
    "termux-elf-cleaner",
    "unzip",
    "ulimit",
    "unset",
    "upx",
    "uudecode",
    "wasmtime",
    "xxd",
    "xz",
    "yum",
    "zstd",
    "zypper",
    "bun",
    "dart",
    "deno",
    "dotnet",
    "fpc",
    "nim",
    "swift",
    "zig",
];

/// A command stands on a line of its own, however long; the sentence before it, which is broken at blanks, holds none.
fn commands_are_whole(fix: &Value, shown: &str) {
    let sentence = fix["text"].as_str().unwrap();
    for command in fix["commands"].as_array().unwrap().iter().map(|command| command.as_str().unwrap()) {
        let alone = |line: &str| line.trim_start().trim_start_matches("fix:").trim_start() == command;
        assert!(shown.lines().any(alone), "{command}: is broken, or not shown:\n{shown}");
        let is_compiler =
            |word: &str| ["-gcc", "-g++", "-clang", "-clang++"].iter().any(|end| word.ends_with(end));
        let names_a_tool = |word: &str| TOOLS.contains(&word) || is_compiler(word) || word.contains('=');
        assert!(command.split(' ').next().is_some_and(names_a_tool), "a new tool, for TOOLS: {command}");
    }
    let words: Vec<&str> = sentence.split(' ').collect();
    for pair in words.windows(2) {
        let tool = pair[0].trim_start_matches('(');
        let is_argument = pair[1].starts_with(['-', '/', '.', '\'']) || pair[1] == "FILE";
        let is_word = ["install", "add", "build", "update"].contains(&pair[1]);
        assert!(
            !TOOLS.contains(&tool) || !(is_argument || is_word),
            "a command within a sentence: {sentence}"
        );
    }
}

/// JSON for reading, without the version.
fn pretty(json: &str) -> String {
    let mut document: serde_json::Value = serde_json::from_str(json).unwrap();
    document["diag"] = "VERSION".into();
    format!("{document:#}\n")
}

fn run(target: Target<'_>, command: &str) -> (String, u8) {
    match cli::parse(command.split_whitespace().map(OsString::from)) {
        Command::Do(args) => {
            let style = Style { quiet: args.quiet, verbose: args.verbose > 0, colour: false };
            let output = cli::report(target, &args, style);
            let text = if args.json { pretty(&output.text) } else { output.text };
            (text, output.status)
        }
        Command::Print(text) => (text.to_owned(), 0),
        Command::Usage(problem) => (format!("{problem}\n"), 2),
        #[cfg(feature = "every-machine")]
        Command::Complete(shell) => panic!("no transcript shows the completions of {shell}"),
    }
}
