//! The rules of the house, as tests.

mod skipped;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use diag::rules::{PAGES, RULES};
use skipped::skipped;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, with its text up to its unit tests.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![top().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                found.push((path.strip_prefix(top()).unwrap().to_path_buf(), code));
            }
        }
    }
    assert!(!found.is_empty());
    found.sort();
    found
}

/// Lines of code that hold one of the words, in files outside of the ones allowed.
fn offenders(words: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("core/src")) {
        let name = path.to_str().unwrap();
        if allowed.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            // `unix::` is not nix.
            let code = line.split("//").next().unwrap_or_default().replace("unix::", "");
            if words.iter().any(|word| code.contains(word)) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

const NONE: Vec<String> = Vec::new();

/// The core has no operating system: `no_std`, and nothing that would bring one.
#[test]
fn the_core_stands_alone() {
    let root = fs::read_to_string(top().join("core/src/lib.rs")).unwrap();
    assert!(root.contains("#![no_std]") && root.contains("#![forbid(unsafe_code)]"));
    let outside_tests = |line: &String| !line.contains("tests") && line.starts_with("core/");
    let found = offenders(&["extern crate std", "std::"], &["src/", "core/src/lib.rs"]);
    assert_eq!(found.into_iter().filter(outside_tests).collect::<Vec<_>>(), NONE);
}

#[test]
fn only_live_touches_the_live_system() {
    let words = ["nix::", "procfs::", "libc::", "rustix::", "std::net", "std::thread"];
    assert_eq!(offenders(&words, &["src/live", "src/router", "core/"]), NONE);
    let words = ["fs::", "std::env", "process::Command"];
    let allowed = ["src/live", "src/other_os", "src/router", "src/recorded", "core/"];
    assert_eq!(offenders(&words, &allowed), NONE);
    // main is the C library's.
    let allowed = ["src/live", "src/other_os", "src/router", "src/main.rs", "core/src/lib.rs"];
    assert_eq!(offenders(&["extern \"C\"", "unsafe"], &allowed), NONE);
}

/// Which computer diag is built for is asked in one place (and by main, for a library of glibc's); what differs is in two rooms.
#[test]
fn only_one_place_knows_the_system_that_is_built_for() {
    let words = ["target_os", "target_family", "cfg(unix)", "cfg(windows)", "std::os::"];
    let allowed = ["src/lib.rs", "src/live", "src/other_os", "core/"];
    let found = offenders(&words, &allowed);
    assert!(matches!(&*found, [one] if one.starts_with("src/main.rs")), "{found:?}");
}

/// An architecture is one row and its room; what others need of it, they ask the row.
#[test]
fn only_the_rows_know_the_architecture_that_is_built_for() {
    let words = ["target_arch", "target_endian"];
    assert_eq!(offenders(&words, &["core/src/arch", "src/live", "core/src/exec/arch/tests.rs"]), NONE);
    assert_ne!(offenders(&words, &[]), NONE);
}

#[test]
fn only_main_prints() {
    let words = ["print!", "println!", "dbg!", "stdout()", "stderr()", "write_stdout("];
    // patience passes on what the child of main has written.
    let allowed = ["src/main.rs", "src/live/stdio.rs", "src/live/patience.rs", "src/other_os"];
    assert_eq!(offenders(&words, &allowed), NONE);
}

#[test]
fn only_the_candidate_module_reads_programs() {
    let words = [".read_at(", "::pread(", ".read_exact_at(", ".read_to_end(", ".read_exact(", "root.open("];
    let allowed =
        ["core/src/candidate/", "core/src/machine/", "src/live", "src/other_os", "src/record", "src/on.rs"];
    assert_eq!(offenders(&words, &allowed), NONE);
}

/// Who starts a program, one of diag's own: on the machine, and in QEMU.
const OWN_PROGRAMS: [&str; 2] = ["src/live/ask", "src/live/tiny_elf/tests.rs"];

#[test]
fn nothing_executes_a_candidate() {
    let words = ["execve", "fexecve", "execveat", "posix_spawn", "fork(", "Command::new", "PROT_EXEC"];
    let starts = |line: &String| !line.contains('"');
    let found: Vec<String> = offenders(&words, &OWN_PROGRAMS).into_iter().filter(starts).collect();
    assert_eq!(found, NONE);
}

#[test]
fn words_come_after_the_model() {
    for (path, text) in sources("core/src/exec").into_iter().chain(sources("core/src/ldso")) {
        for word in ["crate::rules", "crate::finding", "crate::report", "crate::advice"] {
            assert!(!text.contains(word), "{} uses {word}", path.display());
        }
    }
    for (path, text) in sources("core/src/rules") {
        assert!(!text.contains("crate::report"), "{} uses the report", path.display());
        assert!(!text.contains("dyn Root"), "{} asks the target", path.display());
        for model in ["exec::simulate", "ldso::load", "crate::judge"] {
            assert!(!text.contains(model), "{} runs a model: {model}", path.display());
        }
    }
}

#[test]
fn every_rule_is_in_the_table() {
    let files: BTreeSet<String> = fs::read_dir(top().join("core/src/rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().replace('_', "-"))
        .filter(|name| name != "words")
        .collect();
    let codes: BTreeSet<String> = RULES.iter().map(|rule| rule.code.name().to_owned()).collect();
    assert_eq!(files, codes, "a rule is one file, named after its code");
    assert_eq!(codes.len(), RULES.len(), "a code is used once");
}

#[test]
fn every_rule_has_a_transcript() {
    let mut shown = String::new();
    for entry in fs::read_dir(top().join("tests/transcripts")).unwrap() {
        shown += &fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    let missing: Vec<&str> = RULES
        .iter()
        .map(|rule| rule.code.name())
        .filter(|code| !shown.contains(&format!("[{code}]:")))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "no transcript shows these");
}

#[test]
fn every_manual_page_has_its_headings() {
    for page in PAGES {
        let headings: Vec<&str> = page.text.lines().filter_map(|line| line.strip_prefix(" # ")).collect();
        let expected = ["What it means", "How it looks", "Why", "Fix", "Kernel source", "Example"];
        assert_eq!(headings, expected, "{}", page.code.name());
    }
}

/// Markdown of a text that may hold a backquote itself.
fn code_span(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// A message is what is printed, without who prints it, and stands on its page once.
#[test]
fn every_message_is_one_line_of_its_page() {
    for page in PAGES {
        let code = page.code.name();
        let unlike: BTreeSet<&str> = page.looks.iter().copied().collect();
        assert_eq!(unlike.len(), page.looks.len(), "{code}: a message stands there twice");
        for message in page.looks {
            assert!(!message.trim().is_empty() && message.trim() == *message, "{code}: {message:?}");
            assert!(!message.contains(char::is_control), "{code}: {message:?}");
            let who = ["ash: ", "bash: ", "musl: ", "glibc: ", "kernel: "];
            assert!(!who.iter().any(|who| message.starts_with(who)), "{code}: {message:?}");
        }
    }
    let known = PAGES.iter().filter(|page| !page.looks.is_empty()).count();
    assert!(known + 2 >= PAGES.len(), "only {known} pages have a message");
}

/// What an example prints behind `you see:` is a message that its page can be found by.
#[test]
fn an_example_prints_a_message_of_its_page() {
    let mut compared = 0;
    let mut unlike = Vec::new();
    for page in PAGES.iter().filter(|page| !page.looks.is_empty()) {
        let (_, example) = page.text.split_once("# Example").unwrap();
        let Some((_, printed)) = example.split_once("you see:") else { continue };
        // Its lines are broken at blanks, and the next label ends them.
        let lines = printed.lines().take_while(|line| !line.contains("fix:"));
        let printed: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        compared += 1;
        // Names of files and symbols are others there.
        let is_same = |message: &&str| {
            let mut printed = printed.iter();
            let mut words = message.split_whitespace().filter(|word| !word.contains(['/', '.', '_']));
            words.all(|word| {
                printed.any(|other| other.trim_matches([';', ',', '(', ')']) == word.trim_matches(['(', ')']))
            })
        };
        if !page.looks.iter().any(is_same) {
            unlike.push(format!("{}: {}", page.code.name(), printed.join(" ")));
        }
    }
    assert!(unlike.is_empty(), "{unlike:#?}");
    assert!(compared > 10, "only {compared} pages compared");
}

#[test]
fn findings_md_is_fresh() {
    let mut text = String::from(
        "# Findings\n\nWhat `diag` can say of a program, by code. Generated from core/src/rules by \
         `UPDATE=1 cargo test --test tidy`.\n",
    );
    for page in PAGES {
        text += &format!("\n## {}\n", page.code.name());
        for line in page.text.lines() {
            let line = line.strip_prefix(' ').unwrap_or(line);
            match line.strip_prefix("# ") {
                Some("How it looks") if !page.looks.is_empty() => {
                    text += "\n**How it looks.**\n\n";
                    page.looks.iter().for_each(|message| text += &format!("- {}\n", code_span(message)));
                    text.push('\n');
                }
                Some(heading) => text += &format!("\n**{heading}.**\n"),
                None => text += &format!("{line}\n"),
            }
        }
    }
    let path = top().join("docs/findings.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/findings.md is stale: UPDATE=1 cargo test --test tidy");
}

#[test]
fn the_map_names_every_module() {
    let map = fs::read_to_string(top().join("core/src/lib.rs")).unwrap();
    for module in map.lines().filter_map(|line| line.strip_prefix("pub mod ")) {
        let module = module.trim_end_matches(';');
        let small = ["errno", "text"].contains(&module);
        assert!(
            small || map.contains(&format!("[`{module}`]")) || map.contains(&format!("`{module}::")),
            "{module}"
        );
    }
}

/// Every .rs file below a folder but what cargo makes.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap_or_default();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                rust_files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `cargo fmt` follows `mod`; here each file is named, so that none escapes, whatever makes its `mod`.
#[test]
fn every_file_is_formatted() {
    let mut files = Vec::new();
    rust_files(top(), &mut files);
    assert!(files.contains(&top().join("core/src/rules/wrong_byte_order.rs")), "{files:?}");
    let rustfmt = std::env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into());
    let version = Command::new(&rustfmt).arg("--version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        skipped("every_file_is_formatted: there is no rustfmt (rustup component add rustfmt)");
        return;
    }
    let output = Command::new(rustfmt)
        .args(["--check", "-l", "--color", "never", "--config-path"])
        .arg(top().join("rustfmt.toml"))
        .args(&files)
        .output()
        .unwrap();
    let listed = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && listed.is_empty(), "not formatted:\n{listed}{complaints}");
}

#[test]
fn files_stay_readable() {
    for folder in ["src", "core/src", "fuzz/src", "oracle/src", "testkit/src", "xtask/src"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(lines <= 420, "{} has {lines} lines: look for the wall", path.display());
        }
    }
}
