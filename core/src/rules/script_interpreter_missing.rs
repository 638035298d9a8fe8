mod env;

use alloc::vec::Vec;
use core::ptr;

use super::shown::{Hex, Shown};
use super::words::{self, FirstLine, Kernel, PackageManager};
use super::{Case, Code, Culprit};
use crate::candidate::env::{in_path, program_of};
use crate::candidate::{Candidate, Content, Script, last_name};
use crate::errno::Errno;
use crate::exec::{Outcome, Step};
use crate::finding::{Evidence, Found, Side};
use crate::path::{Path, PathBuf};

rule! {
    /// # What it means
    /// The program that the script's `#!` line names does not exist on this machine, or cannot be started.
    /// # How it looks
    /// The first is ash's, and the file is there all the same; the last two are those of a script for env, status 127.
    /// # Why
    /// The kernel starts the interpreter in the script's stead, by exactly that path, without PATH. env is such an
    /// interpreter: it looks for the program in the PATH of who starts the script. OpenWrt has /bin/sh (BusyBox ash) and no
    /// bash, Python or Perl.
    /// # Fix
    /// Install the interpreter, or name one that is here. A script of plain sh runs by `sh FILE`.
    /// # Kernel source
    /// fs/binfmt_script.c `load_script`, `open_exec`; execvp(3) of env's C library.
    /// # Example
    /// ```text
    /// machine aarch64
    /// file /root/backup.sh text #!/bin/bash\necho\n
    /// $ diag /root/backup.sh
    /// error[script-interpreter-missing]: /root/backup.sh is a script for /bin/bash,
    ///   which is not on this machine
    ///   program: line 1 #!/bin/bash
    ///   machine: shell /bin/sh (BusyBox ash)
    ///   kernel:  ENOENT
    ///   you see: ash: not found, though the file is there; bash: cannot execute:
    ///            required file not found
    ///   fix:     run it with the shell that is here, or install bash:
    ///            sh /root/backup.sh
    ///            opkg update && opkg install bash
    /// [1]
    /// ```
    ScriptInterpreterMissing, looks [
        "not found",
        "cannot execute: required file not found",
        "bad interpreter",
        "env: can't execute 'bash': No such file or directory",
        "/usr/bin/env: 'bash': No such file or directory",
    ],
    check, quiet after [ForbiddenByPolicy, ScriptLine, ScriptWithCrlf]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let Content::Script(script) = &case.candidate.content else { return None };
    let step = case.step?;
    // Those are other rules'.
    let others = matches!(
        step,
        Step::ScriptLine | Step::TooManyInterpreters | Step::NoExecMount | Step::Permission | Step::Busy
    );
    let interpreter =
        case.candidate.interpreter.as_deref().filter(|_| case.candidate.binfmt_misc.is_none())?;
    let name = case.interpreter_path();
    if others {
        return None;
    }
    let culprit = case.interpreter.as_ref();
    if let Some(call) = case.candidate.env.as_deref() {
        let is_behind_env = culprit.is_some_and(|culprit| !ptr::eq(culprit.program, interpreter));
        if step.is_of_env() || is_behind_env {
            return env::check(case, script, call, step);
        }
    }
    let path = Shown(name);
    let slip = match interpreter.missing() {
        Some(Errno::ENOENT | Errno::ENOTDIR) => Some(slip(case, script, name)),
        _ => None,
    };
    let (why, detail) = match (&slip, interpreter.missing(), culprit) {
        (Some(slip), ..) => (slip.why, ""),
        (None, Some(errno), _) => (": ", errno.text()),
        (None, None, Some(culprit)) => (", which does not start: ", culprit.finding.title.as_str()),
        (None, None, None) => (", which does not start: ", step.name()),
    };
    let line = FirstLine(script);
    let mut finding = case.error(format_args!("is a script for {path}{why}{detail}\nprogram: line 1={line}"));
    tell_unseen(&mut finding, name);
    let shell = if words::is_openwrt(case.machine) { "/bin/sh (BusyBox ash)" } else { "" };
    match (case.content, culprit) {
        (Outcome::Refused { errno, .. }, _) => {
            let kernel = match errno {
                Errno::ENOENT => Kernel::Words(words::NOT_FOUND),
                Errno::ENOEXEC => Kernel::Words(words::TEXT_AS_SCRIPT),
                _ => case.kernel_says(),
            };
            finding.tell(format_args!("machine: shell={shell}\nkernel: {kernel}"));
        }
        (_, Some(culprit)) => culprit.tell_evidence(&mut finding),
        (_, None) => finding.tell(format_args!("kernel: {}", case.kernel_says())),
    }
    match (culprit, slip) {
        (Some(culprit), _) => culprit.tell_fix_or_install(&mut finding, case, name),
        (None, Some(Slip { fix: "", .. })) => tell_install(&mut finding, case, name),
        (None, Some(Slip { fix, instead, then, .. })) => {
            finding.tell(format_args!("fix: {fix}{}{then}", Shown(&instead)));
        }
        (None, None) => {}
    }
    Some(finding)
}

impl Culprit<'_> {
    /// What bars it has a fix of its own, and so has a script, or what a library is wanting; for a program there is its
    /// package.
    fn has_a_fix(&self) -> bool {
        let is_barred = matches!(self.finding.code, Code::MountNoexec | Code::NotExecutable | Code::FileBusy);
        let lacks = matches!(
            self.finding.code,
            Code::LibraryMissing | Code::LibraryUnusable | Code::VersionMissing | Code::SymbolMissing
        );
        is_barred || lacks || !matches!(self.program.content, Content::Elf(_))
    }

    /// What it comes from, as if it were the script's.
    fn tell_evidence(&self, finding: &mut Found) {
        for Evidence { side, field, value } in &self.finding.evidence {
            if *side == Side::Program && field == "line 1" {
                continue;
            }
            finding.evidence.push(Evidence { side: *side, field: field.clone(), value: value.clone() });
        }
    }

    /// What helps it; else to install what the script is for.
    fn tell_fix_or_install(&self, finding: &mut Found, case: &Case<'_>, name: &[u8]) {
        if self.has_a_fix() {
            finding.fix.clone_from(&self.finding.fix);
        } else {
            tell_install(finding, case, name);
        }
    }
}

/// What an interpreter that is not there is named by, and what to write instead.
struct Slip {
    why: &'static str,
    /// Empty where it is to be installed.
    fix: &'static str,
    instead: Vec<u8>,
    then: &'static str,
}

fn slip(case: &Case<'_>, script: &Script, name: &[u8]) -> Slip {
    let is_absent = |interpreter: &Candidate| interpreter.missing().is_none_or(Errno::is_absence);
    let absent = if crate::ROUTER || case.candidate.interpreter.as_deref().is_none_or(is_absent) {
        ", which is not on this machine"
    } else {
        ", which cannot be looked up"
    };
    let slip = |why, fix, instead: &[u8], then| Slip { why, fix, instead: instead.to_vec(), then };
    // What comes from computers with other habits.
    if !crate::ROUTER {
        if let Some(whole) = whole(case, script) {
            let fix = "give ";
            let then = " a path without blanks, for example by a symbolic link, and name that";
            return slip(": the kernel ends the path at its blank", fix, words::bytes(whole), then);
        }
        if let [quote @ (b'"' | b'\'' | b'`'), bare @ ..] = name {
            let bare = bare.strip_suffix(&[*quote]).unwrap_or(bare);
            let why = ": the quotes belong to the name, since the kernel knows none";
            return slip(why, "leave out the quotes: #!", bare, "");
        }
        if name.contains(&b'\\') || name.get(1) == Some(&b':') {
            return slip(
                ", a Windows path",
                "name the interpreter of this machine, for example #!/bin/sh",
                b"",
                "",
            );
        }
        if let Some(seen) = visible(case, name) {
            let why = ", whose name has bytes that are not seen; without them it is on this machine";
            return slip(why, "let its first line be #!", &seen, ", typed anew");
        }
    }
    let program = program_of(words::line(script).get(2..).unwrap_or_default());
    let here = if last_name(name).1 == b"env" { case.in_path(program) } else { None };
    if let Some(here) = here {
        return slip(absent, "let its first line be #!", words::bytes(&here), ", which is here");
    }
    if name.starts_with(b"/") {
        return slip(absent, "", b"", "");
    }
    let why = ", which the kernel looks for in the current folder: PATH is not searched";
    let program = last_name(name).1;
    if program.is_empty() || case.in_path(program).is_some() {
        return slip(why, "", b"", "");
    }
    slip(why, "let its first line be #!/usr/bin/env ", program, ", and install that if it is not here")
}

/// The rest of the line, where it is the path of a file that has blanks in it.
fn whole<'a>(case: &Case<'_>, script: &'a Script) -> Option<&'a Path> {
    let line = words::line(script).get(2..)?.trim_ascii();
    let is_there = line.contains(&b' ') && case.machine.target.root.stat(Path::new(line))?.is_ok();
    is_there.then(|| Path::new(line))
}

/// What of a name is seen.
fn graphic(name: &[u8]) -> Vec<u8> {
    name.iter().copied().filter(u8::is_ascii_graphic).collect()
}

/// The path without what is no ASCII, a no-break space for one, where that is a file's.
fn visible(case: &Case<'_>, name: &[u8]) -> Option<Vec<u8>> {
    let ascii = graphic(name);
    let is_there = ascii.len() < name.len() && case.machine.target.root.stat(Path::new(&ascii))?.is_ok();
    is_there.then_some(ascii)
}

/// What of a name is no ASCII may be a blank, or nothing, to the eye.
fn tell_unseen(finding: &mut Found, name: &[u8]) {
    let first = name.iter().position(|byte| !byte.is_ascii());
    if let Some(rest) = first.and_then(|first| name.get(first..)) {
        finding.tell(format_args!("program: end of the name={}", Hex(rest.get(..16).unwrap_or(rest))));
    }
}

/// What to do, and the command for what OpenWrt has as a package.
fn tell_install(finding: &mut Found, case: &Case<'_>, path: &[u8]) {
    const FOLDERS: [&[u8]; 3] = [b"", b"/bin/", b"/usr/bin/"];
    const SHELLS: [&[u8]; 6] = [b"bash", b"dash", b"ash", b"zsh", b"ksh", b"mksh"];
    let program = last_name(path).1;
    let folder = path.strip_suffix(program).unwrap_or_default();
    let (name, file) = (Shown(program), case.argument());
    let here = case.in_path(program).filter(|here| case.interpreter.is_none() && words::bytes(here) != path);
    if let Some(here) = here {
        return finding.tell(format_args!("fix: let its first line be #!{}, which is here", Shown(&here)));
    }
    let other = ALIKE.iter().filter(|(wanted, _)| is_named(program, wanted));
    if let Some(here) = { other }.find_map(|(_, other)| case.in_path(other)) {
        finding.tell(format_args!(
            "fix: let its first line be #!{}, which is here, if the script is for that; or install {name}",
            Shown(&here)
        ));
    } else if SHELLS.contains(&program) {
        finding.tell(format_args!(
            "fix: run it with the shell that is here, or install {name}:\nrun: sh {file}"
        ));
    } else {
        finding.tell(format_args!(
            "fix: install {name}, or change its first line to an interpreter that is installed here"
        ));
    }
    if !FOLDERS.contains(&folder) {
        return;
    }
    if let Some(manager) = PackageManager::of(case.machine) {
        if let Some(package) = manager.interpreter(program) {
            let (update, install) = (manager.update(), manager.install());
            finding.tell(format_args!("run: {update}{install} {package}"));
        }
    }
}

/// Interpreters of one language, by the names that systems give them: what is wanted, and what may be here. A name that
/// ends in a dot stands for all that begin so.
const ALIKE: &[(&[u8], &[u8])] = &[
    (b"python", b"python3"),
    (b"python", b"python2"),
    (b"python2", b"python2.7"),
    (b"python3.", b"python3"),
    (b"nodejs", b"node"),
    (b"node", b"nodejs"),
    (b"php", b"php-cli"),
    (b"php", b"php8-cli"),
    (b"php", b"php7-cli"),
    (b"lua", b"lua5.1"),
    (b"lua", b"lua5.4"),
    (b"lua", b"lua5.3"),
    (b"lua", b"luajit"),
    (b"gawk", b"awk"),
    (b"mawk", b"awk"),
    (b"ksh", b"mksh"),
    (b"perl5.", b"perl"),
    (b"tclsh", b"tclsh8.6"),
];

fn is_named(program: &[u8], wanted: &[u8]) -> bool {
    program == wanted || (wanted.ends_with(b".") && program.starts_with(wanted))
}

impl Case<'_> {
    /// A program that a shell would find by its name.
    pub(in crate::rules) fn in_path(&self, name: &[u8]) -> Option<PathBuf> {
        in_path(self.machine.target, Path::new(name), 0o111)
    }
}
