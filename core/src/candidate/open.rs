//! Reads a candidate: the only code that does.

use alloc::boxed::Box;

use crate::path::{Path, PathBuf};

use super::package::Format;
use super::reader::Reader;
use super::script::Line;
use super::{
    Candidate, Content, File, Files, Foreign, Handlers, Interp, MatchedRule, Program, Script, foreign,
    package, program,
};
use crate::elf::consts::{ET_DYN, ET_EXEC, machine_name};
use crate::errno::Errno;
use crate::target::{FileKind, Root};

/// Interpreters that are opened: the kernel takes five rewrites in a row, and looks for what the sixth names.
const DEPTH: u32 = 6;

/// Reads a file, and the interpreter it names in turn. About 24 KiB are read of each at most, but for an oversized
/// program header table. A script's interpreter that has no name is not opened.
pub fn open(root: &dyn Root, files: &Files, path: &Path, handlers: &Handlers<'_>) -> Candidate {
    open_at((root, files), path, handlers, DEPTH)
}

/// `depth`: how many interpreters may follow; an ELF file's own is not followed any further, as in the kernel.
fn open_at(
    (root, files): (&dyn Root, &Files),
    path: &Path,
    handlers: &Handlers<'_>,
    depth: u32,
) -> Candidate {
    let place = files.at(root, path);
    let stat = place.stat;
    let mut candidate = Candidate {
        path: path.to_path_buf(),
        resolved: path.to_path_buf(),
        stat,
        may_execute: None,
        busy: None,
        content: Content::Unknown,
        binfmt_misc: None,
        interpreter: None,
    };
    let stat = match stat {
        None => return candidate,
        Some(Ok(stat)) => stat,
        Some(Err(errno)) => {
            candidate.may_execute = Some(Err(errno));
            candidate.content = Content::Unread(errno);
            return candidate;
        }
    };
    candidate.resolved = place.resolved(root).to_path_buf();
    candidate.may_execute = place.may_execute(root);
    if stat.kind != FileKind::Regular {
        candidate.content = Content::Unread(Errno::EACCES);
        return candidate;
    }
    let file = match files.open(root, path, &stat) {
        None => return candidate,
        Some(Ok(file)) => file,
        Some(Err(errno)) => {
            candidate.content = Content::Unread(errno);
            return candidate;
        }
    };
    candidate.busy = file.open_for_writing();
    let (content, mut next) = read(&file, path, handlers);
    candidate.content = content;
    // An ELF file's interpreter is none that rules apply to.
    if depth > 0 {
        if let Some((rule, interpreter)) = matching_rule(handlers, path, file.contents.head()) {
            candidate.binfmt_misc = Some(rule);
            next = Some((interpreter, depth));
        }
    }
    // An empty name is the current directory to the kernel, and nothing to open.
    if let Some((path, left)) = next.filter(|(path, _)| !path.as_bytes().is_empty()) {
        if let Some(left) = left.min(depth).checked_sub(1) {
            candidate.interpreter = Some(Box::new(open_at((root, files), &path, handlers, left)));
        }
    }
    candidate
}

/// What is in a file, the interpreter that it names, and how many interpreters may follow on it.
fn read(file: &File, path: &Path, handlers: &Handlers<'_>) -> (Content, Option<(PathBuf, u32)>) {
    let head = file.contents.head();
    if head.starts_with(b"\x7fELF") {
        let program = program::read(file, handlers.encodings);
        let next = interpreter(&program).map(|path| (path, 1));
        (Content::Elf(program), next)
    } else if head.starts_with(b"#!") {
        let script = Script::new(head);
        let next = match script.line(handlers.script) {
            Line::Runs { name, .. } => Some((PathBuf::from(name), u32::MAX)),
            _ => None,
        };
        (Content::Script(script), next)
    } else {
        (Content::Foreign(foreign(file, path)), None)
    }
}

/// The rule of binfmt_misc that matches, and what it starts.
fn matching_rule(handlers: &Handlers<'_>, path: &Path, head: &[u8]) -> Option<(MatchedRule, PathBuf)> {
    let buffer = head.get(..handlers.script.buffer).unwrap_or(head);
    let mut rules = handlers.binfmt_misc.iter().filter(|rule| rule.matches(path, buffer));
    let rule = rules.next()?;
    // As bytes: `PathBuf`s are taken apart to be compared.
    let contested = rules.any(|other| other.interpreter.as_bytes() != rule.interpreter.as_bytes());
    Some((MatchedRule { rule: rule.name.clone(), fixed: rule.fixed, contested }, rule.interpreter.clone()))
}

/// The PT_INTERP that a kernel would open: of the first decoding that could be a program of this machine.
fn interpreter(program: &Program) -> Option<PathBuf> {
    let native = program.native.iter().find(|image| {
        matches!(image.header.e_type, ET_EXEC | ET_DYN)
            && machine_name(image.header.e_machine).is_some()
            && image.program_headers.is_ok()
    });
    match &native.or(program.own.as_ref())?.interp {
        Some(Interp::Path(name)) => Some(PathBuf::from(name)),
        _ => None,
    }
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
