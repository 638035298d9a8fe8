//! What env(1) does not take.
use super::super::Case;
use super::super::shown::Shown;
use super::super::words::{FirstLine, tell_words_for_env};
use crate::candidate::Script;
use crate::candidate::env::{Env, Plan, command_of};
use crate::candidate::script::Line;
use crate::exec::Step;
use crate::finding::Found;
use crate::machine::Libc;

pub(super) fn check(case: &Case<'_>, script: &Script) -> Option<Found> {
    let call = case.candidate.env.as_deref()?;
    let argument = match script.line(case.machine.formats().script) {
        Line::Runs { argument, .. } => argument.unwrap_or_default(),
        _ => return None,
    };
    let (line, shown) = (FirstLine(script), Shown(argument));
    let env = Shown(case.interpreter_path());
    let option = match call.plan {
        Plan::Refuses { option, .. } => option,
        _ => 0,
    };
    let letter = [option];
    let letter = Shown(&letter[..]);
    let mut finding = match &call.plan {
        Plan::Itself if case.ends_at(Step::EnvItself) => case.error(format_args!(
            "names env without a program: env starts the script itself, which starts env again, without an end"
        )),
        Plan::NoFolder(folder, errno) if !crate::ROUTER && case.ends_at(Step::EnvFolder) => {
            case.error(format_args!("has env go to the folder {}: {}", Shown(folder), errno.text()))
        }
        _ if !case.ends_at(Step::EnvUsage) => return None,
        Plan::Refuses { status: 127, .. } if !crate::ROUTER => case.error(format_args!(
            "hands {env} \"{shown}\", which is one argument, and none of the programs that it is"
        )),
        Plan::Refuses { option: b' ' | b'\t', .. } => case.error(format_args!(
            "hands env \"{shown}\", which is one argument: env takes its blank for an option"
        )),
        Plan::Refuses { option: 0, .. } if !crate::ROUTER => {
            case.error(format_args!("hands env \"{shown}\", of which it does not know an option"))
        }
        _ => {
            let whose = if call.env == Env::BusyBox { "BusyBox' env" } else { "this env" };
            case.error(format_args!("hands env the option -{letter}, which {whose} does not know"))
        }
    };
    finding.tell(format_args!("program: line 1={line}"));
    if !crate::ROUTER && matches!(call.plan, Plan::Refuses { status: 127, .. }) {
        finding.tell(format_args!(
            "kernel: starts it, and it ends with status 127\nyou see: {shown}: applet not found"
        ));
    } else {
        finding.tell(format_args!("kernel: {}", case.kernel_says()));
    }
    if option != 0 {
        // getopt_long(3) of the two.
        match case.machine.libc().value {
            Some(Libc::Musl) => finding.tell(format_args!("you see: {env}: unrecognized option: {letter}")),
            _ => finding.tell(format_args!("you see: {env}: invalid option -- '{letter}'")),
        }
    }
    if !crate::ROUTER && matches!(call.plan, Plan::NoFolder(..)) {
        finding.tell(format_args!("fix: name a folder that it may enter, or leave out the option"));
        return Some(finding);
    }
    match command_of(argument) {
        b"" => finding
            .tell(format_args!("fix: let its first line name the program, for example #!/usr/bin/env bash")),
        command => tell_words_for_env(&mut finding, case, call, command),
    }
    Some(finding)
}
