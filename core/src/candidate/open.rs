//! Reads a candidate: the only code that does.

use alloc::boxed::Box;
use alloc::rc::Rc;

use crate::path::Path;

use super::late;
use super::package::Format;
use super::reader::Reader;
use super::script::Line;
use super::{
    Candidate, Content, File, Files, Foreign, Formats, Interp, MatchedRule, Program, Script, foreign,
    package, program,
};
use crate::elf::consts::{ET_DYN, ET_EXEC, machine_name};
use crate::errno::Errno;
use crate::exec::Missing;
use crate::machine::Machine;
use crate::machine::binfmt_misc::BinfmtRule;
use crate::target::{FileKind, Root};

/// Interpreters that are opened: the kernel takes five rewrites in a row, and looks for what the sixth names.
const DEPTH: u32 = 6;

/// Reads a file, and the interpreter it names in turn. About 24 KiB are read of each at most, but for an oversized
/// program header table. A script's interpreter that has no name is not opened.
pub fn open(root: &dyn Root, files: &Files, path: &Path, formats: &Formats<'_>) -> Candidate {
    let mut candidate = unread(path);
    fill(&mut candidate, (root, files), formats, DEPTH);
    candidate
}

/// One of which nothing is known yet.
fn unread(path: &Path) -> Candidate {
    Candidate {
        path: path.to_path_buf(),
        resolved: path.to_path_buf(),
        stat: None,
        may_execute: None,
        busy: None,
        content: Content::Unknown,
        binfmt_misc: None,
        interpreter: None,
        env: None,
        late_line: None,
    }
}

/// Reads what is at its path. `depth`: how many interpreters may follow; an ELF file's own is not followed any further, as in the kernel.
fn fill(candidate: &mut Candidate, (root, files): (&dyn Root, &Files), formats: &Formats<'_>, depth: u32) {
    let path = &candidate.path;
    let place = files.at(root, path);
    candidate.stat = place.stat;
    let stat = match &place.stat {
        None => return,
        Some(Ok(stat)) => stat,
        Some(Err(errno)) => {
            candidate.may_execute = Some(Err(*errno));
            candidate.content = Content::Unread(*errno);
            return;
        }
    };
    candidate.resolved = place.resolved(root).to_path_buf();
    candidate.may_execute = match place.may_execute(root) {
        // It has steps of its own.
        refused @ Some(Err(Errno::EACCES)) => refused,
        other => files.told(path, other),
    };
    if stat.kind != FileKind::Regular {
        candidate.content = Content::Unread(Errno::EACCES);
        return;
    }
    let file = match files.open(root, path, stat) {
        None => return,
        Some(Ok(file)) => file,
        Some(Err(errno)) => {
            candidate.content = Content::Unread(errno);
            return;
        }
    };
    if let Some(errno) = file.contents.failed().filter(|_| file.contents.head().is_empty()) {
        candidate.content = Content::Unread(errno);
        return;
    }
    candidate.busy = file.open_for_writing();
    candidate.content = read(&file, path, formats);
    if matches!(candidate.content, Content::Foreign(Foreign::Text | Foreign::Other(_) | Foreign::Unknown(_)))
    {
        candidate.late_line = late::find(file.contents.head()).map(Box::new);
    }
    let mut next = interpreter(&candidate.content, formats);
    // An ELF file's interpreter is none that rules apply to.
    if depth > 0 {
        if let Some((rule, contested)) = matching_rule(formats, path, file.contents.head()) {
            candidate.binfmt_misc =
                Some(MatchedRule { rule: rule.name.clone(), fixed: rule.fixed, contested });
            next = Some((rule.interpreter.as_bytes(), depth));
        }
    }
    // An empty name is the current directory to the kernel, and nothing to open.
    if let Some((path, left)) = next.filter(|(path, _)| !path.is_empty()) {
        if let Some(left) = left.min(depth).checked_sub(1) {
            let mut interpreter = Box::new(unread(Path::new(path)));
            let is_rule = candidate.binfmt_misc.is_some();
            let is_out =
                |machine: &Machine| machine.is_out_of_reach(&interpreter.path, &[&candidate.resolved]);
            if !is_rule && formats.reach.is_some_and(is_out) {
                files.budget().cut(Missing::RemoteFile);
            } else {
                fill(&mut interpreter, (root, files), formats, left);
            }
            candidate.interpreter = Some(interpreter);
        }
    }
}

/// What is in a file.
fn read(file: &Rc<File>, path: &Path, formats: &Formats<'_>) -> Content {
    let head = file.contents.head();
    if head.starts_with(b"\x7fELF") {
        Content::Elf(program::read(file, formats.encodings))
    } else if head.starts_with(b"#!") {
        Content::Script(Script::new(head))
    } else {
        Content::Foreign(foreign(file, path))
    }
}
/// The interpreter that a file names, and how many may follow on it.
fn interpreter<'a>(content: &'a Content, formats: &Formats<'_>) -> Option<(&'a [u8], u32)> {
    match content {
        Content::Elf(program) => Some((interp(program)?, 1)),
        Content::Script(script) => match script.line(formats.script) {
            Line::Runs { name, .. } => Some((name, u32::MAX)),
            _ => None,
        },
        _ => None,
    }
}

/// The PT_INTERP that a kernel would open: of the first decoding that could be a program of this machine.
fn interp(program: &Program) -> Option<&[u8]> {
    let native = program.as_read.iter().find(|image| {
        matches!(image.header.e_type, ET_EXEC | ET_DYN)
            && machine_name(image.header.e_machine).is_some()
            && image.program_headers.is_ok()
    });
    match &native.or(program.declared.as_ref())?.interp {
        Some(Interp::Path(name)) => Some(name),
        _ => None,
    }
}

/// The rule of binfmt_misc that matches, and whether another one with another interpreter does, too.
fn matching_rule<'a>(formats: &Formats<'a>, path: &Path, head: &[u8]) -> Option<(&'a BinfmtRule, bool)> {
    let buffer = head.get(..formats.script.buffer).unwrap_or(head);
    let mut found: Option<(&BinfmtRule, bool)> = None;
    for rule in formats.binfmt_misc {
        if !rule.matches(path, buffer) {
            continue;
        }
        match &mut found {
            // As bytes: `PathBuf`s are taken apart to be compared.
            Some((first, contested)) => {
                *contested |= first.interpreter.as_bytes() != rule.interpreter.as_bytes();
            }
            None => found = Some((rule, false)),
        }
    }
    found
}

fn foreign(file: &File, path: &Path) -> Foreign {
    let mut found = foreign::of(file.contents.head(), file.stat.size, path);
    if let Foreign::Package(package) = &mut found {
        if package.format == Format::Apk3 {
            package::read_adb(package, &mut Reader::headers(&file.contents));
        }
    }
    found
}
