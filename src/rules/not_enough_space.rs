use super::{Case, Destination, words};
use crate::candidate::{Content, Toolchain};
use crate::finding::{Certainty, Finding, Severity};
use crate::machine::Mount;

rule! {
    /// # What it means
    /// The file does not fit where it is to be installed, or nothing can be written there.
    /// # How it looks
    /// cp, scp: `No space left on device`; opkg: `Only have 10854kb available on filesystem /overlay, pkg x needs
    /// 16128`.
    /// # Why
    /// A router's flash is small. jffs2 and ubifs compress what is written: there the size is estimated from a
    /// sample of the file, and only what is packed already counts in full.
    /// # Fix
    /// Build it smaller (Go: `-trimpath -ldflags="-s -w"`), pack it with UPX, run it from /tmp (RAM), or extend the
    /// flash by a USB stick (extroot).
    /// # Kernel source
    /// fs/statfs.c `statfs`: f_bavail; the file system's write returns ENOSPC.
    "not-enough-space", check
}

const READ_ONLY: &str = "\
%n cannot be put into %0, which is read-only
m mount=%1
k write=EROFS; cp: Read-only file system
> install it in another folder";
const MISSING: &str = "\
there is no folder %0 on this machine
> name one that is there, or make it";
const ASKED: &str = "%n needs %0%s1, %2 has %r3 left";
const INSTALL: &str = "%n needs %0%s1 to be installed, %2 has %r3 left";
const WORDS: &str = "\
p size=%4 bytes
m space=%3 bytes left; %5
k write=ENOSPC; cp, scp: No space left on device
> make it smaller";
const COMPRESSED: &str = "p compressed=%0%1 bytes, by a sample";
const PACK: &str = "> , pack it";
const EXTEND: &str = "> , or extend the flash (extroot on USB)";
const STAY: &str = "> ; or run it where it is, in %6";
const ELSEWHERE: &str = "> ; or run it from %6";
const COLON: &str = "> :";
const STRIP_IT: &str = "$ go build -trimpath -ldflags=\"-s -w\"";
const PACK_IT: &str = "$ upx -9 FILE";
const COPY_IT: &str = "$ cp %f %7";

fn check(case: &Case<'_>) -> Option<Finding> {
    let destination = case.destination?;
    let candidate = case.candidate;
    if !matches!(candidate.content, Content::Elf(_) | Content::Script(_)) {
        return None;
    }
    let size = candidate.size()?;
    let mount = case.machine.mount_of(&destination.folder);
    // A recorded machine holds no folder for what is mounted.
    let is_mounted = mount.is_some_and(|mount| words::same(&mount.point, &destination.folder));
    if destination.asked && destination.missing && !is_mounted {
        return Some(case.tell(Severity::Error, &[MISSING], &[&destination.folder]));
    }
    let mount = mount?;
    let layer = case.machine.storage_of(&destination.folder)?;
    let there = case.machine.storage_of(&candidate.resolved);
    if there.is_some_and(|there| words::same(&there.point, &layer.point)) {
        return None;
    }
    if mount.has("ro") {
        let tell = || case.tell(Severity::Error, &[READ_ONLY], &[&destination.folder, &words::mount(mount)]);
        return destination.asked.then(tell);
    }
    let available = mount.space.or(*layer.space)?.available;
    let (needed, certainty) = needed(case, destination, layer, size);
    if needed <= available {
        return None;
    }
    let about = if certainty == Certainty::Likely { "about " } else { "" };
    let (severity, title) =
        if destination.asked { (Severity::Error, ASKED) } else { (Severity::Warning, INSTALL) };
    let room = words::room(case, size, mount);
    let is_copied = room.as_ref().is_some_and(|room| !room.has_it);
    let [instead, copy] = match &room {
        Some(room) if room.has_it => [STAY, ""],
        Some(_) => [ELSEWHERE, COPY_IT],
        None => [""; 2],
    };
    let room = room.unwrap_or_default();
    let is_go = case.program.is_some_and(|program| program.origin.toolchain == Toolchain::Go);
    let is_packed = destination.packs_to.is_some_and(is_packed);
    let is_plain = case.program.is_some_and(|program| program.upx.is_none()) && !is_packed;
    let given = |holds: bool, words| if holds { words } else { "" };
    let mut finding = case.tell(
        severity,
        &[
            title,
            WORDS,
            given(needed != size, COMPRESSED),
            given(is_plain, PACK),
            given(words::is_openwrt(case.machine) && !layer.is_ram(), EXTEND),
            instead,
            given(is_go || is_plain || is_copied, COLON),
            given(is_go, STRIP_IT),
            given(is_plain, PACK_IT),
            copy,
        ],
        &[&about, &needed, &layer.point, &available, &size, &words::mount(layer), &room.words, &room.run],
    );
    finding.certainty = certainty;
    Some(finding)
}

/// Bytes on that file system, and how sure they are.
fn needed(case: &Case<'_>, destination: &Destination, layer: &Mount, size: u64) -> (u64, Certainty) {
    let packed = case.program.is_some_and(|program| program.upx.is_some());
    if packed || !layer.compresses() {
        return (size, Certainty::Certain);
    }
    match destination.packs_to {
        Some(ratio) if is_packed(ratio) => (size, Certainty::Certain),
        Some(ratio) => (size.saturating_mul(u64::from(ratio)).div_ceil(1024), Certainty::Likely),
        None => (size, Certainty::Likely),
    }
}

/// What shrinks by less than a twentieth counts as packed.
const fn is_packed(ratio: u32) -> bool {
    ratio >= 973
}
