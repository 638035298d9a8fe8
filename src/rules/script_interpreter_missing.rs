use super::words::{self, PackageManager};
use super::{Called, Case};
use crate::candidate::{Candidate, Content, last_name};
use crate::errno::Errno;
use crate::finding::{Finding, Severity};
use crate::loader::{self, Outcome, Step};

rule! {
    /// # What it means
    /// The program that the script's `#!` line names does not exist on this machine, or cannot be started.
    /// # How it looks
    /// `./install.sh: not found`, though the file is there; bash: `cannot execute: required file not found` or
    /// `bad interpreter`.
    /// # Why
    /// The kernel starts the interpreter in the script's stead, by exactly that path, without PATH. OpenWrt has /bin/sh
    /// (BusyBox ash) and no bash, Python or Perl.
    /// # Fix
    /// Install the interpreter, or name one that is here. A script of plain sh runs by `sh FILE`.
    /// # Kernel source
    /// fs/binfmt_script.c `load_script`, `open_exec`.
    "script-interpreter-missing", check
}

const ABSENT: &str = "%n is a script for %0, which is not on this machine";
const BARRED: &str = "%n is a script for %0: %1";
const FAILS: &str = "%n is a script for %0, which does not start: %1";
const LINE: &str = "p line 1=%2";
const SHELL: &str = "m shell=/bin/sh (BusyBox ash)";
const INSTALL: &str = "> install %3, or let its first line name what this machine has";
const RUN: &str = "> run it with the shell that is here, or install %3:";
const SH: &str = "$ sh %f";
const OPKG: &str = "$ opkg update && opkg install %3";
const APK: &str = "$ apk update && apk add %3";

fn check(case: &Case<'_>) -> Option<Finding> {
    let Content::Script(script) = &case.candidate.content else { return None };
    let step = words::step(case.content)?;
    // Those are other rules'.
    let others = matches!(
        step,
        Step::ScriptLine | Step::TooManyInterpreters | Step::NoExecMount | Step::Permission | Step::Busy
    );
    let interpreter = case.candidate.interpreter.as_deref().filter(|_| case.candidate.misc.is_none())?;
    let path = name(case);
    if others || path.last() == Some(&b'\r') || super::script_line::is_cut(case, script) {
        return None;
    }
    let inner = if interpreter.stat.is_ok() { first_error(case, interpreter) } else { None };
    let program = last_name(path).1;
    let mut mend = false;
    let (title, why, fix) = match (interpreter.stat, &inner) {
        (Err(Errno::ENOENT | Errno::ENOTDIR), _) => (ABSENT, "", install(case, path, program)),
        (Err(errno), _) => (BARRED, errno.text(), [""; 3]),
        (Ok(_), Some(error)) => {
            // What is wrong with a program, its package mends; what bars it, or a script, its own fix.
            let bars = ["mount-noexec", "not-executable", "file-busy"].contains(&error.code);
            mend = bars || !matches!(interpreter.content, Content::Elf(_));
            (FAILS, error.title.as_str(), if mend { [""; 3] } else { install(case, path, program) })
        }
        (Ok(_), None) => (FAILS, step.name(), [""; 3]),
    };
    let kernel = match case.content {
        Outcome::Refused { errno: Errno::ENOENT, .. } => words::NOT_FOUND,
        Outcome::Refused { errno: Errno::ENOEXEC, .. } => words::TEXT_AS_SCRIPT,
        _ => words::KERNEL,
    };
    let shell = if words::is_openwrt(case.machine) { SHELL } else { "" };
    let [advice, first, last] = fix;
    let mut finding = case.tell(
        Severity::Error,
        &[title, LINE, shell, kernel, advice, first, last],
        &[&path, &why, &words::first_line(script), &program],
    );
    if let Some(mut error) = inner.filter(|_| mend) {
        finding.fix = error.fix.take();
    }
    Some(finding)
}

/// The interpreter that the kernel looks for; empty where there is none.
pub(super) fn name<'a>(case: &Case<'a>) -> &'a [u8] {
    case.candidate.interpreter.as_ref().map_or(&[], |interpreter| words::bytes(&interpreter.path))
}

/// What is wrong with the interpreter itself.
fn first_error(case: &Case<'_>, interpreter: &Candidate) -> Option<Finding> {
    let outcome = loader::exec(case.machine, interpreter).ok()?;
    let mut inner = Case::new(case.machine, interpreter, outcome, None, None);
    inner.called = Called::It;
    super::run(&inner).into_iter().next().filter(|finding| finding.severity == Severity::Error)
}

/// What to do, and the command for what OpenWrt has as a package.
fn install(case: &Case<'_>, path: &[u8], program: &[u8]) -> [&'static str; 3] {
    const PACKAGES: [&[u8]; 6] = [b"bash", b"zsh", b"python3", b"perl", b"lua", b"ruby"];
    const SHELLS: [&[u8]; 6] = [b"bash", b"dash", b"ash", b"zsh", b"ksh", b"mksh"];
    let folder = path.strip_suffix(program).unwrap_or_default();
    let usual = PACKAGES.contains(&program) && (folder == b"/bin/" || folder == b"/usr/bin/");
    let command = match PackageManager::of(case.machine) {
        Some(PackageManager::Apk) if usual => APK,
        Some(PackageManager::Opkg) if usual => OPKG,
        _ => "",
    };
    if SHELLS.contains(&program) { [RUN, SH, command] } else { [INSTALL, command, ""] }
}
