mod archive;
mod disguise;
mod late;
mod object;
mod package;
use super::shown::Size;
use super::{Case, words};
use crate::ROUTER;
use crate::candidate::{Content, Foreign};
use crate::finding::Found;
use crate::target::FileKind;

rule! {
    /// # What it means
    /// The file is no program at all: a package or an archive that is to be unpacked, a saved web page, text without a
    /// `#!` line, an object file or a shared library, code for an interpreter (Java, .NET, Lua), a kernel, a folder.
    /// # How it looks
    /// ash runs whatever the kernel refuses as a script: the second is a web page's; of an empty file it says nothing,
    /// with status 0. A shared library starts, and dies where its loader should have brought what it needs: the last.
    /// # Why
    /// No handler of the kernel knows the first bytes (ENOEXEC), or it is no regular file (EACCES). `#!` counts as the first
    /// two bytes only: not behind a byte order mark, a blank, an empty line or a comment. A shared library has DT_NEEDED and
    /// no PT_INTERP: nobody loads what it needs.
    /// # Fix
    /// Unpack or install it; download the file itself instead of the page about it. Let a script begin with `#!`, and save
    /// it as UTF-8 without a byte order mark.
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
        "line 1: #!/bin/sh: not found",
        "cannot execute binary file: Exec format error",
        "Segmentation fault",
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
        Content::Foreign(_) if case.candidate.late_line.is_some() && !case.starts() => late::check(case),
        Content::Foreign(data) if !case.starts() => of_data(case, data),
        _ => None,
    }
}

/// What starts code that is for no processor.
const RUNNERS: [(&str, &str); 6] = [
    (".NET code", "dotnet"),
    ("a Java archive", "java -jar"),
    ("a WebAssembly module", "wasmtime"),
    ("Python bytecode", "python3"),
    ("Lua bytecode", "lua"),
    ("LuaJIT bytecode", "luajit"),
];

fn of_kind(case: &Case<'_>, kind: FileKind) -> Found {
    let kind_name = kind.name();
    let mut finding = case.error(format_args!(
        "\
is {kind_name}, not a program
kernel:  EACCES
you see: Permission denied"
    ));
    if kind == FileKind::Directory {
        finding.tell(format_args!("fix: see what is in it:\nrun: ls -l {}", case.argument()));
    }
    finding
}

fn of_data(case: &Case<'_>, data: &Foreign) -> Option<Found> {
    let (what, kernel, fix) = match data {
        // Other rules'.
        Foreign::Stub | Foreign::MachO(_) | Foreign::Pe(_) | Foreign::System { .. } | Foreign::Ape(_) => {
            return None;
        }
        Foreign::Archive(format) => return Some(archive::check(case, format)),
        Foreign::Disguised(_) if ROUTER => return None,
        Foreign::Disguised(disguise) => return Some(disguise::check(case, disguise)),
        Foreign::Package(package) => return Some(package::check(case, package)),
        Foreign::Empty => ("is empty", "ENOEXEC\nyou see: nothing; ash and bash end with status 0", ""),
        Foreign::Zeros => (
            "holds nothing but zeros: its content was never written",
            "ENOEXEC\nyou see: ash: nothing, status 0; bash: cannot execute binary file: Exec format error",
            "",
        ),
        Foreign::Text => (
            "is text without a #! line",
            words::TEXT_AS_SCRIPT,
            "if it is a shell script, let its first line be #!/bin/sh; until then:",
        ),
        Foreign::Html => (
            "is a web page (HTML), not a program",
            "ENOEXEC\nyou see: ash runs it as a script: syntax error: unexpected newline, or redirection",
            "download the file itself: the address led to a page about it, or to an error message",
        ),
        Foreign::LfsPointer(_) => (
            "is a Git LFS pointer to a file, not that file",
            words::TEXT_AS_SCRIPT,
            "on the computer, in its repository:\nrun: git lfs pull",
        ),
        Foreign::Other(_) => ("", words::DATA_AS_SCRIPT, ""),
        Foreign::Unknown(_) => ("is data of an unknown kind, not a program", words::DATA_AS_SCRIPT, ""),
    };
    let mut finding = match data {
        Foreign::LfsPointer(Some(size)) => {
            case.error(format_args!("is a Git LFS pointer to a file of {}, not that file", Size(*size)))
        }
        Foreign::Other(name) => case.error(format_args!("is {name}, not a program for Linux")),
        _ => case.error(format_args!("{what}")),
    };
    if let Foreign::Unknown(first) = data {
        finding.tell(format_args!("program: first bytes={:08x}", u32::from_be_bytes(*first)));
    }
    finding.tell(format_args!("kernel: {}\nfix: {fix}", case.unhandled(kernel)));
    match data {
        Foreign::Text => finding.tell(format_args!("run: sh {}", case.argument())),
        Foreign::Other(name) => {
            if let Some((_, runner)) = RUNNERS.iter().find(|(of, _)| of == name) {
                finding.tell(format_args!(
                    "fix: start it with its interpreter:\nrun: {runner} {}",
                    case.argument()
                ));
            }
        }
        Foreign::Empty | Foreign::Zeros | Foreign::Unknown(_) => {
            finding.tell(format_args!("fix: {}", case.copy_again()));
        }
        _ => {}
    }
    Some(finding)
}
