//! `--on NAME`: machines that are known without a recording. OpenWrt's devices, targets and package architectures, and the
//! releases of other systems, are in the tables of `catalogue/`; what these do not tell of a machine is not known, and a verdict that rests on it is `unknown`.

mod elf;
pub mod matrix;
mod musl;
mod rows;
mod systems;
mod text;

pub use rows::{Architecture, Device, architectures, devices};
pub use systems::{System, systems};

use rapidfuzz::distance::levenshtein::{Args, BatchComparator};

use crate::recorded::Recorded;
use musl::Libcs;

/// A machine of the catalogue.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The architecture of its packages.
    pub architecture: Architecture,
    /// "ramips/mt7620"; empty for an architecture that several have.
    pub target: &'static str,
    /// The release that it is judged with.
    pub release: &'static str,
    /// The device, where it was one.
    pub device: Option<Device>,
    /// The system, where it is no OpenWrt.
    pub system: Option<System>,
}

impl Entry {
    /// How it is called, as `--on` takes it.
    pub fn name(&self) -> String {
        if let Some(system) = &self.system {
            return system.whole_name();
        }
        let name = match &self.device {
            Some(device) => device.id,
            None if self.target.is_empty() => self.architecture.name,
            None => self.target,
        };
        format!("{name}@{}", self.release)
    }

    /// What is known of it.
    ///
    /// # Errors
    ///
    /// Its text is none: a sentence.
    pub fn machine(&self) -> Result<Recorded, String> {
        self.machine_with(&Libcs::default())
    }

    fn machine_with(&self, libcs: &Libcs) -> Result<Recorded, String> {
        let files = match &self.system {
            Some(system) => system.files(libcs),
            None => text::files(&self.architecture, self.target, self.release, self.device.as_ref(), libcs),
        };
        Recorded::by_name(self.name(), files)
    }
}

/// What stands for a machine, and the releases that have it.
struct Match {
    architecture: Architecture,
    target: &'static str,
    device: Option<Device>,
    releases: Vec<&'static str>,
}

impl Match {
    fn of_device(device: Device) -> Option<Match> {
        let architecture = architectures().find(|known| known.name == device.architecture)?;
        let releases = device.releases().collect();
        Some(Match { architecture, target: device.target, device: Some(device), releases })
    }

    fn of_architecture(architecture: Architecture) -> Match {
        let releases = architecture.releases().collect();
        // A single target is that of all.
        let mut targets = architecture.targets();
        let target = targets.next().filter(|_| targets.next().is_none()).unwrap_or_default();
        Match { architecture, target, device: None, releases }
    }

    fn name(&self) -> String {
        match &self.device {
            Some(device) => format!("{}/{}", device.target, device.id),
            None if self.target.is_empty() => String::from(self.architecture.name),
            None => String::from(self.target),
        }
    }

    fn newest(&self) -> Option<usize> {
        let at = |name: &&str| text::RELEASES.iter().position(|(release, ..)| release == name);
        // What is still being made has no name that stays.
        self.releases
            .iter()
            .filter(|name| **name != "master")
            .filter_map(at)
            .max()
            .or_else(|| self.releases.iter().filter_map(at).max())
    }

    fn with(self, release: Option<&str>) -> Result<Entry, String> {
        let release = match release {
            None => self.newest().and_then(|at| text::RELEASES.get(at)).map(|(name, ..)| *name),
            Some(wanted) => self.releases.iter().copied().find(|name| is_release(wanted, name)),
        };
        let Some(release) = release else {
            return Err(format!("it has no such release: {} has {}", self.name(), self.releases.join(", ")));
        };
        Ok(Entry {
            architecture: self.architecture,
            target: self.target,
            release,
            device: self.device,
            system: None,
        })
    }
}

/// "19.07" and "19.07.10" are of 19.07.
fn is_release(wanted: &str, name: &str) -> bool {
    wanted.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

/// The machine of a name, `NAME` or `NAME@RELEASE`; one sentence, which begins with "it", on one that stands for none or for
/// several. A device's id that stands on two targets of one release is decided by that of the target before it, as in the
/// paths of downloads.openwrt.org: `bcm63xx/smp/comtrend_ct-6373`.
///
/// # Errors
///
/// There is no such machine, or more than one.
pub fn find(name: &str) -> Result<Entry, String> {
    if let Some(found) = systems::find(name) {
        return found;
    }
    let (name, release) = match name.rsplit_once('@') {
        Some((name, release)) => (name, Some(release)),
        None => (name, None),
    };
    let mut found = exact(name);
    if found.is_empty() {
        found = loose(name);
    }
    // A device may have been moved to another target: what is asked for decides, or what is newer.
    if let Some(wanted) = release {
        let has = |one: &Match| one.releases.iter().any(|name| is_release(wanted, name));
        if found.iter().any(has) {
            found.retain(has);
        }
    }
    let first = found.first().and_then(|first| first.device);
    if found.iter().all(|one| one.device.zip(first).is_some_and(|(one, first)| one.is_same(&first))) {
        if release.is_some() {
            // That of the id itself stands before its heir.
            found.retain(|one| one.device.map(|device| device.id) == first.map(|device| device.id));
        } else {
            let newest = found.iter().filter_map(Match::newest).max();
            found.retain(|one| one.newest() == newest);
        }
    }
    if found.len() > 1 {
        let names: Vec<String> = found.iter().take(20).map(Match::name).collect();
        let more = if found.len() > names.len() { ", ..." } else { "" };
        return Err(format!("it stands for {} machines: {}{more}", found.len(), names.join(", ")));
    }
    match found.pop() {
        Some(one) => one.with(release),
        None => Err(format!(
            "it is no file, no folder and no machine of the catalogue; near are {}",
            nearest(name).join(", ")
        )),
    }
}

/// By its id or an alias, its target, or its architecture.
fn exact(name: &str) -> Vec<Match> {
    if let Some((target, id)) = name.rsplit_once('/') {
        let on_target = |devices: Vec<Device>| -> Vec<Match> {
            let devices = devices.into_iter().filter(|device| device.target.eq_ignore_ascii_case(target));
            devices.filter_map(Match::of_device).collect()
        };
        let found = on_target(spelled(id, rows::of_id));
        let found = if found.is_empty() { on_target(spelled(id, rows::with_name)) } else { found };
        if !found.is_empty() {
            return found;
        }
    }
    let by_id = spelled(name, rows::of_id);
    if !by_id.is_empty() {
        // An old profile's id is a name of the one that came after it.
        let heirs = spelled(name, rows::with_name);
        let heirs = heirs.into_iter().filter(|heir| by_id.iter().any(|old| heir.is_same(old)));
        return by_id.iter().copied().chain(heirs).filter_map(Match::of_device).collect();
    }
    let lower = name.to_ascii_lowercase();
    if let Some(architecture) = architectures().find(|known| known.name == lower) {
        return vec![Match::of_architecture(architecture)];
    }
    let mut of_target = architectures().filter(|known| known.targets().any(|target| target == lower));
    if let Some(architecture) = of_target.next() {
        let target = architecture.targets().find(|target| *target == lower).unwrap_or_default();
        let releases = architecture.releases().collect();
        return vec![Match { architecture, target, device: None, releases }];
    }
    spelled(name, rows::with_name).into_iter().filter_map(Match::of_device).collect()
}

/// The devices of a name as it stands: old ids have capitals. Else in small letters, and with `_` for the `,` of device trees.
fn spelled(name: &str, of: fn(&str) -> Vec<Device>) -> Vec<Device> {
    let found = of(name);
    if !found.is_empty() {
        return found;
    }
    let lower = name.to_ascii_lowercase();
    let found = of(&lower);
    if found.is_empty() && lower.contains(',') { of(&lower.replace(',', "_")) } else { found }
}

/// By words: all of them are in the names of the machine, whatever their case and what stands between them.
fn loose(name: &str) -> Vec<Match> {
    let wanted = words(name);
    if wanted.is_empty() {
        return Vec::new();
    }
    // Most devices have not even the longest of them.
    let longest = wanted.iter().max_by_key(|word| word.len()).map_or("", String::as_str);
    let has_longest = |device: &Device| {
        [device.id, device.title, device.other_titles].iter().any(|text| holds_ignoring_case(text, longest))
    };
    let of_wanted = |device: &Device| has_all(&names(device), &wanted);
    let found: Vec<Device> = devices().filter(has_longest).filter(of_wanted).collect();
    // "TP-Link Archer C7 v5" is not the v5 of another: its title is these words alone.
    let is_whole = |device: &&Device| {
        let titles = device.other_titles.split(" | ").chain([device.title]);
        titles.map(words).any(|title| title.len() == wanted.len())
    };
    let whole: Vec<Device> = found.iter().filter(is_whole).copied().collect();
    let found = if whole.is_empty() { found } else { whole };
    found.into_iter().filter_map(Match::of_device).collect()
}

fn names(device: &Device) -> String {
    format!("{} {} {}", device.id, device.title, device.other_titles)
}

fn has_all(text: &str, wanted: &[String]) -> bool {
    let own = words(text);
    wanted.iter().all(|word| own.contains(word))
}

fn holds_ignoring_case(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len().max(1)).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The names that are most like it, by the edits that make one of the other (Levenshtein).
fn nearest(name: &str) -> Vec<&'static str> {
    const SHOWN: usize = 5;
    let as_id = |letter: char| if matches!(letter, ' ' | ',') { '_' } else { letter.to_ascii_lowercase() };
    let wanted = BatchComparator::new(name.chars().take(40).map(as_id));
    let of_devices = devices().flat_map(|device| [(device.id, device.id), (device.title, device.id)]);
    let of_others =
        architectures().flat_map(|known| known.targets().chain([known.name])).map(|name| (name, name));
    let mut near: Vec<(usize, &str)> = Vec::new();
    let of_systems = systems::names().into_iter().map(|name| (name, name));
    for (known, name) in of_devices.chain(of_others).chain(of_systems) {
        let worst = near.get(SHOWN.wrapping_sub(1)).map_or(usize::MAX, |(distance, _)| *distance);
        let args = Args::default().score_cutoff(worst.saturating_sub(1));
        let distance = wanted.distance_with_args(known.chars().map(as_id), &args);
        let Some(distance) = distance.filter(|_| near.iter().all(|(_, other)| *other != name)) else {
            continue;
        };
        let at = near.partition_point(|other| *other < (distance, name));
        near.insert(at, (distance, name));
        near.truncate(SHOWN);
    }
    near.into_iter().map(|(_, name)| name).collect()
}

/// The systems that have all of these words in their names; all, where there are none.
pub fn list_systems(wanted: &str) -> impl Iterator<Item = System> {
    let wanted = words(wanted);
    systems().filter(move |system| system.has(&wanted))
}

/// The devices that have all of these words in their names, for `--on list`; all, where there are none.
pub fn list(wanted: &str) -> impl Iterator<Item = Device> {
    let wanted = words(wanted);
    devices().filter(move |device| has_all(&format!("{} {}", names(device), device.target), &wanted))
}
