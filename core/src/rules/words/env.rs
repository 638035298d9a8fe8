//! What env(1) prints, and what is to be told of a line with several words for it.

use core::fmt::{self, Display, Formatter};

use super::super::Case;
use super::shown::Shown;
use crate::candidate::env::{Env, EnvCall, Plan, word};
use crate::errno::Errno;
use crate::finding::Found;

/// What env prints of a program that it cannot start; nothing where that is not known.
pub(in crate::rules) struct EnvSays<'a>(
    pub(in crate::rules) &'a Case<'a>,
    pub(in crate::rules) &'a EnvCall,
    pub(in crate::rules) &'a [u8],
    pub(in crate::rules) Errno,
);

impl Display for EnvSays<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let EnvSays(case, call, name, errno) = self;
        let (name, reason) = (Shown(*name), errno.text());
        match call.env {
            Env::BusyBox => write!(f, "env: can't execute '{name}': {reason}"),
            Env::Gnu => write!(f, "{}: '{name}': {reason}", Shown(case.interpreter_path())),
            Env::Toybox => Ok(()),
        }
    }
}

/// Whether a text can stand within quotes in a command of sed's.
pub(in crate::rules) fn is_plain(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b" /._-+=:,@%".contains(byte))
}

/// How several words get to the program that is named first: by its path, which leaves them one argument, or by `-S`.
pub(in crate::rules) fn tell_words_for_env(
    finding: &mut Found,
    case: &Case<'_>,
    call: &EnvCall,
    words: &[u8],
) {
    let words = words.trim_ascii();
    let (first, rest) = word(words);
    let lacks_it = matches!(call.plan, Plan::Refuses { option: b'S', .. });
    // Hardly any router has coreutils' env.
    let splits = !crate::ROUTER && call.env == Env::Gnu && !lacks_it;
    let (file, is_plain) = (case.argument(), is_plain(words));
    let sets_a_variable = first.contains(&b'=');
    if sets_a_variable && !splits {
        return finding.tell(format_args!("fix: set the variable within the script"));
    }
    let here = case.in_path(first);
    if !sets_a_variable {
        let path = here.as_ref().map_or(first, |path| path.as_bytes());
        let folder = if path.starts_with(b"/") { "" } else { "/usr/bin/" };
        finding.tell(format_args!("fix: name the program by its path, and behind it one argument"));
        if is_plain {
            let (path, rest) = (Shown(path), Shown(rest));
            finding.tell(format_args!("run: sed -i '1s|.*|#!{folder}{path}{rest}|' {file}"));
        }
    }
    if splits {
        let or = if sets_a_variable { "" } else { "; or " };
        finding.tell(format_args!("fix: {or}have env take the line apart (coreutils 8.30 or newer)"));
        if is_plain {
            let env = Shown(case.interpreter_path());
            finding.tell(format_args!("run: sed -i '1s|.*|#!{env} -S {}|' {file}", Shown(words)));
        }
    }
    if here.is_none() && !sets_a_variable {
        finding.tell(format_args!("fix: ; and install {}, which is not here", Shown(first)));
    }
}
