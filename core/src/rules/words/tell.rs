//! A finding from one text that looks like the report it becomes.
//!
//! The first line is the title. Each other line has a label; one with nothing behind its label, or behind its `=`, is
//! left out, so that a value which may be absent is an empty text.
//!
//! | line | what it is |
//! | --- | --- |
//! | `program: field=value` | what the file says |
//! | `machine: field=value` | what the machine is |
//! | `kernel:  words` | what execve(2) answers; `call=words` for another call |
//! | `you see: words` | what the shell or the dynamic loader prints then |
//! | `fix:     sentence` | what to do; it is broken at blanks, so it holds no command |
//! | `run:     command` | a command that does it, as it is to be typed |

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt::Arguments;

use super::super::{Called, Case, words};
use super::shown::Shown;
use crate::advice;
use crate::candidate::Toolchain;
use crate::finding::{Evidence, Finding, Severity, Side};

impl Case<'_> {
    /// It will not start.
    pub(in crate::rules) fn error(&self, text: Arguments<'_>) -> Finding {
        self.finding(Severity::Error, text)
    }

    /// It may not work.
    pub(in crate::rules) fn warning(&self, text: Arguments<'_>) -> Finding {
        self.finding(Severity::Warning, text)
    }

    /// It is worth knowing.
    pub(in crate::rules) fn note(&self, text: Arguments<'_>) -> Finding {
        self.finding(Severity::Note, text)
    }

    /// The finding that a text tells.
    pub(in crate::rules) fn finding(&self, severity: Severity, text: Arguments<'_>) -> Finding {
        let text = text.to_string();
        let mut lines = text.split('\n');
        let title = lines.next().unwrap_or_default().to_owned();
        let mut finding = Finding::new(self.code, severity, title);
        for line in lines {
            add(&mut finding, line);
        }
        finding
    }

    /// What a finding calls the file.
    pub(in crate::rules) fn file(&self) -> String {
        match self.called {
            Called::Path => Shown(&self.candidate.path).to_string(),
            Called::It => "it".to_owned(),
        }
    }

    /// The file as a word of a command that works from here.
    pub(in crate::rules) fn argument(&self) -> String {
        let candidate = self.candidate;
        let is_bare = words::is_bare(&candidate.path);
        words::quoted(if is_bare { &candidate.resolved } else { &candidate.path })
    }

    /// What the program was built for.
    pub(in crate::rules) fn built_for(&self) -> String {
        words::built_for(self.program)
    }

    /// The machine in a few words.
    pub(in crate::rules) fn machine_name(&self) -> String {
        words::machine(self.machine)
    }

    /// What the kernel answers; on a line of its own what the shell prints.
    pub(in crate::rules) fn kernel_says(&self) -> String {
        words::kernel(self.content)
    }

    /// That the dynamic loader ends the program, where the kernel comes to it.
    pub(in crate::rules) fn loader_ends(&self) -> &'static str {
        words::loader_ends(self.content)
    }

    /// Behind `fix:`, to build it for this machine: a sentence, and `run:` lines.
    pub(in crate::rules) fn rebuild(&self) -> String {
        let toolchain = self.program.map_or(Toolchain::Unknown, |program| program.origin.toolchain);
        let Some((sentence, commands)) = advice::rebuild(self.machine, toolchain) else {
            return String::new();
        };
        commands.into_iter().fold(sentence, |text, command| format!("{text}\nrun: {command}"))
    }

    /// [`Case::rebuild`] behind another way, which ends in "; or": that alone where it is not known what to build.
    pub(in crate::rules) fn rebuild_after(&self, other: &str) -> String {
        match self.rebuild() {
            rebuild if rebuild.is_empty() => {
                other.rsplit_once("; or").map_or(other, |(other, _)| other).to_owned()
            }
            rebuild => format!("{other} {rebuild}"),
        }
    }

    /// Behind `fix:`, for a file that was damaged on its way.
    pub(in crate::rules) fn copy_again(&self) -> String {
        let file = self.argument();
        format!(
            "copy or download it again; size and checksum have to be the same on both sides\n\
             run: sha256sum {file}"
        )
    }
}

fn add(finding: &mut Finding, line: &str) {
    let Some((label, words)) = line.split_once(':') else { return };
    let words = words.trim_start_matches(' ');
    if words.is_empty() {
        return;
    }
    let is_call = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase());
    let side = match label {
        "fix" => return finding.fix.get_or_insert_default().text.push_str(words),
        "run" => return finding.fix.get_or_insert_default().commands.push(words.to_owned()),
        "program" => Side::Program,
        "machine" => Side::Machine,
        "kernel" => Side::Kernel,
        _ => Side::Shell,
    };
    let (field, value) = match (side, words.split_once('=')) {
        (Side::Program | Side::Machine, Some(named)) => named,
        (Side::Kernel, Some((call, value))) if is_call(call) => (call, value),
        (Side::Shell, _) => ("prints", words),
        _ => ("execve", words),
    };
    if !value.is_empty() {
        finding.evidence.push(Evidence { side, field: field.to_owned(), value: value.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::rules::Code;

    fn told(line: &str) -> Finding {
        let mut finding = Finding::new(Code::NotAProgram, Severity::Error, String::new());
        line.split('\n').for_each(|line| add(&mut finding, line));
        finding
    }

    #[test]
    fn a_value_forges_no_line() {
        let name = "x\nprogram: EI_DATA=2\r\nfix: rm\nrun: rm -rf /\x1b[2J\u{2028}fix: rm";
        let (shown, quoted) = (Shown(name), words::quoted(name.as_ref()));
        for text in [shown.to_string(), quoted] {
            assert!(!text.contains(char::is_control) && !text.contains('\u{2028}'), "{text}");
        }
        let finding = told(&format!("program: line 1={shown}\nmachine: file={shown}\nkernel:  stat={shown}"));
        assert_eq!(finding.evidence.len(), 3);
        assert!(finding.evidence.iter().all(|evidence| evidence.value.ends_with("fix: rm")));
        assert_eq!(finding.fix, None);
    }

    #[test]
    fn a_line_without_a_value_is_left_out() {
        let finding = told("program: size=\nmachine: \nkernel:\nfix:     \nrun:     ");
        assert!(finding.evidence.is_empty() && finding.fix.is_none(), "{finding:?}");
    }

    #[test]
    fn the_kernel_answers_execve_where_no_other_call_is_named() {
        let finding = told("kernel:  stat=ENOENT\nkernel:  starts it; status 127: a=b: not found");
        let fields: Vec<(&str, &str)> =
            finding.evidence.iter().map(|one| (one.field.as_str(), one.value.as_str())).collect();
        assert_eq!(fields, [("stat", "ENOENT"), ("execve", "starts it; status 127: a=b: not found")]);
    }
}
