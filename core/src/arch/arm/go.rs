//! GOARM and GOARM64 (go.dev/wiki/GoArm; internal/buildcfg/cfg.go `goarm`, `ParseGoarm64`) against the processor.

use super::exec::{HWCAP_VFP, HWCAP_VFPV3, hwcap};
use crate::candidate::go::Code;
use crate::candidate::{Go, Image};
use crate::elf::consts::EM_AARCH64;
use crate::exec::go::{GoEnd, GoLacks, level_of};
use crate::machine::{Machine, lists};

/// runtime/os_linux_arm.go `checkgoarm` compares AT_HWCAP, but only after `runtime.check` has executed LDREX and
/// instructions of a VFP: what lacks them ends there, by SIGILL. Tried with Go 1.15 to 1.26.
pub(super) fn lacks_arm(machine: &Machine, _: &Image, go: &Go) -> Option<GoLacks> {
    let (level, float) = level_of(go)?;
    let (level, name) = match level {
        "5" => (5, "ARMv5"),
        "6" => (6, "ARMv6"),
        "7" => (7, "ARMv7"),
        _ => return None,
    };
    // Since 1.22 it may be told.
    let is_soft = match float {
        "" => level == 5,
        "softfloat" => true,
        "hardfloat" => false,
        _ => return None,
    };
    // What runs 32-bit programs under a 64-bit kernel is ARMv8, and has a VFP.
    if machine.e_machine() == Some(EM_AARCH64) {
        return None;
    }
    let architecture = machine.cpu().arm_architecture.value;
    let vfpv3 = hwcap(machine, HWCAP_VFPV3);
    let vfp = hwcap(machine, HWCAP_VFP).map(|has| has || vfpv3 == Some(true));
    let instead = match architecture {
        Some(..=4) => "",
        Some(6..) if vfp == Some(true) => "GOARCH=arm GOARM=6",
        _ => "GOARCH=arm GOARM=5",
    };
    let lacks = |what, source, end| Some(GoLacks { what, source, end, instead });
    match architecture {
        Some(has) if has < level => return lacks(name, "CPU architecture", GoEnd::Killed),
        None if level > 5 => return lacks(name, "CPU architecture", GoEnd::Unknown),
        _ if is_soft => return None,
        _ => {}
    }
    match (vfp, vfpv3) {
        (Some(false), _) => lacks("VFP", "Features", GoEnd::Killed),
        (Some(true), Some(false)) if level == 7 && go.system.as_deref() != Some("android") => {
            let seen = "runtime: this CPU has no VFPv3 floating point hardware, so it cannot run";
            lacks("VFPv3", "Features", GoEnd::Exits(seen))
        }
        (None, _) => lacks("VFP", "Features", GoEnd::Unknown),
        _ => None,
    }
}

/// Go 1.23 on has atomic instructions of LSE in programs for v8.1 and later. A later one asks for them (runtime/asm_arm64.s
/// `CHECK_GOARM64_LSE`), but only after `runtime.check` has executed one. Tried with Go 1.24 and 1.26.
pub(super) fn lacks_arm64(machine: &Machine, _: &Image, go: &Go) -> Option<GoLacks> {
    let (level, more) = level_of(go)?;
    let is_later = level.strip_prefix("v8.").is_some_and(|minor| minor != "0") || level.starts_with("v9.");
    let features = &machine.cpu().features;
    let needs = is_later || more.split(',').any(|option| option == "lse");
    if !needs || lists(features, "atomics") {
        return None;
    }
    let end = if features.get().is_some() { GoEnd::Killed } else { GoEnd::Unknown };
    Some(GoLacks { what: "LSE (atomics)", source: "Features", end, instead: "GOARCH=arm64 GOARM64=v8.0" })
}

/// By the functions of Go that `rt0_go` calls, of which runtime.check is the first that does anything: instructions of a
/// VFP, and of VFPv3 (a constant in `vmov`). `_rt0_arm_linux1`, behind the entry point, makes a system call and jumps to `rt0_go`.
pub(super) fn level_of_code(code: &mut Code<'_, '_>, entry: u64) -> Option<&'static str> {
    // ldr r1, [r10, #8]: how a function looks for room on its stack.
    const PROLOGUE: u32 = 0xe59a_1008;
    let branch = |at: u64, word: u32| {
        let distance = i64::from(i32::from_ne_bytes((word << 8).to_ne_bytes()) >> 6);
        at.wrapping_add(8).wrapping_add_signed(distance)
    };
    let (mut at, mut is_asked) = (entry & !3, false);
    let rt0_go = loop {
        let word = code.word(at)?;
        is_asked |= word == 0xef00_0000;
        if is_asked && word >> 24 == 0xea {
            break branch(at, word);
        }
        at = at.wrapping_add(4);
        if at.wrapping_sub(entry) > 256 {
            return None;
        }
    };
    let mut found = None;
    at = rt0_go;
    for _ in 0..96 {
        let Some(word) = code.word(at) else { break };
        let function = branch(at, word);
        at = at.wrapping_add(4);
        if word >> 24 != 0xeb || code.word(function) != Some(PROLOGUE) {
            continue;
        }
        // Coprocessors 10 and 11, without a condition.
        let is_vfp = |word: u32| {
            word >> 28 == 0xe && word >> 26 & 3 == 3 && word >> 24 & 0xf != 0xf && word >> 9 & 7 == 5
        };
        let is_vfpv3 = |word: u32| word & 0x0fb0_0ef0 == 0x0eb0_0a00;
        if code.any(function, PROLOGUE, is_vfpv3) {
            return Some("7");
        }
        found = if code.any(function, PROLOGUE, is_vfp) { Some("6") } else { found.or(Some("5")) };
    }
    found
}
