//! Archives, and what unpacks them: OpenWrt has tar and gunzip, but no unzip, xz or zstd.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use super::super::shown::Shown;
use super::super::{Case, words};
use crate::candidate::last_name;
use crate::finding::Finding;
use crate::machine::holds;

/// What unpacks a format.
struct Tool {
    format: &'static str,
    /// The program that OpenWrt lacks for it.
    lacks: &'static str,
    /// The command for one file.
    file: &'static str,
    /// The command for a tar archive within.
    tar: &'static str,
}

#[rustfmt::skip]
const TOOLS: [Tool; 9] = [
    Tool { format: "gzip", lacks: "", file: "gunzip -c", tar: "tar xzf" },
    Tool { format: "tar", lacks: "", file: "tar xf", tar: "tar xf" },
    Tool { format: "zip", lacks: "unzip", file: "unzip", tar: "unzip" },
    Tool { format: "xz", lacks: "xz", file: "xz -dk", tar: "tar xJf" },
    Tool { format: "bzip2", lacks: "bunzip2", file: "bunzip2 -k", tar: "tar xjf" },
    Tool { format: "zstd", lacks: "zstd", file: "zstd -d", tar: "tar --zstd -xf" },
    Tool { format: "lz4", lacks: "lz4", file: "lz4 -d", tar: "lz4 -d" },
    Tool { format: "7z", lacks: "7z", file: "7z x", tar: "7z x" },
    Tool { format: "ar", lacks: "ar", file: "ar x", tar: "ar x" },
];

pub(super) fn check(case: &Case<'_>, format: &str) -> Finding {
    let (file, kernel) = (case.file(), case.unhandled(words::DATA_AS_SCRIPT));
    let article = if format.starts_with(['a', 'x']) { "an" } else { "a" };
    let fix = TOOLS.iter().find(|tool| tool.format == format).map_or_else(
        || "unpack it on the computer".to_owned(),
        |tool| {
            let is_here = tool.lacks.is_empty() || !words::is_openwrt(case.machine);
            let command = unpack(case, tool, is_here);
            if is_here {
                format!("unpack it:\nrun: {command}")
            } else {
                format!("OpenWrt has no {}; on the computer:\nrun: {command}", tool.lacks)
            }
        },
    );
    let format = Shown(format);
    case.error(format_args!(
        "\
{file} is {article} {format} archive, not a program
kernel:  {kernel}
fix:     {fix}"
    ))
}

fn unpack(case: &Case<'_>, tool: &Tool, is_here: bool) -> String {
    let path = words::bytes(&case.candidate.path);
    let argument = if is_here { case.argument() } else { words::quoted(last_name(path).1.as_ref()) };
    let is_tar = [".tar", ".tgz", ".txz"].iter().any(|part| holds(path, part.as_bytes()));
    let command = if is_tar { tool.tar } else { tool.file };
    if command == "gunzip -c" {
        let to = argument.strip_suffix(".gz").map_or_else(|| format!("{argument}.out"), str::to_owned);
        return format!("{command} {argument} > {to} && chmod +x {to}");
    }
    format!("{command} {argument}")
}
