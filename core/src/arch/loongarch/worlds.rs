//! LoongArch's two ABIs for Linux: that of the vendors' kernels, 4.19 and a few of 5.10 ("old world", ABI 1.0), and that
//! of Linux since 5.19 ("new world", ABI 2.0). They differ in the loader's path, in the size of a set of signals and in
//! some system calls; `uname -m` and e_machine are the same (areweloongyet.com, "old world and new world").

use crate::arch::Worlds;
use crate::candidate::{Image, Interp, Program, last_name};
use crate::elf::consts::EM_LOONGARCH;
use crate::machine::Machine;

/// EF_LOONGARCH_OBJABI_V1: relocations as binutils 2.40 on has them, long after the old world.
const EF_LOONGARCH_OBJABI_V1: u32 = 0x40;

/// What it takes to run here.
const TO_NEW: &str = "take the build of the new world (loong64, abi2.0); or install liblol, which runs programs of the old one";
const TO_OLD: &str = "take the build of the old world (abi1.0; for Loongnix, UOS 20 or Kylin V10); what Go, Rust and \
    today's compilers build is of the new one";

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::arch) enum World {
    Old,
    New,
}

impl World {
    const fn name(self) -> &'static str {
        match self {
            World::Old => "old world (ABI 1.0)",
            World::New => "new world (ABI 2.0)",
        }
    }
}

/// Linux has LoongArch since 5.19, with the new ABI.
pub(super) fn of_machine(machine: &Machine) -> Option<World> {
    let release = machine.kernel().release.get()?;
    Some(if release.version < (5, 19, 0) { World::Old } else { World::New })
}

/// The world of a program, where it is not the machine's.
pub(crate) fn differ(machine: &Machine, program: &Program, image: &Image) -> Option<Worlds> {
    let is_both = machine.e_machine() == Some(EM_LOONGARCH) && image.header.e_machine == EM_LOONGARCH;
    let own = of_machine(machine).filter(|_| is_both)?;
    let (program, is_certain) = of_program(program, image)?;
    let fix = if own == World::New { TO_NEW } else { TO_OLD };
    (program != own).then_some(Worlds { program: program.name(), machine: own.name(), fix, is_certain })
}

fn of_program(file: &Program, image: &Image) -> Option<(World, bool)> {
    if let Some(Interp::Path(path)) = &image.interp {
        let name = last_name(path).1;
        return match name {
            b"ld.so.1" => Some((World::Old, true)),
            _ if name.starts_with(b"ld-linux-loongarch") || name.starts_with(b"ld-musl-loongarch") => {
                Some((World::New, true))
            }
            _ => None,
        };
    }
    // Go and glibc 2.36 came with the new one; a static glibc says which kernel it wants.
    if image.header.e_flags & EF_LOONGARCH_OBJABI_V1 != 0 || file.go.is_some() {
        return Some((World::New, true));
    }
    match image.abi_tag {
        Some((0, version)) => Some((if version < (5, 19, 0) { World::Old } else { World::New }, true)),
        _ => Some((World::Old, false)),
    }
}
