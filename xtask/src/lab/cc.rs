//! zig as the `CC` of other people's makefiles.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::toolchain;

/// The triple that zig knows an architecture's soft-float programs by.
pub(super) fn triple(arch: &str) -> String {
    format!("{arch}-linux-musleabi")
}

/// Writes scripts `cc`, `ar` and `ranlib` into `dir`; gives make's arguments that name them. BusyBox asks its
/// linker for a map and for gossip, which zig refuses.
pub(super) fn for_make(arch: &str, dir: &Path) -> Result<Vec<String>> {
    let zig = toolchain::zig()?;
    let mut start = "#!/bin/sh\n".to_owned();
    for (name, value) in zig.get_envs() {
        let value = value.unwrap_or_default().to_string_lossy();
        writeln!(start, "export {}='{value}'", name.to_string_lossy())?;
    }
    let zig = zig.get_program().to_string_lossy().into_owned();
    let cc = format!(
        "for word; do\n    shift\n    case $word in\n    -Wl,--warn-common | -Wl,-Map,* | -Wl,--verbose) ;;\n    \
         *) set -- \"$@\" \"$word\" ;;\n    esac\ndone\nexec '{zig}' cc -target {} -w \"$@\"\n",
        triple(arch)
    );
    let scripts = [
        ("CC", "cc", cc),
        ("AR", "ar", format!("exec '{zig}' ar \"$@\"\n")),
        ("RANLIB", "ranlib", format!("exec '{zig}' ranlib \"$@\"\n")),
    ];
    let mut arguments = Vec::new();
    for (variable, name, body) in scripts {
        let script: PathBuf = dir.join(name);
        fs::write(&script, format!("{start}{body}"))?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        arguments.push(format!("{variable}={}", script.display()));
    }
    Ok(arguments)
}
