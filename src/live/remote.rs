//! Which file systems on the way to a path may never answer, without asking any of them.

#[cfg(feature = "every-machine")]
mod way;

use super::Live;
use crate::machine::Mount;
use crate::machine::gather::mounts;
use crate::path::Path;
use crate::target::Root as _;
use crate::text::show_short;
#[cfg(feature = "every-machine")]
use way::{first_of, is_on_a_disk};

/// What is named of them.
const MOST_NAMED: usize = 3;

/// Those on the way to any of these paths, with their points and types; empty where there is none. A router's build has no
/// room to follow the way: there they are all that are mounted.
pub(super) fn on_the_way<'a>(live: &Live, paths: impl Iterator<Item = &'a Path>) -> String {
    #[cfg(feature = "every-machine")]
    let paths = paths.filter(|path| !is_on_a_disk(path));
    let mut paths = paths.peekable();
    let mut text = String::new();
    if paths.peek().is_none() {
        return text;
    }
    let mounted = live.read(Path::new("/proc/mounts")).and_then(Result::ok).unwrap_or_default();
    if !is_any_remote(&mounted) {
        return text;
    }
    let mut remote = mounts::parse(&mounted);
    remote.retain(|mount| mount.remote);
    for mount in met(&remote, paths).into_iter().take(MOST_NAMED) {
        text.push_str(if text.is_empty() { "" } else { ", " });
        // A String takes all that is written.
        let _ = show_short(mount.point.as_bytes(), &mut text);
        text.push_str(&format!(" ({})", mount.fstype));
    }
    text
}

/// Which of these mounts any of the paths leads to.
#[cfg(feature = "every-machine")]
fn met<'a, 'r>(remote: &'r [Mount], paths: impl Iterator<Item = &'a Path>) -> Vec<&'r Mount> {
    let mut found: Vec<&Mount> = Vec::new();
    for mount in paths.filter_map(|path| first_of(path, remote)) {
        if !found.iter().any(|other| other.point.as_bytes() == mount.point.as_bytes()) {
            found.push(mount);
        }
    }
    found
}

/// Any of them, as far as a router's build knows.
#[cfg(not(feature = "every-machine"))]
fn met<'a>(remote: &[Mount], _paths: impl Iterator<Item = &'a Path>) -> &[Mount] {
    remote
}

/// Whether the type of any mount, its third field, is one of those. What all of its fields are takes a hundred times as long.
fn is_any_remote(mounted: &[u8]) -> bool {
    let mut rest = mounted;
    let mut next = |mark: u8| {
        let (field, behind) = rest.split_at(rest.iter().position(|byte| *byte == mark)?);
        rest = behind.get(1..)?;
        Some(field)
    };
    while let (Some(_), Some(_), Some(fstype), Some(_)) = (next(b' '), next(b' '), next(b' '), next(b'\n')) {
        if mounts::is_remote(fstype) {
            return true;
        }
    }
    false
}
