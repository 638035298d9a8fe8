//! Zeros behind a segment's file part, before `elf_load` and with it.

use alloc::string::String;

use super::super::arch::tests::{File, answer, machine, said};
use super::super::{Waived, elf};
use super::is_debians_late_6_1;
use crate::elf::consts::{EM_MIPS, PF_R, PF_W, PF_X, PT_LOAD};
use crate::elf::{ByteOrder, Class, ProgramHeader};
use crate::target::{Answer, Capability};

type Release = (u8, u8, u16);

const WITHOUT_ELF_LOAD: [Release; 7] =
    [(4, 14, 280), (5, 10, 223), (5, 15, 0), (6, 1, 0), (6, 1, 139), (6, 6, 0), (6, 6, 91)];
/// `elf_load` which ignores what `padzero` says.
const BACKPORTED: [Release; 2] = [(6, 1, 140), (6, 6, 92)];
const SINCE_6_7: [Release; 2] = [(6, 7, 0), (6, 12, 0)];

/// A segment: PF_*, p_offset, p_vaddr, p_filesz, p_memsz.
type Segment = (u32, u64, u64, u64, u64);

const RX: u32 = PF_R | PF_X;
const RW: u32 = PF_R | PF_W;
const RWX: u32 = PF_R | PF_W | PF_X;

/// A file of 4096 bytes with these segments. On MIPS zeros are instructions that do nothing.
fn file(e_entry: u64, segments: &[Segment]) -> File {
    let mut file = File::new(Class::Elf32, ByteOrder::Little, EM_MIPS, 0x7000_1007).entry(e_entry);
    for &(p_flags, p_offset, p_vaddr, p_filesz, p_memsz) in segments {
        let p_type = PT_LOAD;
        file.table.push(ProgramHeader {
            p_type,
            p_flags,
            p_offset,
            p_vaddr,
            p_filesz,
            p_memsz,
            p_align: 0x1000,
        });
    }
    file
}

fn outcome(file: &File, release: Release) -> String {
    let mut mips = machine(EM_MIPS, Class::Elf32, ByteOrder::Little, release);
    mips = answer(mips, Capability::FpInstruction, Some(Answer::Killed));
    let mips = answer(mips, Capability::MipsNanLegacy, Some(Answer::Works));
    said(
        file.bprm(&mips, |bprm| {
            elf::try_handlers(bprm.machine, bprm.candidate, bprm.program, Waived::default())
        }),
    )
}

/// What becomes of it on kernels without `elf_load`, with the backported one, and with that of 6.7.
#[track_caller]
fn check(file: &File, without: &str, backported: &str, since_6_7: &str) {
    let kernels = [(&WITHOUT_ELF_LOAD[..], without), (&BACKPORTED, backported), (&SINCE_6_7, since_6_7)];
    for (releases, expected) in kernels {
        for &release in releases {
            assert_eq!(outcome(file, release), expected, "{release:?}");
        }
    }
}

const IN_ZEROS: &str = "SIGSEGV at start: entry in zeros";
const NOT_CLEARED: &str = "SIGSEGV at exec: elf_load: padzero";
const CROOKED: &str = "SIGSEGV at exec: elf_map: alignment";

#[test]
fn a_segment_without_a_file_part_is_mapped_from_the_file_before_elf_load() {
    // Seen on 4.14.280: its first page would begin at an offset of -0x54.
    let seen = |p_flags, p_offset| file(0x1000_0054, &[(p_flags, p_offset, 0x1000_0054, 0, 0x60)]);
    check(&seen(RX, 0), CROOKED, IN_ZEROS, IN_ZEROS);
    check(&seen(RWX, 0), CROOKED, IN_ZEROS, IN_ZEROS);
    // With an offset that goes with its address the page is there, and may not be written.
    check(&seen(RX, 0x54), NOT_CLEARED, IN_ZEROS, IN_ZEROS);
    check(&seen(RWX, 0x54), IN_ZEROS, IN_ZEROS, IN_ZEROS);
    // Whole pages of zeros need nothing of the file.
    let whole = file(0x1000_0000, &[(RX, 0x123, 0x1000_0000, 0, 0x60)]);
    check(&whole, IN_ZEROS, IN_ZEROS, IN_ZEROS);
}

#[test]
fn the_page_of_the_last_bss_has_to_be_writable_before_elf_load() {
    let read_only = (RX, 0, 0x40_0000, 0x100, 0x200);
    check(&file(0x40_0060, &[read_only]), NOT_CLEARED, "ok", "ok");
    // Only that of the last one.
    let data = (RW, 0x200, 0x41_0200, 0x100, 0x200);
    check(&file(0x40_0060, &[read_only, data]), "ok", "ok", "ok");
    let low_data = (RW, 0x200, 0x3f_0200, 0x100, 0x200);
    check(&file(0x40_0060, &[low_data, read_only]), NOT_CLEARED, "ok", "ok");
    // Nor where no segment has zeros, or the file's part ends with its page.
    check(&file(0x40_0060, &[(RX, 0, 0x40_0000, 0x100, 0x100)]), "ok", "ok", "ok");
    check(&file(0x40_0060, &[(RX, 0, 0x40_0000, 0x1000, 0x2000)]), "ok", "ok", "ok");
}

#[test]
fn a_page_beyond_the_end_of_the_file_cannot_be_cleared() {
    let lost = "unknown: whether the program needs what its file has lost";
    let beyond = (RW, 0x2000, 0x41_0000, 0x10, 0x20);
    check(&file(0x40_0060, &[(RX, 0, 0x40_0000, 0x100, 0x100), beyond]), NOT_CLEARED, lost, NOT_CLEARED);
}

#[test]
fn between_segments_no_more_is_cleared_than_is_bss() {
    // The entry lies in the page of the first segment's zeros, behind them.
    let segments = [(RWX, 0, 0x40_0000, 0x100, 0x110), (RW, 0, 0x41_0000, 0x100, 0x100)];
    check(&file(0x40_0120, &segments), "ok", IN_ZEROS, IN_ZEROS);
    check(&file(0x40_0100, &segments), "ok", IN_ZEROS, IN_ZEROS);
}

#[test]
fn the_page_at_the_end_of_an_interpreter_has_to_be_writable_before_6_7() {
    let program = |interpreter| file(0x40_0060, &[(RX, 0, 0x40_0000, 0x100, 0x100)]).interp(interpreter);
    let interpreter = |segment| {
        let mut interpreter = file(0x60, &[segment]);
        interpreter.header.e_type = 3;
        interpreter
    };
    let killed = "SIGSEGV at exec: load_elf_interp";
    check(&program(interpreter((RX, 0, 0, 0x100, 0x100))), killed, killed, "ok");
    check(&program(interpreter((RWX, 0, 0, 0x100, 0x100))), "ok", "ok", "ok");
    check(&program(interpreter((RX, 0, 0, 0x1000, 0x1000))), "ok", "ok", "ok");
}

#[test]
fn debians_6_1_by_its_abi() {
    for (release, is_late) in [
        ("6.1.0-37-4kc-malta", true),
        ("6.1.0-50-amd64", true),
        ("6.1.0-0.deb11.38-amd64", true),
        ("6.1.0-36-amd64", false),
        ("6.1.0-0.deb11.35-amd64", false),
        ("6.1.0-1036-oem", false),
        ("6.1.0", false),
        ("6.1.0-rc5", false),
    ] {
        assert_eq!(is_debians_late_6_1(release), is_late, "{release}");
    }
}
