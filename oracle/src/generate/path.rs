//! How a program is named, who may execute it, where it lies.

use super::Plan;
use crate::abi::Abi;
use crate::base::Kind;
use crate::case::{Case, Start};
use crate::edit::{Chunk, Edit, Part, Place};
use crate::folder::{MAGIC, OSABI, SUFFIXES};
use crate::random::Random;

/// A good program, or a bad one that is only looked at once it may be executed, or a script.
fn program(random: &mut Random, abi: &'static Abi) -> Case {
    let kinds = ["tiny", "static", "bss", "dynamic"];
    match random.below(6) {
        0 => Case {
            abi,
            start: Start::Script,
            edits: vec![Edit::Text(Chunk::once(format!("#!{}.tiny\n", abi.name)))],
        },
        1 => Case { abi, start: Start::Script, edits: vec![Edit::Text(Chunk::once("text"))] },
        _ => Case::pristine(abi, Kind::of(random.pick(&kinds)).unwrap_or(&crate::base::KINDS[0])),
    }
}

/// What a rule of binfmt_misc may be for.
pub(super) fn misc(random: &mut Random, abi: &'static Abi) -> Case {
    let mut case = program(random, abi);
    match random.below(4) {
        0 => {
            let text = [MAGIC, random.pick(&[&b""[..], b"\n", b" and more"])].concat();
            case = Case { abi, start: Start::Script, edits: vec![Edit::Text(Chunk::once(text))] };
        }
        1 => {
            let osabi = Place::Header("EI_OSABI");
            case = Case::pristine(abi, &crate::base::KINDS[random.below(8)]);
            case.edits.push(Edit::Set(Part::Program, osabi, OSABI));
        }
        _ => {
            let suffix = random.pick(&SUFFIXES);
            case.edits.push(Edit::Suffix(Chunk::once(suffix)));
            match random.below(8) {
                0 => case.edits.push(Edit::Suffix(Chunk::once(random.pick(&["x", ".x", suffix])))),
                1 => case.edits.push(Edit::Path(Chunk::once(random.pick(&["./@", "dir/../@"])))),
                _ => {}
            }
        }
    }
    if random.once_in(4) {
        case.edits.push(Edit::Mode(Part::Program, random.pick(&[0o644, 0o111, 0o700])));
    }
    case
}

pub(super) fn path(plan: &Plan, random: &mut Random, abi: &'static Abi) -> Case {
    let mut case = program(random, abi);
    let once = |text: &str| vec![Chunk::once(text)];
    let modes =
        [0o644, 0o755, 0o111, 0o100, 0o010, 0o001, 0o000, 0o444, 0o666, 0o600, 0o700, 0o711, 0o4755, 0o2711];
    let path = match random.below(8) {
        0..=2 => {
            case.edits.push(Edit::Mode(Part::Program, random.pick(&modes)));
            Vec::new()
        }
        3 if plan.noexec => {
            case.edits.push(Edit::NoExec);
            Vec::new()
        }
        4 if plan.busy => {
            case.edits.push(Edit::Busy);
            Vec::new()
        }
        // PATH_MAX is 4096 with its NUL; a name of a file goes up to 255.
        5 => {
            let len: usize =
                random.pick(&[100, 255, 256, 1000, 4076, 4077, 4078, 4079, 4094, 4095, 4096, 5000]);
            let more = len.saturating_sub(17);
            vec![Chunk::times("./", more / 2), Chunk::times("/", more % 2), Chunk::once("@")]
        }
        6 => {
            let shapes =
                ["@/", "@/x", "@/.", "@/..", "./@", ".//@", "dir/../@", "dir/./../@", "missing/../@"];
            once(random.pick(&shapes))
        }
        _ => match random.below(4) {
            0 => once(&format!("link-{}", abi.name)),
            1 => once(&format!("closed/{}.tiny", abi.name)),
            2 => vec![Chunk::times("a", random.pick(&[254, 255, 256, 300]))],
            _ => once(random.pick(crate::folder::SHARED)),
        },
    };
    case.edits.extend(path.into_iter().filter(|chunk| chunk.times > 0).map(Edit::Path));
    case
}
