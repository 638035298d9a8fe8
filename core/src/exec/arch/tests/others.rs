//! arch/x86, arch/riscv, arch/powerpc, arch/loongarch.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use super::*;
use crate::elf::consts::{EM_386, EM_486, EM_LOONGARCH, EM_PPC, EM_PPC64, EM_RISCV, EM_X86_64};

fn little(e_machine: u16, class: Class) -> Machine<'static> {
    machine(e_machine, class, ByteOrder::Little, (6, 12, 0))
}

fn file(class: Class, e_machine: u16) -> File {
    File::new(class, ByteOrder::Little, e_machine, 0)
}

fn executes_data(machine: &Machine, file: &File) -> Result<bool, String> {
    file.bprm(machine, |bprm| executes(bprm, PF_R)).map_err(|exit| said::<bool>(Err(exit)))
}

fn layout(machine: &Machine, file: &File) -> &'static TaskLayout {
    file.arch(machine, |arch, bprm| (arch.layout)(machine, bprm.image))
}

fn task_size(machine: &Machine, file: &File) -> (u64, u64) {
    let Bounds { least, most } = layout(machine, file).task_size;
    (least, most)
}

#[test]
fn the_32_bit_programs_of_64_bit_kernels() {
    for (kernel, e_machine, question) in [
        (EM_X86_64, EM_386, Capability::Ia32),
        (EM_X86_64, EM_486, Capability::Ia32),
        (EM_X86_64, EM_X86_64, Capability::X32),
        (EM_RISCV, EM_RISCV, Capability::Riscv32),
        (EM_PPC64, EM_PPC, Capability::Ppc32),
    ] {
        let file = file(Class::Elf32, e_machine);
        let kernel = || little(kernel, Class::Elf64);
        assert_eq!(file.check_arch(&kernel()), format!("ask {}", question.name()));
        assert_eq!(file.check_arch(&yes(kernel(), question)), "ok");
        assert_eq!(file.check_arch(&no(kernel(), question)), REFUSED);
        let untold = file.check_arch(&answer(kernel(), question, None));
        assert_eq!(untold, format!("unknown: {}", question.description()));
        // OpenWrt's 64-bit kernels have none of them.
        let mut openwrt = answer(kernel(), question, None);
        openwrt.openwrt();
        openwrt.openwrt.get_mut().unwrap().release = known("24.10.0".to_owned());
        assert_eq!(file.check_arch(&openwrt), REFUSED);
    }
    assert_eq!(file(Class::Elf32, EM_PPC64).check_arch(&little(EM_PPC64, Class::Elf64)), REFUSED);
    assert_eq!(file(Class::Elf32, EM_LOONGARCH).check_arch(&little(EM_LOONGARCH, Class::Elf64)), REFUSED);
}

#[test]
fn a_kernels_own_programs() {
    for (kernel, class, e_machine, ok) in [
        (EM_X86_64, Class::Elf64, EM_X86_64, true),
        (EM_X86_64, Class::Elf64, EM_386, false),
        (EM_386, Class::Elf32, EM_386, true),
        (EM_386, Class::Elf32, EM_486, true),
        (EM_386, Class::Elf32, EM_X86_64, false),
        (EM_RISCV, Class::Elf32, EM_RISCV, true),
        (EM_RISCV, Class::Elf64, EM_RISCV, true),
        (EM_PPC, Class::Elf32, EM_PPC, true),
        (EM_PPC, Class::Elf32, EM_PPC64, false),
        (EM_PPC64, Class::Elf64, EM_PPC64, true),
        (EM_PPC64, Class::Elf64, EM_PPC, false),
        (EM_LOONGARCH, Class::Elf64, EM_LOONGARCH, true),
    ] {
        let said = file(class, e_machine).check_arch(&little(kernel, class));
        assert_eq!(said, if ok { "ok" } else { REFUSED }, "{kernel} {class:?} {e_machine}");
    }
}

/// riscv, loongarch and mips look at EI_CLASS; x86, arm and powerpc do not.
#[test]
fn ei_class() {
    for (e_machine, looks) in [
        (EM_RISCV, true),
        (EM_LOONGARCH, true),
        (8, true),
        (EM_X86_64, false),
        (EM_PPC64, false),
        (183, false),
    ] {
        let mut odd = file(Class::Elf64, e_machine).candidate();
        let Content::Elf(program) = &mut odd.content else { unreachable!() };
        program.ident[4] = 1;
        let (machine, program) = (little(e_machine, Class::Elf64), &**program);
        let (candidate, image) = (&file(Class::Elf64, e_machine).candidate(), &program.as_read[0]);
        let said = said(elf_check_arch(&Binprm::new(&machine, candidate, program, image)));
        assert_eq!(said, if looks { REFUSED } else { "ok" }, "{e_machine}");
    }
}

#[test]
fn what_executes_on_x86() {
    let of = |e_machine, class, features| {
        let mut machine = little(e_machine, class);
        cpu(&mut machine).features = words(features);
        machine
    };
    let data = |file: File| file.segment(PT_GNU_STACK, PF_R | PF_W);
    let wide = of(EM_X86_64, Class::Elf64, "fpu nx lm");
    assert_eq!(executes_data(&wide, &file(Class::Elf64, EM_X86_64)), Ok(false));
    assert_eq!(executes_data(&wide, &file(Class::Elf32, EM_386)), Ok(true));
    assert_eq!(executes_data(&wide, &file(Class::Elf32, EM_X86_64)), Ok(true));
    assert_eq!(executes_data(&wide, &data(file(Class::Elf32, EM_386))), Ok(false));
    assert_eq!(executes_data(&of(EM_X86_64, Class::Elf64, "lm"), &file(Class::Elf64, EM_X86_64)), Ok(true));
    let program = data(file(Class::Elf32, EM_386));
    assert_eq!(executes_data(&of(EM_386, Class::Elf32, "fpu"), &program), Ok(true));
    let unknown = Err("unknown: whether this kernel keeps data from being executed".to_owned());
    assert_eq!(executes_data(&of(EM_386, Class::Elf32, "fpu pae nx"), &program), unknown);
    let mut older = wide;
    kernel(&mut older).release = known(Release { text: String::new(), version: (5, 4, 0) });
    assert_eq!(executes_data(&older, &file(Class::Elf64, EM_X86_64)), Ok(true));
    assert_eq!(executes_data(&older, &data(file(Class::Elf64, EM_X86_64))), Ok(false));
}

#[test]
fn what_executes_elsewhere() {
    for (e_machine, class) in
        [(EM_RISCV, Class::Elf64), (EM_LOONGARCH, Class::Elf64), (EM_PPC64, Class::Elf64)]
    {
        assert_eq!(executes_data(&little(e_machine, class), &file(class, e_machine)), Ok(false));
    }
    let of = |model: &str| {
        let mut machine = little(EM_PPC, Class::Elf32);
        cpu(&mut machine).model = known(model.to_owned());
        machine
    };
    let (bare, program) =
        (file(Class::Elf32, EM_PPC), file(Class::Elf32, EM_PPC).segment(PT_GNU_STACK, PF_R));
    for (model, on_program) in
        [("e500v2", false), ("440EP", false), ("7447A, altivec supported", true), ("604e", true)]
    {
        assert_eq!(executes_data(&of(model), &bare), Ok(true), "{model}");
        assert_eq!(executes_data(&of(model), &program), Ok(on_program), "{model}");
    }
}

#[test]
fn the_first_instruction() {
    let at = |e_machine, entry| {
        let file = file(Class::Elf64, e_machine).entry(entry);
        first(&file, &little(e_machine, Class::Elf64))
    };
    assert_eq!(at(EM_X86_64, 0x40_0001), Ok(Some(0x40_0001)));
    assert_eq!(at(EM_RISCV, 0x1_0003), Ok(Some(0x1_0002)));
    assert_eq!(at(EM_LOONGARCH, 0x1_0002), Err("SIGBUS at start: entry not aligned".to_owned()));
    // ELFv1: a descriptor.
    assert_eq!(at(EM_PPC64, 0x1_0000), Ok(None));
    let elf_v2 = File::new(Class::Elf64, ByteOrder::Little, EM_PPC64, 2).entry(0x1_0003);
    assert_eq!(first(&elf_v2, &little(EM_PPC64, Class::Elf64)), Ok(Some(0x1_0000)));
    let zeros_and_magic = |e_machine| {
        let machine = little(e_machine, Class::Elf64);
        file(Class::Elf64, e_machine)
            .arch(&machine, |arch, bprm| ((arch.zeros_as_code)(bprm), (arch.magic_as_code)(bprm)))
    };
    assert_eq!(zeros_and_magic(EM_X86_64), (Some(Signal::SIGSEGV), None));
    assert_eq!(zeros_and_magic(EM_RISCV), (Some(Signal::SIGILL), Some(Signal::SIGILL)));
    assert_eq!(zeros_and_magic(EM_PPC64), (Some(Signal::SIGILL), None));
    assert_eq!(zeros_and_magic(EM_LOONGARCH), (Some(Signal::SIGILL), None));
}

#[test]
fn address_spaces_of_x86() {
    const WINDOW: u64 = 0x7fff_ffff_f000;
    const FIVE_LEVELS: u64 = 0xff_ffff_ffff_f000;
    let own = file(Class::Elf64, EM_X86_64);
    let mut wide = little(EM_X86_64, Class::Elf64);
    assert_eq!(task_size(&wide, &own), (WINDOW, FIVE_LEVELS));
    cpu(&mut wide).features = words("lm nx");
    assert_eq!(task_size(&wide, &own), (WINDOW, WINDOW));
    cpu(&mut wide).features = words("lm nx la57");
    assert_eq!(task_size(&wide, &own), (FIVE_LEVELS, FIVE_LEVELS));
    assert_eq!(layout(&wide, &own).stack.end, WINDOW);
    assert_eq!(layout(&wide, &own).et_dyn_base.start, 0x5555_5555_4aaa);
    let narrow = layout(&wide, &file(Class::Elf32, EM_386));
    assert_eq!((narrow.task_size.least, narrow.task_size.most), (0xffff_e000, 0xffff_e000));
    assert_eq!(narrow.et_dyn_base.start, 0x5655_5000);
    let of_32 = task_size(&little(EM_386, Class::Elf32), &file(Class::Elf32, EM_386));
    assert_eq!(of_32, (0x4000_0000, 0xc000_0000));
}

#[test]
fn address_spaces_elsewhere() {
    let of = |e_machine, class, release, page| {
        let mut machine = machine(e_machine, Class::Elf64, ByteOrder::Little, release);
        kernel(&mut machine).page_size = known(page);
        task_size(&machine, &file(class, e_machine))
    };
    assert_eq!(of(EM_RISCV, Class::Elf64, (5, 15, 0), 4096), (1 << 38, 1 << 38));
    assert_eq!(of(EM_RISCV, Class::Elf64, (6, 12, 0), 4096), (1 << 38, 1 << 56));
    assert_eq!(of(EM_RISCV, Class::Elf32, (6, 12, 0), 4096), (0x7fff_f000, 0x7fff_f000));
    assert_eq!(of(EM_PPC64, Class::Elf64, (6, 12, 0), 4096), (1 << 46, 1 << 46));
    assert_eq!(of(EM_PPC64, Class::Elf64, (6, 12, 0), 65536), (1 << 46, 1 << 52));
    assert_eq!(of(EM_PPC64, Class::Elf32, (6, 12, 0), 4096), (0xffff_0000, 0xffff_f000));
    assert_eq!(of(EM_LOONGARCH, Class::Elf64, (6, 12, 0), 16384), (1 << 39, 1 << 48));
}
