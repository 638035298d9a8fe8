use super::Case;
use super::shown::Shown;
use crate::exec::{Outcome, Step, forbidden};
use crate::finding::{Found, Severity};
use crate::machine::holds;
use crate::path::Path;

rule! {
    /// # What it means
    /// Its mode and its mount let the file be executed, and a security policy of the machine does not.
    /// # How it looks
    /// Status 126, for root too.
    /// # Why
    /// SELinux, AppArmor, Landlock, IMA and fapolicyd decide by rules of their own, by the file's label, path or signature,
    /// and by who asks: a service may be refused what a shell is not. From Linux 6.14 on the kernel says what it would do,
    /// without doing it (execveat(2) with AT_EXECVE_CHECK), and diag asks it for who runs diag.
    /// # Fix
    /// Install the program where the policy lets programs be (/usr/bin, /usr/local/bin), give it the label that it should
    /// have (`restorecon`), or have the policy name it. What was refused stands in dmesg or the audit log.
    /// # Kernel source
    /// fs/exec.c `bprm_execve`; security/security.c `security_file_open`, `security_bprm_creds_for_exec`.
    /// # Example
    /// ```text
    /// machine x86-64, not by a router's build
    /// file /uname text Linux host 6.18.1 #1 SMP Thu Jan 1 00:00:00 2026 x86_64 GNU/Linux\n
    /// file /tmp/hello elf x86-64 go policy=EACCES
    /// $ diag /tmp/hello
    /// error[forbidden-by-policy]: /tmp/hello may not be executed: a security policy of
    ///   this machine forbids it
    ///   kernel:  EACCES
    ///   you see: Permission denied
    ///   fix:     install it where the policy lets programs be, or have the policy
    ///            allow it; who refused says so in the kernel's log
    ///            dmesg | tail
    /// [1]
    /// ```
    ForbiddenByPolicy, looks ["Permission denied", "Operation not permitted"],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    if crate::ROUTER {
        return None;
    }
    let Outcome::Refused { errno, step: Step::Policy } = case.outcome else { return confined(case) };
    let root = case.machine.target.root;
    let line = |path| root.read(Path::new(path)).and_then(Result::ok).unwrap_or_default();
    let (modules, caller) = (line("/sys/kernel/security/lsm"), line("/proc/self/attr/current"));
    let interpreter = forbidden(case.machine, case.candidate).map(|(refused, _)| refused);
    let interpreter = interpreter.filter(|refused| refused.path != case.candidate.path);
    let interpreter = interpreter.map_or(&[][..], |refused| refused.path.as_bytes());
    Some(case.error(format_args!(
        "\
may not be executed: a security policy of this machine forbids it
program: interpreter={}
machine: security modules={}
machine: caller={}
kernel:  {}
you see: {}
fix:     install it where the policy lets programs be, or have the policy allow it; who refused says so in the kernel's log
run:     dmesg | tail",
        Shown(interpreter),
        Shown(modules.trim_ascii()),
        Shown(caller.trim_ascii_end()),
        errno.name(),
        errno.text(),
    )))
}

/// A program that starts, but for what an AppArmor profile of the caller's may have against it: that is asked at execve(2)
/// alone (security/apparmor/domain.c `apparmor_bprm_creds_for_exec`), and this kernel does not tell. The profiles that
/// containers have by default let all be executed.
fn confined(case: &Case<'_>) -> Option<Found> {
    if !(case.starts() && case.machine.kernel().older_than((6, 14, 0))) {
        return None;
    }
    let read = |path| case.machine.target.root.read(Path::new(path))?.ok();
    let profile = read("/proc/self/attr/apparmor/current").or_else(|| read("/proc/self/attr/current"))?;
    let name = profile.trim_ascii_end().strip_suffix(b" (enforce)")?;
    let is_default = holds(name, b"default") || name == b"unconfined";
    let file = case.file();
    (!is_default).then(|| {
        case.finding(
            Severity::Note,
            format_args!(
                "\
whether the AppArmor profile {name} lets {file} start, this kernel does not tell
machine: profile={name} (enforce)
you see: Permission denied
fix:     where it does not, have the profile name the file; what was refused stands in the kernel's log
run:     dmesg | grep apparmor",
                name = Shown(name)
            ),
        )
    })
}
