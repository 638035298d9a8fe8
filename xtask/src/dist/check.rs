//! What a router binary promises, checked on the file itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use object::elf::{EM_MIPS, EM_PPC, ET_EXEC, FileHeader32, FileHeader64, PT_DYNAMIC, PT_INTERP};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endian, Endianness};

use super::build::{self, Built};
use super::{explain, launcher, memory, mips, powerpc};
use crate::targets::Target;
use crate::{gates, host, openwrt, package, sh, toolchain};

/// One sentence for each promise that the binary breaks.
pub(crate) fn faults(target: &Target, built: &Built) -> Result<Vec<String>> {
    let binary = &built.binary;
    let data = fs::read(binary).with_context(|| format!("read {}", binary.display()))?;
    let mut faults = header(target, &data)?;
    faults.extend(paths(&data)?);
    if target.router {
        faults.extend(match target.e_machine {
            EM_MIPS => mips::faults(target, &built.plain)?,
            EM_PPC => powerpc::faults(target, &built.plain)?,
            _ => Vec::new(),
        });
    }
    faults.extend(tools(target, binary)?);
    faults.extend(script(target, binary)?);
    faults.extend(run(target, binary)?);
    faults.extend(memory::faults(target, binary)?);
    Ok(faults.into_iter().map(|fault| format!("{}: {fault}", target.name)).collect())
}

/// What a build costs those who take it, in a line, and a sentence for each gate that it is over. A build for no router
/// has no gate.
pub(crate) fn cost(target: &Target, binary: &Path) -> Result<(String, Vec<String>)> {
    let flat = fs::metadata(binary).with_context(|| format!("read {}", binary.display()))?.len();
    if !target.router {
        return Ok((format!("{}: {} bytes", target.name, gates::thousands(flat)), Vec::new()));
    }
    let archs: Vec<_> = openwrt::of_build(target.name).collect();
    let is_n64 = target.e_machine == object::elf::EM_MIPS && target.bits == 64;
    let gate = if is_n64 { gates::FLAT_N64 } else { gates::FLAT };
    let costs = [(gates::PACKAGE, package::largest(binary, &archs)?), (gate, flat)];
    let said = costs.map(|(gate, amount)| gate.of(amount)).join(", ");
    let faults = costs.iter().filter_map(|(gate, amount)| gate.fault(*amount));
    let faults = faults.map(|fault| format!("{}: {fault}", target.name)).collect();
    Ok((format!("{}: {said}", target.name), faults))
}

fn header(target: &Target, data: &[u8]) -> Result<Vec<String>> {
    match data.get(4) {
        Some(1) => elf::<FileHeader32<Endianness>>(target, data),
        Some(2) => elf::<FileHeader64<Endianness>>(target, data),
        _ => Ok(vec!["not an ELF file".to_owned()]),
    }
}

fn elf<Elf: FileHeader<Endian = Endianness>>(target: &Target, data: &[u8]) -> Result<Vec<String>> {
    let header = Elf::parse(data)?;
    let order = header.endian()?;
    let mut faults = Vec::new();
    let bits = if header.is_class_64() { 64 } else { 32 };
    if bits != target.bits || order.is_big_endian() != target.big_endian {
        faults.push(format!("ELF{bits} {order:?}-endian is not what {} means", target.triple));
    }
    let (kind, machine) = (header.e_type(order), header.e_machine(order));
    if machine != target.e_machine {
        faults.push(format!("e_machine {machine}, wanted {}", target.e_machine));
    }
    if kind != ET_EXEC {
        faults.push(format!("e_type {kind}, wanted ET_EXEC"));
    }
    for segment in header.program_headers(order, data)? {
        match segment.p_type(order) {
            PT_INTERP => faults.push("PT_INTERP: it wants a loader that a router may not have".to_owned()),
            PT_DYNAMIC => faults.push("PT_DYNAMIC: not linked statically".to_owned()),
            _ => {}
        }
    }
    Ok(faults)
}

/// Folders of this computer in the file: they say who built it, and make it another file elsewhere.
pub(super) fn paths(data: &[u8]) -> Result<Vec<String>> {
    let folders = [sh::root(), sh::target("")?, build::cargo_home()?, toolchain::sysroot()?];
    let holds = |folder: &Path| {
        let folder = folder.as_os_str().as_encoded_bytes();
        data.windows(folder.len().max(1)).any(|window| window == folder)
    };
    let found = folders.iter().filter(|folder| holds(folder));
    Ok(found.map(|folder| format!("the path {} is in the file", folder.display())).collect())
}

/// What people look at it with takes it for the program that it is.
fn tools(target: &Target, binary: &Path) -> Result<Vec<String>> {
    host::ensure(&[("readelf", "binutils"), ("file", "file")])?;
    let readelf = Command::new("readelf").args(["-hlW"]).arg(binary).output().context("start readelf")?;
    let file = sh::output(Command::new("file").arg("-b").arg(binary))?;
    let mut faults = Vec::new();
    if !readelf.status.success() || !readelf.stderr.is_empty() {
        let said = String::from_utf8_lossy(&readelf.stderr);
        faults.push(format!("readelf -hl: {}: {}", readelf.status, said.trim()));
    }
    let order = if target.big_endian { "MSB" } else { "LSB" };
    let wanted = format!("ELF {}-bit {order} executable, ", target.bits);
    if !file.starts_with(&wanted) || !file.contains("statically linked") {
        faults.push(format!("file says {:?}, not {wanted:?}...", file.trim()));
    }
    Ok(faults)
}

/// Where a kernel refuses it, the shell reads it as a script.
fn script(target: &Target, binary: &Path) -> Result<Option<String>> {
    explain::verify(target, &fs::read(binary)?)?;
    let output = Command::new("sh").arg(binary).output().context("start sh")?;
    let wanted = explain::sentence(target) + "\n";
    let right =
        output.status.code() == Some(126) && output.stderr == wanted.as_bytes() && output.stdout.is_empty();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    Ok((!right).then(|| format!("`sh {}`: {}, {said:?}", target.name, output.status)))
}

/// Runs it as each of the weakest CPUs that it is for: it says its version, and that it starts itself.
fn run(target: &Target, binary: &Path) -> Result<Vec<String>> {
    let (qemu, cpus) = target.qemu;
    host::ensure(&[(qemu, "qemu-user")])?;
    let mut faults = Vec::new();
    // Short, for a long line is wrapped.
    let name = format!("./{}", target.name);
    let folder = binary.parent().context("a build in no folder")?;
    let wanted = [
        ("--version", format!("diag {}\n", launcher::version()?)),
        (&name, format!("{name} starts on this machine\n")),
    ];
    for cpu in cpus {
        for (argument, wanted) in &wanted {
            let mut command = Command::new(qemu);
            command.args(["-cpu", cpu]).arg(binary).arg(argument).current_dir(folder);
            let output = command.output().context("start qemu")?;
            let said = String::from_utf8_lossy(&output.stdout);
            if !output.status.success() || !said.starts_with(wanted.as_str()) {
                faults.push(format!("{command:?}: {}, {said:?}, not {wanted:?}", output.status));
            }
        }
    }
    Ok(faults)
}
