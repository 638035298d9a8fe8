//! Whether a loader and diag agree.

use std::fmt;

use oracle::linking::said::{Said, signal};
use oracle::linking::{End, Ran};
use oracle::model::Outcome;

/// What became of a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Real {
    /// Its main() began; so it ended.
    Main(End),
    /// It ended before.
    Before(End),
}

impl fmt::Display for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Real::Main(End::Exited(0)) => write!(f, "starts"),
            Real::Main(end) => write!(f, "starts, and {end}"),
            Real::Before(end) => end.fmt(f),
        }
    }
}

/// How what diag says stands to that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Agrees,
    Disagrees,
    Unknown,
    /// The program does not end in the same way each time.
    Varies,
    /// It ends as on no computer.
    Emulated,
}

/// Whether QEMU ends a program where a computer would not: the kernels of MIPS and ARM read what lies across words
/// (arch/mips/kernel/unaligned.c, arch/arm/mm/alignment.c), QEMU has SIGBUS for it; and some exceptions it does not know. What
/// jumps into the midst of an instruction of AArch64 ends by SIGBUS wherever that is, in QEMU only where something is.
pub(super) fn is_emulated(arch: &str, ran: &Ran, said: &Said) -> bool {
    let is_fixed_up = arch.starts_with("mips") || arch.starts_with("arm");
    let is_unknown = |line: &String| line.starts_with("qemu: unhandled CPU exception");
    let misses = said.model.outcome == Outcome::Killed("SIGBUS".to_owned(), "start".to_owned());
    let is_between = arch == "arm64" && misses && real(ran) == Real::Before(End::Killed(nix::libc::SIGSEGV));
    is_between || is_fixed_up && ran.end == End::Killed(nix::libc::SIGBUS) || ran.words.iter().any(is_unknown)
}

/// Whether a loader goes on in QEMU where on a computer nothing is: QEMU has the stack right behind the program, maps one
/// library behind the other, where kernels go downwards, and leaves its own memory to be read. It moves
/// no program at random: one of PPC64 begins at 4 GiB (arch/powerpc/include/asm/elf.h `ELF_ET_DYN_BASE`), which others hit by
/// chance.
pub(super) fn is_mapped_in_qemu(arch: &str, words: &str, ran: &Ran, said: &Said) -> bool {
    let is_native = matches!(arch, "amd64" | "i386");
    let dies = said.model.outcome == Outcome::Killed("SIGSEGV".to_owned(), "start".to_owned());
    let leads =
        |to: &str| said.findings.iter().any(|one| one.evidence.iter().any(|value| value.contains(to)));
    // A relocation's place, DT_RELA and DT_JMPREL, which lead to other relocations, and DT_MIPS_RLD_MAP_REL.
    let is_of_others = ["r_offset", "value of tag 0x7:", "value of tag 0x17:", "value of tag 0x70000035:"];
    let is_of_others = is_of_others.iter().any(|what| words.contains(what));
    let is_there = leads("leads to where nothing of the file is")
        || is_of_others && leads("changes what cannot be written");
    let hits_header = arch == "ppc64el" && leads("leads to where no code is");
    let runs_header = dies && hits_header && real(ran) == Real::Before(End::Killed(nix::libc::SIGILL));
    runs_header
        || !is_native && dies && is_there && real(ran) != Real::Before(End::Killed(nix::libc::SIGSEGV))
}

pub(super) fn real(ran: &Ran) -> Real {
    if ran.output.first().is_some_and(|line| line == "main") {
        Real::Main(ran.end)
    } else {
        Real::Before(ran.end)
    }
}

pub(super) fn answer(ran: &Ran, said: &Said) -> Answer {
    let agrees = match (real(ran), &said.model.outcome) {
        (_, Outcome::Unknown(_)) => return Answer::Unknown,
        (Real::Main(end), Outcome::Starts) => {
            // A symbol that is looked up when it is called.
            let is_late = end == End::Exited(127) && ran.decisive().contains("symbol lookup error");
            let warned = said.findings.iter().any(|one| one.severity == "warning");
            said.codes("error").is_empty() && (!is_late || warned)
        }
        (Real::Before(End::Exited(status)), Outcome::Exits(said_status)) => {
            status == *said_status && ran.words.iter().any(|words| quotes(said, words))
        }
        (Real::Before(End::Killed(number)), Outcome::Killed(name, _)) => signal(number) == *name,
        // RLIMIT_CPU
        (Real::Before(End::Killed(nix::libc::SIGKILL)), Outcome::Endless)
        | (Real::Before(_), Outcome::Fails) => true,
        _ => false,
    };
    if agrees { Answer::Agrees } else { Answer::Disagrees }
}

/// Whether diag has a line of the loader's: but for the place of an assertion, which differs from release to release, for
/// bytes that are no text, which diag shows in another way, and for the address of a relocation.
fn quotes(said: &Said, words: &str) -> bool {
    let words = words.split_once("Assertion `").map_or(words, |(_, condition)| condition);
    let is_odd = |c: char| c == '\u{fffd}' || c.is_control();
    let (before, address) = words.split_once(" reloc at 0x").unwrap_or((words, ""));
    let behind = address.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    let mut errors = said.findings.iter().filter(|one| one.severity == "error");
    errors.any(|one| {
        one.evidence.iter().any(|value| {
            let mut rest = value.as_str();
            before.split(is_odd).chain(behind.split(is_odd)).all(|part| match rest.find(part) {
                Some(at) => {
                    rest = &rest[at + part.len()..];
                    true
                }
                None => false,
            })
        })
    })
}
