//! fs/binfmt_misc.c `load_misc_binary`: the first handler that is asked.

use super::{Checked, Exit, Missing, Step, interpreted, unknown};
use crate::candidate::{Candidate, MatchedRule};
use crate::machine::Machine;

/// Goes on with the rule's interpreter, whose errors become the file's.
pub(super) fn load_misc_binary(
    machine: &Machine,
    candidate: &Candidate,
    rule: &MatchedRule,
    depth: usize,
) -> Checked {
    if rule.contested {
        return unknown(Missing::BinfmtRule);
    }
    let Some(interpreter) = &candidate.interpreter else { return unknown(Missing::MiscInterpreter) };
    match interpreted(machine, interpreter, depth, Step::MiscInterpreter) {
        // The kernel holds the file open; what lies under its name now may be another, or nothing.
        Err(Exit::Refused(_, Step::MiscInterpreter)) if rule.fixed => unknown(Missing::MiscInterpreter),
        other => other,
    }
}
