//! What an architecture decides in the dynamic loader.

use super::fault::FaultKind;
use crate::elf::Class;
use crate::machine::Machine;

/// Of the programs of an e_machine.
pub(crate) struct Abi {
    /// `_DL_CACHE_DEFAULT_ID` (sysdeps/*/dl-cache.h) without FLAG_ELF_LIBC6, by class and e_flags.
    pub(crate) cache_id: fn(Class, u32) -> usize,
    /// R_*_COPY.
    pub(crate) r_copy: usize,
    /// Its tables of relocations may be DT_REL; else glibc looks at DT_RELA only (ELF_MACHINE_NO_REL).
    pub(crate) has_rel: bool,
    /// The kinds of relocations that a loader knows.
    pub(crate) relocates: Relocates,
    /// What those do: the first and the last kind, and it. Empty in a router's build, and where no real loader has judged
    /// a rehearsal yet: there none is begun.
    pub(crate) effects: Effects,
    /// Whose loader has judged a rehearsal.
    pub(crate) judged_by: JudgedBy,
    /// What glibc writes into DT_PLTGOT before it relocates.
    pub(crate) setup: Setup,
    /// glibc: what comes of a relocation that is not relative among those that DT_RELACOUNT or DT_RELCOUNT counts, where
    /// it looks (`elf_machine_rela_relative`, `elf_machine_rel_relative`).
    pub(crate) asserts_relative: Option<FaultKind>,
    /// Symbols stand in the order of the GOT, whose global part has no relocations (MIPS psABI). Such files have no
    /// DT_GNU_HASH.
    pub(crate) has_global_got: bool,
    /// Android runs on it.
    pub(crate) has_bionic: bool,
    /// Where glibc knows levels of the processor (glibc-hwcaps, "CPU ISA level"). There a file without PT_GNU_STACK
    /// wants an executable stack, too.
    pub(crate) lacks_level: Option<LacksLevel>,
}

/// Who relocates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relocator {
    /// glibc sysdeps/*/dl-machine.h `elf_machine_rel`, `elf_machine_rela`.
    Glibc,
    /// The same, `elf_machine_lazy_rel`: functions that are bound when they are first called.
    GlibcLazy,
    /// musl arch/*/reloc.h.
    Musl,
}

/// Whether a kind of relocation is known in files of a class. A router's build does not ask.
pub(crate) type Relocates = fn(Relocator, Class, usize) -> bool;

/// That of an architecture, of which a router's build has none.
pub(crate) const fn relocates(of_all: Relocates) -> Relocates {
    if crate::ROUTER { |_, _, _| true } else { of_all }
}

/// Kinds of relocations, and what they do.
pub(crate) type Effects = &'static [(usize, usize, Effect)];

/// Those of an architecture.
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // Not each router's row has any.
pub(crate) const fn effects(of_all: Effects) -> Effects {
    if crate::ROUTER { &[] } else { of_all }
}

/// Whose loaders have judged rehearsals of an architecture (`cargo xtask check loaders`): of others none is begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // What a router's rows leave out.
pub(crate) enum JudgedBy {
    /// glibc's.
    Glibc,
    /// glibc's and musl's.
    Both,
}

/// sysdeps/*/dl-machine.h `elf_machine_runtime_setup`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // What a router's rows leave out.
pub(crate) enum Setup {
    /// The second word and the third, where functions are bound when they are first called.
    Second,
    /// The first two, wherever there is DT_JMPREL.
    First,
    /// The first two, and one for each function, where those are bound when they are first called (ELFv2 of PPC64).
    Plt,
    /// All of it (MIPS): what it has of others has no relocations.
    Got,
}

impl Setup {
    /// How many words at the front of DT_PLTGOT the loader has for itself. Behind them stand the slots of functions that are
    /// called, in the order of DT_JMPREL; MIPS has those elsewhere.
    pub(crate) fn reserved(self) -> Option<u64> {
        match self {
            Setup::Second => Some(3),
            Setup::First | Setup::Plt => Some(2),
            Setup::Got => None,
        }
    }
}

/// What a relocation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // What a router's rows leave out.
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// A word becomes the base of the object and what is added.
    Relative,
    /// A word becomes the value of a symbol and what is added.
    Value,
    /// The same of a slot in the GOT or for the PLT, of which musl adds nothing where it is DT_REL.
    Slot,
    /// What a symbol leads to is copied.
    Copy,
    /// A word tells of a thread-local variable.
    Tls,
    /// A function is asked for the value (IRELATIVE).
    Indirect,
    /// The same of MIPS, of which the symbol stands in the GOT; without one it is [`Effect::Relative`].
    OfGot,
    /// 32 bits, whatever of.
    Half,
    /// Something else.
    Other,
}

impl Abi {
    /// What a relocation of a kind does.
    pub(crate) fn effect(&self, kind: usize) -> Effect {
        let mut known = self.effects.iter();
        known
            .find(|(first, last, _)| (*first..=*last).contains(&kind))
            .map_or(Effect::Other, |(.., effect)| *effect)
    }

    /// R_*_JUMP_SLOT: of the slots the last kind.
    pub(crate) fn is_jump_slot(&self, kind: usize) -> bool {
        self.effects.iter().any(|(_, last, effect)| *effect == Effect::Slot && *last == kind)
    }
}

/// The first level of those that a file needs which the processor lacks, and a feature of it.
pub(crate) type LacksLevel = fn(&Machine, u32) -> Option<(&'static str, &'static str)>;
