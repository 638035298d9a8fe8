//! The table as a whole.

use super::*;
use crate::elf::consts::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_MIPS, EM_PPC, EM_PPC64, EM_S390, EM_SPARC, EM_SPARCV9,
    EM_X86_64,
};

#[test]
fn names_of_kernels() {
    let of = |name| of_uname(name).map(|(e_machine, class)| (e_machine, class.bits()));
    assert_eq!(of("mips"), Some((EM_MIPS, 32)));
    assert_eq!(of("mips64"), Some((EM_MIPS, 64)));
    assert_eq!(of("armv5teb"), Some((EM_ARM, 32)));
    assert_eq!(of("armv7l"), Some((EM_ARM, 32)));
    assert_eq!(of("armv8l"), Some((EM_AARCH64, 64)));
    assert_eq!(of("aarch64_be"), Some((EM_AARCH64, 64)));
    assert_eq!(of("i686"), Some((EM_386, 32)));
    assert_eq!(of("ppc"), Some((EM_PPC, 32)));
    assert_eq!(of("ppc64le"), Some((EM_PPC64, 64)));
    assert_eq!(of("loongarch64"), Some((EM_LOONGARCH, 64)));
    assert_eq!(of("i86pc"), None);
    assert_eq!(of(""), None);
    assert_eq!(order_of_uname("mips"), None);
    assert_eq!(order_of_uname("armv5teb"), Some(ByteOrder::Big));
    assert_eq!(order_of_uname("armv7l"), Some(ByteOrder::Little));
    assert_eq!(order_of_uname("aarch64_be"), Some(ByteOrder::Big));
    assert_eq!(order_of_uname("ppc64le"), Some(ByteOrder::Little));
    assert_eq!(order_of_uname("ppc64"), Some(ByteOrder::Big));
}

#[test]
fn each_row_is_found_by_what_it_is_called() {
    for arch in ARCHES {
        assert_eq!(of(arch.e_machine).unwrap().unames, arch.unames);
        assert!(!arch.builds.is_empty(), "{}", arch.e_machine);
        for (name, class) in arch.unames {
            assert_eq!(of_uname(name), Some((arch.e_machine, *class)), "{name}");
        }
        for program in arch.also_runs {
            assert!(runs(arch.e_machine, *program) && !runs(*program, arch.e_machine), "{program}");
        }
    }
    assert!(runs(EM_SPARCV9, EM_SPARC) && !runs(EM_X86_64, EM_ARM));
}

#[test]
fn libraries_in_the_cache_are_told_apart_by_their_abi() {
    let id = cache_id;
    assert_eq!(id(EM_X86_64, Class::Elf64, 0), 0x300);
    assert_eq!(id(EM_X86_64, Class::Elf32, 0), 0x800);
    assert_eq!(id(EM_386, Class::Elf32, 0), 0);
    assert_eq!(id(EM_MIPS, Class::Elf32, 0x20), 0x600);
    assert_eq!(id(EM_MIPS, Class::Elf32, 0x400), 0xc00);
    assert_eq!(id(EM_ARM, Class::Elf32, 0x400), 0x900);
    assert_eq!(id(EM_AARCH64, Class::Elf64, 0), 0xa00);
    assert_eq!(id(EM_PPC, Class::Elf32, 0), 0);
    assert_eq!(id(EM_PPC64, Class::Elf64, 2), 0x500);
    assert_eq!(id(EM_LOONGARCH, Class::Elf64, 0x43), 0x1200);
    assert_eq!(id(EM_S390, Class::Elf64, 0), 0x400);
    assert_eq!(id(EM_SPARCV9, Class::Elf64, 0), 0x100);
}
