//! A script for env(1), which does not find the program, or finds one that does not start.
use alloc::vec::Vec;

use super::super::Case;
use super::super::shown::Shown;
use super::super::words::{self, EnvSays, FirstLine};
use super::{tell_install, tell_unseen};
use crate::candidate::env::{EnvCall, Plan, Sought};
use crate::candidate::{Script, last_name};
use crate::errno::Errno;
use crate::exec::{Outcome, Step};
use crate::finding::Found;

pub(super) fn check(case: &Case<'_>, script: &Script, call: &EnvCall, step: Step) -> Option<Found> {
    let Plan::Starts(sought) = &call.plan else { return None };
    Some(if sought.found.is_empty() {
        missing(case, script, call, sought)
    } else {
        unusable(case, script, call, sought, step)
    })
}

/// There is no program of that name.
fn missing(case: &Case<'_>, script: &Script, call: &EnvCall, sought: &Sought) -> Found {
    let (name, line) = (Shown(&sought.name), FirstLine(script));
    let first = sought.name.split(|byte| matches!(byte, b' ' | b'\t')).next().unwrap_or_default();
    let is_several = first.len() < sought.name.len();
    let mut finding = if is_several {
        case.error(format_args!(
            "has env look for a program \"{name}\": the kernel hands on the rest of the line as one argument"
        ))
    } else if sought.folders.is_none() {
        case.error(format_args!("is a script for {name}, which is not on this machine"))
    } else {
        case.error(format_args!("is a script for {name}, which env does not find in any folder of PATH"))
    };
    tell_unseen(&mut finding, &sought.name);
    finding.tell(format_args!(
        "\
program: line 1={line}
machine: PATH={folders}
kernel:  {kernel}
you see: {says}",
        folders = Shown(sought.folders.as_deref().unwrap_or_default()),
        kernel = case.kernel_says(),
        says = EnvSays(case, call, &sought.name, Errno::ENOENT),
    ));
    if is_several {
        words::tell_words_for_env(&mut finding, case, call, &sought.name);
    } else {
        let seen: Vec<u8> = sought.name.iter().copied().filter(u8::is_ascii_graphic).collect();
        if !sought.name.is_ascii() && case.in_path(&seen).is_some() {
            finding.tell(format_args!("fix: type {} anew, which is here without those bytes", Shown(&seen)));
        } else {
            tell_install(&mut finding, case, &sought.name);
        }
    }
    finding
}

/// There is one, and it does not start.
fn unusable(case: &Case<'_>, script: &Script, call: &EnvCall, sought: &Sought, step: Step) -> Found {
    let line = FirstLine(script);
    let name = Shown(&sought.name);
    let culprit = case.interpreter.as_ref();
    let program = culprit.map(|culprit| culprit.program).or(sought.found.first());
    let title = culprit.map_or(step.name(), |culprit| culprit.finding.title.as_str());
    let path = program.map_or(&[][..], |program| words::bytes(&program.path));
    let mut finding = if path == sought.name {
        case.error(format_args!("is a script for {name}, which does not start: {title}"))
    } else {
        let path = Shown(path);
        case.error(format_args!("is a script for {name}, and {path} does not start: {title}"))
    };
    finding.tell(format_args!("program: line 1={line}"));
    if step.is_of_env() {
        let errno = match culprit.map(|culprit| culprit.outcome) {
            Some(Outcome::Refused { errno, .. }) => errno,
            _ => Errno::EACCES,
        };
        let kernel = case.kernel_says();
        finding.tell(format_args!("kernel: {kernel}"));
        if errno == Errno::ENOEXEC && sought.tries_shell == Some(true) {
            finding.tell(format_args!("you see: sh reads the file as a script: syntax error, or: not found"));
        } else {
            finding.tell(format_args!("you see: {}", EnvSays(case, call, &sought.name, errno)));
        }
    } else if let Some(culprit) = culprit {
        culprit.tell_evidence(&mut finding);
    }
    match culprit {
        Some(culprit) if culprit.has_a_fix() => culprit.tell_fix(&mut finding),
        _ => tell_install(&mut finding, case, last_name(&sought.name).1),
    }
    finding
}
