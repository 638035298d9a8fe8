//! Package managers, and what packages are called by each.
//!
//! Sources: the Makefiles of OpenWrt and its packages feed (24.10), Entware's, which leave out the ABI; Debian's and
//! Ubuntu's packages from stretch and xenial on; apk-tools' and RPM's `so:` and `()(64bit)` provides, which need no table.

mod debian;
mod openwrt;

use alloc::format;
use alloc::string::String;
use core::fmt::{self, Display, Formatter};

use super::super::Case;
use super::super::shown::{Quoted, Shown};
use super::{bytes, is_openwrt};
use crate::advice::targets::debian_arch;
use crate::candidate::Image;
use crate::elf::Class;
use crate::elf::consts::{EM_386, EM_ARM};
use crate::ldso::Library;
use crate::machine::gather;
use crate::machine::{Abi, Libc, Machine, parts};
use crate::path::{Path, is_below};
use crate::target::FileKind;

use debian::{DEBIAN, debian_package, is_debians_musl};
use openwrt::{INTERPRETERS, OPENWRT, openwrt_package};

/// Package managers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum PackageManager {
    /// OpenWrt's before 25.12.
    Opkg,
    /// OpenWrt's since.
    Apk,
    /// Entware's opkg, whose packages lie in /opt.
    Entware,
    /// Alpine's apk.
    Alpine,
    Apt,
    Dnf,
    Yum,
    Zypper,
    Pacman,
}

/// Managers by what ID or ID_LIKE of os-release(5) says.
static IDS: [(&str, PackageManager); 12] = [
    ("debian", PackageManager::Apt),
    ("ubuntu", PackageManager::Apt),
    ("raspbian", PackageManager::Apt),
    ("alpine", PackageManager::Alpine),
    ("fedora", PackageManager::Dnf),
    ("rhel", PackageManager::Dnf),
    ("centos", PackageManager::Dnf),
    ("amzn", PackageManager::Dnf),
    ("suse", PackageManager::Zypper),
    ("opensuse", PackageManager::Zypper),
    ("sles", PackageManager::Zypper),
    ("arch", PackageManager::Pacman),
];

impl PackageManager {
    /// The machine's own; None where nobody knows it. A snapshot of OpenWrt is a new one.
    pub(in crate::rules) fn of(machine: &Machine) -> Option<PackageManager> {
        if let Some(release) = machine.openwrt().release.get() {
            return Some(if release.as_str() < "25" { PackageManager::Opkg } else { PackageManager::Apk });
        }
        if !crate::ROUTER {
            if let Some(system) = gather::distribution(machine.target.root) {
                let found = IDS.iter().find(|(id, _)| system.ids.has(id)).map(|(_, manager)| *manager);
                return match found {
                    Some(PackageManager::Dnf)
                        if !has(machine, "/usr/bin/dnf") && has(machine, "/usr/bin/yum") =>
                    {
                        Some(PackageManager::Yum)
                    }
                    None if has(machine, ENTWARE) => Some(PackageManager::Entware),
                    found => found,
                };
            }
        }
        has(machine, ENTWARE).then_some(PackageManager::Entware)
    }

    /// The one whose packages the program uses: Entware's where it lies in /opt, or its loader does.
    pub(in crate::rules) fn of_program(case: &Case<'_>) -> Option<PackageManager> {
        let opt = Path::new("/opt");
        let is_entwares = bytes(&case.candidate.resolved).starts_with(b"/opt/bin/")
            || is_below(Path::new(case.interpreter_path()), opt);
        if is_entwares && has(case.machine, ENTWARE) {
            return Some(PackageManager::Entware);
        }
        PackageManager::of(case.machine)
    }

    pub(in crate::rules) const fn name(self) -> &'static str {
        match self {
            PackageManager::Opkg => "opkg",
            PackageManager::Apk | PackageManager::Alpine => "apk",
            PackageManager::Entware => ENTWARE,
            PackageManager::Apt => "apt",
            PackageManager::Dnf => "dnf",
            PackageManager::Yum => "yum",
            PackageManager::Zypper => "zypper",
            PackageManager::Pacman => "pacman",
        }
    }

    /// Its command that installs a package.
    pub(in crate::rules) const fn install(self) -> &'static str {
        match self {
            PackageManager::Opkg => "opkg install",
            PackageManager::Apk | PackageManager::Alpine => "apk add",
            PackageManager::Entware => "/opt/bin/opkg install",
            PackageManager::Apt => "apt install",
            PackageManager::Dnf => "dnf install",
            PackageManager::Yum => "yum install",
            PackageManager::Zypper => "zypper install",
            PackageManager::Pacman => "pacman -S",
        }
    }

    /// Its command that fetches the lists of packages, where it does not do so by itself, and what joins it to the next.
    pub(in crate::rules) const fn update(self) -> &'static str {
        match self {
            PackageManager::Opkg => "opkg update && ",
            PackageManager::Apk | PackageManager::Alpine => "apk update && ",
            PackageManager::Entware => "/opt/bin/opkg update && ",
            PackageManager::Apt => "apt update && ",
            _ => "",
        }
    }

    /// The package that has an interpreter of scripts under this very name; None where that is not sure.
    pub(in crate::rules) fn interpreter(self, name: &[u8]) -> Option<&'static str> {
        use PackageManager::{Alpine, Apk, Apt, Dnf, Entware, Opkg, Pacman, Yum};
        if matches!(self, Opkg | Apk | Entware) {
            return INTERPRETERS.iter().find(|known| known.as_bytes() == name).copied();
        }
        if crate::ROUTER {
            return None;
        }
        Some(match (name, self) {
            (b"bash", _) => "bash",
            (b"zsh", _) => "zsh",
            (b"perl", _) => "perl",
            (b"ruby", _) => "ruby",
            (b"python3" | b"python", Pacman) => "python",
            (b"python3", _) => "python3",
            (b"lua", Dnf | Yum | Pacman) => "lua",
            (b"lua", Apt) => "lua5.4",
            (b"node", Alpine | Apt | Dnf | Yum | Pacman) => "nodejs",
            (b"php", Apt | Dnf | Yum) => "php-cli",
            (b"php", Pacman) => "php",
            (b"dash", Alpine | Apt | Dnf | Pacman) => "dash",
            _ => return None,
        })
    }

    /// Whether another release of the system had a package of a library, and this one has not.
    pub(in crate::rules) fn had(case: &Case<'_>, soname: &[u8]) -> bool {
        let Some(manager) = PackageManager::of_program(case) else { return false };
        let is_known = match manager {
            PackageManager::Opkg | PackageManager::Apk | PackageManager::Entware => {
                OPENWRT.iter().any(|(known, ..)| known.as_bytes() == soname)
            }
            PackageManager::Apt if !crate::ROUTER => DEBIAN.iter().any(|row| row.soname.as_bytes() == soname),
            _ => return false,
        };
        is_known && manager.package(case, soname).is_none()
    }

    /// The C library of its packages.
    fn libc(self, machine: &Machine) -> Option<Libc> {
        match self {
            PackageManager::Entware => Some(Libc::Glibc),
            _ => machine.libc().value,
        }
    }
}

/// Entware's own.
const ENTWARE: &str = "/opt/bin/opkg";

fn has(machine: &Machine, path: &str) -> bool {
    let stat = machine.target.root.stat(Path::new(path));
    matches!(stat, Some(Ok(stat)) if stat.kind == FileKind::Regular)
}

/// What a program is built for, as [`Abi`]. An ARM program's loader tells its float ABI where its flags do not.
fn abi_of(image: &Image) -> Abi {
    let header = &image.header;
    let hard = if image.interp_path().ends_with(b"/ld-linux-armhf.so.3") { 0x400 } else { 0 };
    let e_flags = if header.e_machine == EM_ARM { header.e_flags | hard } else { header.e_flags };
    Abi { e_machine: header.e_machine, encoding: image.encoding, e_flags }
}

/// A command that installs what a program lacks, or that looks for it.
pub(in crate::rules) struct Install {
    command: String,
    is_sure: bool,
}

impl Display for Install {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command)
    }
}

impl Install {
    fn by(command: String) -> Install {
        Install { command, is_sure: true }
    }

    /// It names the package; else it looks for it.
    pub(in crate::rules) const fn is_sure(&self) -> bool {
        self.is_sure
    }

    /// Behind `run:`, the packages that have some libraries for a program of a C library; None where the machine's
    /// packages are no use to it.
    pub(in crate::rules) fn libraries(
        case: &Case<'_>,
        missing: &[&Library],
        libc: Option<Libc>,
    ) -> Option<Install> {
        let manager = PackageManager::of_program(case)?;
        let of_packages = manager.libc(case.machine);
        if libc.zip(of_packages).is_some_and(|(wanted, there)| wanted != there) {
            return None;
        }
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-+".contains(byte);
        let (mut packages, mut unknown) = (String::new(), None);
        for library in missing.iter().take(8).filter(|library| !is_bundled(&library.name)) {
            let name = library.name.as_slice();
            if name.starts_with(b"-") || !name.iter().all(plain) {
                continue;
            }
            let Some(package) = manager.package(case, name) else {
                unknown = unknown.or(Some(name));
                continue;
            };
            if parts(packages.as_bytes(), b' ').all(|known| known != package.as_bytes()) {
                packages.push(' ');
                packages.push_str(&package);
            }
        }
        if packages.is_empty() {
            return Some(Install { command: manager.search(unknown?)?, is_sure: false });
        }
        let before = match other_debian_arch(case) {
            Some(arch) if !crate::ROUTER && manager == PackageManager::Apt => enable(arch),
            _ => String::new(),
        };
        Some(Install::by(format!("{before}{}{packages}", manager.install())))
    }

    /// A package of Debian's for what the program is built for.
    fn on_debian(case: &Case<'_>, package: &str) -> Install {
        match other_debian_arch(case) {
            Some(arch) => Install::by(format!("{}apt install {package}:{arch}", enable(arch))),
            None => Install::by(format!("apt install {package}")),
        }
    }

    /// What brings the loader that a program names; None where no package of the machine's does.
    pub(in crate::rules) fn loader(case: &Case<'_>, image: &Image) -> Option<Install> {
        if crate::ROUTER || is_openwrt(case.machine) {
            return None;
        }
        let (wanted, own) = (image.interp_libc()?, case.machine.libc().value);
        let path = image.interp_path();
        let is_usual = |names: &[&str]| names.iter().any(|name| name.as_bytes() == path);
        match PackageManager::of(case.machine)? {
            PackageManager::Apt => {
                let arch = debian_arch(abi_of(image))?;
                let is_raspbian = gather::distribution(case.machine.target.root)
                    .is_some_and(|system| system.ids.iter().next() == Some("raspbian"));
                match wanted {
                    // It has armhf only.
                    _ if is_raspbian && arch != "armhf" => None,
                    Libc::Glibc if path.starts_with(b"/lib") => Some(Install::on_debian(case, "libc6")),
                    // Its library for the machine's own architecture.
                    Libc::Musl if other_debian_arch(case).is_none() && is_debians_musl(arch, path) => {
                        Some(Install::on_debian(case, "musl"))
                    }
                    _ => None,
                }
            }
            // It has a loader of glibc's name for these.
            PackageManager::Alpine if wanted == Libc::Glibc && own == Some(Libc::Musl) => {
                let gcompat = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];
                is_usual(&gcompat).then(|| Install::by(String::from("apk add gcompat")))
            }
            PackageManager::Dnf | PackageManager::Yum
                if wanted == Libc::Glibc && image.header.e_machine == EM_386 =>
            {
                let install = PackageManager::of(case.machine)?.install();
                Some(Install::by(format!("{install} glibc.i686")))
            }
            _ => None,
        }
    }

    /// The command that makes a loader of glibc's look in another folder, from now on.
    pub(in crate::rules) fn for_ldconfig(case: &Case<'_>, folder: &[u8]) -> Install {
        let listed = case.machine.target.root.stat(Path::new("/etc/ld.so.conf.d"));
        let has_folder = matches!(listed, Some(Ok(stat)) if stat.kind == FileKind::Directory);
        // Debian's libc.conf and Fedora's default have it.
        if has_folder && folder == b"/usr/local/lib" {
            return Install::by(String::from("ldconfig"));
        }
        let file = if has_folder { "> /etc/ld.so.conf.d/local.conf" } else { ">> /etc/ld.so.conf" };
        Install::by(format!("echo {} {file} && ldconfig", Quoted(Path::new(folder))))
    }
}

impl PackageManager {
    /// The word by which it installs what has a library; None where that is not sure.
    fn package(self, case: &Case<'_>, name: &[u8]) -> Option<String> {
        use PackageManager::{Alpine, Apk, Apt, Dnf, Entware, Opkg, Pacman, Yum, Zypper};
        match self {
            Opkg | Apk | Entware => {
                let (package, abi) = openwrt_package(self, case.machine, name)?;
                Some(format!("{package}{abi}"))
            }
            _ if crate::ROUTER => None,
            // Packages provide what they have in them under these names.
            Alpine => Some(format!("so:{}", Shown(name))),
            Dnf | Yum | Zypper => {
                let is_64 = case.image.is_some_and(|image| image.encoding.class == Class::Elf64);
                let bits = if is_64 { "()(64bit)" } else { "" };
                Some(format!("'{}{bits}'", Shown(name)))
            }
            Apt => {
                let system = gather::distribution(case.machine.target.root)?;
                let package = debian_package(&system, name)?;
                Some(match other_debian_arch(case) {
                    Some(arch) => format!("{package}:{arch}"),
                    None => package,
                })
            }
            Pacman => None,
        }
    }

    /// Its command that tells what has a library.
    fn search(self, name: &[u8]) -> Option<String> {
        // "libssl" of libssl.so.1.1, "libevent-2" of libevent-2.1.so.7.
        let stem = Shown(parts(name, b'.').next().unwrap_or_default());
        let name = Shown(name);
        Some(match self {
            PackageManager::Opkg | PackageManager::Apk | PackageManager::Entware => {
                let search = if self == PackageManager::Apk { "search" } else { "find" };
                format!("{} {search} '{stem}*'", self.name())
            }
            _ if crate::ROUTER => return None,
            PackageManager::Apt => format!("apt-file search {name}"),
            PackageManager::Pacman => format!("pacman -Fy {name}"),
            _ => return None,
        })
    }
}

/// Debian's packages for another architecture.
fn enable(arch: &str) -> String {
    format!("dpkg --add-architecture {arch} && apt update && ")
}

/// The program's architecture, where it is another than that of the machine's programs.
fn other_debian_arch(case: &Case<'_>) -> Option<&'static str> {
    let wanted = debian_arch(abi_of(case.image?))?;
    let own = case.machine.userland().get().and_then(|abi| debian_arch(*abi));
    (own != Some(wanted)).then_some(wanted)
}

/// Whether a name was given by a tool that bundles libraries with a program: a hash stands before its end
/// (auditwheel's libgcc_s-998f13c4.so.1, delocate's and delvewheel's likewise).
pub(in crate::rules) fn is_bundled(soname: &[u8]) -> bool {
    if crate::ROUTER {
        return false;
    }
    let stem = soname.split(|byte| *byte == b'.').next().unwrap_or_default();
    let hash = stem.rsplit(|byte| *byte == b'-').next().unwrap_or_default();
    let is_hash = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    hash.len() != stem.len()
        && matches!(hash.len(), 8 | 12 | 32)
        && hash.iter().all(is_hash)
        && hash.iter().any(u8::is_ascii_digit)
}
