use super::{Case, words};
use crate::candidate::{Candidate, Content, Data, Interp};
use crate::finding::{Finding, Severity};
use crate::loader::Step;
use crate::system::FileKind;
use crate::text;

rule! {
    /// # What it means
    /// The loader that the program names (PT_INTERP) exists, but the kernel cannot use it: it is for another machine, is
    /// no ELF file, is not executable, or is damaged.
    /// # How it looks
    /// `Accessing a corrupted shared library` (ELIBBAD; musl has no words for it), `Permission denied`, `Input/output
    /// error`, or `Segmentation fault` within execve.
    /// # Why
    /// Often a loader that was copied from another machine, or a symbolic link to the wrong one.
    /// # Fix
    /// Remove what was copied, and build the program for the machine's own C library, or statically.
    /// # Kernel source
    /// fs/binfmt_elf.c `load_elf_binary` and `load_elf_interp`.
    "interpreter-unusable", check
}

const WORDS: &str = "\
%n needs the loader %0, which is %1%2
p PT_INTERP=%0
m loader=%1%2
k %k";
const CHMOD: &str = "$ chmod +x %0";
const WAIT: &str = "> wait until its copy has ended";
const REMOVE: &str = "\
> remove it if it was copied here, else reinstall the C library; or 
rebuild";

fn check(case: &Case<'_>) -> Option<Finding> {
    let interpreter = case.candidate.interpreter.as_ref()?;
    let Some(Interp::Path(path)) = &case.image?.interp else { return None };
    let steps = [Step::InterpreterOpen, Step::InterpreterShort, Step::InterpreterArch, Step::InterpreterMap];
    if interpreter.stat.is_err() || !steps.iter().any(|step| case.meets(*step)) {
        return None;
    }
    let What { words, built, fix } = what(case, interpreter);
    Some(case.tell(Severity::Error, &[WORDS, fix], &[path, &words, &built]))
}

/// What the loader is, what it was built for, and what to do about it.
struct What {
    words: &'static str,
    built: String,
    fix: &'static str,
}

fn what(case: &Case<'_>, interpreter: &Candidate) -> What {
    let is = |words, fix| What { words, built: String::new(), fix };
    let kind = interpreter.stat.map_or(FileKind::Regular, |stat| stat.kind);
    match &interpreter.content {
        _ if kind != FileKind::Regular => is(kind.name(), REMOVE),
        _ if interpreter.may_execute.is_err() => is("not executable", CHMOD),
        _ if interpreter.busy == Some(true) => is("open for writing", WAIT),
        _ if interpreter.size() == Some(0) => is("empty", REMOVE),
        Content::Elf(_) | Content::Data(Data::Stub) if case.meets(Step::InterpreterShort) => {
            is("cut short", REMOVE)
        }
        Content::Elf(program) => {
            let mut built = words::built_for(Some(program));
            if case.meets(Step::InterpreterMap) {
                return What { words: "a file that cannot be mapped: ", built, fix: REMOVE };
            }
            let order = program.own.as_ref().map_or("", |image| image.view.order.name());
            built = text::concat(&[order, ", ", &built]);
            What { words: "for another machine: ", built, fix: REMOVE }
        }
        Content::Script(_) => is("a script", REMOVE),
        Content::Data(_) => is("no ELF file", REMOVE),
        Content::Unread(_) => is("not readable", REMOVE),
    }
}
