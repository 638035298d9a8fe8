//! What a MIPS binary must be, to run on every MIPS router: MIPS32 R1 without FPU; of 64 bits R2, and no instruction for
//! an FPU either, though its C library is built for one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use object::{File, Object, ObjectSection};

use super::targets::Target;
use crate::{host, sh};

/// `fp_abi` of .MIPS.abiflags for soft float (Val_GNU_MIPS_ABI_FP_SOFT).
const FP_SOFT: u8 = 3;

/// Instructions of MIPS32 R2, which an R1 CPU refuses. `rdhwr` is one too, but Linux carries it out itself.
const R2: [&str; 16] = [
    "di", "ei", "ext", "ins", "jalr.hb", "jr.hb", "rdpgpr", "ror", "rorv", "rotr", "rotrv", "seb", "seh",
    "synci", "wrpgpr", "wsbh",
];

/// `binary` has a section table.
pub(crate) fn faults(target: &Target, binary: &Path) -> Result<Vec<String>> {
    let (isa, mut faults) = match target.bits {
        32 => ("isa32r2", abiflags(&fs::read(binary)?)?),
        _ => ("isa64r2", Vec::new()),
    };
    faults.extend(instructions(target, binary, isa)?);
    Ok(faults)
}

/// What the file says of itself.
fn abiflags(data: &[u8]) -> Result<Vec<String>> {
    let file = File::parse(data)?;
    let flags = file.section_by_name(".MIPS.abiflags").context("no section .MIPS.abiflags")?.data()?;
    // version (2 bytes), isa_level, isa_rev, gpr_size, cpr1_size, cpr2_size, fp_abi
    let &[_, _, isa_level, isa_rev, _, _, _, fp_abi, ..] = flags else {
        return Ok(vec![format!(".MIPS.abiflags has {} bytes", flags.len())]);
    };
    let mut faults = Vec::new();
    if (isa_level, isa_rev) != (32, 1) {
        faults.push(format!("abiflags: isa_level {isa_level} isa_rev {isa_rev}, wanted MIPS32 R1"));
    }
    if fp_abi != FP_SOFT {
        faults.push(format!("abiflags: fp_abi {fp_abi}, wanted {FP_SOFT}, soft float"));
    }
    Ok(faults)
}

/// What its code does, whatever it says of itself. objdump reads it as R2, or R2 would pass as data.
fn instructions(target: &Target, binary: &Path, isa: &str) -> Result<Vec<String>> {
    let objdump = format!("{}-objdump", target.binutils);
    host::ensure(&[(&objdump, &format!("binutils-{}", target.binutils))])?;
    let mut command = Command::new(&objdump);
    command.args(["-d", "-z", "-m", &format!("mips:{isa}"), "--no-show-raw-insn"]).arg(binary);
    let listing = sh::output(&mut command)?;
    let mut found: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let mut count = 0;
    for (address, mnemonic) in listing.lines().filter_map(instruction) {
        count += 1;
        if floating(mnemonic) || (target.bits == 32 && R2.contains(&mnemonic)) {
            found.entry(mnemonic).or_insert((0, address)).0 += 1;
        }
    }
    let mut faults: Vec<String> = found
        .iter()
        .map(|(mnemonic, (times, address))| {
            format!("{mnemonic} at {address} ({times} in all): not every {} has it", target.machine)
        })
        .collect();
    if count == 0 {
        faults.push(format!("{objdump} finds no code"));
    }
    Ok(faults)
}

/// Address and mnemonic of a line like `   22be0:\tlui\tgp,0x3`.
fn instruction(line: &str) -> Option<(&str, &str)> {
    let (address, rest) = line.split_once(":\t")?;
    Some((address.trim(), rest.split_whitespace().next()?))
}

/// `add.s`, `c.lt.d`, `lwc1`, `bc1t`, ...: all that coprocessor 1 does.
fn floating(mnemonic: &str) -> bool {
    let suffix = [".s", ".d", ".w", ".l", ".ps"].iter().any(|suffix| mnemonic.ends_with(suffix));
    let memory = ["lwc1", "swc1", "ldc1", "sdc1", "lwxc1", "swxc1", "ldxc1", "sdxc1"].contains(&mnemonic);
    let moves = ["mtc1", "mfc1", "dmtc1", "dmfc1", "mthc1", "mfhc1", "ctc1", "cfc1"].contains(&mnemonic);
    suffix || memory || moves || mnemonic.starts_with("bc1")
}

#[cfg(test)]
mod tests {
    use super::{floating, instruction};

    #[test]
    fn lines_of_objdump() {
        assert_eq!(instruction("   22be0:\tlui\tgp,0x3"), Some(("22be0", "lui")));
        assert_eq!(instruction("   22be4:\tnop"), Some(("22be4", "nop")));
        assert_eq!(instruction("Disassembly of section .text:"), None);
    }

    #[test]
    fn what_an_fpu_does() {
        for mnemonic in ["c.lt.d", "lwc1", "bc1t", "mtc1", "dmtc1"] {
            assert!(floating(mnemonic), "{mnemonic}");
        }
        for mnemonic in ["lui", "rdhwr", "movz", "teq", "sll"] {
            assert!(!floating(mnemonic), "{mnemonic}");
        }
    }
}
