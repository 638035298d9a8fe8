//! Archives, and what unpacks them: OpenWrt has tar and gunzip, but no unzip, xz or zstd.
use super::super::shown::{Quoted, Shown};
use super::super::{Case, words};
use crate::candidate::last_name;
use crate::finding::Found;
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

pub(super) fn check(case: &Case<'_>, format: &str) -> Found {
    let article = if matches!(format.as_bytes(), [b'a' | b'x', ..]) { "an" } else { "a" };
    let (kernel, shown) = (case.unhandled(words::DATA_AS_SCRIPT), Shown(format));
    let mut finding = case.error(format_args!(
        "\
is {article} {shown} archive, not a program
kernel:  {kernel}"
    ));
    match TOOLS.iter().find(|tool| tool.format == format) {
        Some(tool) => unpack(case, tool, &mut finding),
        None => finding.tell(format_args!("fix: unpack it on the computer")),
    }
    finding
}

/// Tells the command that unpacks it.
fn unpack(case: &Case<'_>, tool: &Tool, finding: &mut Found) {
    let path = words::bytes(&case.candidate.path);
    let is_here = tool.lacks.is_empty() || !words::is_openwrt(case.machine);
    let argument = if is_here {
        finding.tell(format_args!("fix: unpack it:"));
        case.argument()
    } else {
        finding.tell(format_args!("fix: OpenWrt has no {}; on the computer:", tool.lacks));
        Quoted(last_name(path).1.as_ref())
    };
    let is_tar = [".tar", ".tgz", ".txz"].iter().any(|part| holds(path, part.as_bytes()));
    let command = if is_tar { tool.tar } else { tool.file };
    if command != "gunzip -c" {
        return finding.tell(format_args!("run: {command} {argument}"));
    }
    let (to, end) = match words::bytes(argument.0).strip_suffix(b".gz") {
        Some(to) => (Quoted(to.as_ref()), ""),
        None => (argument, ".out"),
    };
    finding.tell(format_args!("run: {command} {argument} > {to}{end} && chmod +x {to}{end}"));
}
