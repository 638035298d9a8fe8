//! Cases from a seed: the `index`th case of a seed is the same on every computer of the same kind.

mod elf;
mod path;
pub mod script;

use crate::abi::Abi;
use crate::case::Case;
use crate::random::Random;
use crate::values::Setting;

/// What cases are to be made of.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // What a place has or has not, each by itself.
pub struct Plan {
    /// For which ABIs: all that share a kernel.
    pub abis: Vec<&'static Abi>,
    /// Another one gives other cases.
    pub seed: u64,
    /// The kernel's page size, bytes.
    pub page: u64,
    /// RAM and swap, bytes.
    pub memory: u64,
    /// Programs to change besides our own, by path, for the first ABI.
    pub programs: Vec<String>,
    /// Whether the folder `noexec` lies on such a mount.
    pub noexec: bool,
    /// Whether the rules of [`crate::folder::misc_rules`] hold.
    pub misc: bool,
    /// Whether there is an env that knows `-S`.
    pub env: bool,
    /// Whether files may be held open for writing while they are executed.
    pub busy: bool,
    /// Whether some of the cases are cut at every length, one after the other.
    pub sweep: bool,
}

impl Default for Plan {
    /// A router's kernel.
    fn default() -> Self {
        Plan {
            abis: ["mips"].into_iter().filter_map(Abi::of).collect(),
            seed: 1,
            page: 4096,
            memory: 256 << 20,
            programs: Vec::new(),
            noexec: false,
            misc: false,
            env: false,
            busy: false,
            sweep: true,
        }
    }
}

impl Plan {
    /// For names of ABIs; names that there are not are left out.
    pub fn of(abis: &[&str], seed: u64) -> Plan {
        Plan { abis: abis.iter().filter_map(|name| Abi::of(name)).collect(), seed, ..Plan::default() }
    }

    /// One case.
    pub fn case(&self, index: usize) -> Case {
        let mut random = Random::new(self.seed, index as u64);
        let random = &mut random;
        // The kernel's own ABI more often than those of its compatibility handlers.
        let abi = if random.once_in(2) { self.abis[0] } else { random.pick(&self.abis) };
        match index % 20 {
            0 if self.sweep => elf::length(self, index / 20),
            0 | 1 => elf::any_length(random, abi),
            3 if self.env && random.once_in(4) => script::env(random, abi),
            2 | 3 => script::line(self, random, abi),
            4 => script::nested(random, abi),
            5 if self.misc && random.once_in(3) => path::misc(random, abi),
            5 => path::path(self, random, abi),
            6..=8 => elf::interpreter(self, random, abi),
            9 => elf::of_abi(self, random, abi),
            10 if !self.programs.is_empty() => elf::host(self, random),
            10 | 11 => elf::bytes(self, random, abi),
            12 => elf::moved(self, random, abi),
            13 => elf::fields(self, random, abi, 3),
            14..=16 => elf::fields(self, random, abi, 2),
            _ => elf::fields(self, random, abi, 1),
        }
    }

    /// The first `count` of them.
    pub fn cases(&self, count: usize) -> impl Iterator<Item = Case> {
        (0..count).map(|index| self.case(index))
    }

    fn setting(&self, abi: &'static Abi) -> Setting {
        Setting { abi, page: self.page, memory: self.memory }
    }
}
