//! Scripts whose `#!` is not the first two bytes.
use super::super::shown::{Hex, Shown};
use super::super::{Case, words};
use crate::candidate::last_name;
use crate::candidate::late::Fault;
use crate::finding::Found;

pub(super) fn check(case: &Case<'_>) -> Option<Found> {
    let late = case.candidate.late_line.as_deref()?;
    let number = late.number;
    // BusyBox' sed knows no `\xef`.
    let (bytes, command) = match late.fault {
        Fault::Mark => ("ef bb bf", r#"sed -i "1s/^$(printf '\357\273\277')//""#),
        Fault::Blanks => ("", r"sed -i '1s/^[[:space:]]*//'"),
        Fault::EmptyLines => ("", "sed -i '/#!/,$!d'"),
        Fault::Bytes(_) => ("", "sed -i '1s/^.*#!/#!/'"),
        Fault::Utf16 | Fault::Lines => ("", ""),
        Fault::NoHash => ("", "sed -i '1s/^!/#!/'"),
        Fault::NoBang => ("", "sed -i '1s/^#/#!/'"),
        Fault::Parted => ("", "sed -i '1s/^#[[:space:]]*!/#!/'"),
    };
    let mut finding = match late.fault {
        Fault::Mark => case.error(format_args!(
            "begins with a byte order mark ({bytes}), so that #! is not its first two bytes"
        )),
        Fault::Utf16 => case.error(format_args!(
            "is UTF-16 text, two bytes for each letter, so that #! is not its first two bytes"
        )),
        Fault::Blanks => {
            case.error(format_args!("has blanks before #!, which has to be its first two bytes"))
        }
        Fault::EmptyLines => case.error(format_args!(
            "has its #! in line {number}, behind nothing but blanks: it has to be its first two bytes"
        )),
        Fault::Bytes(count) => {
            let s = if count == 1 { "" } else { "s" };
            case.error(format_args!("has {count} byte{s} before #!, which has to be its first two bytes"))
        }
        Fault::Lines => {
            case.error(format_args!("has its #! in line {number}: it has to be its first two bytes"))
        }
        Fault::NoHash => case.error(format_args!("begins with !, which lacks the # before it")),
        Fault::NoBang => case.error(format_args!("begins with #, which lacks the ! of #!")),
        Fault::Parted => {
            case.error(format_args!("has a blank between # and !, so that it begins with a comment"))
        }
    };
    let is_utf16 = late.fault == Fault::Utf16;
    let kernel = if is_utf16 { words::DATA_AS_SCRIPT } else { words::TEXT_AS_SCRIPT };
    let (program, line) = (late.program(), Shown(&late.line));
    let is_seen = matches!(late.fault, Fault::Lines | Fault::NoHash | Fault::NoBang | Fault::Parted);
    if !is_seen {
        finding.tell(format_args!("program: first bytes={}", Hex(&late.front)));
    }
    finding.tell(format_args!(
        "program: line {number}={lacks}{line}\nkernel: {kernel}",
        lacks = match late.fault {
            Fault::NoHash => "!",
            Fault::NoBang => "#",
            Fault::Parted => "# !",
            _ => "#!",
        },
        kernel = case.unhandled(kernel),
    ));
    let file = case.argument();
    let command = match late.fault {
        Fault::Utf16 => {
            finding.tell(format_args!("fix: save it as UTF-8, without a byte order mark"));
            return Some(finding);
        }
        Fault::Lines => "",
        _ => command,
    };
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
