//! A finding from one text that looks like the report it becomes.
//!
//! The first line is the title, behind the file's name ("is open for writing"); [`Case::finding`] takes a whole one. Each
//! other line has a label; one with nothing behind its label, or behind its `=`, is left out, so that a value which may be
//! absent is an empty text.
//!
//! | line | what it is |
//! | --- | --- |
//! | `program: field=value` | what the file says |
//! | `machine: field=value` | what the machine is |
//! | `kernel:  words` | what execve(2) answers; `call=words` for another call |
//! | `you see: words` | what the shell or the dynamic loader prints then |
//! | `fix:     sentence` | what to do; it is broken at blanks, so it holds no command |
//! | `run:     command` | a command that does it, as it is to be typed |
//!
//! What only some cases have, or say in quite other words, follows by [`Found::tell`], so that nothing is formatted only to
//! be formatted again. `fix:` lines add up to one sentence; evidence keeps the order in which it is told.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use core::fmt::{self, Arguments, Display, Formatter};

use super::super::{Called, Case, words};
use super::shown::{Quoted, Shown};
use super::{BuiltFor, MachineName};
use crate::advice::release::{self, Wanted};
use crate::advice::{self, Build};
use crate::candidate::Toolchain;
use crate::errno::Errno;
use crate::exec::{Outcome, Step};
use crate::finding::{Evidence, Finding, Found, Severity, Side};
use crate::ldso::Fault;
use crate::machine::holds;
use crate::path::Path;

impl Case<'_> {
    /// It will not start: what is to be said of the file.
    pub(in crate::rules) fn error(&self, text: Arguments<'_>) -> Found {
        self.about(Severity::Error, text)
    }

    /// It may not work.
    pub(in crate::rules) fn warning(&self, text: Arguments<'_>) -> Found {
        self.about(Severity::Warning, text)
    }

    /// It is worth knowing.
    pub(in crate::rules) fn note(&self, text: Arguments<'_>) -> Found {
        self.about(Severity::Note, text)
    }

    /// The finding that a text tells of the file, whose name its title begins with.
    pub(in crate::rules) fn about(&self, severity: Severity, text: Arguments<'_>) -> Found {
        self.finding(severity, format_args!("{} {text}", self.file()))
    }

    /// The finding that a text tells, with its whole title.
    pub(in crate::rules) fn finding(&self, severity: Severity, text: Arguments<'_>) -> Found {
        let mut finding = Found::new(self.code, severity);
        #[cfg(feature = "every-machine")]
        if self.machine.only_codes {
            finding.silence();
        }
        finding.tell(text);
        finding
    }

    /// What a finding calls the file.
    pub(in crate::rules) fn file(&self) -> File<'_> {
        File(self)
    }

    /// The file as a word of a command that works from here.
    pub(in crate::rules) fn argument(&self) -> Quoted<'_> {
        let candidate = self.candidate;
        let is_bare = words::is_bare(&candidate.path);
        Quoted(if is_bare { &candidate.resolved } else { &candidate.path })
    }

    /// What the program was built for.
    pub(in crate::rules) fn built_for(&self) -> BuiltFor<'_> {
        BuiltFor(self.program)
    }

    /// The machine in a few words.
    pub(in crate::rules) fn machine_name(&self) -> MachineName<'_> {
        MachineName(self.machine)
    }

    /// What the kernel answers; on a line of its own what the shell prints.
    pub(in crate::rules) fn kernel_says(&self) -> Kernel<'_> {
        Kernel::Does(&self.content)
    }

    /// What the kernel does, where it stops at one of these checks: of another one a finding has nothing to say.
    pub(in crate::rules) fn kernel_at(&self, steps: &[Step]) -> Kernel<'_> {
        if self.step.is_some_and(|step| steps.contains(&step)) { self.kernel_says() } else { Kernel::NOTHING }
    }

    /// The same of what is no program: where nothing else tells what bars it, this does.
    pub(in crate::rules) fn answer_at(&self, steps: &[Step]) -> Kernel<'_> {
        match self.kernel_at(steps) {
            Kernel::Does(_) if !self.is_text() => Kernel::Does(&self.outcome),
            other => other,
        }
    }

    /// The same where no handler of the kernel takes the file, with a line for ENOEXEC.
    pub(in crate::rules) fn unhandled(&self, line: &'static str) -> Kernel<'_> {
        match self.answer_at(&[Step::NoHandler]) {
            Kernel::Does(Outcome::Refused { errno: Errno::ENOEXEC, .. }) => Kernel::Words(line),
            other => other,
        }
    }

    /// That the dynamic loader ends the program, where the kernel comes to it.
    pub(in crate::rules) fn loader_ends(&self) -> &'static str {
        words::loader_ends(self.content)
    }

    /// Behind `fix:`, to build it for this machine: a sentence, and `run:` lines.
    pub(in crate::rules) fn rebuild(&self) -> Rebuild<'_> {
        Rebuild { case: self, is_static: false, only_take: false }
    }

    /// The same without how to build it: "take the build for linux-mipsle".
    pub(in crate::rules) fn take(&self) -> Rebuild<'_> {
        Rebuild { only_take: true, ..self.rebuild() }
    }

    /// Tells another way than [`Case::rebuild`], and leads over to that ("or"): the other way alone where it is not known
    /// what to build.
    pub(in crate::rules) fn tell_rebuild_after(&self, finding: &mut Found, other: Arguments<'_>, or: &str) {
        finding.tell(format_args!("fix: {other}"));
        if advice::build(self.machine).is_some() {
            // "or, to need no library,": any machine's C library will do.
            let rebuild =
                Rebuild { case: self, is_static: holds(or.as_bytes(), b"need no"), only_take: false };
            finding.tell(format_args!("fix: ; {or} {rebuild}"));
        }
    }

    /// Behind `fix:`, for a file that was damaged on its way.
    pub(in crate::rules) fn copy_again(&self) -> CopyAgain<'_> {
        CopyAgain { case: self, library: None }
    }

    /// The same for the file that a fault is of: the program, or a library.
    pub(in crate::rules) fn copy_again_of<'a>(&'a self, fault: &'a Fault) -> CopyAgain<'a> {
        CopyAgain { case: self, library: (!fault.is_of_program).then(|| Path::new(&fault.of)) }
    }
}

impl Found {
    /// More lines of its text.
    pub(in crate::rules) fn tell(&mut self, text: Arguments<'_>) {
        if self.is_silent() {
            return;
        }
        for line in text.to_string().split('\n') {
            if self.title.is_empty() {
                line.clone_into(&mut self.title);
            } else {
                add(self, line);
            }
        }
    }
}

/// [`Case::file`].
pub(in crate::rules) struct File<'a>(&'a Case<'a>);

impl Display for File<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.called {
            Called::Path => Shown(&self.0.candidate.path).fmt(f),
            Called::It => f.write_str("it"),
        }
    }
}

/// What stands behind `kernel:`.
pub(in crate::rules) enum Kernel<'a> {
    /// These words.
    Words(&'static str),
    /// What the kernel does, and what the shell prints then.
    Does(&'a Outcome),
}

impl Kernel<'_> {
    /// The line is left out.
    pub(in crate::rules) const NOTHING: Self = Kernel::Words("");
}

impl Display for Kernel<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Kernel::Words(words) => f.write_str(words),
            Kernel::Does(outcome) => words::kernel(**outcome, f),
        }
    }
}

/// [`Case::rebuild`].
pub(in crate::rules) struct Rebuild<'a> {
    case: &'a Case<'a>,
    /// A build that needs nothing of the machine.
    is_static: bool,
    /// Only which file of a release is the one.
    only_take: bool,
}

impl Display for Rebuild<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let case = self.case;
        let machine = case.machine;
        let Some(build) = advice::build(machine) else { return Ok(()) };
        let own = case.program.map_or(Toolchain::Unknown, |program| program.origin().toolchain);
        self.take(build, own, f)?;
        if self.only_take {
            return Ok(());
        }
        let command = |toolchain| build.command(toolchain, machine);
        match own {
            // All of them where it is not known what made the program.
            Toolchain::Unknown => {
                f.write_str(", or rebuild it for this machine")?;
                for toolchain in &[Toolchain::C, Toolchain::Rust, Toolchain::Go] {
                    if let Some(command) = command(*toolchain) {
                        write!(f, "\nrun: {command}")?;
                    }
                }
                Ok(())
            }
            Toolchain::Graal if !crate::ROUTER && build.target(own).is_some() => {
                f.write_str(", or rebuild it on such a machine: native-image builds for the one it runs on")
            }
            Toolchain::Python if !crate::ROUTER => {
                f.write_str(", or rebuild it on such a machine: PyInstaller builds for the one it runs on")
            }
            _ => match command(own) {
                Some(command) => write!(f, ", or rebuild it for this machine\nrun: {command}"),
                None if !crate::ROUTER && is_ported(own) && build.target(own).is_none() => {
                    write!(f, "; {} itself is not ported to such machines", own.name())
                }
                None => Ok(()),
            },
        }
    }
}

impl Rebuild<'_> {
    /// Which file of a release is the one, in the words of release pages.
    fn take(&self, build: &Build, own: Toolchain, f: &mut Formatter<'_>) -> fmt::Result {
        let machine = self.case.machine;
        let is_android = advice::is_android(machine);
        let wider = advice::wider(machine);
        if let Some(abi) = wider.and(advice::userland(machine)) {
            let processor = words::processor(abi.e_machine);
            write!(f, "this machine's own programs are 32-bit ({processor}): ")?;
        }
        // Of a static program no C library is asked, nor of Go's.
        let image = self.case.image.filter(|image| image.interp.is_some() && own != Toolchain::Go);
        let libc = image.filter(|image| !self.is_static && machine.libc().value != image.interp_libc());
        let libc = libc.and_then(|_| release::libc(machine)).unwrap_or_default();
        // Where all else is right, the C library's word in the name makes the difference.
        let is_all = !self.case.foreign && !self.case.is_swapped() && wider.is_none();
        let arch = machine.openwrt().arch.get().map(String::as_str);
        let more = [
            // Rust's projects name their files by its targets.
            build.rust.filter(|_| own == Toolchain::Rust && !is_android),
            build.android.filter(|_| is_android),
            arch.filter(|arch| !build.names.contains(arch)),
        ];
        let names = Wanted { build, libc: if is_all { libc } else { "" }, more }.words(machine);
        let kind = if self.is_static { "a static build" } else { "the build" };
        write!(f, "take {kind} for {}", Shown(names.as_str()))?;
        if let Some(wider) = wider {
            let names = Wanted { build: wider, libc: "static", more: [None; 3] }.words(machine);
            write!(f, ", or a static one for {names}")?;
        } else if is_android {
            f.write_str(", or Termux's package")?;
        } else if !libc.is_empty() && !is_all {
            write!(f, ", static or for {libc}")?;
        } else if !libc.is_empty() {
            f.write_str(", or a static one")?;
        }
        Ok(())
    }
}

/// Whether it is known of a toolchain to which machines it is ported: the rows of what is built for them have it.
const fn is_ported(toolchain: Toolchain) -> bool {
    matches!(
        toolchain,
        Toolchain::Go
            | Toolchain::Rust
            | Toolchain::DotNet
            | Toolchain::Graal
            | Toolchain::Dart
            | Toolchain::Bun
            | Toolchain::Deno
            | Toolchain::Node
    )
}

/// [`Case::copy_again`].
pub(in crate::rules) struct CopyAgain<'a> {
    case: &'a Case<'a>,
    library: Option<&'a Path>,
}

impl Display for CopyAgain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const SAME: &str = " again; size and checksum have to be the same on both sides\nrun: sha256sum ";
        match self.library {
            Some(library) if !crate::ROUTER => {
                write!(f, "copy or download that library{SAME}{}", Quoted(library))
            }
            _ => {
                f.write_str("copy or download it")?;
                f.write_str(SAME)?;
                self.case.argument().fmt(f)
            }
        }
    }
}

fn add(finding: &mut Finding, line: &str) {
    const SIDES: [(&str, Side); 3] =
        [("program", Side::Program), ("machine", Side::Machine), ("kernel", Side::Kernel)];
    let Some((label, words)) = line.split_once(':') else { return };
    let words = words.trim_ascii_start();
    if words.is_empty() {
        return;
    }
    match label {
        "fix" => return finding.fix.get_or_insert_default().text.push_str(words),
        "run" => return finding.fix.get_or_insert_default().commands.push(words.to_owned()),
        _ => {}
    }
    let side = SIDES.iter().find(|(name, _)| *name == label).map_or(Side::Shell, |(_, side)| *side);
    let is_call = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase());
    let (field, value) = match (side, words.split_once('=')) {
        (Side::Program | Side::Machine, Some(named)) => named,
        (Side::Kernel, Some((call, value))) if is_call(call) => (call, value),
        (Side::Shell, _) => ("prints", words),
        _ => ("execve", words),
    };
    debug_assert!(
        side == Side::Kernel || field != "execve",
        "{label}: {words}: a field and its value, with `=`"
    );
    if !value.is_empty() {
        finding.evidence.push(Evidence { side, field: field.to_owned(), value: value.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use alloc::format;

    use super::*;
    use crate::rules::Code;

    fn told(line: &str) -> Found {
        let mut finding = Found::new(Code::NotAProgram, Severity::Error);
        finding.tell(format_args!("title\n{line}"));
        finding
    }

    #[test]
    fn a_value_forges_no_line() {
        let name = "x\nprogram: EI_DATA=2\r\nfix: rm\nrun: rm -rf /\x1b[2J\u{2028}fix: rm";
        let (shown, quoted) = (Shown(name), Quoted(name.as_ref()).to_string());
        for text in [shown.to_string(), quoted] {
            assert!(!text.contains(char::is_control) && !text.contains('\u{2028}'), "{text}");
        }
        let finding = told(&format!("program: line 1={shown}\nmachine: file={shown}\nkernel:  stat={shown}"));
        assert_eq!(finding.evidence.len(), 3);
        assert!(finding.evidence.iter().all(|evidence| evidence.value.ends_with("fix: rm")));
        assert_eq!(finding.fix, None);
    }

    #[test]
    fn a_line_without_a_value_is_left_out() {
        let finding = told("program: size=\nmachine: \nkernel:\nfix:     \nrun:     ");
        assert!(finding.evidence.is_empty() && finding.fix.is_none(), "{finding:?}");
    }

    #[test]
    fn the_kernel_answers_execve_where_no_other_call_is_named() {
        let finding = told("kernel:  stat=ENOENT\nkernel:  starts it; status 127: a=b: not found");
        let fields: Vec<(&str, &str)> =
            finding.evidence.iter().map(|one| (one.field.as_str(), one.value.as_str())).collect();
        assert_eq!(fields, [("stat", "ENOENT"), ("execve", "starts it; status 127: a=b: not found")]);
    }
}
