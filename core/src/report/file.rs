//! What a file is, whether it starts or not: for the JSON document, and for `-v`.

use super::Judged;
use crate::candidate::{Candidate, Content, Foreign, Image, Program};
use crate::elf::consts::{
    EF_ARM_ABI_FLOAT_HARD, EF_ARM_ABI_FLOAT_SOFT, EF_RISCV_FLOAT_ABI, EM_ARM, EM_LOONGARCH, EM_MIPS,
    EM_PPC64, EM_RISCV, ET_DYN, ET_EXEC, ET_REL, PT_DYNAMIC, machine_name,
};
use crate::elf::mips;

/// One word for what is in a file; None where it was not read.
pub(super) fn kind(candidate: &Candidate) -> Option<&'static str> {
    Some(match &candidate.content {
        Content::Unread(_) | Content::Unknown => return None,
        Content::Elf(_) => "elf",
        Content::Script(_) => "script",
        Content::Foreign(foreign) => match foreign {
            Foreign::Empty => "empty",
            Foreign::Stub => "cut off",
            Foreign::Text => "text",
            Foreign::Html => "html",
            Foreign::LfsPointer(_) => "git-lfs pointer",
            Foreign::Archive(_) => "archive",
            Foreign::Package(_) => "package",
            Foreign::MachO(_) => "mach-o",
            Foreign::Pe(_) => "pe",
            Foreign::Other(name) => name,
            _ => "data",
        },
    })
}

/// Tells what is known of an ELF file, by name, or a script's interpreter, in the order in which it is shown;
/// what it does not tell is empty. The values may come from the file.
pub(super) fn facts(judged: &Judged, tell: &mut dyn FnMut(&'static str, &[u8])) {
    let candidate = &judged.candidate;
    let loader = candidate.interpreter.as_deref().map_or(&b""[..], |loader| loader.path.as_bytes());
    if matches!(candidate.content, Content::Script(_)) {
        tell("interpreter", loader);
    }
    let Some((program, image)) = candidate.program().and_then(|program| Some((program, program.image()?)))
    else {
        return;
    };
    let (e_machine, is_mips) = (image.header.e_machine, image.header.e_machine == EM_MIPS);
    let origin = program.origin();
    let is_64 = image.encoding.class.bits() == 64;
    tell("architecture", machine_name(e_machine).unwrap_or_default().as_bytes());
    tell("word_size", if is_64 { b"64-bit" } else { b"32-bit" });
    tell("byte_order", image.encoding.order.name().as_bytes());
    tell("isa", image.mips_isa().map_or("", |isa| isa.name()).as_bytes());
    tell("abi", if is_mips { image.mips_abi().name() } else { abi(image) }.as_bytes());
    tell("float", float(image).as_bytes());
    tell("toolchain", origin.toolchain.name().as_bytes());
    tell("made_by", origin.detail.as_deref().unwrap_or_default().as_bytes());
    tell("type", kind_of_elf(program, image).as_bytes());
    if image.interp.is_some() {
        tell("loader", loader);
    }
    tell("libc", image.interp_libc().map_or("", |libc| libc.name()).as_bytes());
    tell("needs", &judged.glibc);
    tell("packer", if program.upx.is_some() { b"UPX" } else { b"" });
}

/// EF_PPC64_ABI.
const fn abi(image: &Image) -> &'static str {
    match (image.header.e_machine, image.header.e_flags & 3) {
        (EM_PPC64, 1) if !crate::ROUTER => "ELFv1",
        (EM_PPC64, 2) if !crate::ROUTER => "ELFv2",
        _ => "",
    }
}

const TAG_ABI_VFP_ARGS: u32 = 28;

/// The floating-point ABI, where the file tells it; on a router that of its own architectures. The marks of RISC-V and LoongArch: their psABIs.
fn float(image: &Image) -> &'static str {
    const SIZES: [&str; 4] = ["soft float", "single float", "double float", "quad float"];
    let flags = image.header.e_flags;
    match image.header.e_machine {
        EM_MIPS => image.abiflags.and_then(|flags| mips::fp::name(flags.fp_abi)).unwrap_or_default(),
        EM_ARM => {
            let tag = image.attributes.as_ref().and_then(|tags| tags.get(TAG_ABI_VFP_ARGS));
            if flags & EF_ARM_ABI_FLOAT_HARD != 0 || tag == Some(1) {
                "hard float"
            } else if flags & EF_ARM_ABI_FLOAT_SOFT != 0 || tag == Some(0) {
                "soft float"
            } else {
                ""
            }
        }
        EM_RISCV if !crate::ROUTER => {
            SIZES.get(((flags & EF_RISCV_FLOAT_ABI) >> 1) as usize).copied().unwrap_or_default()
        }
        EM_LOONGARCH if !crate::ROUTER => {
            SIZES.get((flags & 7).wrapping_sub(1) as usize).copied().unwrap_or_default()
        }
        _ => "",
    }
}

/// How it is linked.
fn kind_of_elf(program: &Program, image: &Image) -> &'static str {
    let is_dynamic = image.table().iter().any(|entry| entry.p_type == PT_DYNAMIC);
    let has_loader = image.interp.is_some();
    let soname = image.dynamic.as_ref().is_some_and(|dynamic| dynamic.soname.is_some());
    match image.header.e_type {
        _ if program.upx.is_some() => "packed program",
        ET_REL => "object file",
        ET_EXEC | ET_DYN if has_loader => "dynamic program",
        ET_DYN if soname => "library",
        ET_DYN if is_dynamic => "static-pie program or library",
        ET_EXEC => "static program",
        _ => "",
    }
}
