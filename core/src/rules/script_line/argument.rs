//! The argument on a line whose interpreter starts, and what that makes of it.
use super::super::Case;
use super::super::shown::Shown;
use super::super::words::{self, FirstLine};
use crate::candidate::script::Line;
use crate::candidate::{Script, last_name};
use crate::errno::Errno;
use crate::finding::Found;
use crate::path::{Path, join};

pub(super) fn check(case: &Case<'_>, script: &Script) -> Option<Found> {
    let Line::Runs { name, argument } = script.line(case.machine.formats().script) else { return None };
    if case.candidate.binfmt_misc.is_some() || case.candidate.env.is_some() {
        return None;
    }
    let line = FirstLine(script);
    if !name.starts_with(b"/") {
        // Not what a symbolic link leads to: BusyBox is known by its names.
        let here = case.machine.target.root.resolve(Path::new("."))?.ok()?;
        let absolute = join(&here, Path::new(name));
        return Some(case.warning(format_args!(
            "\
names its interpreter by a relative path, so that it starts from this folder only
program: line 1={line}
fix:     let its first line be #!{}",
            Shown(&absolute)
        )));
    }
    let program = last_name(name).1;
    let argument = argument?;
    let is_shell = [&b"sh"[..], b"ash", b"dash", b"bash"].contains(&program);
    let reads_files = is_shell || program.starts_with(b"python");
    let shown = Shown(argument);
    let mut finding = if reads_files && takes_no_blank(argument, is_shell) {
        case.warning(format_args!(
            "hands its interpreter \"{shown}\" as one argument, of which the blank is no option"
        ))
    } else if reads_files && names_a_file(argument) && is_absent(case, argument) {
        case.warning(format_args!(
            "has its interpreter read {shown} in its stead, which is not on this machine"
        ))
    } else {
        return None;
    };
    finding.dies();
    finding.tell(format_args!("program: line 1={line}"));
    let name = Shown(name);
    if argument.starts_with(b"-") {
        let says = if is_shell { "illegal option - (bash: - : invalid option)" } else { "Unknown option: -" };
        finding.tell(format_args!(
            "\
kernel:  starts {name}, which then ends with status {status}
you see: {says}
fix:     write the letters in one word, as in -eu; what takes a value of its own goes into the script (set -o)",
            status = if program == b"bash" { 1 } else { 2 },
        ));
    } else {
        finding.tell(format_args!(
            "\
kernel:  starts {name}, which then ends with status {status}
you see: {name}: {shown}: {reason} (ash: can't open '{shown}')
fix:     leave that out, or bring the file here",
            status = if program == b"bash" { 127 } else { 2 },
            reason = Errno::ENOENT.text(),
        ));
    }
    Some(finding)
}

/// Letters of options with a blank behind them, in an argument that is none of a long one's, nor the value of a letter.
fn takes_no_blank(argument: &[u8], is_shell: bool) -> bool {
    let Some(letters) = argument.strip_prefix(b"-").filter(|rest| !rest.starts_with(b"-")) else {
        return false;
    };
    let letters = letters.split(|byte| *byte == b' ').next().unwrap_or_default();
    // What follows these of Python's is their value.
    let has_value = !is_shell && letters.iter().any(|letter| b"cmWXQ".contains(letter));
    argument.contains(&b' ') && !has_value
}

/// A path; or a comment, which the kernel does not know. A plain name is looked for elsewhere as well.
fn names_a_file(argument: &[u8]) -> bool {
    argument.starts_with(b"/") || argument.starts_with(b"#")
}

fn is_absent(case: &Case<'_>, file: &[u8]) -> bool {
    // A recorded OpenWrt may have left out what each one has.
    let is_taken_for_there = words::is_openwrt(case.machine) && file == b"/etc/rc.common";
    let root = case.machine.target.root;
    !is_taken_for_there && matches!(root.stat(Path::new(file)), Some(Err(Errno::ENOENT)))
}
