mod archive;
mod object;
mod package;

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use super::shown::Size;
use super::{Case, words};
use crate::candidate::{Content, Data};
use crate::finding::Finding;
use crate::target::FileKind;

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
    NotAProgram, check
}

fn check(case: &Case<'_>) -> Option<Finding> {
    let kind = case.candidate.found()?.kind;
    if !matches!(kind, FileKind::Regular | FileKind::Pseudo) {
        return Some(of_kind(case, kind));
    }
    match &case.candidate.content {
        Content::Elf(_) => object::check(case),
        Content::Data(data) if !case.starts() => of_data(case, data),
        _ => None,
    }
}

fn of_kind(case: &Case<'_>, kind: FileKind) -> Finding {
    let (file, argument, kernel) = (case.file(), case.argument(), words::PERMISSION_DENIED);
    let list = if kind == FileKind::Directory {
        format!("see what is in it:\nrun: ls -l {argument}")
    } else {
        String::new()
    };
    let kind = kind.name();
    case.error(format_args!(
        "\
{file} is {kind}, not a program
kernel:  {kernel}
fix:     {list}"
    ))
}

fn of_data(case: &Case<'_>, data: &Data) -> Option<Finding> {
    let (file, argument) = (case.file(), case.argument());
    Some(match data {
        // Other rules'.
        Data::Stub | Data::MachO(_) | Data::Pe(_) => return None,
        Data::Archive(format) => archive::check(case, format),
        Data::Package(package) => package::check(case, package),
        Data::Empty => {
            let fix = case.copy_again();
            let kernel = case.unhandled("ENOEXEC\nyou see: nothing; ash and bash end with status 0");
            case.error(format_args!(
                "\
{file} is empty
kernel:  {kernel}
fix:     {fix}"
            ))
        }
        Data::Zeros => {
            let fix = case.copy_again();
            let kernel = case.unhandled(
                "ENOEXEC\nyou see: ash: nothing, status 0; \
                 bash: cannot execute binary file: Exec format error",
            );
            case.error(format_args!(
                "\
{file} holds nothing but zeros: its content was never written
kernel:  {kernel}
fix:     {fix}"
            ))
        }
        Data::Text => {
            let kernel = case.unhandled(words::TEXT_AS_SCRIPT);
            case.error(format_args!(
                "\
{file} is text without a #! line
kernel:  {kernel}
fix:     if it is a shell script, let its first line be #!/bin/sh; until then:
run:     sh {argument}"
            ))
        }
        Data::Html => {
            let kernel = case.unhandled(
                "ENOEXEC\nyou see: ash runs it as a script: syntax error: unexpected newline, or redirection",
            );
            case.error(format_args!(
                "\
{file} is a web page (HTML), not a program
kernel:  {kernel}
fix:     download the file itself: the address led to a page about it, or to an error message"
            ))
        }
        Data::LfsPointer(size) => {
            let kernel = case.unhandled(words::TEXT_AS_SCRIPT);
            let whose = size.map_or_else(|| "a file".to_owned(), |size| format!("a file of {}", Size(size)));
            case.error(format_args!(
                "\
{file} is a Git LFS pointer to {whose}, not that file
kernel:  {kernel}
fix:     on the computer, in its repository:
run:     git lfs pull"
            ))
        }
        Data::Other(name) => {
            let kernel = case.unhandled(words::DATA_AS_SCRIPT);
            case.error(format_args!(
                "\
{file} is {name}, not a program for Linux
kernel:  {kernel}"
            ))
        }
        Data::Unknown(first) => {
            let fix = case.copy_again();
            let kernel = case.unhandled(words::DATA_AS_SCRIPT);
            let first = u32::from_be_bytes(*first);
            case.error(format_args!(
                "\
{file} is data of an unknown kind, not a program
program: first bytes={first:08x}
kernel:  {kernel}
fix:     {fix}"
            ))
        }
    })
}
