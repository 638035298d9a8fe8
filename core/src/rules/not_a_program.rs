mod archive;
mod object;
mod package;
use core::fmt::Arguments;

use super::shown::Size;
use super::{Case, words};
use crate::candidate::{Content, Foreign};
use crate::finding::Found;
use crate::target::FileKind;

rule! {
    /// # What it means
    /// The file is no program at all: a package or an archive that is to be unpacked, a saved web page, text without a
    /// `#!` line, an object file or a shared library, a folder.
    /// # How it looks
    /// ash runs whatever the kernel refuses as a script: the second is a web page's; of an empty file it says nothing,
    /// with status 0.
    /// # Why
    /// No handler of the kernel knows the first bytes (ENOEXEC), or it is no regular file (EACCES).
    /// # Fix
    /// Unpack or install it; download the file itself instead of the page about it.
    /// # Kernel source
    /// fs/exec.c `search_binary_handler`; fs/namei.c `may_open`; fs/binfmt_elf.c `load_elf_binary`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/v2ray text <!DOCTYPE html>\n
    /// $ diag /tmp/v2ray
    /// error[not-a-program]: /tmp/v2ray is a web page (HTML), not a program
    ///   kernel:  ENOEXEC
    ///   you see: ash runs it as a script: syntax error: unexpected newline, or
    ///            redirection
    ///   fix:     download the file itself: the address led to a page about it, or to
    ///            an error message
    /// [1]
    /// ```
    NotAProgram, looks [
        "line 1: Not: not found",
        "syntax error: unexpected newline",
        "cannot execute binary file: Exec format error",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let kind = case.candidate.found()?.kind;
    if !matches!(kind, FileKind::Regular | FileKind::Pseudo) {
        return Some(of_kind(case, kind));
    }
    match &case.candidate.content {
        Content::Elf(_) => object::check(case),
        Content::Foreign(data) if !case.starts() => of_data(case, data),
        _ => None,
    }
}

fn of_kind(case: &Case<'_>, kind: FileKind) -> Found {
    let (file, argument, kernel) = (case.file(), case.argument(), words::PERMISSION_DENIED);
    let mut finding = case.error(format_args!(
        "\
{file} is {kind}, not a program
kernel:  {kernel}",
        kind = kind.name(),
    ));
    if kind == FileKind::Directory {
        finding.tell(format_args!("fix: see what is in it:\nrun: ls -l {argument}"));
    }
    finding
}

fn of_data(case: &Case<'_>, data: &Foreign) -> Option<Found> {
    let (file, argument, copy_again) = (case.file(), case.argument(), case.copy_again());
    let told = |what: Arguments<'_>, kernel: &'static str, fix: Arguments<'_>| {
        let kernel = case.unhandled(kernel);
        Some(case.error(format_args!(
            "\
{file} {what}
kernel:  {kernel}
fix:     {fix}"
        )))
    };
    match data {
        // Other rules'.
        Foreign::Stub | Foreign::MachO(_) | Foreign::Pe(_) => None,
        Foreign::Archive(format) => Some(archive::check(case, format)),
        Foreign::Package(package) => Some(package::check(case, package)),
        Foreign::Empty => told(
            format_args!("is empty"),
            "ENOEXEC\nyou see: nothing; ash and bash end with status 0",
            format_args!("{copy_again}"),
        ),
        Foreign::Zeros => told(
            format_args!("holds nothing but zeros: its content was never written"),
            "ENOEXEC\nyou see: ash: nothing, status 0; bash: cannot execute binary file: Exec format error",
            format_args!("{copy_again}"),
        ),
        Foreign::Text => told(
            format_args!("is text without a #! line"),
            words::TEXT_AS_SCRIPT,
            format_args!(
                "if it is a shell script, let its first line be #!/bin/sh; until then:\n\
                 run: sh {argument}"
            ),
        ),
        Foreign::Html => told(
            format_args!("is a web page (HTML), not a program"),
            "ENOEXEC\nyou see: ash runs it as a script: syntax error: unexpected newline, or redirection",
            format_args!(
                "download the file itself: the address led to a page about it, or to an error message"
            ),
        ),
        Foreign::LfsPointer(size) => {
            let fix = format_args!("on the computer, in its repository:\nrun: git lfs pull");
            match size {
                Some(size) => told(
                    format_args!("is a Git LFS pointer to a file of {}, not that file", Size(*size)),
                    words::TEXT_AS_SCRIPT,
                    fix,
                ),
                None => told(
                    format_args!("is a Git LFS pointer to a file, not that file"),
                    words::TEXT_AS_SCRIPT,
                    fix,
                ),
            }
        }
        Foreign::Other(name) => {
            told(format_args!("is {name}, not a program for Linux"), words::DATA_AS_SCRIPT, format_args!(""))
        }
        Foreign::Unknown(first) => told(
            format_args!(
                "is data of an unknown kind, not a program\nprogram: first bytes={:08x}",
                u32::from_be_bytes(*first)
            ),
            words::DATA_AS_SCRIPT,
            format_args!("{copy_again}"),
        ),
    }
}
