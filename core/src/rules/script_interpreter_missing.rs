mod env;

use alloc::vec::Vec;
use core::ptr;

use super::shown::{Hex, Shown};
use super::words::{self, FirstLine, Kernel, PackageManager};
use super::{Case, Code, Culprit};
use crate::candidate::env::{DEFAULT_PATH, program_of};
use crate::candidate::{Content, Script, last_name};
use crate::errno::Errno;
use crate::exec::{Outcome, Step};
use crate::finding::{Evidence, Fix, Found, Side};
use crate::machine::parts;
use crate::path::{Path, PathBuf, join};
use crate::target::FileKind;

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
    check, quiet after [ScriptLine, ScriptWithCrlf]
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
    let (why, detail, is_missing) = match (interpreter.missing(), culprit) {
        (Some(Errno::ENOENT | Errno::ENOTDIR), _) => (missing(case, script, name), "", true),
        (Some(errno), _) => (": ", errno.text(), false),
        (None, Some(culprit)) => {
            (", which does not start: ", culprit.finding.title.as_str(), !culprit.has_a_fix())
        }
        (None, None) => (", which does not start: ", step.name(), false),
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
    match culprit {
        Some(culprit) if culprit.has_a_fix() => culprit.tell_fix(&mut finding),
        _ if is_missing => tell_instead(&mut finding, case, script, name),
        _ => {}
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

    fn tell_fix(&self, finding: &mut Found) {
        let Some(Fix { text, commands }) = &self.finding.fix else { return };
        finding.tell(format_args!("fix: {text}"));
        for command in commands {
            finding.tell(format_args!("run: {command}"));
        }
    }
}

/// Why there is no file of that name, where its letters tell.
fn missing(case: &Case<'_>, script: &Script, name: &[u8]) -> &'static str {
    match name {
        [b'"' | b'\'' | b'`', ..] => ": the quotes belong to the name, since the kernel knows none",
        [_, b':', ..] => ", a Windows path",
        _ if name.contains(&b'\\') => ", a Windows path",
        _ if whole(case, script).is_some() => ": the kernel ends the path at its blank",
        _ if visible(case, name).is_some() => {
            ", whose name has bytes that are not seen; without them it is on this machine"
        }
        _ if !name.starts_with(b"/") => {
            ", which the kernel looks for in the current folder: PATH is not searched"
        }
        _ => ", which is not on this machine",
    }
}

/// The rest of the line, where it is the path of a file that has blanks in it.
fn whole<'a>(case: &Case<'_>, script: &'a Script) -> Option<&'a Path> {
    let line = words::line(script).get(2..)?.trim_ascii();
    let is_there = line.contains(&b' ') && case.machine.target.root.stat(Path::new(line))?.is_ok();
    is_there.then(|| Path::new(line))
}

/// The path without what is no ASCII, a no-break space for one, where that is a file's.
fn visible(case: &Case<'_>, name: &[u8]) -> Option<Vec<u8>> {
    let ascii: Vec<u8> = name.iter().copied().filter(u8::is_ascii_graphic).collect();
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

/// What to write into the first line instead, or to install.
fn tell_instead(finding: &mut Found, case: &Case<'_>, script: &Script, name: &[u8]) {
    let program = last_name(name).1;
    let is_relative = !name.starts_with(b"/") && !name.contains(&b'\\') && !program.is_empty();
    if let Some(whole) = whole(case, script) {
        finding.tell(format_args!(
            "fix: give {} a path without blanks, for example by a symbolic link, and name that",
            Shown(whole)
        ));
    } else if let [quote @ (b'"' | b'\'' | b'`'), ..] = name {
        let bare = name.strip_suffix(&[*quote]).unwrap_or(name).get(1..).unwrap_or_default();
        finding.tell(format_args!("fix: leave out the quotes: #!{}", Shown(bare)));
    } else if let Some(seen) = visible(case, name) {
        finding.tell(format_args!("fix: let its first line be #!{}, typed anew", Shown(&seen)));
    } else if let Some(here) = behind_env(case, script, name) {
        finding.tell(format_args!("fix: let its first line be #!{}, which is here", Shown(&here)));
    } else if name.contains(&b'\\') || name.get(1) == Some(&b':') {
        finding.tell(format_args!("fix: name the interpreter of this machine, for example #!/bin/sh"));
    } else if is_relative && case.in_path(program).is_none() {
        let program = Shown(program);
        finding.tell(format_args!(
            "fix: let its first line be #!/usr/bin/env {program}, and install {program} if it is not here"
        ));
    } else {
        tell_install(finding, case, name);
    }
}

/// What an env that is not here would find.
fn behind_env(case: &Case<'_>, script: &Script, name: &[u8]) -> Option<PathBuf> {
    let program = program_of(words::line(script).get(2..)?);
    let is_for_env = last_name(name).1 == b"env" && program != name;
    is_for_env.then(|| case.in_path(program))?
}

/// What to do, and the command for what OpenWrt has as a package.
fn tell_install(finding: &mut Found, case: &Case<'_>, path: &[u8]) {
    const FOLDERS: [&[u8]; 3] = [b"", b"/bin/", b"/usr/bin/"];
    const SHELLS: [&[u8]; 6] = [b"bash", b"dash", b"ash", b"zsh", b"ksh", b"mksh"];
    let program = last_name(path).1;
    let folder = path.strip_suffix(program).unwrap_or_default();
    let manager = PackageManager::of(case.machine).filter(|_| FOLDERS.contains(&folder));
    let (name, file) = (Shown(program), case.argument());
    let is_wanting = case.interpreter.is_none();
    if let Some(here) = case.in_path(program).filter(|here| is_wanting && words::bytes(here) != path) {
        return finding.tell(format_args!("fix: let its first line be #!{}, which is here", Shown(&here)));
    }
    if let Some(here) = alike(program).iter().find_map(|other| case.in_path(other)) {
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
    if let Some((manager, package)) =
        manager.and_then(|manager| Some((manager, manager.interpreter(program)?)))
    {
        let (update, install) = (manager.update(), manager.install());
        finding.tell(format_args!("run: {update}{install} {package}"));
    }
}

/// Interpreters of one language, by the names that systems give them.
fn alike(program: &[u8]) -> &'static [&'static [u8]] {
    match program {
        b"python" => &[b"python3", b"python2"],
        b"python2" => &[b"python2.7"],
        b"nodejs" => &[b"node"],
        b"node" => &[b"nodejs"],
        b"php" => &[b"php-cli", b"php8-cli", b"php7-cli"],
        b"lua" => &[b"lua5.1", b"lua5.4", b"lua5.3", b"luajit"],
        b"gawk" | b"mawk" => &[b"awk"],
        b"ksh" => &[b"mksh"],
        b"tclsh" => &[b"tclsh8.6"],
        _ if program.starts_with(b"python3.") => &[b"python3"],
        _ if program.starts_with(b"perl5") => &[b"perl"],
        _ => &[],
    }
}

impl Case<'_> {
    /// A program that a shell would find by its name.
    pub(in crate::rules) fn in_path(&self, name: &[u8]) -> Option<PathBuf> {
        let target = self.machine.target;
        let folders = target.kernel.variable(c"PATH").unwrap_or_else(|| DEFAULT_PATH.to_vec());
        let mut paths = parts(&folders, b':').map(|folder| join(Path::new(folder), Path::new(name)));
        paths.find(|path| {
            matches!(target.root.stat(path), Some(Ok(stat)) if stat.kind == FileKind::Regular && stat.mode & 0o111 != 0)
        })
    }
}
