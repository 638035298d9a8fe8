//! What surrounds a start, where that alone ends it: the finding names it, and the cure is to take it away.

use core::ffi::CStr;

use super::super::{Case, Code};
use super::shown::Shown;
use crate::finding::Found;
use crate::ldso::Setting;
use crate::text;

/// Findings of a loader's.
const OF_LOADERS: [Code; 6] = [
    Code::LibraryMissing,
    Code::LibraryUnusable,
    Code::VersionMissing,
    Code::SymbolMissing,
    Code::RelocationUnknown,
    Code::DamagedTables,
];

/// Names what is to blame for a finding of a loader's.
pub(in crate::rules) fn blame(case: &Case<'_>, finding: &mut Found) {
    let Some(link) = case.link else { return };
    let Some(setting) = link.blamed else { return };
    if !OF_LOADERS.contains(&finding.code) {
        return;
    }
    if crate::ROUTER {
        let value = case.machine.target.kernel.variable(c"LD_LIBRARY_PATH").unwrap_or_default();
        finding.fix = None;
        return finding.tell(format_args!(
            "\
machine: LD_LIBRARY_PATH={}
fix: start it without
run: unset LD_LIBRARY_PATH",
            Shown(&value)
        ));
    }
    let preloaded = link.needed().find(|library| library.preloaded);
    let is_preload = matches!(setting, Setting::Preload | Setting::PreloadFile);
    // Then its title says it.
    if is_preload && finding.code == Code::LibraryMissing {
        return;
    }
    let file = if setting == Setting::PathFile { link.path_file.as_slice() } else { b"/etc/ld.so.preload" };
    let name = setting.variable().map_or(file, CStr::to_bytes);
    finding.title.push_str(", because of ");
    finding.title.push_str(&text::name(name));
    // That file lacks a folder: its own cure has it written there.
    if setting == Setting::PathFile && finding.code == Code::LibraryMissing {
        return;
    }
    finding.fix = None;
    let name = Shown(name);
    if let Some(variable) = setting.variable() {
        let value = case.machine.target.kernel.variable(variable).unwrap_or_default();
        let value = Shown(&value);
        finding.tell(format_args!(
            "\
machine: {name}={value}
fix:     start it without {name}
run:     unset {name}
run:     {name}= {program}",
            program = case.argument()
        ));
    } else if let Some(library) = preloaded {
        finding.tell(format_args!("fix: take {} out of {name}", Shown(&library.name)));
    } else {
        finding.tell(format_args!(
            "fix: take the folder out of {name}: with those of musl's own (/lib:/usr/local/lib:/usr/lib) it starts"
        ));
    }
}
