mod archive;
mod object;
mod package;

use super::{Case, words};
use crate::candidate::{Content, Data};
use crate::finding::{Finding, Severity};
use crate::system::FileKind;

rule! {
    /// # What it means
    /// The file is no program at all: a package or an archive that is to be unpacked, a saved web page, text without a
    /// `#!` line, an object file or a shared library, a folder.
    /// # How it looks
    /// ash runs whatever the kernel refuses as a script: `line 1: Not: not found`, `syntax error: unexpected newline`
    /// (HTML), nothing at all and status 0 (an empty file). bash: `cannot execute binary file: Exec format error`.
    /// # Why
    /// No handler of the kernel knows the first bytes (ENOEXEC), or it is no regular file (EACCES).
    /// # Fix
    /// Unpack or install it; download the file itself instead of the page about it.
    /// # Kernel source
    /// fs/exec.c `search_binary_handler`; fs/namei.c `may_open`; fs/binfmt_elf.c `load_elf_binary`.
    "not-a-program", check
}

const KIND: &str = "%n is %0, not a program";
const LIST: &str = "> see what is in it:\n$ ls -l %f";
const EMPTY: &str = "%n is empty";
const ZEROS: &str = "%n holds nothing but zeros: its content was never written";
const TEXT: &str = "\
%n is text without a #! line
> if it is a shell script, let its first line be #!/bin/sh; until then:
$ sh %f";
const HTML: &str = "\
%n is a web page (HTML), not a program
> download the file itself: the address led to a page about it, or to an error message";
const EMPTY_SCRIPT: &str = "k ENOEXEC; ash and bash do nothing then, with status 0";
const ZEROS_AS_SCRIPT: &str =
    "k ENOEXEC; ash does nothing then, with status 0; bash: cannot execute binary file: Exec format error";
const HTML_AS_SCRIPT: &str =
    "k ENOEXEC; ash then runs it as a script: syntax error: unexpected newline, or redirection";
const POINTER: &str = "%n is a Git LFS pointer to a file, not that file";
const POINTER_SIZE: &str = "%n is a Git LFS pointer to a file of %s1, not that file";
const GIT_PULL: &str = "> on the computer, in its repository:\n$ git lfs pull";
const OTHER: &str = "%n is %0, not a program for Linux";
const UNKNOWN: &str = "%n is data of an unknown kind, not a program\np first bytes=%h1";

fn check(case: &Case<'_>) -> Option<Finding> {
    let kind = case.candidate.stat.ok()?.kind;
    if !matches!(kind, FileKind::Regular | FileKind::Pseudo) {
        let list = if kind == FileKind::Directory { LIST } else { "" };
        return Some(case.tell(Severity::Error, &[KIND, words::PERMISSION_DENIED, list], &[&kind.name()]));
    }
    match &case.candidate.content {
        Content::Elf(_) => object::check(case),
        Content::Data(data) if !case.starts() => of_data(case, data),
        _ => None,
    }
}

/// No mode and no mount would make it one, so that only this rule is of use.
pub(super) fn is_no_program(case: &Case<'_>) -> bool {
    match &case.candidate.content {
        Content::Data(data) => !matches!(data, Data::Text),
        Content::Elf(_) => check(case).is_some_and(|finding| finding.severity == Severity::Error),
        Content::Script(_) | Content::Unread(_) => false,
    }
}

fn of_data(case: &Case<'_>, data: &Data) -> Option<Finding> {
    let (mut what, mut number) = ("", 0);
    let [title, kernel, fix] = match data {
        // Other rules'.
        Data::Stub | Data::MachO(_) | Data::Pe(_) => return None,
        Data::Archive(format) => return Some(archive::check(case, format)),
        Data::Package(package) => return Some(package::check(case, package)),
        Data::Empty => [EMPTY, EMPTY_SCRIPT, words::COPY_AGAIN],
        Data::Zeros => [ZEROS, ZEROS_AS_SCRIPT, words::COPY_AGAIN],
        Data::Text => [TEXT, words::TEXT_AS_SCRIPT, ""],
        Data::Html => [HTML, HTML_AS_SCRIPT, ""],
        Data::LfsPointer(size) => {
            number = size.unwrap_or(0);
            let title = if size.is_some() { POINTER_SIZE } else { POINTER };
            [title, words::TEXT_AS_SCRIPT, GIT_PULL]
        }
        Data::Other(name) => {
            what = name;
            [OTHER, words::DATA_AS_SCRIPT, ""]
        }
        Data::Unknown(first) => {
            number = u64::from(u32::from_be_bytes(*first));
            [UNKNOWN, words::DATA_AS_SCRIPT, words::COPY_AGAIN]
        }
    };
    let pieces = [title, case.unhandled(kernel), fix];
    Some(case.tell(Severity::Error, &pieces, &[&what, &number]))
}
