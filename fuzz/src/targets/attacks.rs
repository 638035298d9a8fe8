//! For each guard of a judgement that libFuzzer finds no input for, one that was made for it: what holds of it breaks
//! without the guard.

use arbitrary::{Error, Result, Unstructured};
use diag_core::budget::LIMITS;
use testkit::Elf;

use super::tables::{
    BASE, DT_GNU_HASH, DT_HASH, DT_REL, DT_RELA, DT_RELASZ, DT_RELSZ, DT_RUNPATH, DT_STRSZ, DT_STRTAB,
    DT_SYMTAB, Hostile, LIBRARY, own,
};
use super::{KINDS, Kind, PROGRAM};
use crate::hold::{self, Took};
use crate::memory::Machine;

const GLIBC: &Kind = &KINDS[0];
const MIPSEL: &Kind = &KINDS[1];
const DT_RELAENT: u64 = 9;
const R_X86_64_GLOB_DAT: u64 = 6;
const R_X86_64_RELATIVE: u64 = 8;
const R_MIPS_COPY: u64 = 126;
/// Blocks of code that any of them takes at most, where they are counted.
const BLOCKS: u64 = 3 << 23;
/// STB_GLOBAL, STT_FUNC
const GLOBAL: u8 = 0x12;

/// A program, what lies around it, and what a judgement of it takes.
pub struct Attack {
    /// The name of the guard.
    pub guard: &'static str,
    make: fn() -> Machine,
    /// Steps: all that is looked at is counted, up to what may be.
    least: usize,
    has_loader: bool,
}

const fn attack(guard: &'static str, make: fn() -> Machine, least: usize) -> Attack {
    Attack { guard, make, least, has_loader: true }
}

/// All of them.
#[allow(clippy::cast_possible_truncation)] // Small numbers.
pub const ATTACKS: [Attack; 7] = [
    attack("relocations", relocations, RELOCATIONS as usize / 4 * (SEGMENTS as usize / 16)),
    // A step is of eight links.
    attack("chains", chains, NAMES * HASHES as usize / 8),
    attack("strings", strings, LONG_NAMES as usize * (16 << 10) / 256),
    attack("copies", copies, 2 * SYMBOLS as usize),
    attack("rehearsal", rehearsal, REHEARSED as usize * LENGTH / 4),
    attack("files", files, 0),
    Attack { has_loader: false, ..attack("own-loader", own_loader, 0) },
];

impl Attack {
    /// Judges it.
    ///
    /// # Panics
    ///
    /// If something does not hold.
    pub fn run(&self) {
        let [Took { libc, spent, blocks }] = hold::judge(&(self.make)(), [PROGRAM]);
        assert_eq!(libc.is_some(), self.has_loader, "{}: {libc:?}", self.guard);
        let least = self.least.min(LIMITS.steps);
        assert!(spent.steps >= least, "{}: {least} steps at least, counted are {spent:?}", self.guard);
        assert!(blocks <= BLOCKS, "{}: {blocks} blocks of code: {spent:?}", self.guard);
    }
}

/// The one whose guard the bytes name.
pub(super) fn run(from: &mut Unstructured<'_>) -> Result<()> {
    let name = from.bytes(from.len())?;
    let attack = ATTACKS.iter().find(|attack| attack.guard.as_bytes() == name);
    attack.ok_or(Error::IncorrectFormat)?.run();
    Ok(())
}

fn program(kind: &Kind) -> Elf {
    Elf::of(kind.abi).interp(kind.loader).needed(LIBRARY)
}

fn machine(kind: &Kind, program: Hostile, library: Hostile) -> Machine {
    let mut machine = kind.machine();
    machine.put(kind.loader, kind.loader().build().into());
    machine.put(PROGRAM, program.file());
    machine.put(&format!("/lib/{LIBRARY}"), library.file());
    machine
}

fn library(kind: &Kind) -> Hostile {
    Hostile::new(Elf::of(kind.abi).base(0).set("e_type", 3).dynamic(14, LIBRARY).symbol("puts", true), 0)
}

const RELOCATIONS: u64 = 8000;
const SEGMENTS: u64 = 1000;

/// Each changes what lies in none of a thousand segments.
fn relocations() -> Machine {
    let mut library = library(GLIBC);
    library.elf = (0..SEGMENTS).fold(library.elf, |elf, _| elf.empty_segment("PT_NULL", 0));
    let again = library.words(&[1 << 46, R_X86_64_RELATIVE, 0], 8);
    let at = library.put(Vec::new(), again, RELOCATIONS * 24);
    library.entry(DT_RELA, at);
    library.entry(DT_RELASZ, RELOCATIONS * 24);
    library.entry(DT_RELAENT, 24);
    machine(GLIBC, Hostile::new(program(GLIBC), BASE), library)
}

const NAMES: usize = 100;
const HASHES: u64 = 60_000;

/// Names that are all looked for in one long chain of DT_GNU_HASH.
fn chains() -> Machine {
    let elf = (0..NAMES).fold(program(GLIBC), |elf, index| elf.symbol(&format!("n{index}"), false));
    let mut library = library(GLIBC);
    // A filter that lets everything through, and one bucket.
    let begin = [library.words(&[1, 1, 1, 0], 4), vec![0xff; 8], library.words(&[1], 4)].concat();
    let hashes: Vec<u64> = (1..=HASHES).map(|index| u64::from(index == HASHES)).collect();
    let hashes = library.words(&hashes, 4);
    let at = library.put(begin, hashes, HASHES * 4);
    library.entry(DT_GNU_HASH, at);
    machine(GLIBC, Hostile::new(elf, BASE), library)
}

const LONG_NAMES: u64 = 5000;

/// Symbols whose names are longer than any.
fn strings() -> Machine {
    let mut program = Hostile::new(program(GLIBC), BASE);
    let at = program.put(format!("\0{LIBRARY}\0").into_bytes(), b"x".to_vec(), 64 << 10);
    program.entry(DT_STRTAB, at);
    program.entry(DT_STRSZ, 64 << 10);
    symbols(&mut program, LONG_NAMES, 64, 0);
    machine(GLIBC, program, library(GLIBC))
}

/// Symbols that are all of that name, and of that section.
fn symbols(program: &mut Hostile, count: u64, name: u64, section: u64) {
    let info = [vec![GLOBAL, 0], program.words(&[section], 2)].concat();
    let is_wide = program.elf.abi().encoding.wide;
    let (before, behind) = if is_wide { (0, 16) } else { (8, 0) };
    let symbol = [program.words(&[name], 4), vec![0; before], info, vec![0; behind]].concat();
    let size = symbol.len() as u64;
    let at = program.put(vec![0; symbol.len()], symbol, count * size);
    program.entry(DT_SYMTAB, at);
    let hash = program.words(&[1, count, 1], 4);
    let at = program.put(hash, vec![0; 4], count * 4);
    program.entry(DT_HASH, at);
}

const COPIES: u64 = 11_000;
const SYMBOLS: u64 = 25_000;

/// Each symbol is held against those that are copied from a library.
fn copies() -> Machine {
    let mut program = Hostile::new(program(MIPSEL), BASE);
    symbols(&mut program, SYMBOLS, 1, 1);
    let again = program.words(&[BASE, 1 << 8 | R_MIPS_COPY], 4);
    let at = program.put(Vec::new(), again, COPIES * 8);
    program.entry(DT_REL, at);
    program.entry(DT_RELSZ, COPIES * 8);
    machine(MIPSEL, program, library(MIPSEL))
}

const REHEARSED: u64 = 1000;
const LENGTH: usize = 4000;

/// Relocations that a loader has to be rehearsed for: each looks a long name up.
fn rehearsal() -> Machine {
    let name = "n".repeat(LENGTH);
    let mut library = library(GLIBC);
    library.elf = library.elf.symbol(&name, true);
    let mut program = Hostile::new(program(GLIBC).symbol(&name, false), BASE);
    let at = BASE + (1 << 18) + 1;
    let again = program.words(&[at, 1 << 32 | R_X86_64_GLOB_DAT, 0], 8);
    let at = program.put(Vec::new(), again, REHEARSED * 24);
    program.entry(DT_RELA, at);
    program.entry(DT_RELASZ, REHEARSED * 24);
    program.entry(DT_RELAENT, 24);
    program.elf = program.elf.set("PT_LOAD.p_flags", 7);
    machine(GLIBC, program, library)
}

const LIBRARIES: usize = 500;
const FOLDERS: usize = 1200;

/// Each library is looked for in each folder.
fn files() -> Machine {
    let list: String = (0..FOLDERS).map(|folder| format!("/{folder}:")).collect();
    let elf = (0..LIBRARIES).fold(program(MIPSEL), |elf, index| elf.needed(&format!("l{index}")));
    machine(MIPSEL, Hostile::new(elf.dynamic(DT_RUNPATH, &list), BASE), library(MIPSEL))
}

/// What is its own loader, and looks like one.
fn own_loader() -> Machine {
    let elf = own(GLIBC, true).interp(PROGRAM).needed(LIBRARY);
    machine(GLIBC, Hostile::new(elf, BASE), library(GLIBC))
}
