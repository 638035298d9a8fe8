use alloc::format;

use super::Case;
use super::shown::{FreeSpace, Shown, Size};
use super::words::{self, Kernel};
use crate::ROUTER;
use crate::candidate::damage::{Missing, Part};
use crate::candidate::{Content, Foreign, Image, Interp, TableError};
use crate::elf::consts::{PT_INTERP, PT_LOAD};
use crate::exec::{Pages, Step};
use crate::finding::{Certainty, Found, Severity};

rule! {
    /// # What it means
    /// The file is shorter than its own headers say: its end is missing.
    /// # How it looks
    /// The first at the start or later; the others with most of it gone: the second is ash's.
    /// # Why
    /// A download or a copy broke off, or the disk was full. The kernel maps segments without looking at the length of
    /// the file; touching a page beyond its end is SIGBUS. What is missing of the last page reads as zeros.
    /// # Fix
    /// See that there is room (`df`), copy again, and compare `ls -l` and `sha256sum` on both sides.
    /// # Kernel source
    /// fs/binfmt_elf.c `load_elf_phdrs`, `elf_load`; mm/filemap.c `filemap_fault`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/v2ray elf mipsel go abiflags=32,1,3,0 p_filesz=5203208 p_memsz=5203208 size=1048576
    /// $ diag /tmp/v2ray
    /// error[truncated-file]: /tmp/v2ray is cut short: it has 1.0 MiB of 5.0 MiB
    ///   program: size 1048576 bytes; its headers need 5203208 bytes
    ///   kernel:  starts it; it dies soon after: SIGBUS
    ///   you see: Bus error
    ///   fix:     copy or download it again; size and checksum have to be the same on
    ///            both sides
    ///            sha256sum /tmp/v2ray
    /// [1]
    /// ```
    TruncatedFile, looks ["Bus error", "syntax error", "Input/output error"],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let size = case.candidate.size()?;
    let image = case.image.filter(|_| !case.ends_in_header());
    let (mut needed, mut at_least, mut fatal) = (0, "", true);
    match (&case.candidate.content, image) {
        (Content::Foreign(Foreign::Stub), _) | (Content::Elf(_), None) => {}
        (Content::Elf(_), Some(image)) => {
            let Some(segments) = wanted(image).filter(|needed| *needed > size) else {
                return behind_segments(case, image, size);
            };
            needed = segments;
            if image.program_headers.is_err() {
                at_least = "at least ";
            }
            fatal = is_fatal(case, image, size, needed);
        }
        _ => return None,
    }
    let severity = if fatal && !case.starts() { Severity::Error } else { Severity::Warning };
    let what = match (case.program, needed) {
        (None, _) => format!("it has only {}", Size(size)),
        (Some(_), 0) => format!("its {} end within the ELF header", Size(size)),
        // Where rounded they look the same.
        _ if needed < 1024 || needed.saturating_sub(size) < needed >> 6 => {
            format!("it has {size} of {at_least}{needed} bytes")
        }
        _ => format!("it has {} of {at_least}{}", Size(size), Size(needed)),
    };
    let mut finding = case.about(severity, format_args!("is cut short: {what}\nprogram: size={size} bytes"));
    if needed > 0 {
        finding.tell(format_args!("program: its headers need={at_least}{needed} bytes"));
    }
    let mount = case.machine.mount_of(&case.candidate.resolved);
    let space = mount.and_then(|mount| Some((mount, case.machine.space(mount)?)));
    if let Some((mount, space)) = space.filter(|(_, space)| space.available < 65_536) {
        let (point, free) = (Shown(&mount.point), FreeSpace(space.available));
        finding.tell(format_args!(
            "machine: disk={point}: {free} free: likely it was full\nfix: make room (df), then "
        ));
    }
    tell_unfinished(case, &mut finding);
    // Its stub unpacks the rest: src/stub of UPX, `err_exit`.
    if case.starts() && case.program.is_some_and(|program| program.upx.is_some()) {
        finding.dies();
    }
    let kernel = match case.program {
        None => case.unhandled(words::DATA_AS_SCRIPT),
        Some(_) if case.starts() => {
            Kernel::Words("starts it: what is missing of its last page reads as zeros")
        }
        Some(_) if is_about(case) || (needed == 0 && !case.ends_at(Step::MiscInterpreter)) => {
            case.kernel_says()
        }
        Some(_) if fatal && case.step.is_none() => {
            Kernel::Words("starts it; touching a page that is lost is SIGBUS\nyou see: Bus error")
        }
        // Another rule's fault.
        Some(_) => Kernel::NOTHING,
    };
    finding.tell(format_args!("kernel: {kernel}\nfix: {}", case.copy_again()));
    finding.certainty = Certainty::Certain;
    Some(finding)
}

/// What the kernel needs is there; what stands behind it is not.
fn behind_segments(case: &Case<'_>, image: &Image, size: u64) -> Option<Found> {
    let Missing { whole, part } = case.program?.damage.lacks?;
    image.program_headers.as_ref().ok()?;
    let payload = payload(part);
    let mut finding = match &payload {
        None => case.warning(format_args!(
            "is cut short: it has {size} of {whole} bytes\nprogram: missing=sections behind what is loaded"
        )),
        Some(Payload { lacks, carries, .. }) => {
            case.warning(format_args!("is cut short: {lacks}\nprogram: carries={carries}"))
        }
    };
    if whole > 0 {
        finding.tell(format_args!("program: size={size} bytes; its headers need {whole} bytes"));
    }
    match payload {
        _ if !case.starts() => {}
        None => {
            finding.certainty = Certainty::Certain;
            finding.tell(format_args!(
                "kernel: starts it: it loads nothing of what is missing; the program may"
            ));
        }
        Some(Payload { ends, prints, .. }) => {
            finding.tell(format_args!("kernel: starts it; {ends}\nyou see: {prints}"));
            if !prints.is_empty() {
                finding.dies();
            }
        }
    }
    tell_unfinished(case, &mut finding);
    finding.tell(format_args!("fix: {}", case.copy_again()));
    Some(finding)
}

/// What a program carries behind its own end, and lacks.
struct Payload {
    lacks: &'static str,
    carries: &'static str,
    /// What becomes of it then.
    ends: &'static str,
    /// What it prints, where it cannot do without.
    prints: &'static str,
}

/// Of a part that is not the program's own; routers' builds look for none.
fn payload(part: Part) -> Option<Payload> {
    Some(match part {
        Part::Sections => return None,
        _ if ROUTER => return None,
        Part::PyInstaller => Payload {
            lacks: "the archive of PyInstaller is missing at its end",
            carries: "an archive of PyInstaller",
            ends: "it ends with status 255",
            prints: "Could not load PyInstaller's embedded PKG archive",
        },
        Part::Squashfs => Payload {
            lacks: "the squashfs image at its end is not whole",
            carries: "a squashfs image (AppImage)",
            ends: "it does not find its image",
            prints: "Cannot mount AppImage",
        },
        Part::Zip => Payload {
            lacks: "the zip archive at its end has no end",
            carries: "a zip archive",
            ends: "it does not find its archive",
            prints: "",
        },
    })
}

/// Names that browsers and download programs give a file until they have all of it.
fn tell_unfinished(case: &Case<'_>, finding: &mut Found) {
    const NAMES: [&str; 8] =
        [".part", ".crdownload", ".partial", ".download", ".filepart", ".!ut", ".aria2", ".opdownload"];
    let path = words::bytes(&case.candidate.path);
    if let Some(name) = NAMES.iter().find(|name| path.ends_with(name.as_bytes())) {
        finding.tell(format_args!("program: name=ends in {name}: a download that is not finished"));
    }
}

/// The kernel stops at what is missing.
fn is_about(case: &Case<'_>) -> bool {
    matches!(
        case.step,
        Some(
            Step::ProgramHeaders
                | Step::Interp
                | Step::MapZeros
                | Step::EntryBeyondFile
                | Step::SegmentBeyondFile
        )
    )
}

/// Where the header's table, PT_INTERP and the segments end, as far as they can be known.
fn wanted(image: &Image) -> Option<u64> {
    let header = &image.header;
    let table = match &image.program_headers {
        Ok(table) => table,
        Err(TableError::Truncated) => {
            let table = u64::from(u32::from(header.e_phentsize).saturating_mul(u32::from(header.e_phnum)));
            return Some(header.e_phoff.saturating_add(table));
        }
        Err(_) => return None,
    };
    let cut_interp = matches!(image.interp, Some(Interp::Truncated));
    let wanted = |kind: u32| kind == PT_LOAD || (cut_interp && kind == PT_INTERP);
    let parts = table.iter().filter(|part| wanted(part.p_type) && part.p_filesz > 0);
    Some(parts.fold(0, |most, part| part.file_end().max(most)))
}

/// The table, PT_INTERP or a whole page is missing.
fn is_fatal(case: &Case<'_>, image: &Image, size: u64, needed: u64) -> bool {
    let last_page = Pages::of(case.machine).up(size);
    image.program_headers.is_err() || matches!(image.interp, Some(Interp::Truncated)) || needed > last_page
}
