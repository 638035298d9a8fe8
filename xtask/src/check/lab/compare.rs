//! One sample: diag's word against the kernel's and ash's.

use jsonschema::Validator;
use oracle::tally::Tally;
use serde_json::Value;

use super::{Observed, schema};
use crate::lab::Kernel;
use crate::samples::{Expect, Order, Row};

/// Families of messages. Which of them a shell shows of a foreign file depends on its bytes; that it is named at all
/// is what people search for.
const WORDS: [&str; 12] = [
    "syntax error",
    "not found",
    "Permission denied",
    "Illegal instruction",
    "Segmentation fault",
    "Bus error",
    "Text file busy",
    "corrupted shared library",
    "Symbolic link loop",
    "I/O error",
    "Exec format error",
    "No error information",
];

pub(super) fn all(kernel: Kernel, seen: &[Observed], schema: &Validator, tally: &mut Tally) {
    let mut unknown = Vec::new();
    for observed in seen {
        let Some(report) = schema::report(schema, &observed.name, &observed.json, tally) else { continue };
        let expect = observed.row.map(|row| row.expect(kernel == Kernel::MipselFpu));
        let judged = Judged { observed, program: &report["programs"][0], expect };
        judged.contract(tally);
        judged.agreement(tally);
        judged.runs_without_errors(tally);
        judged.ash(tally);
        judged.loader(tally);
        if let Some(row) = observed.row {
            judged.expected(row, tally);
            judged.says(row.says, Order::of(kernel), tally);
        }
        if judged.kind() == "unknown" {
            unknown.push(observed.name.as_str());
        }
    }
    if !unknown.is_empty() {
        tally.note(format!("diag could not tell of: {}", unknown.join(", ")));
    }
}

/// A sample, with its entry in the report.
pub(super) struct Judged<'a> {
    pub(super) observed: &'a Observed,
    pub(super) program: &'a Value,
    expect: Option<Expect>,
}

impl Judged<'_> {
    fn kind(&self) -> &str {
        self.program["outcome"]["kind"].as_str().unwrap_or_default()
    }

    /// The outcome in a few words: `refused ENOEXEC`, `killed SIGILL later`, `starts`.
    fn outcome(&self) -> String {
        let outcome = &self.program["outcome"];
        let words = ["kind", "errno", "signal", "status", "when", "missing"];
        let words = words.iter().filter_map(|word| match &outcome[*word] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn findings(&self) -> &[Value] {
        self.program["findings"].as_array().map_or(&[], Vec::as_slice)
    }

    /// It starts, and will most likely die.
    fn is_feared(&self) -> bool {
        self.findings().iter().any(|finding| finding["effect"] == "dies")
    }

    fn errors(&self) -> impl Iterator<Item = &Value> {
        self.findings().iter().filter(|finding| finding["severity"] == "error")
    }

    /// All that a reader needs to look into it.
    fn in_full(&self) -> String {
        let o = self.observed;
        format!(
            "{}\n    diag:   {} (status {}) at {}\n    kernel: {}\n    ash:    {:?} (status {})\n    said:   {:?}\n{}{}",
            o.name,
            self.outcome(),
            o.status,
            self.program["outcome"]["step"],
            o.kernel,
            shortened(&o.ash),
            o.ash_status,
            shortened(&o.said),
            indented(&o.text),
            indented(&o.errors),
        )
    }

    fn check(&self, tally: &mut Tally, holds: bool, what: &str) {
        tally.check(holds, || format!("{what}: {}", self.in_full()));
    }

    /// Exit status, verdict, outcome and the two forms of the report go together.
    fn contract(&self, tally: &mut Tally) {
        let o = self.observed;
        let verdict = self.program["verdict"].as_str().unwrap_or_default();
        let right = match verdict {
            "starts" => o.status == 0 && self.kind() == "starts",
            "fails" => o.status == 1,
            _ => o.status == 2 && self.kind() == "unknown",
        };
        self.check(tally, right, "verdict, outcome and exit status do not go together");
        let has_error = self.errors().next().is_some();
        self.check(
            tally,
            has_error == (verdict == "fails"),
            "an error is that it fails, and the other way round",
        );
        let strict = if self.is_feared() && o.status == 0 { 1 } else { o.status };
        self.check(tally, o.strict == strict, "--strict has another status");
        let codes = self.findings().iter().filter_map(|finding| finding["code"].as_str());
        let missing: Vec<&str> = codes.filter(|code| !o.text.contains(&format!("[{code}]"))).collect();
        self.check(tally, missing.is_empty(), &format!("the text lacks {missing:?}"));
        self.check(tally, !o.text.contains(|c| c < ' ' && c != '\n'), "control characters in the text");
        self.check(tally, !self.is_wide(), "the text is wider than 80 columns");
        self.check(tally, o.errors.is_empty(), "stderr is not empty");
    }

    /// A line of more than 80 columns; the first line of a finding stays one line, for `-q` and grep, and so does a
    /// command.
    fn is_wide(&self) -> bool {
        let command = |line: &str| {
            let fixes = self.findings().iter().map(|finding| &finding["fix"]);
            let mut commands = fixes.filter_map(|fix| fix["commands"].as_array()).flatten();
            commands.any(|command| command.as_str().is_some_and(|command| line.ends_with(command)))
        };
        let title = |line: &str| ["error[", "warning[", "note["].iter().any(|start| line.starts_with(start));
        self.observed.text.lines().any(|line| line.chars().count() > 80 && !title(line) && !command(line))
    }

    /// Whether the kernel does what diag says.
    fn agreement(&self, tally: &mut Tally) {
        let (outcome, kernel) = (&self.program["outcome"], self.observed.kernel.as_str());
        let text = |key: &str| outcome[key].as_str().unwrap_or_default();
        let lived = kernel.starts_with("exited ") || kernel.starts_with("killed ");
        let right = match self.kind() {
            "starts" if self.may_die() => lived,
            "killed" if self.is_ruined() && text("when") == "later" => lived && kernel != "exited 0",
            "killed" if self.may_die() && text("when") == "later" => lived,
            "starts" if self.is_hidden(kernel) => true,
            "starts" => kernel.starts_with("exited ") || kernel == "running",
            "refused" => kernel == format!("refused {}", text("errno")),
            "killed" if text("when") == "exec" => kernel == format!("killed-exec {}", text("signal")),
            "killed" => kernel == format!("killed {}", text("signal")),
            "exits" => kernel == format!("exited {}", outcome["status"]),
            _ => self.observed.row.is_some_and(|row| row.unknown),
        };
        self.check(tally, right, "diag and the kernel do not agree");
    }

    fn may_die(&self) -> bool {
        matches!(self.expect, Some(Expect::Broken | Expect::Warned(_)))
    }

    fn is_ruined(&self) -> bool {
        matches!(self.expect, Some(Expect::Ruined(_)))
    }

    fn is_hidden(&self, kernel: &str) -> bool {
        matches!(self.expect, Some(Expect::Hidden(answer)) if answer == kernel)
    }

    fn runs(&self) -> bool {
        self.observed.kernel == "exited 0"
    }

    fn runs_without_errors(&self, tally: &mut Tally) {
        if self.runs() {
            self.check(tally, self.errors().next().is_none(), "an error about a program that runs");
            let may_be = self.observed.row.is_some_and(|row| row.feared);
            self.check(tally, !self.is_feared() || may_be, "a program that runs will most likely die");
        }
    }

    /// What ash prints is what people search for: the findings have to know it.
    fn ash(&self, tally: &mut Tally) {
        let shown: Vec<&str> = WORDS.into_iter().filter(|words| self.observed.ash.contains(words)).collect();
        // Their loader's own words are compared.
        let ended = self.kind() == "exits";
        let open = self.may_die() || self.is_ruined() || ended || self.errors().next().is_none();
        if self.runs() || shown.is_empty() || open {
            return;
        }
        let evidence: String = self.errors().map(|finding| finding["evidence"].to_string()).collect();
        let named = shown.iter().any(|words| evidence.contains(words));
        self.check(tally, named, &format!("no error names what ash prints ({})", shown.join(", ")));
    }

    /// What a loader prints first when it ends a program, or env, is in the first finding, word for word.
    fn loader(&self, tally: &mut Tally) {
        if self.kind() != "exits" {
            return;
        }
        let first = self.findings().first().map_or(&Value::Null, |finding| &finding["evidence"]);
        let values = first.as_array().into_iter().flatten().filter_map(|evidence| evidence["value"].as_str());
        let values: Vec<&str> = values.collect();
        for printed in [&self.observed.said, &self.observed.ash] {
            let line = printed.lines().next().unwrap_or_default();
            let line = line.strip_prefix("env: ").unwrap_or(line);
            // The number of a relocation's type tells a reader nothing.
            let words = if line.contains("relocation type") {
                line.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ')
            } else {
                line
            };
            let named = !words.is_empty() && values.iter().any(|value| value.contains(words));
            self.check(tally, named, "the first finding has other words than the loader");
        }
    }

    fn expected(&self, row: &Row, tally: &mut Tally) {
        let first = self.findings().first();
        let code = first.map_or("", |finding| finding["code"].as_str().unwrap_or_default());
        match self.expect {
            None | Some(Expect::Agrees | Expect::Broken | Expect::Hidden(_)) => {}
            Some(Expect::Runs(words)) => {
                let runs = self.runs() && self.observed.said.contains(words);
                self.check(tally, runs, &format!("{}: expected to run and to print {words:?}", row.name));
                self.check(tally, self.kind() == "starts", "expected to start");
            }
            Some(Expect::Fails(wanted) | Expect::Ruined(wanted)) => {
                self.check(tally, code == wanted, &format!("expected {wanted} first"));
            }
            Some(Expect::Dies(wanted, outcome)) => {
                self.check(tally, code == wanted, &format!("expected {wanted} first"));
                self.check(tally, self.outcome() == outcome, &format!("expected {outcome}"));
            }
            Some(Expect::Warned(wanted)) => {
                let warned = code == wanted && first.is_some_and(|finding| finding["severity"] == "warning");
                self.check(
                    tally,
                    warned && self.kind() == "starts",
                    &format!("expected the warning {wanted}"),
                );
            }
        }
    }

    /// The first finding's words; they belong to a failure, so a kernel that runs the program needs none.
    fn says(&self, says: &[&str], order: Order, tally: &mut Tally) {
        if matches!(self.expect, Some(Expect::Runs(_))) {
            return;
        }
        let first = self.findings().first().map(ToString::to_string).unwrap_or_default();
        let text = joined(&self.observed.text);
        for words in says {
            let words = filled(words, order);
            let says = first.contains(&words) && text.contains(&words);
            self.check(tally, says, &format!("expected {words:?} in the first finding, and in the text"));
        }
    }
}

/// `{own}`, `{other}`, `{goarch}` as they are on this kernel.
fn filled(words: &str, order: Order) -> String {
    let (own, other) =
        (order.word().trim_end_matches("-endian"), order.other().word().trim_end_matches("-endian"));
    words.replace("{own}", own).replace("{other}", other).replace("{goarch}", order.goarch())
}

/// The text without its line breaks: it is wrapped at 80 columns.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |all, line| all + "        " + line + "\n")
}
