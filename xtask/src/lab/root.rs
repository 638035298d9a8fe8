//! A router's root: a squashfs laid out like OpenWrt's.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cpio::{Entry, Node};
use super::initramfs::script;
use super::{Kernel, busybox, musl};
use crate::scratch::Scratch;
use crate::{host, sh};

/// The first process of the root: what makes it ready, and what then runs the commands.
const BOOT: &str = include_str!("boot.sh");

/// KiB of incompressible bytes on the overlay. With them `df -h` shows about what the seed's router
/// showed: 12.0M, 10.6M available.
const FILLER: &str = "960";

/// The BusyBox applets of a stock OpenWrt, by folder (package/utils/busybox/Config-defaults.in). What is not
/// here (od, base64, stat, timeout, xz...) a router does not have either; `busybox NAME` still has it.
const APPLETS: &[(&str, &str)] = &[
    (
        "bin",
        "ash cat chgrp chmod chown cp date dd df dmesg echo egrep false fgrep fsync grep gunzip gzip kill ln \
         login ls mkdir mknod mktemp mount mv netstat nice pidof ping ping6 ps pwd rm rmdir sed sh sleep sync \
         tar touch true umount uname vi zcat",
    ),
    (
        "sbin",
        "halt hwclock ifconfig ip mkswap pivot_root poweroff reboot route start-stop-daemon swapoff swapon \
         switch_root sysctl udhcpc",
    ),
    (
        "usr/bin",
        "[ [[ awk basename clear cmp crontab cut dirname du env expr find flock free head hexdump id killall \
         less logger md5sum mkfifo nc nslookup passwd pgrep printf readlink reset resize seq sha256sum sort \
         strings tail taskset tee test time top tr traceroute traceroute6 uniq uptime wc which xargs yes",
    ),
    ("usr/sbin", "brctl chroot crond ntpd"),
];

const FOLDERS: &str = "bin dev etc etc/apk etc/config etc/init.d lib mnt overlay proc rom root sbin sys tmp \
                       usr usr/bin usr/lib usr/sbin usr/share www";

/// The root as a squashfs file; made once for each content.
pub(super) fn squashfs(kernel: Kernel) -> Result<PathBuf> {
    let entries = entries(kernel)?;
    let mut hasher = DefaultHasher::new();
    for entry in &entries {
        entry.hash(&mut hasher);
    }
    let name = format!("rom-{}-{:016x}.squashfs", kernel.openwrt_arch(), hasher.finish());
    let file = sh::target("lab")?.join(name);
    if file.is_file() {
        return Ok(file);
    }
    host::ensure(&[("mksquashfs", "squashfs-tools")])?;
    let scratch = Scratch::open("root")?;
    let (tree, image) = (scratch.path().join("tree"), scratch.path().join("image"));
    unpack(&entries, &tree)?;
    let mut pack = Command::new("mksquashfs");
    pack.arg(&tree).arg(&image).args(["-comp", "xz", "-b", "256K", "-all-root", "-no-xattrs"]);
    sh::output(pack.args(["-mkfs-time", "0", "-all-time", "0", "-noappend", "-no-progress", "-quiet"]))?;
    fs::rename(&image, &file)?;
    Ok(file)
}

/// The names under which the root has an ELF program; most of them are links.
pub(super) fn programs(kernel: Kernel) -> Vec<String> {
    let mut names = vec!["/bin/busybox".to_owned(), "/lib/libc.so".to_owned(), "/usr/bin/ldd".to_owned()];
    names.push(format!("/lib/{}", kernel.loader()));
    for (folder, applets) in APPLETS {
        names.extend(applets.split_whitespace().map(|applet| format!("/{folder}/{applet}")));
    }
    names
}

/// What is in the read-only root.
fn entries(kernel: Kernel) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = FOLDERS.split_whitespace().map(Entry::dir).collect();
    let read = |file: &Path| fs::read(file).with_context(|| format!("read {}", file.display()));
    entries.push(Entry::bytes("bin/busybox", 0o755, read(&busybox::file(kernel.arch())?)?));
    for (folder, applets) in APPLETS {
        let up = "../".repeat(folder.matches('/').count());
        let target = if *folder == "bin" { "busybox".to_owned() } else { format!("{up}../bin/busybox") };
        let link = |applet| Entry::link(&format!("{folder}/{applet}"), &target);
        entries.extend(applets.split_whitespace().map(link));
    }
    entries.push(Entry::bytes("lib/libc.so", 0o755, read(&musl::build(kernel)?.join("lib/libc.so"))?));
    entries.push(Entry::link(&format!("lib/{}", kernel.loader()), "libc.so"));
    entries.push(Entry::link("usr/bin/ldd", "../../lib/libc.so"));
    entries.push(Entry::bytes("sbin/init", 0o755, script(kernel, &BOOT.replace("FILLER", FILLER))));
    entries.push(Entry::link("var", "tmp"));
    entries.extend(identity(kernel));
    Ok(entries)
}

/// The files that say which system this is.
fn identity(kernel: Kernel) -> Vec<Entry> {
    let (arch, target, release) = (kernel.openwrt_arch(), kernel.openwrt_target(), kernel.openwrt_release());
    let openwrt_release = format!(
        "DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='{release}'\nDISTRIB_REVISION='lab'\n\
         DISTRIB_TARGET='{target}'\nDISTRIB_ARCH='{arch}'\nDISTRIB_DESCRIPTION='OpenWrt {release} lab'\n\
         DISTRIB_TAINTS='no-all busybox'\n"
    );
    let os_release = format!(
        "NAME=\"OpenWrt\"\nVERSION=\"{release}\"\nID=\"openwrt\"\nID_LIKE=\"lede openwrt\"\n\
         PRETTY_NAME=\"OpenWrt {release}\"\nVERSION_ID=\"{release}\"\nBUILD_ID=\"lab\"\n\
         OPENWRT_BOARD=\"{target}\"\nOPENWRT_ARCH=\"{arch}\"\nOPENWRT_TAINTS=\"no-all busybox\"\n\
         OPENWRT_RELEASE=\"OpenWrt {release} lab\"\n"
    );
    let text = |name: &str, text: &str| Entry::bytes(name, 0o644, text);
    vec![
        text("etc/openwrt_release", &openwrt_release),
        text("etc/openwrt_version", &format!("{release}\n")),
        text("usr/lib/os-release", &os_release),
        Entry::link("etc/os-release", "../usr/lib/os-release"),
        text("etc/apk/arch", &format!("{arch}\n")),
        text("etc/passwd", "root:x:0:0:root:/root:/bin/ash\nnobody:*:65534:65534:nobody:/var:/bin/false\n"),
        text("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
        text("etc/shells", "/bin/ash\n"),
        text("etc/hosts", "127.0.0.1 localhost\n"),
        Entry::link("etc/mtab", "/proc/mounts"),
        Entry::link("etc/resolv.conf", "/tmp/resolv.conf"),
    ]
}

/// Lays the entries out in a folder, with their permissions whatever the umask.
fn unpack(entries: &[Entry], tree: &Path) -> Result<()> {
    fs::create_dir(tree)?;
    fs::set_permissions(tree, fs::Permissions::from_mode(0o755))?;
    for entry in entries {
        let path = tree.join(&entry.name);
        match &entry.node {
            Node::Dir => fs::create_dir(&path),
            Node::Link(target) => symlink(target, &path),
            Node::Bytes(bytes) => fs::write(&path, bytes),
            Node::Copy(from) => fs::copy(from, &path).map(|_| ()),
            Node::Fifo => Err(io::ErrorKind::Unsupported.into()),
        }
        .with_context(|| format!("make {}", path.display()))?;
        if !matches!(entry.node, Node::Link(_)) {
            fs::set_permissions(&path, fs::Permissions::from_mode(entry.mode))?;
        }
    }
    Ok(())
}
