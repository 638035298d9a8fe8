//! arch/mips: the tables of the kernel, and of this model.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use super::*;
use crate::arch::mips::exec::{MIPS, have_a_mode};
use crate::elf::consts::{
    EF_MIPS_ABI_O32, EF_MIPS_ABI2, EF_MIPS_FP64, EF_MIPS_NAN2008, EM_MIPS, EM_MIPS_RS3_LE, PT_MIPS_ABIFLAGS,
    PT_MIPS_REGINFO,
};

const O32: u32 = EF_MIPS_ABI_O32;
const N32: u32 = EF_MIPS_ABI2;

fn mips(class: Class, release: (u8, u8, u16)) -> Machine<'static> {
    machine(EM_MIPS, class, ByteOrder::Big, release)
}

/// A 32-bit kernel with CONFIG_MIPS_FP_SUPPORT and CONFIG_MIPS_O32_FP64_SUPPORT, as Debian's.
fn debian() -> Machine<'static> {
    let mut machine = mips(Class::Elf32, (6, 1, 0));
    cpu(&mut machine).options = words("4kex nan_legacy nan_2008");
    yes(machine, Capability::MipsFp64)
}

/// The same, once it was asked for its NaN encoding.
fn legacy_nan() -> Machine<'static> {
    yes(debian(), Capability::MipsNanLegacy)
}

/// One without either, as OpenWrt's.
fn openwrt() -> Machine<'static> {
    let mut machine = mips(Class::Elf32, (6, 6, 0));
    machine = answer(machine, Capability::FpInstruction, Some(Answer::Killed));
    no(machine, Capability::MipsFp64)
}

fn file(class: Class, e_flags: u32) -> File {
    File::new(class, ByteOrder::Big, EM_MIPS, e_flags)
}

/// With PT_MIPS_ABIFLAGS.
fn with_abi(e_flags: u32, fp_abi: u8) -> File {
    let mut file = file(Class::Elf32, e_flags).segment(PT_MIPS_ABIFLAGS, PF_R);
    file.abiflags = Some(AbiFlags { fp_abi, ..AbiFlags::default() });
    file
}

fn check_elf(file: &File, machine: &Machine) -> String {
    said(file.bprm(machine, MIPS.arch_check_elf))
}

#[test]
fn elf_check_arch_of_a_32_bit_kernel() {
    let (fp64, no_fp64) = (debian(), openwrt());
    for (e_flags, with, without) in [
        (0, true, true),
        (O32, true, true),
        (0x7000_1105, true, true),
        (O32 | EF_MIPS_FP64, true, false),
        (0x2000, false, false),
        (0x3000, false, false),
        (0x9000, false, false),
        (N32, false, false),
        (N32 | O32, false, false),
        (O32 | EF_MIPS_NAN2008, true, true),
    ] {
        let say = |ok| if ok { "ok" } else { REFUSED };
        assert_eq!(file(Class::Elf32, e_flags).check_arch(&fp64), say(with), "{e_flags:x}");
        assert_eq!(file(Class::Elf32, e_flags).check_arch(&no_fp64), say(without), "{e_flags:x}");
    }
    let other = File::new(Class::Elf32, ByteOrder::Big, EM_MIPS_RS3_LE, O32);
    assert_eq!(other.check_arch(&fp64), REFUSED);
    // The check came with 3.14.
    assert_eq!(file(Class::Elf32, O32 | EF_MIPS_FP64).check_arch(&mips(Class::Elf32, (3, 10, 0))), "ok");
    let asks = file(Class::Elf32, O32 | EF_MIPS_FP64).check_arch(&mips(Class::Elf32, (6, 1, 0)));
    assert_eq!(asks, "ask mips-fp64");
}

#[test]
fn elf_check_arch_of_a_64_bit_kernel() {
    let kernel = || mips(Class::Elf64, (6, 1, 0));
    for e_flags in [0, O32, N32, 0x9000, u32::MAX] {
        assert_eq!(file(Class::Elf64, e_flags).check_arch(&kernel()), "ok", "n64 has no check of e_flags");
    }
    let both = yes(yes(kernel(), Capability::MipsO32), Capability::MipsN32);
    let neither = no(no(kernel(), Capability::MipsO32), Capability::MipsN32);
    for (e_flags, ok) in [(O32, true), (0, true), (N32, true), (N32 | O32, false), (0x2000, false)] {
        let said = file(Class::Elf32, e_flags).check_arch(&both);
        assert_eq!(said, if ok { "ok" } else { REFUSED }, "{e_flags:x}");
        assert_eq!(file(Class::Elf32, e_flags).check_arch(&neither), REFUSED);
    }
    assert_eq!(file(Class::Elf32, O32).check_arch(&kernel()), "ask mips-o32");
    assert_eq!(file(Class::Elf32, N32).check_arch(&kernel()), "ask mips-n32");
    // Its own programs tell.
    let mut of_n32 = kernel();
    let encoding = Encoding { order: ByteOrder::Big, class: Class::Elf32 };
    of_n32.userland = known(Abi { e_machine: EM_MIPS, encoding, e_flags: N32 }).into();
    assert_eq!(file(Class::Elf32, N32).check_arch(&of_n32), "ok");
    assert_eq!(file(Class::Elf32, O32).check_arch(&of_n32), "ask mips-o32");
}

/// absent, any, double, single, soft, old 64, xx, 64, 64A, and one that there is not.
const FP_ABIS: [Option<u8>; 10] =
    [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(7), Some(8)];

/// Which pairs the kernel takes (kernel-loader.md, part D).
const O32_TABLE: [&str; 10] = [
    "ok ok ok ok ok L  ok L  ok L",
    "ok ok ok ok ok L  ok ok ok L",
    "ok ok ok L  L  L  ok L  ok L",
    "ok ok L  ok L  L  L  L  L  L",
    "ok ok L  L  ok L  L  L  L  L",
    "L  L  L  L  L  L  L  L  L  L",
    "ok ok ok L  L  L  ok ok ok L",
    "L  ok L  L  L  L  ok ok ok L",
    "ok ok ok L  L  L  ok ok ok L",
    "L  L  L  L  L  L  L  L  L  L",
];

/// The same of n32 and n64.
const N64_TABLE: [&str; 10] = [
    "ok ok ok ok ok L  L  L  L  L",
    "ok ok ok ok ok L  L  L  L  L",
    "ok ok ok L  L  L  L  L  L  L",
    "ok ok L  ok L  L  L  L  L  L",
    "ok ok L  L  ok L  L  L  L  L",
    "L  L  L  L  L  L  L  L  L  L",
    "L  L  L  L  L  L  L  L  L  L",
    "L  L  L  L  L  L  L  L  L  L",
    "L  L  L  L  L  L  L  L  L  L",
    "L  L  L  L  L  L  L  L  L  L",
];

#[test]
fn the_fp_abis_of_program_and_interpreter() {
    for (is_o32, table) in [(true, O32_TABLE), (false, N64_TABLE)] {
        for (program, row) in FP_ABIS.iter().zip(table) {
            for (interpreter, cell) in FP_ABIS.iter().zip(row.split_whitespace()) {
                let say = format!("{is_o32} {program:?} {interpreter:?}");
                assert_eq!(have_a_mode(is_o32, *program, *interpreter), cell == "ok", "{say}");
            }
        }
    }
}

/// The decision as arch/mips/kernel/elf.c takes it, step by step, for every value of fp_abi.
#[test]
fn an_fpu_mode_in_common_is_all_that_decides() {
    // single, soft, fr1, frdefault, fre
    const NONE: [bool; 5] = [true, true, false, true, true];
    const REQS: [[bool; 5]; 8] = [
        [true, true, true, true, true],
        [false, false, false, true, true],
        [true, false, false, false, false],
        [false, true, false, false, false],
        [false, false, false, false, false],
        [false, false, true, true, true],
        [false, false, true, false, false],
        [false, false, true, false, true],
    ];
    let kernel = |max_abi: i32, abis: [i32; 2]| {
        let (abi0, abi1) = (abis[0].min(abis[1]), abis[0].max(abis[1]));
        if (abi0 > max_abi && abi0 != -1) || (abi1 > max_abi && abi1 != -1) {
            return false;
        }
        let requirement = |abi: i32| usize::try_from(abi).map_or(NONE, |abi| REQS[abi]);
        let (program, interpreter) = (requirement(abi0), requirement(abi1));
        let common: [bool; 5] = core::array::from_fn(|i| program[i] && interpreter[i]);
        let [single, soft, fr1, frdefault, fre] = common;
        let fp_fre = fre && !frdefault && !fr1;
        let by_processor = (fr1 && frdefault) || (single && !frdefault);
        fp_fre || by_processor || fr1 || fre || frdefault || single || soft
    };
    for (is_o32, max_abi) in [(true, 7), (false, 3)] {
        for program in -1..256 {
            for interpreter in -1..256 {
                let ours = have_a_mode(is_o32, u8::try_from(program).ok(), u8::try_from(interpreter).ok());
                let theirs = kernel(max_abi, [program, interpreter]);
                assert_eq!(ours, theirs, "{is_o32} {program} {interpreter}");
            }
        }
    }
}

#[test]
fn arch_check_elf_compares_fp_abis_where_fp64_is_supported() {
    const ELIBBAD: &str = "ELIBBAD arch_check_elf: FP ABI";
    let hard = with_abi(O32, 1);
    let (of_soft, of_xx) = (hard.clone().interp(with_abi(O32, 3)), hard.clone().interp(with_abi(O32, 5)));
    let old_64 = file(Class::Elf32, O32 | EF_MIPS_FP64).segment(PT_MIPS_REGINFO, PF_R);
    for (file, said) in [(&hard, "ok"), (&of_soft, ELIBBAD), (&of_xx, "ok"), (&old_64, ELIBBAD)] {
        assert_eq!(check_elf(file, &legacy_nan()), said);
        assert_eq!(check_elf(file, &openwrt()), "ok");
        assert_eq!(check_elf(file, &mips(Class::Elf32, (3, 10, 0))), "ok");
    }
    // Neither is asked for what passes in any case.
    let mut own = mips(Class::Elf32, (6, 1, 0));
    let encoding = Encoding { order: ByteOrder::Big, class: Class::Elf32 };
    own.userland = known(Abi { e_machine: EM_MIPS, encoding, e_flags: O32 }).into();
    assert_eq!(check_elf(&hard, &own), "ok");
    assert_eq!(check_elf(&of_soft, &own), "ask fp-instruction");
    assert_eq!(check_elf(&of_soft, &yes(own.clone(), Capability::FpInstruction)), "ask mips-fp64");
    assert_eq!(check_elf(&of_soft, &answer(own, Capability::FpInstruction, Some(Answer::Killed))), "ok");
    // n32: no FPXX.
    let mut n64 = mips(Class::Elf64, (6, 1, 0));
    cpu(&mut n64).options = words("nan_legacy");
    let n64 = yes(yes(n64, Capability::MipsNanLegacy), Capability::MipsFp64);
    assert_eq!(check_elf(&with_abi(N32, 5), &n64), ELIBBAD);
    assert_eq!(check_elf(&with_abi(O32, 5), &n64), "ok");
}

/// Without a header of the processor's range EF_MIPS_FP64 is not seen, and the last such header counts.
#[test]
fn arch_elf_pt_proc_goes_by_the_last_header() {
    const ELIBBAD: &str = "ELIBBAD arch_check_elf: FP ABI";
    let bare = file(Class::Elf32, O32 | EF_MIPS_FP64);
    assert_eq!(check_elf(&bare, &legacy_nan()), "ok");
    let mut first = bare.clone().segment(PT_MIPS_REGINFO, PF_R);
    assert_eq!(check_elf(&first, &legacy_nan()), ELIBBAD);
    first = first.segment(PT_MIPS_ABIFLAGS, PF_R);
    first.abiflags = Some(AbiFlags { fp_abi: 6, ..AbiFlags::default() });
    assert_eq!(check_elf(&first, &legacy_nan()), "ok");
    assert_eq!(check_elf(&first.clone().segment(PT_MIPS_REGINFO, PF_R), &legacy_nan()), ELIBBAD);
    assert_eq!(check_elf(&first.segment(1, PF_R), &legacy_nan()), "ok");
}

#[test]
fn arch_elf_pt_proc_reads_the_structure() {
    let file = |p_offset, p_filesz| {
        let mut file = file(Class::Elf64, 0).segment(PT_MIPS_REGINFO, PF_R).segment(PT_MIPS_ABIFLAGS, PF_R);
        (file.table[1].p_offset, file.table[1].p_filesz) = (p_offset, p_filesz);
        file
    };
    let check = |file: &File, machine: &Machine| said(file.bprm(machine, MIPS.arch_elf_pt_proc));
    for (p_offset, p_filesz, said) in [
        (0, 24, "ok"),
        (4072, 24, "ok"),
        (4072, u64::MAX, "ok"),
        (4073, 24, "EIO arch_elf_pt_proc"),
        (1 << 40, 24, "EIO arch_elf_pt_proc"),
        (1 << 40, 23, "EINVAL arch_elf_pt_proc"),
        (0, 23, "EINVAL arch_elf_pt_proc"),
        (0, 0, "EINVAL arch_elf_pt_proc"),
        (1 << 63, 24, "EINVAL arch_elf_pt_proc"),
    ] {
        assert_eq!(check(&file(p_offset, p_filesz), &debian()), said, "{p_offset:x} {p_filesz}");
        assert_eq!(check(&file(p_offset, p_filesz), &openwrt()), "ok");
        assert_eq!(check(&file(p_offset, p_filesz), &mips(Class::Elf64, (3, 18, 0))), "ok");
    }
    // The first that is wrong.
    let mut two = file(5000, 24).segment(PT_MIPS_ABIFLAGS, PF_R);
    two.table[2].p_filesz = 1;
    assert_eq!(check(&two, &mips(Class::Elf64, (4, 14, 0))), "EIO arch_elf_pt_proc");
    assert_eq!(check(&two, &mips(Class::Elf64, (6, 1, 0))), "ask fp-instruction");
}

#[test]
fn nan_encodings() {
    const ENOEXEC: &str = "ENOEXEC arch_check_elf: NaN";
    let of = |e_flags| file(Class::Elf32, O32 | e_flags);
    let (legacy, new) = (of(0), of(EF_MIPS_NAN2008));
    // As processors and `ieee754=` make it.
    for (takes_legacy, takes_new) in [(true, true), (true, false), (false, true)] {
        let put =
            |machine, question, taken| if taken { yes(machine, question) } else { no(machine, question) };
        let machine = put(debian(), Capability::MipsNanLegacy, takes_legacy);
        let machine = put(machine, Capability::MipsNan2008, takes_new);
        let say = |taken| if taken { "ok" } else { ENOEXEC };
        assert_eq!(check_elf(&legacy, &machine), say(takes_legacy));
        assert_eq!(check_elf(&new, &machine), say(takes_new));
        // The encoding itself comes before the comparison.
        let mixed = |taken| if taken { "ELIBBAD arch_check_elf: NaN" } else { ENOEXEC };
        assert_eq!(check_elf(&legacy.clone().interp(new.clone()), &machine), mixed(takes_legacy));
        assert_eq!(check_elf(&new.clone().interp(legacy.clone()), &machine), mixed(takes_new));
        assert_eq!(check_elf(&new.clone().interp(new.clone()), &machine), say(takes_new));
    }
    assert_eq!(check_elf(&new, &debian()), "ask mips-nan2008");
    for kernel in [openwrt(), mips(Class::Elf32, (4, 4, 0)), mips(Class::Elf32, (3, 10, 0))] {
        assert_eq!(check_elf(&new, &kernel), "ok");
        assert_eq!(check_elf(&new.clone().interp(legacy.clone()), &kernel), "ok");
    }
}

#[test]
fn where_a_program_begins() {
    let plain = || {
        let mut machine = openwrt();
        cpu(&mut machine).ases = words("dsp");
        machine
    };
    let mut mips16 = openwrt();
    cpu(&mut mips16).ases = words("mips16 dsp");
    let at = |entry| file(Class::Elf32, O32).entry(entry);
    assert_eq!(first(&at(0x40_0100), &plain()), Ok(Some(0x40_0100)));
    let misaligned = Err("SIGBUS at start: entry not aligned".to_owned());
    assert_eq!(first(&at(0x40_0102), &plain()), misaligned);
    assert_eq!(first(&at(0x40_0102), &mips16), misaligned);
    let absent = Err("SIGBUS at start: entry in an instruction set that is absent".to_owned());
    assert_eq!(first(&at(0x40_0101), &plain()), absent);
    assert_eq!(first(&at(0x40_0103), &mips16), Ok(Some(0x40_0102)));
    assert_eq!(first(&at(0x40_0101), &openwrt()), Err("ask mips16".to_owned()));
    let micro = yes(no(openwrt(), Capability::Mips16), Capability::MicroMips);
    assert_eq!(first(&at(0x40_0101), &micro), Ok(Some(0x40_0100)));
}

#[test]
fn data_is_code_but_with_rixi() {
    let code = |machine: &Machine, p_flags| {
        said(
            file(Class::Elf32, O32)
                .bprm(machine, |bprm| executes(bprm, p_flags).map(|executes| assert!(executes))),
        )
    };
    assert_eq!(code(&openwrt(), PF_R), "ok");
    let mut rixi = openwrt();
    cpu(&mut rixi).options = words("4kex rixi rixiex");
    let is_code =
        |p_flags| file(Class::Elf32, O32).bprm(&rixi, |bprm| executes(bprm, p_flags).is_ok_and(|is| is));
    assert_eq!([PF_R, PF_R | PF_W, PF_R | PF_X, PF_X, 0].map(is_code), [false, false, true, true, false]);
}

#[test]
fn headers_and_zeros_as_code() {
    let magic_as_code = |machine: &Machine, order| {
        let file = File::new(Class::Elf32, order, EM_MIPS, O32);
        file.arch(machine, |arch, bprm| ((arch.magic_as_code)(bprm), (arch.zeros_as_code)(bprm)))
    };
    assert_eq!(magic_as_code(&openwrt(), ByteOrder::Big), (Some(Signal::SIGILL), None));
    assert_eq!(magic_as_code(&openwrt(), ByteOrder::Little), (Some(Signal::SIGILL), None));
    let wide = mips(Class::Elf64, (6, 1, 0));
    assert_eq!(magic_as_code(&wide, ByteOrder::Big), (None, None));
    assert_eq!(magic_as_code(&wide, ByteOrder::Little), (Some(Signal::SIGILL), None));
}

#[test]
fn the_address_space() {
    let layout =
        |machine: &Machine, class| file(class, O32).bprm(machine, |bprm| (MIPS.layout)(machine, bprm.image));
    let native = layout(&openwrt(), Class::Elf32);
    assert_eq!((native.task_size.least, native.task_size.most), (0x8000_0000, 0x8000_0000));
    assert_eq!(native.et_dyn_base.start, 0x5555_5554);
    // As Linux 6.12 put it in the lab, in 12 starts.
    for (start, end) in [(0x7f72_9000, 0x7f74_a000), (0x7fed_a000, 0x7fef_b000)] {
        assert!(native.stack.contains(&start) && end <= native.stack.end);
    }
    assert_eq!(layout(&mips(Class::Elf32, (3, 18, 0)), Class::Elf32).task_size.most, 0x7fff_8000);
    let wide = mips(Class::Elf64, (6, 1, 0));
    assert_eq!(layout(&wide, Class::Elf32).task_size.least, 0x7fff_8000);
    let n64 = layout(&wide, Class::Elf64);
    assert_eq!((n64.task_size.least, n64.task_size.most), (1 << 40, 1 << 48));
}
