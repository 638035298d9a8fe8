use super::shown::Shown;
use super::words::{self, FirstLine, Kernel, PackageManager};
use super::{Case, Code};
use crate::candidate::{Content, last_name};
use crate::errno::Errno;
use crate::exec::{Outcome, Step};
use crate::finding::{Fix, Found};

rule! {
    /// # What it means
    /// The program that the script's `#!` line names does not exist on this machine, or cannot be started.
    /// # How it looks
    /// The first is ash's. The file is there all the same.
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
    ScriptInterpreterMissing, looks [
        "not found",
        "cannot execute: required file not found",
        "bad interpreter",
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
    let path = Shown(name);
    // What bars the interpreter has a fix of its own, and so has a script; for a program there is its package.
    let fixed_there = case.interpreter.as_ref().filter(|error| {
        matches!(error.code, Code::MountNoexec | Code::NotExecutable | Code::FileBusy)
            || !matches!(interpreter.content, Content::Elf(_))
    });
    let (why, detail, is_missing) = match (interpreter.missing(), &case.interpreter) {
        (Some(Errno::ENOENT | Errno::ENOTDIR), _) => (", which is not on this machine", "", true),
        (Some(errno), _) => (": ", errno.text(), false),
        (None, Some(error)) => (", which does not start: ", error.title.as_str(), fixed_there.is_none()),
        (None, None) => (", which does not start: ", step.name(), false),
    };
    let line = FirstLine(script);
    let mut finding = case.error(format_args!("is a script for {path}{why}{detail}\nprogram: line 1={line}"));
    let kernel = match case.content {
        Outcome::Refused { errno: Errno::ENOENT, .. } => Kernel::Words(words::NOT_FOUND),
        Outcome::Refused { errno: Errno::ENOEXEC, .. } => Kernel::Words(words::TEXT_AS_SCRIPT),
        _ => case.kernel_says(),
    };
    let shell = if words::is_openwrt(case.machine) { "/bin/sh (BusyBox ash)" } else { "" };
    finding.tell(format_args!("machine: shell={shell}\nkernel: {kernel}"));
    if is_missing {
        tell_install(&mut finding, case, name);
    }
    if let Some(Fix { text, commands }) = fixed_there.and_then(|error| error.fix.as_ref()) {
        finding.tell(format_args!("fix: {text}"));
        for command in commands {
            finding.tell(format_args!("run: {command}"));
        }
    }
    Some(finding)
}

/// What to do, and the command for what OpenWrt has as a package.
fn tell_install(finding: &mut Found, case: &Case<'_>, path: &[u8]) {
    const PACKAGES: [&[u8]; 6] = [b"bash", b"zsh", b"python3", b"perl", b"lua", b"ruby"];
    const FOLDERS: [&[u8]; 2] = [b"/bin/", b"/usr/bin/"];
    const SHELLS: [&[u8]; 6] = [b"bash", b"dash", b"ash", b"zsh", b"ksh", b"mksh"];
    let program = last_name(path).1;
    let folder = path.strip_suffix(program).unwrap_or_default();
    let usual = PACKAGES.contains(&program) && FOLDERS.contains(&folder);
    let (name, file) = (Shown(program), case.argument());
    if SHELLS.contains(&program) {
        finding.tell(format_args!(
            "fix: run it with the shell that is here, or install {name}:\nrun: sh {file}"
        ));
    } else {
        finding.tell(format_args!(
            "fix: install {name}, or change its first line to an interpreter that is installed here"
        ));
    }
    if let Some(manager) = PackageManager::of(case.machine).filter(|_| usual) {
        let (manager, install) = (manager.name(), manager.install());
        finding.tell(format_args!("run: {manager} update && {install} {name}"));
    }
}
