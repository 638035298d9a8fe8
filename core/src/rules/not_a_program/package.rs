//! Packages: for this machine, or for another.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use super::super::Case;
use super::super::shown::Shown;
use super::super::words::{self, PackageManager};
use crate::candidate::package::{Format, Package};
use crate::finding::Finding;

pub(super) fn check(case: &Case<'_>, package: &Package) -> Finding {
    let manager = PackageManager::of(case.machine);
    let own = case.machine.openwrt().arch.get().map(String::as_str);
    let fits = package
        .arch
        .as_deref()
        .is_none_or(|arch| matches!(arch, "all" | "noarch") || own.is_none_or(|own| arch == own));
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
    let file = case.file();
    let arch = Shown(package.arch.as_deref().unwrap_or_default());
    let (name, own) = (Shown(package.name.as_deref().unwrap_or_default()), Shown(own.unwrap_or_default()));
    let manager_name = manager.map_or("", PackageManager::name);
    let title = match (is_of_manager, fits) {
        (true, true) => format!("{file} is {kind}, not a program"),
        (true, false) => format!("{file} is {kind} for {arch}, this machine takes {own}"),
        (false, _) => format!("{file} is {kind}, this machine's package manager is {manager_name}"),
    };
    let fix = fix(case, manager, package.format, fits);
    let manager = if is_of_manager { manager_name } else { "" };
    let kernel = case.unhandled(words::DATA_AS_SCRIPT);
    case.error(format_args!(
        "\
{title}
program: package={name}
program: architecture={arch}
machine: architecture={own}
machine: package manager={manager}
kernel:  {kernel}
fix:     {fix}"
    ))
}

fn fix(case: &Case<'_>, manager: Option<PackageManager>, format: Format, fits: bool) -> String {
    let argument = case.argument();
    let own = Shown(case.machine.openwrt().arch.get().map_or("", String::as_str));
    let take = |kind: &str| format!("take the {kind} package for {own} of this OpenWrt release");
    match (manager, format) {
        (Some(PackageManager::Opkg), Format::Ipk) if fits => {
            format!("install it:\nrun: opkg install {argument}")
        }
        (Some(PackageManager::Apk), Format::Apk3) if fits => install_apk(&argument),
        (Some(PackageManager::Apk), _) => take(".apk"),
        (Some(PackageManager::Opkg), _) => take(".ipk"),
        (None, Format::Deb) => format!("install it, as root:\nrun: dpkg -i {argument}"),
        (None, Format::Rpm) => format!("install it, as root:\nrun: rpm -i {argument}"),
        (None, Format::Apk2 | Format::Apk3) => install_apk(&argument),
        (None, Format::Ipk) => "install it on an OpenWrt machine:\nrun: opkg install FILE".to_owned(),
    }
}

fn install_apk(argument: &str) -> String {
    format!("install it:\nrun: apk add --allow-untrusted {argument}")
}
