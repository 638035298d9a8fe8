//! Packages: for this machine, or for another.
use alloc::string::String;

use super::super::Case;
use super::super::shown::Shown;
use super::super::words::{self, PackageManager};
use crate::candidate::package::{Format, Package};
use crate::finding::Found;

pub(super) fn check(case: &Case<'_>, package: &Package) -> Found {
    let manager = PackageManager::of(case.machine).filter(|_| words::is_openwrt(case.machine));
    let own = case.machine.openwrt().arch.get().map(String::as_str);
    let fits = package
        .arch
        .as_deref()
        .is_none_or(|arch| own.is_none_or(|own| ["all", "noarch", own].contains(&arch)));
    let is_of_manager = matches!(
        (manager, package.format),
        (Some(PackageManager::Opkg), Format::Ipk) | (Some(PackageManager::Apk), Format::Apk3) | (None, _)
    );
    let kind = match package.format {
        Format::Ipk => "an OpenWrt package (.ipk)",
        Format::Apk2 => "an Alpine package (.apk)",
        Format::Apk3 => "an apk package (.apk)",
        Format::Deb => "a Debian package (.deb)",
        Format::Rpm => "an RPM package",
    };
    let arch = Shown(package.arch.as_deref().unwrap_or_default());
    let (name, own) = (Shown(package.name.as_deref().unwrap_or_default()), Shown(own.unwrap_or_default()));
    let manager_name = manager.map_or("", PackageManager::name);
    let mut finding = match (is_of_manager, fits) {
        (true, true) => case.error(format_args!("is {kind}, not a program")),
        (true, false) => case.error(format_args!("is {kind} for {arch}, this machine takes {own}")),
        (false, _) => case.error(format_args!("is {kind}, this machine's package manager is {manager_name}")),
    };
    finding.tell(format_args!(
        "\
program: package={name}
program: architecture={arch}
machine: architecture={own}
machine: package manager={manager}
kernel:  {kernel}",
        manager = if is_of_manager { manager_name } else { "" },
        kernel = case.unhandled(words::DATA_AS_SCRIPT),
    ));
    let (how, command) = match (manager, package.format) {
        (Some(PackageManager::Opkg), Format::Ipk) if fits => ("", "opkg install"),
        (Some(PackageManager::Apk), Format::Apk3) if fits => ("", "apk add --allow-untrusted"),
        (Some(manager), _) => {
            let kind = if manager == PackageManager::Apk { ".apk" } else { ".ipk" };
            finding.tell(format_args!("fix: take the {kind} package for {own} of this OpenWrt release"));
            return finding;
        }
        (None, Format::Deb) => (", as root", "dpkg -i"),
        (None, Format::Rpm) => (", as root", "rpm -i"),
        (None, Format::Apk2 | Format::Apk3) => ("", "apk add --allow-untrusted"),
        (None, Format::Ipk) => {
            finding.tell(format_args!("fix: install it on an OpenWrt machine:\nrun: opkg install FILE"));
            return finding;
        }
    };
    finding.tell(format_args!("fix: install it{how}:\nrun: {command} {}", case.argument()));
    finding
}
