//! What env(1) does not take.
use super::super::Case;
use super::super::shown::Shown;
use super::super::words::{FirstLine, tell_words_for_env};
use crate::candidate::Script;
use crate::candidate::env::{Env, EnvCall, Plan};
use crate::candidate::script::Line;
use crate::exec::Step;
use crate::finding::Found;

pub(super) fn check(case: &Case<'_>, script: &Script) -> Option<Found> {
    let call = case.candidate.env.as_deref()?;
    let argument = match script.line(case.machine.formats().script) {
        Line::Runs { argument, .. } => argument.unwrap_or_default(),
        _ => return None,
    };
    let (line, shown) = (FirstLine(script), Shown(argument));
    let mut finding = match &call.plan {
        Plan::Itself if case.ends_at(Step::EnvItself) => case.error(format_args!(
            "names env without a program: env starts the script itself, which starts env again, without an end"
        )),
        _ if !case.ends_at(Step::EnvUsage) && !case.ends_at(Step::EnvFolder) => return None,
        Plan::NoFolder(folder) => case
            .error(format_args!("has env go to the folder {}, which is not on this machine", Shown(folder))),
        Plan::Refuses { status: 127, .. } => case.error(format_args!(
            "hands {} \"{shown}\", which is one argument, and none of the programs that it is",
            Shown(case.interpreter_path())
        )),
        Plan::Refuses { option: b' ' | b'\t', .. } => case.error(format_args!(
            "hands env \"{shown}\", which is one argument: env takes its blank for an option"
        )),
        Plan::Refuses { option: 0, .. } => {
            case.error(format_args!("hands env \"{shown}\", of which it does not know an option"))
        }
        Plan::Refuses { option, .. } => {
            let option = char::from(*option);
            let whose = if call.env == Env::BusyBox { "BusyBox' env" } else { "this env" };
            case.error(format_args!("hands env the option -{option}, which {whose} does not know"))
        }
        _ => return None,
    };
    finding.tell(format_args!("program: line 1={line}"));
    match call.plan {
        Plan::Refuses { status: 127, .. } => {
            finding.tell(format_args!("kernel: starts it, and it ends with status 127"));
        }
        _ => finding.tell(format_args!("kernel: {}", case.kernel_says())),
    }
    let env = Shown(case.interpreter_path());
    match call.plan {
        Plan::Refuses { status: 127, .. } => finding.tell(format_args!("you see: {shown}: applet not found")),
        Plan::Refuses { option: b' ', .. } => {
            finding.tell(format_args!("you see: {env}: invalid option -- ' '"));
        }
        Plan::Refuses { option, .. } if option.is_ascii_graphic() => {
            let option = char::from(option);
            finding.tell(format_args!(
                "you see: {env}: invalid option -- '{option}' (musl: unrecognized option: {option})"
            ));
        }
        _ => {}
    }
    tell_fix(&mut finding, case, call, argument);
    Some(finding)
}

/// What the line may be instead.
fn tell_fix(finding: &mut Found, case: &Case<'_>, call: &EnvCall, argument: &[u8]) {
    if matches!(call.plan, Plan::NoFolder(_)) {
        return finding.tell(format_args!("fix: make that folder, or leave out the option"));
    }
    // What stands behind options and variables.
    let mut words = argument.split(|byte| *byte == b' ').skip_while(|word| {
        word.is_empty() || word.starts_with(b"-") || word.contains(&b'=') || *word == b"env"
    });
    let Some(first) = words.next() else {
        let name = "let its first line name the program, for example #!/usr/bin/env bash";
        return finding.tell(format_args!("fix: {name}"));
    };
    let mut command = first.to_vec();
    for word in words {
        command.push(b' ');
        command.extend(word);
    }
    tell_words_for_env(finding, case, call, &command);
}
