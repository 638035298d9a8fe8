//! Packages: for this machine, or for another.

use super::super::Case;
use super::super::words::{self, PackageManager};
use crate::candidate::package::{Format, Package};
use crate::finding::{Finding, Severity};

const TITLE: &str = "%n is %0, not a program";
const FOREIGN: &str = "%n is %0 for %1, this machine takes %2";
const OTHER_MANAGER: &str = "%n is %0, this machine's package manager is %4";
const NAME: &str = "p package=%3";
const ARCH: &str = "p architecture=%1";
const OWN: &str = "m architecture=%2";
const MANAGER: &str = "m package manager=%4";
const OPKG: &str = "> install it:\n$ opkg install %f";
const APK: &str = "> install it:\n$ apk add --allow-untrusted %f";
const DPKG: &str = "> install it, as root:\n$ dpkg -i %f";
const RPM: &str = "> install it, as root:\n$ rpm -i %f";
const ON_OPENWRT: &str = "> install it on an OpenWrt machine:\n$ opkg install FILE";
const TAKE_IPK: &str = "> take the .ipk package for %2 of this OpenWrt release";
const TAKE_APK: &str = "> take the .apk package for %2 of this OpenWrt release";

pub(super) fn check(case: &Case<'_>, package: &Package) -> Finding {
    let (arch, name) = (package.arch.as_deref(), package.name.as_deref());
    let own = case.machine.openwrt.arch.get().map(String::as_str);
    let manager = PackageManager::of(case.machine);
    let fits = arch.is_none_or(|arch| matches!(arch, "all" | "noarch") || own.is_none_or(|own| arch == own));
    let given = |fact: Option<&str>, words| if fact.is_some() { words } else { "" };
    let kind = match package.format {
        Format::Ipk => "an OpenWrt package (.ipk)",
        Format::Apk2 => "an Alpine package (.apk)",
        Format::Apk3 => "an apk package (.apk)",
        Format::Deb => "a Debian package (.deb)",
        Format::Rpm => "an RPM package",
    };
    let is_of_manager = matches!(
        (manager, package.format),
        (Some(PackageManager::Opkg), Format::Ipk) | (Some(PackageManager::Apk), Format::Apk3) | (None, _)
    );
    let title = match (is_of_manager, fits) {
        (true, true) => TITLE,
        (true, false) => FOREIGN,
        (false, _) => OTHER_MANAGER,
    };
    let manager_line = if is_of_manager && manager.is_some() { MANAGER } else { "" };
    let fix = match (manager, package.format) {
        (Some(PackageManager::Opkg), Format::Ipk) if fits => OPKG,
        (Some(PackageManager::Apk), Format::Apk3) if fits => APK,
        (Some(PackageManager::Apk), _) => TAKE_APK,
        (Some(_), _) => TAKE_IPK,
        (None, Format::Deb) => DPKG,
        (None, Format::Rpm) => RPM,
        (None, Format::Apk2 | Format::Apk3) => APK,
        (None, Format::Ipk) => ON_OPENWRT,
    };
    case.tell(
        Severity::Error,
        &[
            title,
            case.unhandled(words::DATA_AS_SCRIPT),
            given(name, NAME),
            given(arch, ARCH),
            given(own, OWN),
            manager_line,
            fix,
        ],
        &[
            &kind,
            &arch.unwrap_or_default(),
            &own.unwrap_or_default(),
            &name.unwrap_or_default(),
            &manager.map_or("", PackageManager::name),
        ],
    )
}
