use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use super::shown::Shown;
use super::words::{self, PackageManager};
use super::{Called, Case, Code};
use crate::candidate::{Candidate, Content, last_name};
use crate::errno::Errno;
use crate::exec::{self, Outcome, Step};
use crate::finding::{Finding, Severity};

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
    ScriptInterpreterMissing, check, quiet after [ScriptLine, ScriptWithCrlf]
}

fn check(case: &Case<'_>) -> Option<Finding> {
    let Content::Script(script) = &case.candidate.content else { return None };
    let step = words::step(case.content)?;
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
    let inner = if interpreter.found().is_some() { first_error(case, interpreter) } else { None };
    let (file, path, line) = (case.file(), Shown(name), words::first_line(script));
    // What bars the interpreter has a fix of its own, and so has a script; for a program there is its package.
    let own_fix = |error: &Finding| {
        matches!(error.code, Code::MountNoexec | Code::NotExecutable | Code::FileBusy)
            || !matches!(interpreter.content, Content::Elf(_))
    };
    let (title, fix) = match (interpreter.missing(), &inner) {
        (Some(Errno::ENOENT | Errno::ENOTDIR), _) => {
            (format!("{file} is a script for {path}, which is not on this machine"), install(case, name))
        }
        (Some(errno), _) => (format!("{file} is a script for {path}: {}", errno.text()), String::new()),
        (None, Some(error)) => {
            let fix = if own_fix(error) { String::new() } else { install(case, name) };
            (format!("{file} is a script for {path}, which does not start: {}", error.title), fix)
        }
        (None, None) => {
            let check = step.name();
            (format!("{file} is a script for {path}, which does not start: {check}"), String::new())
        }
    };
    let kernel = match case.content {
        Outcome::Refused { errno: Errno::ENOENT, .. } => words::NOT_FOUND.to_owned(),
        Outcome::Refused { errno: Errno::ENOEXEC, .. } => words::TEXT_AS_SCRIPT.to_owned(),
        _ => case.kernel_says(),
    };
    let shell = if words::is_openwrt(case.machine) { "/bin/sh (BusyBox ash)" } else { "" };
    let mut finding = case.error(format_args!(
        "\
{title}
program: line 1={line}
machine: shell={shell}
kernel:  {kernel}
fix:     {fix}"
    ));
    if let Some(error) = inner.filter(own_fix) {
        finding.fix = error.fix;
    }
    Some(finding)
}

/// What is wrong with the interpreter itself.
fn first_error(case: &Case<'_>, interpreter: &Candidate) -> Option<Finding> {
    let outcome = exec::simulate(case.machine, interpreter).ok()?;
    let mut inner = Case::new(case.machine, interpreter, outcome, None, None);
    inner.called = Called::It;
    super::run(inner).into_iter().next().filter(|finding| finding.severity == Severity::Error)
}

/// What to do, and the command for what OpenWrt has as a package.
fn install(case: &Case<'_>, path: &[u8]) -> String {
    const PACKAGES: [&[u8]; 6] = [b"bash", b"zsh", b"python3", b"perl", b"lua", b"ruby"];
    const SHELLS: [&[u8]; 6] = [b"bash", b"dash", b"ash", b"zsh", b"ksh", b"mksh"];
    let program = last_name(path).1;
    let folder = path.strip_suffix(program).unwrap_or_default();
    let usual = PACKAGES.contains(&program) && (folder == b"/bin/" || folder == b"/usr/bin/");
    let (name, file) = (Shown(program), case.argument());
    let command = match PackageManager::of(case.machine).filter(|_| usual) {
        Some(PackageManager::Apk) => format!("apk update && apk add {name}"),
        Some(PackageManager::Opkg) => format!("opkg update && opkg install {name}"),
        None => String::new(),
    };
    if SHELLS.contains(&program) {
        format!("run it with the shell that is here, or install {name}:\nrun: sh {file}\nrun: {command}")
    } else {
        format!(
            "install {name}, or change its first line to an interpreter that is installed here\nrun: {command}"
        )
    }
}
