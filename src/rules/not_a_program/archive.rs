//! Archives, and what unpacks them: OpenWrt has tar and gunzip, but no unzip, xz or zstd.

use std::os::unix::ffi::OsStrExt as _;

use super::super::{Case, words};
use crate::candidate::last_name;
use crate::finding::{Finding, Severity};
use crate::machine::holds;
use crate::text::{self, Packed, packed};

const TITLE: Packed = packed!("%n is %0 %1 archive, not a program");
const UNPACK: Packed = packed!("> unpack it:");
const ELSEWHERE: Packed = packed!("> OpenWrt has no %2; on the computer:");
const SOMEHOW: Packed = packed!("> unpack it on the computer");

/// A format; what OpenWrt lacks for it; the commands for a file, and for a tar within.
const TOOLS: [(&str, &str, Packed, Packed); 9] = [
    ("gzip", "", packed!("$ gunzip -c %4 > %3 && chmod +x %3"), packed!("$ tar xzf %4")),
    ("tar", "", packed!("$ tar xf %4"), packed!("$ tar xf %4")),
    ("zip", "unzip", packed!("$ unzip %4"), packed!("$ unzip %4")),
    ("xz", "xz", packed!("$ xz -dk %4"), packed!("$ tar xJf %4")),
    ("bzip2", "bunzip2", packed!("$ bunzip2 -k %4"), packed!("$ tar xjf %4")),
    ("zstd", "zstd", packed!("$ zstd -d %4"), packed!("$ tar --zstd -xf %4")),
    ("lz4", "lz4", packed!("$ lz4 -d %4"), packed!("$ lz4 -d %4")),
    ("7z", "7z", packed!("$ 7z x %4"), packed!("$ 7z x %4")),
    ("ar", "ar", packed!("$ ar x %4"), packed!("$ ar x %4")),
];

pub(super) fn check(case: &Case<'_>, format: &str) -> Finding {
    let name = words::bytes(&case.candidate.path);
    let is_tar = [".tar", ".tgz", ".txz"].iter().any(|part| holds(name, part.as_bytes()));
    let row = TOOLS.iter().find(|(of, ..)| *of == format);
    let (_, lacks, plain, tar) = row.copied().unwrap_or(("", "", Packed::NONE, Packed::NONE));
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
