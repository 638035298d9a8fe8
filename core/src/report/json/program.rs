//! A program as it was judged.

use super::{Json, NO_KEY};
use crate::exec::Outcome;
use crate::finding::Finding;
use crate::ldso::{Library, LinkResult};
use crate::report::{Judged, file};

/// What is written of a program at most, in bytes: of what a hostile file names without an end, the first part.
const ROOM: usize = 56 << 10;

pub(super) fn write(json: &mut Json, judged: &Judged) {
    json.full_at = json.out.len().saturating_add(ROOM);
    json.open(NO_KEY, '{');
    json.bytes("path", judged.given.as_bytes());
    json.text("verdict", judged.verdict().name());
    write_outcome(json, judged.outcome);
    write_file(json, judged);
    json.open("findings", '[');
    for finding in &judged.findings {
        write_finding(json, finding);
    }
    json.close(']');
    let mut more = 0;
    json.open("libraries", '[');
    if let Some(link) = &judged.link {
        for library in link.libraries() {
            let is_left_out = !json.fits(|json| write_library(json, link, library));
            more = usize::saturating_add(more, is_left_out.into());
        }
    }
    json.close(']');
    if !crate::ROUTER {
        json.count("libraries_more", more);
    }
    json.close('}');
}

/// What the file is; null where it was not read.
fn write_file(json: &mut Json, judged: &Judged) {
    let candidate = &judged.candidate;
    let Some(kind) = file::kind(candidate) else {
        json.raw("file", "null");
        return;
    };
    json.open("file", '{');
    json.text("kind", kind);
    json.optional_number("size", candidate.size());
    file::facts(judged, &mut |name, value| {
        if !value.is_empty() {
            json.bytes(name, value);
        }
    });
    json.close('}');
}

fn write_library(json: &mut Json, link: &LinkResult, library: &Library) {
    json.open(NO_KEY, '{');
    json.bytes("name", &library.name);
    json.optional_bytes("path", Some(library.path.as_slice()).filter(|path| !path.is_empty()));
    json.bytes("needed_by", link.needed_by(library));
    json.text("state", library.state.name());
    let found_by = Some(library.found_by).filter(|found_by| !found_by.is_empty());
    json.optional_bytes("found_by", found_by.map(str::as_bytes));
    let mut more = library.tried_more;
    json.open("tried", '[');
    for file in &library.tried {
        if !json.fits(|json| json.bytes(NO_KEY, file)) {
            more = more.saturating_add(1);
        }
    }
    json.close(']');
    if !crate::ROUTER {
        json.count("tried_more", more);
    }
    json.close('}');
}

fn write_outcome(json: &mut Json, outcome: Outcome) {
    json.open("outcome", '{');
    match outcome {
        Outcome::Starts => json.text("kind", "starts"),
        Outcome::Refused { errno, step } => {
            json.text("kind", "refused");
            json.text("errno", errno.name());
            json.text("step", step.name());
        }
        Outcome::Killed { signal, when, step } => {
            json.text("kind", "killed");
            json.text("signal", signal.name());
            json.text("when", when.name());
            json.text("step", step.name());
        }
        Outcome::Exits { status, step } => {
            json.text("kind", "exits");
            json.number("status", status.into());
            json.text("when", "start");
            json.text("step", step.name());
        }
        Outcome::Endless { step } => {
            json.text("kind", "endless");
            json.text("step", step.name());
        }
        // A rehearsal tells that, which a router's build has not: with the words for it (rules/words.rs) 98 bytes of its package.
        Outcome::Fails { .. } if crate::ROUTER => {}
        Outcome::Fails { step } => {
            json.text("kind", "fails");
            json.text("step", step.name());
        }
        Outcome::Unknown { missing } => {
            json.text("kind", "unknown");
            json.text("missing", missing.words());
        }
    }
    json.close('}');
}

fn write_finding(json: &mut Json, finding: &Finding) {
    json.open(NO_KEY, '{');
    json.text("code", finding.code.name());
    json.text("severity", finding.severity.name());
    json.text("certainty", finding.certainty.name());
    if let Some(effect) = finding.effect {
        json.text("effect", effect.name());
    }
    json.text("title", &finding.title);
    json.open("evidence", '[');
    for evidence in &finding.evidence {
        json.open(NO_KEY, '{');
        json.text("side", evidence.side.name());
        json.text("field", &evidence.field);
        json.text("value", &evidence.value);
        json.close('}');
    }
    json.close(']');
    match &finding.fix {
        None => json.raw("fix", "null"),
        Some(fix) => {
            json.open("fix", '{');
            json.text("text", &fix.text);
            json.list("commands", &fix.commands);
            json.close('}');
        }
    }
    json.close('}');
}
