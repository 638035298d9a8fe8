//! What commands print, as a recording keeps it.

use super::tree::Fault;
use crate::errno::Errno;
use crate::path::{Path, PathBuf};
use crate::target::{Answer, Auxv, Caller, FileCapabilities, Limits, ReadAt, Space, Uname};

/// Bytes that are read of a text; of a Debian's names it takes some 200,000.
const TEXT: usize = 4 << 20;

/// A whole text, as far as it is read.
pub(super) fn text(file: &dyn ReadAt) -> Result<Vec<u8>, Fault> {
    const PIECE: usize = 64 << 10;
    let mut text = Vec::new();
    while text.len() < TEXT {
        match file.read_at(text.len() as u64, PIECE) {
            Ok(piece) if piece.is_empty() => break,
            Ok(piece) => text.extend(piece),
            Err(errno) => return Err(Fault::Errno(errno)),
        }
    }
    Ok(text)
}

/// "0 0 /usr/bin/ping".
pub(super) fn owner(text: &str, place: &Path) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut words = line.splitn(3, ' ');
        let (owner, group) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        (words.next()?.as_bytes() == place.as_bytes()).then_some((owner, group))
    })
}

/// "/usr/bin/ping cap_net_raw=ep", and of older ones "/usr/bin/ping = cap_net_raw+ep".
pub(super) fn capabilities(text: &str, place: &Path) -> Option<FileCapabilities> {
    let of_place = |line: &str| {
        let (path, list) = line.split_once(' ')?;
        (path.as_bytes() == place.as_bytes()).then(|| String::from(list))
    };
    let list = text.lines().find_map(of_place)?;
    let flags = list.rsplit(['=', '+']).next().unwrap_or_default();
    Some(FileCapabilities { effective: flags.contains('e'), permitted: flags.contains('p') })
}

/// Lines of /proc/PID/status: "Uid:\t1000\t1000\t1000\t1000", real and effective first.
pub(super) fn caller(text: &str) -> Option<Caller> {
    let numbers = |name: &str| -> Option<Vec<u32>> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().filter_map(|word| word.parse().ok()).collect())
    };
    let (users, groups) = (numbers("Uid:")?, numbers("Gid:")?);
    Some(Caller {
        uid: *users.first()?,
        euid: *users.get(1)?,
        gid: *groups.first()?,
        egid: *groups.get(1)?,
        no_new_privs: numbers("NoNewPrivs:").is_some_and(|flag| flag.first() == Some(&1)),
    })
}

/// Lines of /proc/PID/limits: "Max address space         409600000            unlimited            bytes".
pub(super) fn limits(text: &str) -> Limits {
    let soft = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        match line.split_whitespace().next()? {
            "unlimited" => Some(u64::MAX),
            number => number.parse().ok(),
        }
    };
    Limits {
        address_space: soft("Max address space"),
        data: soft("Max data size"),
        stack: soft("Max stack size"),
    }
}

/// "Linux OpenWrt 4.14.151 #0 Tue Nov 5 14:12:18 2019 mips GNU/Linux"; BusyBox may leave the last word out, or have
/// another one there (CONFIG_UNAME_OSNAME, "Linux" on Alpine), and toybox has "Toybox" or "Android".
pub(super) fn uname(text: &str) -> Option<Uname> {
    const SYSTEMS: [&str; 4] = ["GNU/Linux", "Linux", "Android", "Toybox"];
    let words: Vec<&str> = text.lines().next()?.split_whitespace().collect();
    let machine = words.iter().skip(3).rev().find(|word| !SYSTEMS.contains(word))?;
    Some(Uname { told: None, release: String::from(*words.get(2)?), machine: String::from(*machine) })
}

pub(super) fn auxv(text: &str) -> Auxv {
    let value = |wanted: &str| -> Option<&str> {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once([' ', '\t', ':'])?;
            (name == wanted).then(|| value.trim_start_matches(':').trim())
        })
    };
    let number = |wanted: &str| -> Option<u64> {
        let value = value(wanted)?;
        match value.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => value.parse().ok(),
        }
    };
    Auxv {
        hwcap: number("AT_HWCAP"),
        hwcap2: number("AT_HWCAP2"),
        platform: value("AT_PLATFORM").map(String::from),
        base_platform: value("AT_BASE_PLATFORM").map(String::from),
        page_size: number("AT_PAGESZ"),
    }
}

pub(super) fn answer(text: &str, question: &str) -> Option<Answer> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        if words.next() != Some(question) {
            return None;
        }
        match words.next()? {
            "works" => Some(Answer::Works),
            "killed" => Some(Answer::Killed),
            "refused" => Some(Answer::Refused(Errno::from_name(words.next()?)?)),
            _ => None,
        }
    })
}

/// Mount points and the room there.
pub(super) fn df(text: &str) -> Vec<(PathBuf, Space)> {
    let mut unit = 1024;
    let mut rows = Vec::new();
    let mut wrapped = 0_usize;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first() == Some(&"Filesystem") {
            unit = words.get(1).map_or(1024, |head| unit_of(head));
            continue;
        }
        // A long device name stands on a line of its own.
        if words.len() == 1 {
            wrapped = 1;
            continue;
        }
        let word = |at: usize| words.get(at.saturating_sub(wrapped)).copied();
        let space = word(1).zip(word(3)).and_then(|(size, available)| {
            Some(Space { size: bytes(size, unit)?, available: bytes(available, unit)? })
        });
        let point = words.get(5_usize.saturating_sub(wrapped)..).unwrap_or_default().join(" ");
        if let (Some(space), true) = (space, point.starts_with('/')) {
            rows.push((PathBuf::from(point), space));
        }
        wrapped = 0;
    }
    rows
}

/// What a number without a suffix counts: "Size" and "1B-blocks" bytes, "1K-blocks", "1024-blocks".
fn unit_of(head: &str) -> u64 {
    match head {
        "Size" | "1B-blocks" => 1,
        "1M-blocks" => 1 << 20,
        "512-blocks" => 512,
        _ => 1024,
    }
}

/// "10.6M", "512.0K", "0", "12288".
fn bytes(text: &str, unit: u64) -> Option<u64> {
    let (digits, unit) = match text.bytes().last()? {
        b'K' | b'k' => (text.strip_suffix(['K', 'k'])?, 1 << 10),
        b'M' => (text.strip_suffix('M')?, 1 << 20),
        b'G' => (text.strip_suffix('G')?, 1 << 30),
        b'T' => (text.strip_suffix('T')?, 1 << 40),
        _ => (text, unit),
    };
    let (whole, tenths) = digits.split_once('.').unwrap_or((digits, "0"));
    let whole: u64 = whole.parse().ok()?;
    let tenths: u64 = tenths.get(..1)?.parse().ok()?;
    whole.checked_mul(unit)?.checked_add(tenths.checked_mul(unit)?.checked_div(10)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(bytes("10.6M", 1), Some(11_114_905));
        assert_eq!(bytes("512.0K", 1), Some(524_288));
        assert_eq!(bytes("1.8T", 1), Some(1_979_120_929_996));
        assert_eq!(bytes("0", 1), Some(0));
        assert_eq!(bytes("8704", 1024), Some(8_912_896));
        for wrong in ["", "M", "x", "1.", "1.é", "-1", "99999999999999999999", "9999999999999T"] {
            assert_eq!(bytes(wrong, 1024), None, "{wrong}");
        }
    }

    #[test]
    fn output_of_df() {
        let text = "Filesystem           1K-blocks      Used Available Use% Mounted on\n\
                    /dev/mapper/a-very-long-name-indeed\n                          1000       400       600  40% /mnt/my stick\n\
                    tmpfs  2 0 2 0% /tmp\n-      - - - - /x\n";
        let rows = df(text);
        assert_eq!(rows.len(), 2);
        assert_eq!(
            rows.first(),
            Some(&(PathBuf::from("/mnt/my stick"), Space { size: 1_024_000, available: 614_400 }))
        );
        for end in 0..text.len() {
            df(text.get(..end).unwrap_or_default());
        }
    }

    #[test]
    fn output_of_uname() {
        let of = |text| uname(text).map(|uname| (uname.release, uname.machine));
        let wanted = Some((String::from("4.14.151"), String::from("mips")));
        assert_eq!(of("Linux OpenWrt 4.14.151 #0 Tue Nov 5 14:12:18 2019 mips GNU/Linux\n"), wanted);
        assert_eq!(of("Linux OpenWrt 4.14.151 #0 Tue Nov 5 14:12:18 2019 mips\n"), wanted);
        let alpine = "Linux host 6.6.58-0-lts #1-Alpine SMP PREEMPT_DYNAMIC 2024-10-25 x86_64 Linux\n";
        assert_eq!(of(alpine).map(|(_, machine)| machine).as_deref(), Some("x86_64"));
        let toybox = "Linux localhost 5.10.157-android13 #1 SMP PREEMPT Thu Jan 5 2023 aarch64 Toybox\n";
        assert_eq!(of(toybox).map(|(_, machine)| machine).as_deref(), Some("aarch64"));
        assert_eq!(of("Linux OpenWrt"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn auxv_and_answers() {
        let found = auxv("AT_HWCAP 0x88\nAT_PLATFORM: mips\nAT_PAGESZ\t16384\nAT_HWCAP2 x\n");
        assert_eq!((found.hwcap, found.hwcap2, found.page_size), (Some(0x88), None, Some(16384)));
        assert_eq!(found.platform.as_deref(), Some("mips"));
        let text = "fp-instruction works\nmips-fp64 refused ENOEXEC\nmips-nan2008 refused\nmips-nan-legacy perhaps\n";
        assert_eq!(answer(text, "fp-instruction"), Some(Answer::Works));
        assert_eq!(answer(text, "mips-fp64"), Some(Answer::Refused(Errno::ENOEXEC)));
        assert_eq!(answer(text, "mips-nan2008"), None);
        assert_eq!(answer(text, "mips-nan-legacy"), None);
    }
}
