//! Scripts whose `#!` is not the first two bytes.
use super::super::shown::{Hex, Shown};
use super::super::{Case, words};
use crate::candidate::last_name;
use crate::candidate::late::Fault;
use crate::finding::Found;

pub(super) fn check(case: &Case<'_>) -> Option<Found> {
    let late = case.candidate.late_line.as_deref()?;
    let number = late.number;
    let (file, program, line) = (case.argument(), late.program(), Shown(&late.line));
    // BusyBox' sed knows no `\xef`.
    let (what, begins, command) = match late.fault {
        Fault::Mark => (
            "begins with a byte order mark (ef bb bf), so that #! is not its first two bytes",
            "#!",
            r#"sed -i "1s/^$(printf '\357\273\277')//""#,
        ),
        Fault::Utf16 => (
            "is UTF-16 text, two bytes for each letter, so that #! is not its first two bytes\n\
             fix: save it as UTF-8, without a byte order mark",
            "#!",
            "",
        ),
        Fault::Blanks => (
            "has blanks before #!, which has to be its first two bytes",
            "#!",
            r"sed -i '1s/^[[:space:]]*//'",
        ),
        Fault::EmptyLines => {
            ("has empty lines before #!, which has to be its first two bytes", "#!", "sed -i '/#!/,$!d'")
        }
        Fault::Bytes => {
            ("has other bytes before #!, which has to be its first two", "#!", "sed -i '1s/^.*#!/#!/'")
        }
        Fault::Lines => ("has other lines before #!, which has to be its first two bytes", "#!", ""),
        Fault::NoHash => ("begins with !, which lacks the # before it", "!", "sed -i '1s/^!/#!/'"),
        Fault::NoBang => ("begins with #, which lacks the ! of #!", "#", "sed -i '1s/^#/#!/'"),
        Fault::Parted => (
            "has a blank between # and !, so that it begins with a comment",
            "# !",
            "sed -i '1s/^#[[:space:]]*!/#!/'",
        ),
    };
    let is_utf16 = !crate::ROUTER && late.fault == Fault::Utf16;
    let kernel = case.unhandled(if is_utf16 { words::DATA_AS_SCRIPT } else { words::TEXT_AS_SCRIPT });
    let is_seen = matches!(late.fault, Fault::Lines | Fault::NoHash | Fault::NoBang | Fault::Parted);
    let front = Hex(if is_seen { b"" } else { &late.front });
    let mut finding = case.error(format_args!(
        "{what}\nprogram: first bytes={front}\nprogram: line {number}={begins}{line}\nkernel: {kernel}"
    ));
    if is_utf16 {
        return Some(finding);
    }
    finding.tell(format_args!("fix: let the file begin with #!; or start it by its interpreter:"));
    // Nothing that the shell would take apart is put into a command.
    let plain = late.line.trim_ascii_end();
    if !command.is_empty() {
        finding.tell(format_args!("run: {command} {file}"));
    } else if words::is_plain(plain) {
        finding.tell(format_args!("run: sed -i '1i #!{}' {file}", Shown(plain)));
    }
    if late.line.ends_with(b"\r") {
        finding.tell(format_args!("run: sed -i 's/\\r$//' {file}"));
    }
    let name = last_name(program).1;
    if words::is_plain(name) && !name.contains(&b' ') {
        finding.tell(format_args!("run: {} {file}", Shown(name)));
    }
    Some(finding)
}
