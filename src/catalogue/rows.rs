//! The tables of the catalogue, as they lie in `catalogue/`.

use memchr::memmem;

/// What OpenWrt builds packages for: a row of `openwrt-architectures.tsv`.
#[derive(Clone, Copy, Debug)]
pub struct Architecture {
    /// DISTRIB_ARCH: "mipsel_24kc". Up to 15.05 that was the name of a target.
    pub name: &'static str,
    /// `uname -m`.
    pub uname: &'static str,
    pub(super) is_big: bool,
    pub(super) is_64: bool,
    /// The float ABI of its programs.
    pub(super) is_hard: bool,
    /// CPU_TYPE and CPU_SUBTYPE: "cortex-a9+vfpv3-d16".
    pub(super) processor: &'static str,
    pub(super) loader: &'static str,
    releases: &'static str,
    targets: &'static str,
    /// The devices that it stands for in its newest release.
    pub(super) devices: usize,
}

/// A row of `openwrt-devices.tsv`.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// The name of its profile: "lenovo_newifi-y1".
    pub id: &'static str,
    /// "Lenovo Y1".
    pub title: &'static str,
    /// What it is sold as besides, with ` | ` between.
    pub other_titles: &'static str,
    /// "ramips/mt7620".
    pub target: &'static str,
    /// DISTRIB_ARCH.
    pub architecture: &'static str,
    pub(super) soc: &'static str,
    /// The partition for OpenWrt and all that is installed, in bytes; not known of many.
    pub(super) firmware: Option<u64>,
    /// Its name in the device tree, and older profiles'.
    others: &'static str,
    releases: &'static str,
    /// OpenWrt makes no images for it.
    pub is_source_only: bool,
}

const ARCHITECTURES: &str = include_str!("../../catalogue/openwrt-architectures.tsv");
const DEVICES: &str = include_str!("../../catalogue/openwrt-devices.tsv");

/// The columns of each line but for the head.
fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    table.lines().skip(1).map(columns)
}

pub(super) fn columns<const N: usize>(line: &'static str) -> [&'static str; N] {
    let mut columns = [""; N];
    for (place, column) in columns.iter_mut().zip(line.split('\t')) {
        *place = column;
    }
    columns
}

/// All architectures.
pub fn architectures() -> impl Iterator<Item = Architecture> {
    rows(ARCHITECTURES).map(
        |[name, uname, order, bits, float, processor, loader, releases, targets, devices]| Architecture {
            name,
            uname,
            is_big: order == "big",
            is_64: bits == "64",
            is_hard: float == "hard",
            processor,
            loader,
            releases,
            targets,
            devices: devices.parse().unwrap_or_default(),
        },
    )
}

/// All devices, by their ids.
pub fn devices() -> impl Iterator<Item = Device> {
    rows(DEVICES).map(device)
}

fn device(columns: [&'static str; 10]) -> Device {
    let [id, title, other_titles, target, architecture, soc, firmware, others, releases, images] = columns;
    Device {
        id,
        title,
        other_titles,
        target,
        architecture,
        soc,
        firmware: firmware.parse().ok(),
        others,
        releases,
        is_source_only: !images.is_empty(),
    }
}

/// The devices of an id. They are sorted, so few are looked at.
pub(super) fn of_id(id: &str) -> Vec<Device> {
    let (mut low, mut high) = (0, DEVICES.len());
    // The start of the line that holds an offset, and the id there.
    let line = |at: usize| {
        let start =
            DEVICES.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end.saturating_add(1));
        let rest = DEVICES.get(start..).unwrap_or_default();
        (start, rest.split('\t').next().unwrap_or_default(), rest.find('\n').unwrap_or(rest.len()))
    };
    while low < high {
        let middle = low.midpoint(high);
        let (start, found, length) = line(middle);
        // The head stands before all.
        if start == 0 || found < id {
            low = start.saturating_add(length).saturating_add(1);
        } else {
            high = start;
        }
    }
    let rest = DEVICES.get(low..).unwrap_or_default();
    rest.lines().map(|line| device(columns(line))).take_while(|device| device.id == id).collect()
}

/// The devices that have a name besides their id. Only the lines that hold it are read.
pub(super) fn with_name(name: &str) -> Vec<Device> {
    if name.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Device> = Vec::new();
    let ends = |at: Option<usize>| {
        at.and_then(|at| DEVICES.as_bytes().get(at)).is_some_and(|byte| b"\t ".contains(byte))
    };
    let is_whole = |at: usize| ends(at.checked_sub(1)) && ends(at.checked_add(name.len()));
    for at in memmem::find_iter(DEVICES.as_bytes(), name).filter(|at| is_whole(*at)) {
        let start =
            DEVICES.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end.saturating_add(1));
        let line = DEVICES.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let device = device(columns(line));
        let is_read = found.last().is_some_and(|last| (last.id, last.target) == (device.id, device.target));
        if start > 0 && !is_read && device.others().any(|other| other == name) {
            found.push(device);
        }
    }
    found
}

impl Architecture {
    /// That of a system which is no OpenWrt.
    pub(super) const fn of_system(
        name: &'static str,
        uname: &'static str,
        order: &'static str,
        bits: &'static str,
        float: &'static str,
        processor: &'static str,
        loader: &'static str,
    ) -> Architecture {
        Architecture {
            name,
            uname,
            is_big: matches!(order.as_bytes(), b"big"),
            is_64: matches!(bits.as_bytes(), b"64"),
            is_hard: matches!(float.as_bytes(), b"hard"),
            processor,
            loader,
            releases: "",
            targets: "",
            devices: 0,
        }
    }

    /// The releases that have it, the oldest first.
    pub(super) fn releases(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.releases.split(' ')
    }

    /// Its targets.
    pub(super) fn targets(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.targets.split(' ')
    }
}

impl Device {
    /// The releases that have it, the oldest first.
    pub fn releases(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.releases.split(' ')
    }

    /// Whether it is the other one, under the name of another release: same title, or the other's id is a name of it.
    pub(super) fn is_same(&self, other: &Device) -> bool {
        self.id == other.id
            || super::words(self.title) == super::words(other.title)
            || self.others().any(|name| name == other.id)
            || other.others().any(|name| name == self.id)
    }

    /// Each name that stands for it, but for its id.
    pub(super) fn others(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.others.split(' ').filter(|name| !name.is_empty())
    }
}
