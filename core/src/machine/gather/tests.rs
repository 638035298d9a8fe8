use alloc::vec::Vec;

use super::*;

#[test]
fn releases() {
    let of = |text| release(text).map(|release| release.version);
    assert_eq!(of("4.14.151"), Some((4, 14, 151)));
    assert_eq!(of("6.18.44-fc-v657"), Some((6, 18, 44)));
    assert_eq!(of("4.4.302+"), Some((4, 4, 302)));
    assert_eq!(of("6.18-rc3"), Some((6, 18, 0)));
    assert_eq!(of("5.10.20240101"), Some((5, 10, u16::MAX)));
    assert_eq!(of("5"), None);
    assert_eq!(of(""), None);
    assert_eq!(of("99999999999.1.2"), None);
}

/// Its parsers are too large for the router (16 KB for the mounts), and give up on one line they do not like; where
/// they read a file, they read the same.
#[test]
fn as_procfs_reads_it() {
    use procfs::{FromBufRead as _, MountEntry};
    let text = std::fs::read("/proc/mounts").expect("/proc/mounts");
    let theirs = Vec::<MountEntry>::from_buf_read(text.as_slice()).expect("mounts");
    let ours = mounts::parse(&text);
    assert_eq!(theirs.len(), ours.len());
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert_eq!(theirs.fs_vfstype, ours.fstype);
        assert_eq!(Path::new(&theirs.fs_file.replace("\\040", " ")), ours.point);
        assert!(
            ours.options().all(|option| {
                theirs.fs_mntops.contains_key(option.split('=').next().unwrap_or_default())
            })
        );
    }
    let text = std::fs::read("/proc/meminfo").expect("/proc/meminfo");
    let theirs = procfs::Meminfo::from_buf_read(text.as_slice()).expect("meminfo");
    let ours = meminfo_of(&text);
    assert_eq!(ours.total.value, Some(theirs.mem_total));
    assert_eq!(ours.available.value, theirs.mem_available);
    assert_eq!(ours.swap.value, Some(theirs.swap_total));
}

#[test]
fn any_beginning_of_a_text() {
    let meminfo = include_str!("../../../../machines/lenovo-y1/proc/meminfo");
    let distrib = include_str!("../../../../machines/ath79-be/etc/openwrt_release");
    for end in 0..=meminfo.len() {
        meminfo_of(meminfo.get(..end).expect("ASCII").as_bytes());
    }
    for end in 0..=distrib.len() {
        if let Some(arch) = assigned(distrib.get(..end).expect("ASCII").as_bytes(), "DISTRIB_ARCH=") {
            assert!("mips_24kc".starts_with(&arch));
        }
    }
    // Linux 3.10 has no MemAvailable.
    let old = meminfo_of(b"MemTotal: 61440 kB\nMemFree: 1000 kB\nCached: 24 kB\n");
    assert_eq!(old.available, Fact::new(Some(1024 << 10), "/proc/meminfo: MemFree + Cached"));
    assert_eq!(
        meminfo_of(b"MemTotal:\nMemFree: x kB\nMemAvailable: 99999999999999999999 kB\n").total.value,
        None
    );
}
