//! What `diag --completions SHELL` prints, given to the shells themselves. bash is asked what it completes; zsh and fish
//! read it where they are installed, and in `cargo xtask check host` Debian's do.

mod skipped;

use std::fs;
use std::io::ErrorKind;
use std::process::Command;

use diag::args::{OPTIONS, SHELLS, script};

use skipped::skipped;

#[test]
fn every_shell_reads_its_script() {
    for shell in SHELLS {
        let path = std::env::temp_dir().join(format!("diag-completions-{}.{shell}", std::process::id()));
        fs::write(&path, script(shell)).unwrap();
        let checked = Command::new(shell).arg("-n").arg(&path).output();
        fs::remove_file(&path).unwrap();
        match checked {
            Ok(output) => assert!(output.status.success() && output.stderr.is_empty(), "{output:?}"),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                skipped(&format!("every_shell_reads_its_script: no {shell} here"));
            }
            Err(error) => panic!("{shell}: {error}"),
        }
    }
}

/// What bash makes of a line whose last word is to be completed.
fn completed(words: &[&str]) -> Option<Vec<String>> {
    let script = format!(
        "{}\nCOMP_WORDS=(\"$@\")\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n_diag\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script("bash")
    );
    let output = match Command::new("bash").args(["-c", &script, "bash"]).args(words).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

#[test]
fn bash_completes() {
    let Some(all) = completed(&["diag", "-"]) else { return skipped("bash_completes: no bash here") };
    for row in OPTIONS {
        let is_there = |name: String| all.contains(&name);
        assert!(row.long.is_empty() || is_there(format!("--{}", row.long)), "{all:?}");
        assert!(row.letter == 0 || is_there(format!("-{}", char::from(row.letter))), "{all:?}");
    }
    for (words, wanted) in [
        (&["diag", "--js"][..], &["--json"][..]),
        (&["diag", "-v", "--json", "--de"], &["--dest"]),
        (&["diag", "--completions", ""], &["bash", "zsh", "fish"]),
        (&["diag", "--completions", "="], &["bash", "zsh", "fish"]),
        (&["diag", "--completions", "=", "z"], &["zsh"]),
        // Nothing has bash complete the names of files.
        (&["diag", ""], &[]),
        (&["diag", "--on", "y1"], &[]),
        (&["diag", "--dest", "-"], &[]),
        (&["diag", "--", "--js"], &[]),
        (&["diag", "a b", "--js"], &["--json"]),
    ] {
        assert_eq!(completed(words).unwrap(), wanted, "{words:?}");
    }
}
