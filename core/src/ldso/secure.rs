//! Secure execution: whether a program gets other rights than who starts it has (AT_SECURE), and what its loader then
//! leaves out.

use alloc::vec::Vec;

use super::{Library, Linker};
use crate::candidate::Candidate;
use crate::errno::Errno;
use crate::machine::{Machine, decimal, parts};
use crate::path::Path;
use crate::text::cut_bytes;

/// S_ISUID; S_ISGID, which counts together with S_IXGRP (fs/exec.c `bprm_fill_uid`).
pub(super) const SET_USER: u32 = 0o4000;
const SET_GROUP: u32 = 0o2010;
/// What an id that has no number in a user namespace is shown as: /proc/sys/kernel/overflowuid, overflowgid.
const OVERFLOW: u32 = 65534;

/// AT_SECURE, by security/commoncap.c `cap_bprm_creds_from_file` (6.12); None where it is not known.
pub(super) fn of(machine: &Machine, candidate: &Candidate) -> Option<bool> {
    let stat = candidate.found()?;
    let target = machine.target;
    let caller = target.kernel.caller();
    if crate::ROUTER {
        let caller = caller?;
        let gives = |bits, id: Option<u32>, own| stat.mode & bits == bits && id != Some(own);
        return Some(gives(SET_USER, stat.owner, caller.uid) || gives(SET_GROUP, stat.group, caller.gid));
    }
    let (mut user, mut group) = (stat.mode & SET_USER != 0, stat.mode & SET_GROUP == SET_GROUP);
    // Of root they change nothing (`__is_real`).
    let is_asked = caller.is_some_and(|caller| caller.uid != 0);
    let mut capabilities =
        if is_asked { target.root.capabilities(&candidate.path).unwrap_or_default() } else { None };
    // `mnt_may_suid`.
    let has_any = user || group || capabilities.is_some();
    if has_any && machine.mount_of(&candidate.resolved).is_some_and(|mount| mount.has("nosuid")) {
        (user, group, capabilities) = (false, false, None);
    }
    let Some(caller) = caller else { return if user || group { None } else { Some(false) } };
    if caller.no_new_privs {
        // The ids stay; the flag `e` counts all the same.
        (user, group) = (false, false);
        capabilities = capabilities.filter(|file| file.effective);
    }
    // `bprm_fill_uid`: both ids have to be of this user namespace.
    if user || group {
        for (id, map) in [(stat.owner, "/proc/self/uid_map"), (stat.group, "/proc/self/gid_map")] {
            if !is_mapped(machine, id?, map)? {
                (user, group) = (false, false);
            }
        }
    }
    let new_user = if user { stat.owner? } else { caller.euid };
    let new_group = if group { stat.group? } else { caller.egid };
    let grows = capabilities.is_some_and(|file| file.effective || file.permitted);
    Some(new_user != caller.uid || new_group != caller.gid || grows)
}

/// Whether an id of a file is one of the caller's user namespace: what is none looks like [`OVERFLOW`]. A map has the first
/// id inside, the first outside, and how many.
fn is_mapped(machine: &Machine, id: u32, map: &str) -> Option<bool> {
    if id != OVERFLOW {
        return Some(true);
    }
    let map = match machine.target.root.read(Path::new(map)) {
        Some(Ok(map)) => map,
        // A kernel without user namespaces.
        Some(Err(Errno::ENOENT)) => return Some(true),
        _ => return None,
    };
    for line in parts(&map, b'\n') {
        let mut numbers = parts(line, b' ').filter_map(decimal);
        let (Some(first), Some(count)) = (numbers.next(), numbers.nth(1)) else { continue };
        if u64::from(OVERFLOW).checked_sub(first).is_some_and(|at| at < count) {
            // It is this one, or none, unless all have a number here.
            return (count == u64::from(u32::MAX)).then_some(true);
        }
    }
    Some(false)
}

impl Linker<'_> {
    /// The folder that an element of DT_RPATH or DT_RUNPATH stands for; None where glibc leaves it out: for a program with
    /// other rights $ORIGIN has to come first, and alone, and the program's to come out in a folder of the system's
    /// (elf/dl-load.c `_dl_dst_substitute`).
    pub(super) fn expand_safely(&self, object: &Library, text: &[u8]) -> Option<Vec<u8>> {
        let expanded = self.expand(object, text);
        if crate::ROUTER || !self.around.secure {
            return Some(expanded);
        }
        let mut origins = text.split(|byte| *byte == b'$').skip(1).filter_map(behind_origin);
        let Some(behind) = origins.next() else { return Some(expanded) };
        let is_first = text.strip_prefix(b"$").and_then(behind_origin) == Some(behind);
        let is_alone = matches!(behind, [] | [b'/', ..]) && origins.next().is_none();
        let is_of_program = object.parent.is_none();
        (is_first && is_alone && (!is_of_program || self.is_trusted(&expanded))).then_some(expanded)
    }

    /// elf/dl-load.c `is_trusted_path_normalize`.
    fn is_trusted(&self, path: &[u8]) -> bool {
        let mut names = Vec::new();
        for name in path.split(|byte| *byte == b'/') {
            match name {
                b"" | b"." => {}
                b".." => drop(names.pop()),
                name => names.push(name),
            }
        }
        let mut normal = Vec::new();
        for name in names {
            normal.push(b'/');
            normal.extend_from_slice(name);
        }
        let folders = self.glibc.as_ref().map_or(&b""[..], |facts| &facts.folders);
        let mut folders = folders.split(|byte| *byte == b':');
        folders.any(|folder| normal.strip_prefix(folder).is_some_and(|rest| matches!(rest, [] | [b'/', ..])))
    }
}

/// What follows the word ORIGIN in what stands behind a `$`.
fn behind_origin(text: &[u8]) -> Option<&[u8]> {
    match text.strip_prefix(b"{") {
        Some(inner) => cut_bytes(inner, b'}').filter(|(name, _)| *name == b"ORIGIN").map(|(_, rest)| rest),
        None => text.strip_prefix(b"ORIGIN").filter(
            |rest| !matches!(rest, [letter, ..] if letter.is_ascii_alphanumeric() || *letter == b'_'),
        ),
    }
}
