//! GO386 and GOAMD64 (go.dev/wiki/MinimumRequirements) against the flags of /proc/cpuinfo.

use crate::candidate::go::Code;
use crate::candidate::{Go, Image};
use crate::elf::consts::EM_X86_64;
use crate::exec::go::{GoEnd, GoLacks};
use crate::machine::{Machine, lists};

/// runtime/asm_386.s `rt0_go` asks for MMX, whatever was set (seen in Go 1.15 to 1.26); `runtime.check` then executes SSE2
/// where that is the level.
pub(super) fn lacks_386(machine: &Machine, _: &Image, go: &Go) -> Option<GoLacks> {
    let flags = &machine.cpu().features;
    // Every 64-bit processor has both.
    if machine.e_machine() == Some(EM_X86_64) {
        return None;
    }
    let lacks = |what, end, instead| Some(GoLacks { what, source: "flags", end, instead });
    if flags.get().is_some() && !lists(flags, "mmx") && go.minor >= Some(15) {
        let seen = "This program can only be run on processors with MMX support.";
        return lacks("MMX", GoEnd::Exits(seen), "");
    }
    if lists(flags, "sse2") {
        return None;
    }
    let end = match go.level.as_deref() {
        Some("sse2") if flags.get().is_some() => GoEnd::Killed,
        Some("sse2") => GoEnd::Unknown,
        None if flags.get().is_some() => GoEnd::Default,
        _ => return None,
    };
    // Since 1.16; before there was GO386=387.
    lacks("SSE2", end, "GOARCH=386 GO386=softfloat")
}

/// A level's features, as /proc/cpuinfo calls them.
type Level = &'static [&'static str];
const V2: Level = &["pni", "ssse3", "cx16", "sse4_1", "sse4_2", "popcnt", "lahf_lm"];
const V3: Level = &["fma", "movbe", "avx", "f16c", "bmi1", "avx2", "bmi2", "abm"];
const V4: Level = &["avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl"];

/// runtime/asm_amd64.s `rt0_go`, `NEED_FEATURES_CX` and its like.
pub(super) fn lacks_amd64(machine: &Machine, _: &Image, go: &Go) -> Option<GoLacks> {
    let (levels, seen): (&[Level], _) = match go.level.as_deref()? {
        "v2" => {
            (&[V2], "This program can only be run on AMD64 processors with v2 microarchitecture support.")
        }
        "v3" => {
            (&[V2, V3], "This program can only be run on AMD64 processors with v3 microarchitecture support.")
        }
        "v4" => (
            &[V2, V3, V4],
            "This program can only be run on AMD64 processors with v4 microarchitecture support.",
        ),
        _ => return None,
    };
    let flags = &machine.cpu().features;
    let mut names = levels.iter().copied().flatten();
    let what = names.find(|name| !lists(flags, name))?;
    let end = if flags.get().is_some() { GoEnd::Exits(seen) } else { GoEnd::Unknown };
    Some(GoLacks { what, source: "flags", end, instead: "GOARCH=amd64 GOAMD64=v1" })
}

/// Of 386 programs, by the functions of Go that `rt0_go` calls, of which runtime.check is the first that does anything:
/// whether they have instructions of SSE2. The entry point jumps to `_rt0_386`, and that to `rt0_go`.
pub(super) fn level_of_code(code: &mut Code<'_, '_>, entry: u64) -> Option<&'static str> {
    // mov %gs:..., %ecx: how a function looks for room on its stack.
    const PROLOGUE: [u8; 3] = [0x65, 0x8b, 0x0d];
    const CALL: u8 = 0xe8;
    const JUMP: u8 = 0xe9;
    let mut at = entry;
    for _ in 0..2 {
        at = targets(code, at, 48, JUMP, &mut |_, _| true)?;
    }
    let (mut found, mut functions) = (None, 0_u8);
    targets(code, at, 512, CALL, &mut |code, function| {
        let starts = |start: &[u8]| start == PROLOGUE;
        let Some(body) =
            code.bytes(function, 3).is_some_and(starts).then(|| code.bytes(function, 1536)).flatten()
        else {
            return false;
        };
        let end = body.windows(3).skip(1).position(|three| three == PROLOGUE);
        let body = end.and_then(|end| body.get(..end)).unwrap_or(body);
        // movsd, ucomisd, pxor.
        let is_sse2 = |three: &[u8]| matches!(three, [0xf2, 0x0f, 0x10 | 0x11] | [0x66, 0x0f, 0x2e | 0xef]);
        let has = body.windows(3).any(is_sse2);
        functions = functions.saturating_add(1);
        // The first is runtime.emptyfunc.
        found = if has { Some("sse2") } else { Some("softfloat").filter(|_| functions > 1) };
        has
    });
    found
}

/// Where the first instruction of 5 bytes that begins so leads to, of those that lead to what is looked for.
fn targets(
    code: &mut Code<'_, '_>,
    start: u64,
    len: usize,
    opcode: u8,
    fits: &mut dyn FnMut(&mut Code<'_, '_>, u64) -> bool,
) -> Option<u64> {
    let bytes = code.bytes(start, len)?.to_vec();
    let mut next = start;
    for five in bytes.windows(5) {
        next = next.wrapping_add(1);
        let [first, a, b, c, d] = *five else { continue };
        let distance = i64::from(i32::from_le_bytes([a, b, c, d]));
        let target = next.wrapping_add(4).wrapping_add_signed(distance);
        if first == opcode && fits(code, target) {
            return Some(target);
        }
    }
    None
}
