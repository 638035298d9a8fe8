use object::Endianness;
use object::elf::{FileFlags, FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader as _};

use super::*;

/// A program of this host, to try the starting of one.
pub(in super::super) fn of_this_host(e_machine: u16, code: &[u8]) -> Vec<u8> {
    let encoding = Encoding { order: ByteOrder::Little, class: Class::Elf64 };
    let mut file = TinyElf::new(None, e_machine, encoding, 0);
    file.put(code);
    file.bytes.to_vec()
}

const fn own(e_machine: u16, order: ByteOrder, class: Class) -> BuiltFor {
    BuiltFor { e_machine, encoding: Encoding { order, class } }
}

use ByteOrder::{Big, Little};
use Capability as Q;
use Class::{Elf32, Elf64};

/// Whatever diag is built for, with what runs such programs.
const BUILDS: [(BuiltFor, &str); 16] = [
    (own(EM_MIPS, Big, Elf32), "qemu-mips"),
    (own(EM_MIPS, Little, Elf32), "qemu-mipsel"),
    (own(EM_MIPS, Big, Elf64), "qemu-mips64"),
    (own(EM_MIPS, Little, Elf64), "qemu-mips64el"),
    (own(EM_ARM, Little, Elf32), "qemu-arm"),
    (own(EM_ARM, Big, Elf32), "qemu-armeb"),
    (own(EM_AARCH64, Little, Elf64), "qemu-aarch64"),
    (own(EM_AARCH64, Big, Elf64), "qemu-aarch64_be"),
    (own(EM_386, Little, Elf32), "qemu-i386"),
    (own(EM_X86_64, Little, Elf64), "qemu-x86_64"),
    (own(EM_RISCV, Little, Elf32), "qemu-riscv32"),
    (own(EM_RISCV, Little, Elf64), "qemu-riscv64"),
    (own(EM_PPC, Big, Elf32), "qemu-ppc"),
    (own(EM_PPC64, Big, Elf64), "qemu-ppc64"),
    (own(EM_PPC64, Little, Elf64), "qemu-ppc64le"),
    (own(EM_LOONGARCH, Little, Elf64), "qemu-loongarch64"),
];

/// The questions that a kernel is asked which runs such a build, and those of a 64-bit kernel which runs it too.
fn questions(own: BuiltFor) -> Vec<Capability> {
    let kernels: &[(u16, Class)] = match own.e_machine {
        EM_ARM => &[(EM_ARM, Elf32), (EM_AARCH64, Elf64)],
        EM_386 => &[(EM_386, Elf32), (EM_X86_64, Elf64)],
        EM_PPC => &[(EM_PPC, Elf32), (EM_PPC64, Elf64)],
        _ if own.encoding.class == Elf32 => &[(own.e_machine, Elf32), (own.e_machine, Elf64)],
        _ => &[(own.e_machine, own.encoding.class)],
    };
    let concerns = |question: &Capability| {
        kernels.iter().any(|(e_machine, class)| question.applies_to(*e_machine, *class))
    };
    Capability::ALL.iter().copied().filter(concerns).collect()
}

/// Every build, with the file of each of its questions, and the plain one.
fn files() -> impl Iterator<Item = (BuiltFor, &'static str, Option<Capability>, TinyElf)> {
    BUILDS.into_iter().flat_map(|(own, qemu)| {
        let of = move |question| {
            let file = tiny_elf(question, own).unwrap_or_else(|| panic!("{qemu}: no file for {question:?}"));
            (own, qemu, question, file)
        };
        std::iter::once(None).chain(questions(own).into_iter().map(Some)).map(of)
    })
}

/// What another reader sees.
struct Seen {
    e_machine: u16,
    osabi: u8,
    e_flags: FileFlags,
    entry: u64,
    vaddr: u64,
    head: u64,
}

fn read(file: &[u8], order: ByteOrder) -> (Seen, Class) {
    match file[4] {
        1 => (read_as::<FileHeader32<Endianness>>(file, order, 116), Elf32),
        _ => (read_as::<FileHeader64<Endianness>>(file, order, 176), Elf64),
    }
}

fn read_as<Elf: FileHeader<Endian = Endianness>>(file: &[u8], order: ByteOrder, head: u64) -> Seen {
    let header = Elf::parse(file).expect("a header");
    let endian = header.endian().expect("an endian");
    assert_eq!(endian == Endianness::Little, order == Little);
    assert_eq!(header.e_type(endian), object::elf::ET_EXEC);
    let segments = header.program_headers(endian, file).expect("program headers");
    let [segment, stack] = segments else { panic!("{} segments", segments.len()) };
    assert_eq!(stack.p_type(endian), object::elf::PT_GNU_STACK);
    assert_eq!(stack.p_flags(endian), object::elf::PF_R | object::elf::PF_W);
    assert_eq!((stack.p_filesz(endian).into(), stack.p_memsz(endian).into()), (0, 0));
    assert_eq!(segment.p_type(endian), object::elf::PT_LOAD);
    assert_eq!(segment.p_flags(endian), object::elf::PF_R | object::elf::PF_X);
    assert_eq!(segment.p_offset(endian).into(), 0);
    assert_eq!(segment.p_filesz(endian).into(), u64::try_from(file.len()).expect("small"));
    assert_eq!(segment.p_memsz(endian).into(), segment.p_filesz(endian).into());
    Seen {
        e_machine: header.e_machine(endian).0,
        osabi: header.e_ident().os_abi.0,
        e_flags: header.e_flags(endian),
        entry: header.e_entry(endian).into(),
        vaddr: segment.p_vaddr(endian).into(),
        head,
    }
}

#[test]
fn as_another_reader_sees_them() {
    use object::elf::{
        EF_MIPS_ABI_O32, EF_MIPS_ABI2, EF_MIPS_ARCH_32, EF_MIPS_ARCH_64, EF_MIPS_FP64, EF_MIPS_NAN2008,
    };
    for (own, qemu, question, file) in files() {
        let (seen, class) = read(&file.bytes, own.encoding.order);
        let say = format!("{qemu} {question:?}");
        let wide = own.encoding.class == Elf64;
        let (e_machine, wanted_class) = match question {
            Some(Q::Arm32) => (EM_ARM, Elf32),
            Some(Q::Ia32) => (EM_386, Elf32),
            Some(Q::X32) => (EM_X86_64, Elf32),
            Some(Q::Ppc32) => (EM_PPC, Elf32),
            Some(Q::Riscv32) => (EM_RISCV, Elf32),
            Some(Q::MipsO32 | Q::MipsN32 | Q::MipsFp64) => (EM_MIPS, Elf32),
            _ => (own.e_machine, own.encoding.class),
        };
        assert_eq!((seen.e_machine, class), (e_machine, wanted_class), "{say}");
        let odd = matches!(question, Some(Q::Thumb | Q::Mips16 | Q::MicroMips));
        assert_eq!(seen.entry, seen.vaddr + seen.head + u64::from(odd), "{say}");
        match question {
            Some(Q::LowAddress) => assert_eq!(seen.vaddr, 0, "{say}"),
            Some(Q::Page4K) => assert_eq!(seen.vaddr % 65536, 4096, "{say}"),
            _ => assert_eq!((seen.vaddr % 65536, seen.vaddr >= 65536), (0, true), "{say}"),
        }
        assert_eq!(seen.osabi, if question == Some(Q::ArmFdpic) { 65 } else { 0 }, "{say}");
        let o32 = EF_MIPS_ABI_O32 | EF_MIPS_ARCH_32;
        let mips = if wide { EF_MIPS_ARCH_64 } else { o32 };
        let flags = match (own.e_machine, question) {
            (EM_MIPS, Some(Q::MipsFp64)) => o32 | EF_MIPS_FP64,
            (EM_MIPS, Some(Q::MipsNan2008)) => mips | EF_MIPS_NAN2008,
            (EM_MIPS, Some(Q::Mips16)) => mips | FileFlags(0x0400_0000),
            (EM_MIPS, Some(Q::MicroMips)) => mips | FileFlags(0x0200_0000),
            (EM_MIPS, Some(Q::MipsO32)) => o32,
            (EM_MIPS, Some(Q::MipsN32)) => EF_MIPS_ABI2 | EF_MIPS_ARCH_64,
            (EM_MIPS, _) => mips,
            (EM_ARM, Some(Q::ArmOabi)) if own.encoding.order == Big => FileFlags(0x0080_0000),
            (EM_ARM, Some(Q::ArmOabi)) | (EM_PPC64, Some(Q::Ppc32)) => FileFlags(0),
            (EM_ARM, _) | (_, Some(Q::Arm32)) if own.encoding.order == Big => FileFlags(0x0580_0000),
            (EM_ARM, _) | (_, Some(Q::Arm32)) => FileFlags(0x0500_0000),
            (EM_PPC64, _) => FileFlags(2),
            (EM_LOONGARCH, _) => FileFlags(0x41),
            _ => FileFlags(0),
        };
        assert_eq!(seen.e_flags, flags, "{say}");
        assert!(usize::try_from(seen.head).expect("small") < file.len && file.len <= SIZE, "{say}");
    }
}

/// Each question gets its own file.
#[test]
fn files_are_in_the_order_of_the_questions() {
    assert_eq!(file(None), tiny_elf(None, BUILT_FOR).map(|tiny| tiny.bytes));
    for &question in Capability::ALL {
        assert_eq!(
            file(Some(question)),
            tiny_elf(Some(question), BUILT_FOR).map(|tiny| tiny.bytes),
            "{question:?}"
        );
    }
}

/// Where diag itself is no answer, there is a file.
#[test]
fn every_question_can_be_put() {
    for question in questions(BUILT_FOR) {
        assert!(proven_by_own_build(question) || file(Some(question)).is_some(), "{question:?}");
    }
}

#[test]
fn code() {
    let code = |question, own: BuiltFor| {
        let file = tiny_elf(Some(question), own).expect("a file");
        let head = if file.wide { 176 } else { 116 };
        file.bytes[head..file.len].to_vec()
    };
    let big = own(EM_MIPS, Big, Elf32);
    assert_eq!(code(Capability::FpInstruction, big)[..4], [0x44, 0x80, 0, 0]);
    // addiu $a0, $a2, 0; jalx 0x40007c; nop
    assert_eq!(code(Capability::Mips16, big)[..8], [0x46, 0x80, 0x1e, 0x00, 0x00, 0x1f, 0x65, 0x00]);
    let little = own(EM_MIPS, Little, Elf32);
    assert_eq!(code(Capability::Mips16, little)[..6], [0x80, 0x46, 0x00, 0x1e, 0x1f, 0x00]);
    assert_eq!(code(Capability::MicroMips, big)[..6], [0xec, 0x05, 0x30, 0x40, 0x0f, 0xa1]);
    assert_eq!(code(Capability::Thumb, own(EM_ARM, Big, Elf32)), [0, 0x20, 1, 0x27, 0, 0xdf, 0, 0xde]);
}

/// QEMU is no judge of what a kernel accepts, but it executes the instructions: each file ends with 0, on a processor
/// that has what is under test.
#[test]
#[ignore = "needs qemu-user; `cargo xtask test` brings it"]
fn each_exits() {
    use std::os::unix::fs::PermissionsExt;
    let folder = std::env::temp_dir().join(format!("diag-tiny-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut wrong = Vec::new();
    let mut ran = 0;
    for (own, qemu, question, file) in files() {
        let (program, cpu) = match question {
            // QEMU has no x32; a low address is this computer's to refuse.
            Some(Q::X32 | Q::LowAddress) => continue,
            // Pages of 16 KiB.
            Some(Q::Page4K) if own.e_machine == EM_LOONGARCH => continue,
            // QEMU takes every big-endian program of the old ABI for BE32.
            Some(Q::ArmOabi) if own.encoding.order == Big => continue,
            Some(Q::Arm32) if own.encoding.order == Big => ("qemu-armeb", None),
            Some(Q::Arm32) => ("qemu-arm", None),
            Some(Q::Ia32) => ("qemu-i386", None),
            Some(Q::Riscv32) => ("qemu-riscv32", None),
            // Debian has no qemu for 32-bit programs in little-endian order.
            Some(Q::Ppc32) if own.encoding.order == Little => continue,
            Some(Q::Ppc32) => ("qemu-ppc", None),
            Some(Q::MipsO32) => (if own.encoding.order == Big { "qemu-mips" } else { "qemu-mipsel" }, None),
            Some(Q::MipsN32) => {
                (if own.encoding.order == Big { "qemu-mipsn32" } else { "qemu-mipsn32el" }, None)
            }
            Some(Q::MipsFp64) => {
                (if own.encoding.order == Big { "qemu-mips" } else { "qemu-mipsel" }, Some("24Kf"))
            }
            Some(Q::MipsNan2008) if own.encoding.class == Elf32 => (qemu, Some("P5600")),
            Some(Q::MipsNan2008) => (qemu, Some("I6400")),
            // No 64-bit processor in QEMU has either.
            Some(Q::Mips16 | Q::MicroMips) if own.encoding.class == Elf64 => continue,
            Some(Q::Mips16) => (qemu, Some("24Kc")),
            Some(Q::MicroMips) => (qemu, Some("M14Kc")),
            _ => (qemu, None),
        };
        let path = folder.join(format!("{qemu}-{}", question.map_or("plain", Capability::name)));
        std::fs::write(&path, file.bytes).expect("written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("mode");
        let mut command = std::process::Command::new(program);
        command.args(cpu.iter().flat_map(|cpu| ["-cpu", cpu])).arg(&path);
        let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
        ran += 1;
        if output.status.code() != Some(0) {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            wrong.push(format!("{program} {}: {} {said}", path.display(), output.status));
        }
    }
    std::fs::remove_dir_all(&folder).expect("removed");
    assert!(wrong.is_empty(), "{} of {ran}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(ran > 50, "only {ran} were run");
}
