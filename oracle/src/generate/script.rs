//! Texts that begin with `#!`, or nearly so.

use super::Plan;
use crate::abi::Abi;
use crate::case::{Case, Start};
use crate::edit::{Chunk, Edit, Part};
use crate::folder::CHAIN;
use crate::random::Random;

/// BINPRM_BUF_SIZE is 256 since Linux 5.1 and was 128 before: how long lines are that meet the limit.
const LIMITS: [usize; 2] = [128, 256];

/// How a line for env begins.
pub const ENV: &str = "#!/usr/bin/env";

fn script(abi: &'static Abi, chunks: Vec<Chunk>) -> Case {
    let full = chunks.into_iter().filter(|chunk| chunk.times > 0 && !chunk.bytes.is_empty());
    Case { abi, start: Start::Script, edits: full.map(Edit::Text).collect() }
}

/// A length near a limit, or any.
fn length(random: &mut Random) -> usize {
    if random.once_in(6) { random.below(400) } else { random.pick(&LIMITS) + random.below(9) - 5 }
}

/// A name of a certain length at least that leads to the target.
fn long(target: &str, len: usize) -> [Chunk; 3] {
    let more = len.saturating_sub(target.len());
    [Chunk::times("./", more / 2), Chunk::times("/", more % 2), Chunk::once(target)]
}

/// A line of some shape.
pub(super) fn line(plan: &Plan, random: &mut Random, abi: &'static Abi) -> Case {
    let target = format!("{}.{}", abi.name, random.pick(&["tiny", "pie-bss", "dynamic", "static"]));
    let blank = |random: &mut Random, times: usize| Chunk::times(random.pick(&[" ", "\t"]), times);
    let ends = ["\n", "", "\r\n", "\0", "\n\n", " \n", "\t", " x\n", " x y ", "\r", "\x0b\n"];
    let few = random.below(4);
    let mut chunks = vec![Chunk::once("#!")];
    match random.below(12) {
        // The line ends at the limit, by a name, by an argument, by blanks behind or before.
        0 | 1 => {
            let len = length(random);
            chunks.extend(long(&target, len.saturating_sub(2)));
            chunks.push(Chunk::once(random.pick(&ends)));
        }
        2 | 3 => {
            let len = length(random).saturating_sub(3 + target.len());
            chunks.extend([Chunk::once(target), blank(random, 1), Chunk::times("a", len)]);
            chunks.push(Chunk::once(random.pick(&ends)));
        }
        4 => {
            let len = length(random).saturating_sub(2 + target.len());
            chunks.extend([Chunk::once(target), blank(random, len), Chunk::once(random.pick(&ends))]);
        }
        5 => {
            let len = length(random).saturating_sub(2 + if random.once_in(2) { target.len() } else { 0 });
            chunks.extend([blank(random, len), Chunk::once(target), Chunk::once(random.pick(&ends))]);
        }
        // Nothing but blanks, or nothing.
        6 => {
            let len = if random.once_in(2) { length(random).saturating_sub(2) } else { few };
            chunks.extend([blank(random, len), Chunk::once(random.pick(&ends))]);
        }
        // It is no script, or not quite.
        7 => {
            let starts =
                ["#", "!#", " #!", "\u{feff}#!", "\n#!", "##!", "#! #!", "", "\x7fELF", "#!#!", "#\n!"];
            chunks = vec![Chunk::once(random.pick(&starts)), Chunk::once(target), Chunk::once("\n")];
        }
        // Something else is behind the name.
        8 => {
            let name = match random.below(6) {
                0 => "missing".to_owned(),
                1 => format!("{target}/x"),
                2 => format!("{target}/"),
                3 => "/nonexistent/sh".to_owned(),
                4 => random.pick(&["mips.tiny", "x86-64.tiny", "aarch64.tiny", "ppc.tiny"]).to_owned(),
                _ => random.pick(crate::folder::SHARED).to_owned(),
            };
            chunks.extend([blank(random, few % 2), Chunk::once(name), Chunk::once(random.pick(&ends))]);
        }
        // A NUL somewhere.
        9 => {
            let more = random.below(300);
            chunks.extend([
                blank(random, few),
                Chunk::once(target),
                Chunk::once("\0"),
                Chunk::times("b", more),
            ]);
            chunks.push(Chunk::once(random.pick(&ends)));
        }
        // A long line without its end, a long name.
        10 => {
            let len = random.pick(&[100, 125, 126, 127, 252, 253, 254, 255, 300, 1000, 5000]);
            chunks.extend([Chunk::times("a", len), Chunk::once(random.pick(&ends))]);
        }
        _ => {
            let argument = Chunk::times("a", random.below(20));
            chunks.extend([blank(random, few), Chunk::once(target), blank(random, few), argument]);
            chunks.push(Chunk::once(random.pick(&ends)));
        }
    }
    let mut case = script(abi, chunks);
    if random.once_in(20) {
        case.edits.push(Edit::Cut(Part::Program, random.below(8)));
    }
    if random.once_in(30) && plan.noexec {
        case.edits.push(Edit::NoExec);
    }
    case
}

/// A line for env: what it makes of its options, and what becomes of the program that it is to start.
pub(super) fn env(random: &mut Random, abi: &'static Abi) -> Case {
    // Not `closed`: what may be searched there, diag does not ask.
    let folders = ["dir", "missing", "text", "."];
    let options = match random.below(10) {
        0 => random.pick(&["-z", "--bogus", "-i ", "-S -0 ", "-S 'x ", "-u", "-S -z "]).to_owned(),
        1 => format!("-S -C {} ", random.pick(&folders)),
        2 => random.pick(&["-S ", "-S -i ", "-S A=1 ", "-S -u PATH ", "-vS ", "-S PATH=. "]).to_owned(),
        // It goes on until the runner's clock is over.
        3 if random.once_in(8) => "A=1 ".to_owned(),
        _ => String::new(),
    };
    let name = match random.below(8) {
        0 => "sh".to_owned(),
        1 => format!("{}.tiny", abi.name),
        2 => "missing".to_owned(),
        3 => format!("./{}.{}", abi.name, random.pick(&["tiny", "pie-bss", "dynamic"])),
        4 => format!(
            "./{}.chain-{}-{}",
            abi.name,
            random.pick(&crate::folder::CHAIN_ENDS),
            random.below(CHAIN + 1)
        ),
        5 => format!("./{}{}", random.pick(crate::folder::SHARED), random.pick(&["/x", "/", ""])),
        6 => format!("closed/{}.tiny", abi.name),
        _ => format!("./{}", random.pick(crate::folder::SHARED)),
    };
    let end = random.pick(&["\n", "\n", "\n", "\r\n", " \n", " x\n", ""]);
    let line = [ENV, " "].concat();
    let mut case = script(abi, [line, options, name, end.to_owned()].map(Chunk::once).into());
    // As a shell names it: env looks for a name without a slash in PATH.
    case.edits.push(Edit::Path(Chunk::once("./@")));
    case
}

/// A script that leads to a chain of scripts, each of which names the next.
pub(super) fn nested(random: &mut Random, abi: &'static Abi) -> Case {
    let depth = random.below(CHAIN + 1);
    let end = random.pick(&crate::folder::CHAIN_ENDS);
    let name = format!("{}.chain-{end}-{depth}", abi.name);
    let mut chunks = vec![Chunk::once("#!")];
    chunks.extend(if random.once_in(3) { long(&name, length(random)) } else { long(&name, 0) });
    chunks.push(Chunk::once(random.pick(&["\n", "", " x\n"])));
    script(abi, chunks)
}
