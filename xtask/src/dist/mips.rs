//! What a MIPS binary must be, to run on every MIPS router: MIPS32 R1 without FPU; of 64 bits R2, and no instruction for
//! an FPU either, though its C library is built for one.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use object::{File, Object, ObjectSection};

use super::code;
use crate::targets::Target;

/// Where in .MIPS.abiflags (Elf_Internal_ABIFlags_v0) its bytes are.
const ISA_LEVEL: usize = 2;
const ISA_REV: usize = 3;
const CPR1_SIZE: usize = 5;
const FP_ABI: usize = 7;
/// `fp_abi` for soft float (Val_GNU_MIPS_ABI_FP_SOFT).
const FP_SOFT: u8 = 3;

/// Instructions of MIPS32 R2, which an R1 CPU refuses. `rdhwr` is one too, but Linux carries it out itself.
const R2: [&str; 16] = [
    "di", "ei", "ext", "ins", "jalr.hb", "jr.hb", "rdpgpr", "ror", "rorv", "rotr", "rotrv", "seb", "seh",
    "synci", "wrpgpr", "wsbh",
];

/// Objects of n64 up to 256 bytes, constants too, are reached from $gp (the psABI's small data; above 256 nothing is won).
/// Only the last step can have it: LLVM cannot select a floating-point constant there (`fma` of compiler_builtins).
pub(super) const SMALL_DATA: &str = "-Cllvm-args=-mgpopt -mips-ssection-threshold=256 -mextern-sdata=0";

/// `binary` has a section table.
pub(super) fn faults(target: &Target, binary: &Path) -> Result<Vec<String>> {
    let isa = (target.bits, if target.bits == 32 { 1 } else { 2 });
    let mut data = fs::read(binary)?;
    let flags = abiflags(&mut data)?;
    let mut faults = Vec::new();
    if (flags[ISA_LEVEL], flags[ISA_REV]) != isa {
        let (level, rev) = (flags[ISA_LEVEL], flags[ISA_REV]);
        faults.push(format!("abiflags: MIPS{level} R{rev}, wanted MIPS{} R{}", isa.0, isa.1));
    }
    if flags[FP_ABI] != FP_SOFT {
        faults.push(format!("abiflags: fp_abi {}, wanted {FP_SOFT}, soft float", flags[FP_ABI]));
    }
    // As R2, or R2 would pass as data.
    let listing = code::listing(target, binary, &format!("mips:isa{}r2", target.bits))?;
    faults.extend(code::foreign(target, &listing, |mnemonic| {
        floating(mnemonic) || (target.bits == 32 && R2.contains(&mnemonic))
    }));
    Ok(faults)
}

/// Has a build say that it needs no FPU, which [`faults`] makes sure of: its C library says that it was built for one.
pub(super) fn needs_no_fpu(elf: &mut [u8]) -> Result<()> {
    let flags = abiflags(elf)?;
    (flags[CPR1_SIZE], flags[FP_ABI]) = (0, FP_SOFT);
    Ok(())
}

/// What the file says of itself.
fn abiflags(elf: &mut [u8]) -> Result<&mut [u8; 24]> {
    let (at, len) = {
        let file = File::parse(&*elf)?;
        let section = file.section_by_name(".MIPS.abiflags").context("no section .MIPS.abiflags")?;
        section.file_range().context("the section .MIPS.abiflags is not in the file")?
    };
    let at = usize::try_from(at)?;
    let flags = elf.get_mut(at..).and_then(|rest| rest.first_chunk_mut());
    flags.filter(|_| len == 24).with_context(|| format!(".MIPS.abiflags has {len} bytes at {at}"))
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
    use super::floating;

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
