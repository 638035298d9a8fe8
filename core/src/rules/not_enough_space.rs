use super::shown::{FreeSpace, Shown, Size};
use super::words::{self, MountWords};
use super::{Case, Destination};
use crate::candidate::Content;
use crate::exec::Outcome;
use crate::finding::{Certainty, Found, Severity};
use crate::machine::Mount;

rule! {
    /// # What it means
    /// The file does not fit where it is to be installed, or nothing can be written there.
    /// # How it looks
    /// The first is that of cp and scp, the second opkg's.
    /// # Why
    /// A router's flash is small. jffs2 and ubifs compress what is written: there the size is estimated from a
    /// sample of the file, and only what is packed already counts in full. Of a program that cannot run there anyway,
    /// another build will be taken: that is about as large, so its size is worth a note only.
    /// # Fix
    /// Build it smaller (Go: `-trimpath -ldflags="-s -w"`), pack it with UPX, run it from /tmp (RAM), or extend the
    /// flash by a USB stick (extroot).
    /// # Kernel source
    /// fs/statfs.c `statfs`: f_bavail; the file system's write returns ENOSPC.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /usr/bin folder
    /// file /tmp/v2ray elf mipsel go abiflags=32,1,3,0 size=16515072 fill=random
    /// $ diag --dest /usr/bin /tmp/v2ray
    /// error[not-enough-space]: /tmp/v2ray needs 15.8 MiB, /overlay has 10.6 MiB left
    ///   program: size 16515072 bytes
    ///   machine: space 11114905 bytes left; mount /overlay: /dev/mtdblock6, jffs2,
    ///            rw,noatime
    ///   kernel:  ENOSPC
    ///   you see: cp, scp: No space left on device
    ///   fix:     make it smaller, or extend the flash (extroot on USB); or run it
    ///            where it is, in /tmp (RAM, gone after a restart; 60.0 MiB free):
    ///            go build -trimpath -ldflags="-s -w"
    /// [1]
    /// ```
    NotEnoughSpace, looks [
        "No space left on device",
        "Only have 10854kb available on filesystem /overlay, pkg x needs 16128",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
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
        let folder = Shown(&destination.folder);
        return Some(case.finding(
            Severity::Error,
            format_args!(
                "\
there is no folder {folder} on this machine
fix:     name one that is there, or make it"
            ),
        ));
    }
    let mount = mount?;
    let layer = case.machine.storage_of(&destination.folder)?;
    let there = case.machine.storage_of(&candidate.resolved);
    let is_to_come = || !crate::ROUTER && case.machine.target.root.is_to_come(&candidate.path);
    if there.is_some_and(|there| words::same(&there.point, &layer.point)) && !is_to_come() {
        return None;
    }
    if mount.has("ro") {
        return destination.asked.then(|| read_only(case, destination, mount));
    }
    let available = case.machine.space(mount).or_else(|| case.machine.space(layer))?.available;
    let (needed, certainty) = needed(case, destination, layer, size);
    if needed <= available {
        return None;
    }
    let (wanted, free) = (Size(needed), FreeSpace(available));
    // Of a program that cannot run anyway another build is taken: about as large, but not exactly.
    let is_another = !destination.asked && !case.starts() && !matches!(case.content, Outcome::Unknown { .. });
    if is_another && crate::ROUTER {
        return None;
    }
    let certainty = if is_another { Certainty::Likely } else { certainty };
    let about = if certainty == Certainty::Likely { "about " } else { "" };
    let point = Shown(&layer.point);
    let mut finding = if is_another {
        case.finding(
            Severity::Note,
            format_args!(
                "a build of this size needs {about}{wanted} to be installed, {point} has {free} left"
            ),
        )
    } else {
        let (severity, purpose) =
            if destination.asked { (Severity::Error, "") } else { (Severity::Warning, " to be installed") };
        case.about(severity, format_args!("needs {about}{wanted}{purpose}, {point} has {free} left"))
    };
    finding.tell(format_args!("program: size={size} bytes"));
    if needed != size {
        finding.tell(format_args!("program: compressed={about}{needed} bytes, by a sample"));
    }
    finding.tell(format_args!(
        "\
machine: space={available} bytes left
machine: mount={mount}
kernel:  write=ENOSPC
you see: cp, scp: No space left on device",
        mount = MountWords(layer),
    ));
    if is_another {
        finding.tell(format_args!(
            "fix: look for room before the right one is copied: it has about this size, not exactly"
        ));
    } else {
        tell_fix(&mut finding, case, destination, mount, layer);
    }
    finding.certainty = certainty;
    Some(finding)
}

fn read_only(case: &Case<'_>, destination: &Destination, mount: &Mount) -> Found {
    let (folder, mount) = (Shown(&destination.folder), MountWords(mount));
    case.error(format_args!(
        "\
cannot be put into {folder}, which is read-only
machine: mount={mount}
kernel:  write=EROFS
you see: cp: Read-only file system
fix:     install it in another folder"
    ))
}

/// What makes it fit, and where else it could run.
fn tell_fix(finding: &mut Found, case: &Case<'_>, destination: &Destination, mount: &Mount, layer: &Mount) {
    finding.tell(format_args!("fix: make it smaller"));
    if case.program.is_some_and(|program| program.go.is_some()) {
        finding.tell(format_args!("run: go build -trimpath -ldflags=\"-s -w\""));
    }
    let is_packed = destination.compressed_per_kib.is_some_and(is_packed);
    if case.program.is_some_and(|program| program.upx.is_none()) && !is_packed {
        finding.tell(format_args!("fix: , pack it\nrun: upx -9 FILE"));
    }
    if words::is_openwrt(case.machine) && !layer.is_ram() {
        finding.tell(format_args!("fix: , or extend the flash (extroot on USB)"));
    }
    match words::runnable_folder(case, mount) {
        Some(folder) if folder.has_it => {
            finding.tell(format_args!("fix: ; or run it where it is, in {folder}"));
        }
        Some(folder) => {
            finding.tell(format_args!("fix: ; or run it from {folder}"));
            folder.tell_run(finding, case);
        }
        None => {}
    }
    if finding.fix.as_ref().is_some_and(|fix| !fix.commands.is_empty()) {
        finding.tell(format_args!("fix: :"));
    }
}

/// Bytes on that file system, and how sure they are.
fn needed(case: &Case<'_>, destination: &Destination, layer: &Mount, size: u64) -> (u64, Certainty) {
    let packed = case.program.is_some_and(|program| program.upx.is_some());
    if packed || !layer.compresses() {
        return (size, Certainty::Certain);
    }
    match destination.compressed_per_kib {
        Some(ratio) if is_packed(ratio) => (size, Certainty::Certain),
        Some(ratio) => (size.saturating_mul(u64::from(ratio)).div_ceil(1024), Certainty::Likely),
        None => (size, Certainty::Likely),
    }
}

/// What shrinks by less than a twentieth counts as packed.
const fn is_packed(ratio: u32) -> bool {
    ratio >= 973
}
