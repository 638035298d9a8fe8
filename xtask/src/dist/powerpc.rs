//! What a PowerPC binary must be, to run on every 32-bit PowerPC that OpenWrt has (405, 440, 464fp, e500v1, e500v2): no
//! FPU, no `lwsync`, and no reservation that a fence undoes.

use std::path::Path;

use anyhow::Result;

use super::code::{self, Instruction};
use crate::targets::Target;

/// A fence of any kind.
const FENCES: [&str; 7] = ["sync", "msync", "hwsync", "lwsync", "isync", "eieio", "mbar"];

/// What only some of them have.
const OPTIONAL: [&str; 5] = ["lwsync", "ptesync", "isel", "popcntw", "cmpb"];

/// `binary` has a section table.
pub(super) fn faults(target: &Target, binary: &Path) -> Result<Vec<String>> {
    let listing = code::listing(target, binary, "powerpc:common")?;
    let mut faults =
        code::foreign(target, &listing, |mnemonic| floating(mnemonic) || OPTIONAL.contains(&mnemonic));
    faults.extend(lost_reservations(&listing));
    Ok(faults)
}

fn floating(mnemonic: &str) -> bool {
    ["f", "lf", "stf", "mffs", "mtfs", "mcrfs", "ev"].iter().any(|start| mnemonic.starts_with(start))
}

/// Each `stwcx.` with a fence between it and the `lwarx` before: the e500 loses the reservation at a fence, so that a
/// weak compare-and-swap never succeeds.
fn lost_reservations(listing: &str) -> Vec<String> {
    let mut fence = None;
    let mut lost = Vec::new();
    for Instruction { address, mnemonic } in listing.lines().filter_map(Instruction::parse) {
        match mnemonic {
            "lwarx" => fence = None,
            "stwcx." => lost.extend(
                fence.map(|fence| format!("{fence} before the stwcx. at {address}: an e500 never stores")),
            ),
            _ if FENCES.contains(&mnemonic) => fence = Some(mnemonic),
            _ => {}
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_fpu_and_its_registers() {
        for mnemonic in ["fmr", "lfd", "stfdu", "mffs", "evldd"] {
            assert!(floating(mnemonic), "{mnemonic}");
        }
        for mnemonic in ["lwz", "stw", "mflr", "mtctr", "extsb"] {
            assert!(!floating(mnemonic), "{mnemonic}");
        }
    }

    #[test]
    fn a_fence_within_a_reservation() {
        let weak = "10:\tlwarx\tr3,0,r4\n14:\tcmpw\tr3,r5\n18:\tmsync\n1c:\tstwcx.\tr6,0,r4\n";
        assert_eq!(lost_reservations(weak), ["msync before the stwcx. at 1c: an e500 never stores"]);
        let strong = "0c:\tmsync\n10:\tlwarx\tr3,0,r4\n14:\tcmpw\tr3,r5\n1c:\tstwcx.\tr6,0,r4\n20:\tisync\n";
        assert_eq!(lost_reservations(strong), [""; 0]);
    }
}
