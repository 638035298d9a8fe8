//! A script for env(1), which does not find the program, or finds one that does not start.
use super::super::Case;
use super::super::shown::Shown;
use super::super::words::{self, EnvSays, FirstLine};
use super::{graphic, tell_install, tell_unseen};
use crate::candidate::env::{EnvCall, Plan, Sought, word};
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
    let is_several = word(&sought.name).0.len() < sought.name.len();
    let (before, after) = match sought.folders {
        _ if is_several => {
            ("has env look for a program \"", "\": the kernel hands on the rest of the line as one argument")
        }
        None => ("is a script for ", ", which is not on this machine"),
        Some(_) => ("is a script for ", ", which env does not find in any folder of PATH"),
    };
    let mut finding = case.error(format_args!(
        "\
{before}{name}{after}
program: line 1={line}
machine: PATH={folders}
kernel:  {kernel}
you see: {says}",
        folders = Shown(sought.folders.as_deref().unwrap_or_default()),
        kernel = case.kernel_says(),
        says = EnvSays(case, call, &sought.name, Errno::ENOENT),
    ));
    tell_unseen(&mut finding, &sought.name);
    if is_several {
        words::tell_words_for_env(&mut finding, case, call, &sought.name);
        return finding;
    }
    if !crate::ROUTER && !sought.name.is_ascii() {
        let seen = graphic(&sought.name);
        if case.in_path(&seen).is_some() {
            finding.tell(format_args!("fix: type {} anew, which is here without those bytes", Shown(&seen)));
            return finding;
        }
    }
    tell_install(&mut finding, case, &sought.name);
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
    let (which, path) = if path == sought.name { ("which", &[][..]) } else { ("and ", path) };
    let mut finding = case.error(format_args!(
        "is a script for {name}, {which}{} does not start: {title}\nprogram: line 1={line}",
        Shown(path)
    ));
    if step.is_of_env() {
        let errno = match culprit.map(|culprit| culprit.outcome) {
            Some(Outcome::Refused { errno, .. }) => errno,
            _ => Errno::EACCES,
        };
        finding.tell(format_args!("kernel: {}", case.kernel_says()));
        // No C library of OpenWrt's does that.
        if !crate::ROUTER && errno == Errno::ENOEXEC && sought.tries_shell == Some(true) {
            finding.tell(format_args!("you see: sh reads the file as a script: syntax error, or: not found"));
        } else {
            finding.tell(format_args!("you see: {}", EnvSays(case, call, &sought.name, errno)));
        }
    } else if let Some(culprit) = culprit {
        culprit.tell_evidence(&mut finding);
    }
    let wanted = last_name(&sought.name).1;
    match culprit {
        Some(culprit) => culprit.tell_fix_or_install(&mut finding, case, wanted),
        None => tell_install(&mut finding, case, wanted),
    }
    finding
}
