//! arch/arm, arch/arm64.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use super::*;
use crate::elf::consts::{
    EF_ARM_APCS_26, EF_ARM_BE8, EF_ARM_EABI_VER5, EF_ARM_SOFT_FLOAT, EF_ARM_VFP_FLOAT, ELFOSABI_ARM_FDPIC,
    EM_AARCH64, EM_ARM,
};

const EABI5: u32 = EF_ARM_EABI_VER5;
const OLD: u32 = 0;

/// An ARMv5 router: neither Thumb nor VFP.
fn arm(features: &str) -> Machine<'static> {
    let mut machine = machine(EM_ARM, Class::Elf32, ByteOrder::Little, (6, 12, 0));
    cpu(&mut machine).features = words(features);
    machine
}

fn file(e_flags: u32) -> File {
    File::new(Class::Elf32, ByteOrder::Little, EM_ARM, e_flags)
}

#[test]
fn elf_check_arch_of_arm() {
    let (bare, full) = (arm("swp half fastmult"), arm("swp half thumb 26bit fastmult vfp"));
    for (e_flags, on_bare) in [
        (EABI5, true),
        (EABI5 | EF_ARM_VFP_FLOAT, true),
        (EABI5 | EF_ARM_BE8, true),
        (EABI5 | EF_ARM_APCS_26, true),
        (0x0100_0000 | EF_ARM_VFP_FLOAT, true),
        (OLD, true),
        (OLD | EF_ARM_APCS_26, false),
        (OLD | EF_ARM_VFP_FLOAT, false),
        (OLD | EF_ARM_SOFT_FLOAT, true),
        (OLD | EF_ARM_SOFT_FLOAT | EF_ARM_VFP_FLOAT, true),
    ] {
        assert_eq!(file(e_flags).check_arch(&bare), if on_bare { "ok" } else { REFUSED }, "{e_flags:x}");
        assert_eq!(file(e_flags).check_arch(&full), "ok", "{e_flags:x}");
    }
    for (entry, on_bare, on_full) in
        [(0x8000, true, true), (0x8001, false, true), (0x8002, false, false), (0x8003, false, true)]
    {
        let say = |ok| if ok { "ok" } else { REFUSED };
        assert_eq!(file(EABI5).entry(entry).check_arch(&bare), say(on_bare), "{entry:x}");
        assert_eq!(file(EABI5).entry(entry).check_arch(&full), say(on_full), "{entry:x}");
    }
    assert_eq!(File::new(Class::Elf32, ByteOrder::Little, 8, EABI5).check_arch(&full), REFUSED);
}

#[test]
fn the_features_are_those_of_cpuinfo_or_of_the_auxiliary_vector() {
    let untold = || machine(EM_ARM, Class::Elf32, ByteOrder::Little, (6, 12, 0));
    let vfp = file(OLD | EF_ARM_VFP_FLOAT);
    assert_eq!(vfp.check_arch(&untold()), "unknown: which features the processor has");
    assert_eq!(file(EABI5).entry(1).check_arch(&untold()), "ask thumb");
    for (hwcap, said) in [(1 << 6, "ok"), (!(1 << 6), REFUSED)] {
        let mut machine = untold();
        machine.auxv = Auxv { hwcap: Some(hwcap), ..Auxv::default() }.into();
        assert_eq!(vfp.check_arch(&machine), said);
    }
}

#[test]
fn fdpic_programs_have_a_handler_of_their_own() {
    let mut fdpic = file(EABI5);
    fdpic.osabi = ELFOSABI_ARM_FDPIC;
    assert_eq!(fdpic.check_arch(&arm("thumb")), "ask arm-fdpic");
    assert_eq!(fdpic.check_arch(&no(arm("thumb"), Capability::ArmFdpic)), "ENOEXEC elf_check_fdpic");
    assert_eq!(fdpic.check_arch(&yes(arm("thumb"), Capability::ArmFdpic)), "ok");
    let mut older = arm("thumb");
    kernel(&mut older).release = known(Release { text: String::new(), version: (4, 9, 0) });
    assert_eq!(fdpic.check_arch(&older), "ok");
    // Others ignore EI_OSABI.
    let mut other = File::new(Class::Elf64, ByteOrder::Little, EM_AARCH64, 0);
    other.osabi = ELFOSABI_ARM_FDPIC;
    assert_eq!(other.check_arch(&aarch64()), "ok");
}

#[test]
fn programs_of_the_old_abi_need_its_system_calls() {
    let after_start =
        |file: File, machine: &Machine| said(file.arch(machine, |arch, bprm| (arch.after_start)(bprm)));
    assert_eq!(after_start(file(EABI5), &arm("")), "ok");
    assert_eq!(after_start(file(OLD), &arm("")), "ask arm-oabi");
    assert_eq!(after_start(file(OLD), &yes(arm(""), Capability::ArmOabi)), "ok");
    let killed = answer(arm(""), Capability::ArmOabi, Some(Answer::Killed));
    assert!(after_start(file(OLD), &killed).starts_with("unknown: whether its code"));
}

#[test]
fn without_pt_gnu_stack_what_may_be_read_may_be_executed() {
    const ALL: [bool; 3] = [true, false, true];
    const NONE: [bool; 3] = [false, false, true];
    let executes = |machine: &Machine, file: &File| {
        [PF_R, PF_W, PF_R | PF_X]
            .map(|flags| file.bprm(machine, |bprm| executes(bprm, flags).is_ok_and(|is| is)))
    };
    let bare = file(EABI5);
    let data = bare.clone().segment(PT_GNU_STACK, PF_R | PF_W);
    let code = bare.clone().segment(PT_GNU_STACK, PF_R | PF_W | PF_X);
    let of = |architecture, release| {
        let mut machine = arm("thumb");
        cpu(&mut machine).arm_architecture = known(architecture);
        kernel(&mut machine).release = known(Release { text: String::new(), version: release });
        machine
    };
    for (machine, on_bare, on_data, on_code) in [
        (of(7, (6, 12, 0)), ALL, NONE, NONE),
        (of(7, (5, 4, 0)), ALL, NONE, ALL),
        (of(5, (6, 12, 0)), ALL, ALL, ALL),
    ] {
        assert_eq!(executes(&machine, &bare), on_bare);
        assert_eq!(executes(&machine, &data), on_data);
        assert_eq!(executes(&machine, &code), on_code);
    }
    // The last one counts.
    let both = code.clone().segment(PT_GNU_STACK, PF_R);
    assert_eq!(executes(&of(7, (5, 4, 0)), &both), NONE);
    // On a 64-bit kernel: 32-bit programs as above, others never since 5.8.
    assert_eq!(executes(&aarch64(), &bare), ALL);
    assert_eq!(executes(&aarch64(), &File::new(Class::Elf64, ByteOrder::Little, EM_AARCH64, 0)), NONE);
}

fn aarch64() -> Machine<'static> {
    machine(EM_AARCH64, Class::Elf64, ByteOrder::Little, (6, 12, 0))
}

#[test]
fn elf_check_arch_of_arm64() {
    let own = |e_machine| File::new(Class::Elf64, ByteOrder::Little, e_machine, 0);
    assert_eq!(own(EM_AARCH64).check_arch(&aarch64()), "ok");
    assert_eq!(own(EM_ARM).check_arch(&aarch64()), REFUSED);
    let (with, without) = (yes(aarch64(), Capability::Arm32), no(aarch64(), Capability::Arm32));
    // Neither e_entry nor the float flags are looked at.
    for (e_flags, entry, ok) in [
        (EABI5, 0, true),
        (EABI5, 2, true),
        (EABI5, 1, true),
        (OLD, 0, false),
        (OLD | EF_ARM_APCS_26, 0, false),
    ] {
        assert_eq!(file(e_flags).entry(entry).check_arch(&with), if ok { "ok" } else { REFUSED });
        assert_eq!(file(e_flags).entry(entry).check_arch(&without), REFUSED);
    }
    assert_eq!(file(EABI5).check_arch(&aarch64()), "ask arm32");
    assert_eq!(File::new(Class::Elf32, ByteOrder::Little, EM_AARCH64, 0).check_arch(&with), REFUSED);
}

#[test]
fn the_first_instruction() {
    let own = |entry| File::new(Class::Elf64, ByteOrder::Little, EM_AARCH64, 0).entry(entry);
    let misaligned = Err("SIGBUS at start: entry not aligned".to_owned());
    assert_eq!(first(&own(0x40_0004), &aarch64()), Ok(Some(0x40_0004)));
    assert_eq!(first(&own(0x40_0001), &aarch64()), misaligned);
    assert_eq!(first(&own(0x40_0002), &aarch64()), misaligned);
    assert_eq!(first(&file(EABI5).entry(0x8001), &aarch64()), Ok(Some(0x8000)));
    assert_eq!(first(&file(EABI5).entry(0x8003), &aarch64()), Ok(Some(0x8002)));
    let open = first(&file(EABI5).entry(0x8002), &aarch64());
    assert!(open.is_err_and(|words| words.contains("UNPREDICTABLE")));
    assert_eq!(first(&file(EABI5).entry(0x8001), &arm("thumb")), Ok(Some(0x8000)));
    let ends = |file: &File, machine: &Machine| {
        file.arch(machine, |arch, bprm| [(arch.zeros_as_code)(bprm), (arch.magic_as_code)(bprm)])
    };
    assert_eq!(ends(&own(0), &aarch64()), [Some(Signal::SIGILL); 2]);
    assert_eq!(ends(&file(EABI5), &aarch64()), [None; 2]);
    assert_eq!(ends(&file(EABI5), &arm("")), [None; 2]);
}

#[test]
fn address_spaces() {
    let layout = |file: &File, machine: &Machine| {
        let layout = file.arch(machine, |arch, bprm| (arch.layout)(machine, bprm.image));
        (layout.task_size.least, layout.task_size.most, layout.stack.end)
    };
    assert_eq!(layout(&file(EABI5), &arm("")), (0x3f00_0000, 0xbf00_0000, 0xbf00_0000));
    assert_eq!(layout(&file(OLD | EF_ARM_APCS_26), &arm("")).2, 1 << 26);
    assert_eq!(layout(&file(EABI5 | EF_ARM_APCS_26), &arm("")).2, 0xbf00_0000);
    assert_eq!(layout(&file(EABI5), &aarch64()), (0xffff_0000, 1 << 32, 0xffff_0000));
    let own = File::new(Class::Elf64, ByteOrder::Little, EM_AARCH64, 0);
    let mut machine = aarch64();
    for (page, release, least, most) in [
        (4096, (6, 12, 0), 39, 52),
        (4096, (6, 6, 0), 39, 48),
        (16384, (6, 6, 0), 36, 48),
        (65536, (4, 19, 0), 42, 48),
        (65536, (6, 6, 0), 42, 52),
    ] {
        kernel(&mut machine).page_size = known(page);
        kernel(&mut machine).release = known(Release { text: String::new(), version: release });
        assert_eq!(layout(&own, &machine), (1 << least, 1 << most, 1 << 48), "{page} {release:?}");
    }
}
