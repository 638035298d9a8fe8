//! A machine recorded in a folder: the files it had, under their own paths (`proc/cpuinfo`, `etc/openwrt_release`,
//! `lib/`, `bin/`), and beside them what commands printed there:
//!
//! | file | what |
//! | --- | --- |
//! | `df` | the output of `df`, `df -k` or `df -h` |
//! | `uname` | the output of `uname -a`; the host name is not looked at |
//! | `auxv` | lines like `AT_HWCAP 0x88`, `AT_PLATFORM mips`, `AT_PAGESZ 4096` |
//! | `owners` | the output of `stat -c '%u %g %n' FILE...` |
//! | `capabilities` | the output of `getcap FILE...` |
//! | `labels` | the output of `stat -c '%C %n' FILE...`, where SELinux is |
//! | `env` | the output of `env` |
//! | `answers` | lines like `fp-instruction killed`, `mips-fp64 refused ENOEXEC`, `mips-nan2008 works` |
//!
//! Each may be missing: then that is unknown. `machines/` holds some.

use std::collections::VecDeque;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path;
use std::rc::Rc;

use nix::sys::stat::lstat;

use crate::errno::Errno;
use crate::live::{OpenFile, of_nix, stat_of};
use crate::machine::Mount;
use crate::machine::gather::mounts;
use crate::path::{Path, PathBuf};
use crate::target::{
    Answer, Auxv, Caller, Capability, FileCapabilities, FileKind, Kernel, Known, Limits, ReadAt, Root, Space,
    Stat, Uname, is_pseudo_fstype,
};

/// A machine recorded in a folder.
#[derive(Clone, Debug)]
pub struct Recorded {
    root: path::PathBuf,
}

impl Recorded {
    /// The machine in that folder; nothing is read yet.
    pub const fn new(root: path::PathBuf) -> Self {
        Recorded { root }
    }

    /// A file that lies beside the machine's own.
    fn note(&self, name: &str) -> Option<String> {
        let bytes = std::fs::read(self.root.join(name)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Resolves symbolic links as the machine would, with the folder as its root. Gives the machine's path.
    fn locate(&self, path: &Path) -> Result<PathBuf, Errno> {
        let mut todo = names(path);
        let mut links = 0_u32;
        let mut done = PathBuf::from("/");
        while let Some(name) = todo.pop_front() {
            if name == b".." {
                done.pop();
                continue;
            }
            let next = done.join(&name);
            let found = self.inside(&next).symlink_metadata().map_err(|error| of_io(&error))?;
            if found.is_symlink() {
                links = links.saturating_add(1);
                if links > 40 {
                    return Err(Errno::ELOOP);
                }
                let target = self.inside(&next).read_link().map_err(|error| of_io(&error))?;
                let target = PathBuf::from(target.into_os_string().into_vec());
                if target.is_absolute() {
                    done = PathBuf::from("/");
                }
                for name in names(&target).into_iter().rev() {
                    todo.push_front(name);
                }
            } else if !todo.is_empty() && !found.is_dir() {
                return Err(Errno::ENOTDIR);
            } else {
                done = next;
            }
        }
        Ok(done)
    }

    /// Where the folder keeps an absolute path.
    fn inside(&self, path: &Path) -> path::PathBuf {
        let bytes = path.as_bytes();
        self.root.join(OsStr::from_bytes(bytes.strip_prefix(b"/").unwrap_or(bytes)))
    }

    /// A file of the machine's, whatever it lies on.
    fn file(&self, path: &Path) -> Result<File, Errno> {
        let place = self.inside(&self.locate(path)?);
        match stat_of(&lstat(&place).map_err(of_nix)?).kind {
            FileKind::Regular => File::open(place).map_err(|error| of_io(&error)),
            FileKind::Directory => Err(Errno::EISDIR),
            _ => Err(Errno::EACCES),
        }
    }

    /// A text file of the machine's.
    fn text(&self, path: &Path) -> Result<Vec<u8>, Errno> {
        let mut bytes = Vec::new();
        self.file(path)?.take(65536).read_to_end(&mut bytes).map_err(|error| of_io(&error))?;
        Ok(bytes)
    }

    fn names(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Result<Vec<Vec<u8>>, Errno> {
        let folder = self.inside(&self.locate(folder)?);
        let entries = std::fs::read_dir(folder).map_err(|error| of_io(&error))?;
        let names = entries.flatten().map(|entry| entry.file_name().into_vec());
        let mut names: Vec<Vec<u8>> = names.filter(|name| keep(name)).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn stat_of(&self, path: &Path) -> Result<Stat, Errno> {
        let place = self.locate(path)?;
        let mut stat = stat_of(&lstat(&self.inside(&place)).map_err(of_nix)?);
        let is_pseudo = || self.mount_of(&place).is_some_and(|mount| is_pseudo_fstype(&mount.fstype));
        // On the machine itself that is a link to the program that asks.
        if stat.kind == FileKind::Regular && place != Path::new("/proc/self/exe") && is_pseudo() {
            stat.kind = FileKind::Pseudo;
        }
        (stat.owner, stat.group) = self.note("owners").and_then(|text| owner(&text, &place)).unzip();
        Ok(stat)
    }

    fn regular(&self, path: &Path) -> Result<Rc<dyn ReadAt>, Errno> {
        match self.stat_of(path)?.kind {
            FileKind::Pseudo => Err(Errno::EACCES),
            _ => Ok(Rc::new(Copied(OpenFile(self.file(path)?)))),
        }
    }

    /// As root: any one x bit of a file does, and a folder needs none (fs/namei.c `generic_permission`).
    fn access(&self, path: &Path) -> Result<(), Errno> {
        let stat = self.stat_of(path)?;
        let noexec = stat.kind == FileKind::Regular
            && self.mount_of(&self.locate(path)?).is_some_and(|mount| mount.has("noexec"));
        let is_closed = stat.kind != FileKind::Directory && stat.mode & 0o111 == 0;
        if noexec || is_closed { Err(Errno::EACCES) } else { Ok(()) }
    }

    fn mounts(&self) -> Vec<Mount> {
        self.text(Path::new("/proc/mounts")).map_or_else(|_| Vec::new(), |text| mounts::parse(&text))
    }

    fn mount_of(&self, path: &Path) -> Option<Mount> {
        let depth = |mount: &Mount| mount.point.components().count();
        self.mounts().into_iter().filter(|mount| path.starts_with(&mount.point)).max_by_key(depth)
    }
}

/// A file of the machine's; who writes to the copy tells nothing of it.
struct Copied(OpenFile);

impl ReadAt for Copied {
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        self.0.read_at(offset, len)
    }
}

/// The names of a path, with its `..`.
fn names(path: &Path) -> VecDeque<Vec<u8>> {
    let names = path.as_bytes().split(|byte| *byte == b'/');
    names.filter(|name| !matches!(*name, b"" | b".")).map(<[u8]>::to_vec).collect()
}

impl Root for Recorded {
    fn read(&self, path: &Path) -> Known<Result<Vec<u8>, Errno>> {
        Some(self.text(path))
    }

    fn list(&self, folder: &Path, keep: fn(&[u8]) -> bool) -> Known<Result<Vec<Vec<u8>>, Errno>> {
        Some(self.names(folder, keep))
    }

    fn stat(&self, path: &Path) -> Known<Result<Stat, Errno>> {
        Some(self.stat_of(path))
    }

    fn open(&self, path: &Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
        Some(self.regular(path))
    }

    fn may_execute(&self, path: &Path) -> Known<Result<(), Errno>> {
        Some(self.access(path))
    }

    fn resolve(&self, path: &Path) -> Known<Result<PathBuf, Errno>> {
        Some(self.locate(path))
    }

    fn capabilities(&self, path: &Path) -> Known<Option<FileCapabilities>> {
        let place = self.locate(path).ok()?;
        Some(capabilities(&self.note("capabilities")?, &place))
    }

    fn label(&self, path: &Path) -> Option<Vec<u8>> {
        let place = self.locate(path).ok()?;
        let labels = self.note("labels")?;
        let mut lines = labels.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(_, file)| file.as_bytes() == place.as_bytes()).map(|(label, _)| label.into())
    }

    fn space(&self, folder: &Path) -> Known<Space> {
        let rows = df(&self.note("df")?);
        // df leaves out what has no blocks, so /proc must not be taken for a folder of the root file system.
        match self.mount_of(folder) {
            Some(mount) => rows.into_iter().rev().find(|(point, _)| *point == mount.point),
            None => rows
                .into_iter()
                .filter(|(point, _)| folder.starts_with(point))
                .max_by_key(|(point, _)| point.components().count()),
        }
        .map(|(_, space)| space)
    }
}

impl Kernel for Recorded {
    fn uname(&self) -> Known<Uname> {
        uname(&self.note("uname")?)
    }

    fn auxv(&self) -> Auxv {
        self.note("auxv").map(|text| auxv(&text)).unwrap_or_default()
    }

    fn limits(&self) -> Limits {
        let text = self.text(Path::new("/proc/self/limits")).unwrap_or_default();
        limits(&String::from_utf8_lossy(&text))
    }

    fn caller(&self) -> Known<Caller> {
        let text = self.text(Path::new("/proc/self/status")).ok()?;
        caller(&String::from_utf8_lossy(&text))
    }

    fn variable(&self, name: &CStr) -> Option<Vec<u8>> {
        let text = self.note("env")?;
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find(|(known, _)| known.as_bytes() == name.to_bytes()).map(|(_, value)| value.into())
    }

    fn ask(&self, question: Capability) -> Known<Answer> {
        answer(&self.note("answers")?, question.name())
    }
}

fn of_io(error: &std::io::Error) -> Errno {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => Errno::ENOENT,
        ErrorKind::PermissionDenied => Errno::EACCES,
        ErrorKind::NotADirectory => Errno::ENOTDIR,
        _ => Errno::EIO,
    }
}

/// "0 0 /usr/bin/ping".
fn owner(text: &str, place: &Path) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut words = line.splitn(3, ' ');
        let (owner, group) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        (words.next()?.as_bytes() == place.as_bytes()).then_some((owner, group))
    })
}

/// "/usr/bin/ping cap_net_raw=ep", and of older ones "/usr/bin/ping = cap_net_raw+ep".
fn capabilities(text: &str, place: &Path) -> Option<FileCapabilities> {
    let of_place = |line: &str| {
        let (path, list) = line.split_once(' ')?;
        (path.as_bytes() == place.as_bytes()).then(|| String::from(list))
    };
    let list = text.lines().find_map(of_place)?;
    let flags = list.rsplit(['=', '+']).next().unwrap_or_default();
    Some(FileCapabilities { effective: flags.contains('e'), permitted: flags.contains('p') })
}

/// Lines of /proc/PID/status: "Uid:\t1000\t1000\t1000\t1000", real and effective first.
fn caller(text: &str) -> Option<Caller> {
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
fn limits(text: &str) -> Limits {
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
fn uname(text: &str) -> Option<Uname> {
    const SYSTEMS: [&str; 4] = ["GNU/Linux", "Linux", "Android", "Toybox"];
    let words: Vec<&str> = text.lines().next()?.split_whitespace().collect();
    let machine = words.iter().skip(3).rev().find(|word| !SYSTEMS.contains(word))?;
    Some(Uname { told: None, release: String::from(*words.get(2)?), machine: String::from(*machine) })
}

fn auxv(text: &str) -> Auxv {
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

fn answer(text: &str, question: &str) -> Option<Answer> {
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
fn df(text: &str) -> Vec<(PathBuf, Space)> {
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

/// What a number without a suffix counts: "Size" bytes, "1K-blocks", "1024-blocks".
fn unit_of(head: &str) -> u64 {
    match head {
        "Size" => 1,
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

    #[test]
    fn links_stay_inside() {
        let root = std::env::temp_dir().join(format!("diag-recorded-{}", std::process::id()));
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, root.join(name)).expect("a link");
        std::fs::create_dir_all(root.join("a/b")).expect("a folder");
        std::fs::write(root.join("a/b/file"), "text").expect("a file");
        link("/a/b", "absolute");
        link("../../../../a", "up");
        link("loop", "loop");
        link("nowhere", "dangling");
        let system = Recorded::new(root.clone());
        let of = |path: &str| system.locate(Path::new(path)).map(|path| path.display().to_string());
        assert_eq!(of("/absolute/file"), Ok(String::from("/a/b/file")));
        assert_eq!(of("/up/b/../b/file"), Ok(String::from("/a/b/file")));
        assert_eq!(of("/../../etc/passwd"), Err(Errno::ENOENT));
        assert_eq!(of("/loop"), Err(Errno::ELOOP));
        assert_eq!(of("/dangling"), Err(Errno::ENOENT));
        assert_eq!(of("/a/b/file/x"), Err(Errno::ENOTDIR));
        assert_eq!(system.regular(Path::new("/a")).err(), Some(Errno::EISDIR));
        assert_eq!(system.access(Path::new("/a/b/file")), Err(Errno::EACCES));
        assert_eq!(system.names(Path::new("/absolute"), |_| true), Ok(vec![b"file".to_vec()]));
        assert_eq!(system.names(Path::new("/nowhere"), |_| true), Err(Errno::ENOENT));
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
