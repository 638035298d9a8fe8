//! What a program for Windows promises.

use anyhow::{Context, Result};
use object::LittleEndian as LE;
use object::pe::{IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE, IMAGE_DLLCHARACTERISTICS_NX_COMPAT};
use object::pe::{IMAGE_FILE_MACHINE_AMD64, IMAGE_SUBSYSTEM_WINDOWS_CUI};
use object::read::pe::PeFile64;

/// The libraries that each Windows from 10 on has.
fn is_of_windows(library: &str) -> bool {
    let library = library.to_ascii_lowercase();
    let known =
        ["kernel32.dll", "ntdll.dll", "bcryptprimitives.dll", "userenv.dll", "ws2_32.dll", "dbghelp.dll"];
    known.contains(&library.as_str()) || library.starts_with("api-ms-win-")
}

/// One sentence for each that is broken.
pub(super) fn faults(data: &[u8]) -> Result<Vec<String>> {
    let file = PeFile64::parse(data).context("no program for Windows")?;
    let (header, optional) = (&file.nt_headers().file_header, &file.nt_headers().optional_header);
    let mut faults = Vec::new();
    if header.machine.get(LE) != IMAGE_FILE_MACHINE_AMD64 {
        faults.push("it is not for x86-64".to_owned());
    }
    if optional.subsystem.get(LE) != IMAGE_SUBSYSTEM_WINDOWS_CUI {
        faults.push("it is no program for a console".to_owned());
    }
    let has = optional.dll_characteristics.get(LE);
    for (flag, what) in [
        (IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE, "a random address"),
        (IMAGE_DLLCHARACTERISTICS_NX_COMPAT, "data that is not executed"),
    ] {
        if !has.contains(flag) {
            faults.push(format!("it does without {what}"));
        }
    }
    let table = file.import_table()?.context("it takes nothing of Windows")?;
    let mut libraries = table.descriptors()?;
    while let Some(library) = libraries.next()? {
        let name = String::from_utf8_lossy(table.name(library.name.get(LE))?).into_owned();
        if !is_of_windows(&name) {
            faults.push(format!("it needs {name}"));
        }
    }
    Ok(faults)
}
