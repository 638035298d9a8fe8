//! Archives, and what unpacks them: OpenWrt has tar and gunzip, but no unzip, xz or zstd.

use std::os::unix::ffi::OsStrExt as _;

use super::super::{Case, words};
use crate::candidate::last_name;
use crate::finding::{Finding, Severity};
use crate::machine::holds;
use crate::text;

const TITLE: &str = "%n is %0 %1 archive, not a program";
const UNPACK: &str = "> unpack it:";
const ELSEWHERE: &str = "> OpenWrt has no %2; on the computer:";
const SOMEHOW: &str = "> unpack it on the computer";

/// A format; what OpenWrt lacks for it; the commands for a file, and for a tar within.
const TOOLS: [(&str, &str, &str, &str); 9] = [
    ("gzip", "", "$ gunzip -c %4 > %3 && chmod +x %3", "$ tar xzf %4"),
    ("tar", "", "$ tar xf %4", "$ tar xf %4"),
    ("zip", "unzip", "$ unzip %4", "$ unzip %4"),
    ("xz", "xz", "$ xz -dk %4", "$ tar xJf %4"),
    ("bzip2", "bunzip2", "$ bunzip2 -k %4", "$ tar xjf %4"),
    ("zstd", "zstd", "$ zstd -d %4", "$ tar --zstd -xf %4"),
    ("lz4", "lz4", "$ lz4 -d %4", "$ lz4 -d %4"),
    ("7z", "7z", "$ 7z x %4", "$ 7z x %4"),
    ("ar", "ar", "$ ar x %4", "$ ar x %4"),
];

pub(super) fn check(case: &Case<'_>, format: &str) -> Finding {
    let name = words::bytes(&case.candidate.path);
    let is_tar = [".tar", ".tgz", ".txz"].iter().any(|part| holds(name, part.as_bytes()));
    let row = TOOLS.iter().find(|(of, ..)| *of == format);
    let (_, lacks, plain, tar) = row.copied().unwrap_or(("", "", "", ""));
    let lacks_tool = words::is_openwrt(case.machine) && !lacks.is_empty();
    let (text, is_here) = match row {
        None => (SOMEHOW, false),
        Some(_) if lacks_tool => (ELSEWHERE, false),
        Some(_) => (UNPACK, true),
    };
    let article = if matches!(format.as_bytes(), [b'a' | b'x', ..]) { "an" } else { "a" };
    let file = if is_here {
        words::file(case)
    } else {
        words::quoted(std::ffi::OsStr::from_bytes(last_name(name).1).as_ref())
    };
    let to = file.strip_suffix(".gz").map_or_else(|| text::concat(&[&file, ".out"]), ToOwned::to_owned);
    case.tell(
        Severity::Error,
        &[TITLE, case.unhandled(words::DATA_AS_SCRIPT), text, if is_tar { tar } else { plain }],
        &[&article, &format, &lacks, &to, &file],
    )
}
