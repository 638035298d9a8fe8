//! A binary's code as objdump reads it.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::targets::Target;
use crate::{host, sh};

/// One instruction.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instruction<'a> {
    pub(super) address: &'a str,
    pub(super) mnemonic: &'a str,
}

impl<'a> Instruction<'a> {
    /// Of a line like `   22be0:\tlui\tgp,0x3`.
    pub(super) fn parse(line: &'a str) -> Option<Instruction<'a>> {
        let (address, rest) = line.split_once(":\t")?;
        Some(Instruction { address: address.trim(), mnemonic: rest.split_whitespace().next()? })
    }
}

/// objdump's listing of a binary with a section table, read as code for a CPU (`mips:isa32r2`).
pub(super) fn listing(target: &Target, binary: &Path, cpu: &str) -> Result<String> {
    let objdump = format!("{}-objdump", target.binutils);
    host::ensure(&[(&objdump, &format!("binutils-{}", target.binutils))])?;
    let mut command = Command::new(&objdump);
    command.args(["-d", "-z", "-m", cpu, "--no-show-raw-insn"]).arg(binary);
    let listing = sh::output(&mut command)?;
    ensure!(listing.lines().any(|line| Instruction::parse(line).is_some()), "{objdump} finds no code");
    Ok(listing)
}

/// One sentence for each mnemonic that not every such CPU has.
pub(super) fn foreign(target: &Target, listing: &str, is_foreign: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found: Vec<(Instruction<'_>, usize)> = Vec::new();
    for instruction in listing.lines().filter_map(Instruction::parse) {
        match found.iter_mut().find(|(known, _)| known.mnemonic == instruction.mnemonic) {
            Some((_, times)) => *times += 1,
            None if is_foreign(instruction.mnemonic) => found.push((instruction, 1)),
            None => {}
        }
    }
    let said = |(Instruction { address, mnemonic }, times)| {
        format!("{mnemonic} at {address} ({times} in all): not every {} has it", target.machine)
    };
    found.into_iter().map(said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_objdump() {
        let lui = Instruction { address: "22be0", mnemonic: "lui" };
        assert_eq!(Instruction::parse("   22be0:\tlui\tgp,0x3"), Some(lui));
        let nop = Instruction { address: "22be4", mnemonic: "nop" };
        assert_eq!(Instruction::parse("   22be4:\tnop"), Some(nop));
        assert_eq!(Instruction::parse("Disassembly of section .text:"), None);
    }

    #[test]
    fn each_mnemonic_is_told_once() {
        let target = &crate::targets::TARGETS[0];
        let listing = "  10:\tlwc1\tf0\n  14:\tnop\n  18:\tlwc1\tf2\n";
        let told = foreign(target, listing, |mnemonic| mnemonic == "lwc1");
        assert_eq!(told, ["lwc1 at 10 (2 in all): not every big-endian MIPS has it"]);
    }
}
