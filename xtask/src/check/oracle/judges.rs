//! The kernels that judge, and as which CPU.

use oracle::case::Case;

use crate::lab::Kernel;

/// A kernel on a CPU.
pub(crate) struct Judge {
    pub(crate) name: &'static str,
    pub(crate) kernel: Kernel,
    /// QEMU's name of it.
    pub(crate) cpu: &'static str,
    /// The machine that diag and the runner are built for there: `mipsel` for `diag-mipsel`.
    pub(crate) tools: &'static str,
    /// The ABIs that it runs programs of, by the oracle's names.
    pub(crate) abis: &'static [&'static str],
    /// Whether it judges only where it is asked for by name.
    pub(crate) on_request: bool,
    /// Programs, usually and with `--full`.
    pub(crate) counts: [usize; 2],
}

impl Judge {
    /// The architecture, by Debian's name.
    pub(crate) fn arch(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }

    /// Whether QEMU itself would crash of a case, so that no kernel can judge it: on 5KEf, which has neither MIPS16 nor
    /// microMIPS, an odd address to execute ends it by an assertion (translate-all.c `setjmp_gen_code`).
    pub(crate) fn crashes_of(&self, case: &Case) -> bool {
        /// The lowest byte of e_entry.
        const ENTRY: usize = 24;
        let is_odd = |bytes: &[u8]| {
            bytes.starts_with(b"\x7fELF") && bytes.get(ENTRY).is_some_and(|byte| byte & 1 == 1)
        };
        self.cpu == "5KEf" && case.files().files.iter().any(|file| is_odd(&file.bytes))
    }

    /// The size of a page, bytes.
    pub(crate) fn page(&self) -> u64 {
        match self.kernel {
            Kernel::Arm64Pages16k => 16 << 10,
            Kernel::Ppc64el => 64 << 10,
            _ => 4 << 10,
        }
    }
}

/// Of 5,600 some are the same, and 5,000 different ones are wanted.
const COUNTS: [usize; 2] = [500, 5_600];
/// Of an old kernel, whose ways differ the most from those of the newest: 10,000 different ones.
const OLD: [usize; 2] = [500, 11_200];

const fn mips(name: &'static str, kernel: Kernel, cpu: &'static str) -> Judge {
    Judge { name, kernel, cpu, tools: "mipsel", abis: &["mipsel"], on_request: false, counts: COUNTS }
}

const fn other(name: &'static str, kernel: Kernel, cpu: &'static str, tools: &'static str) -> Judge {
    Judge { name, kernel, cpu, tools, abis: &[], on_request: true, counts: COUNTS }
}

const MIPS64EL: &[&str] = &["mipsel", "n32el", "n64el"];
const ARM64: &[&str] = &["aarch64", "arm", "thumb"];

/// All of them.
pub(crate) const KERNELS: &[Judge] = &[
    // No FPU support in the kernel, as on OpenWrt.
    Judge { tools: "mips", abis: &["mips"], ..mips("mips", Kernel::Mips, "24Kc") },
    mips("mipsel", Kernel::Mipsel, "24Kc"),
    Judge { tools: "mips", abis: &["mips"], counts: OLD, ..mips("mips-5.10", Kernel::MipsOld, "24Kc") },
    Judge { counts: OLD, ..mips("mipsel-5.10", Kernel::MipselOld, "24Kc") },
    // FPU support, with the FPU emulated or real; FP64 and NaN2008 are checked.
    mips("mipsel-fpu-24kc", Kernel::MipselFpu, "24Kc"),
    mips("mipsel-fpu-24kf", Kernel::MipselFpu, "24Kf"),
    mips("mipsel-fpu-74kf", Kernel::MipselFpu, "74Kf"),
    mips("mipsel-fpu-m14kc", Kernel::MipselFpu, "M14Kc"),
    // 64 bits: diag and the runner are o32 programs there.
    Judge { abis: MIPS64EL, ..mips("mips64el", Kernel::Mips64el, "5KEf") },
    Judge { abis: MIPS64EL, on_request: true, ..mips("mips64el-6.12", Kernel::Mips64elNew, "5KEf") },
    Judge { abis: ARM64, ..other("arm64", Kernel::Arm64, "cortex-a57", "aarch64") },
    Judge { abis: ARM64, ..other("arm64-16k", Kernel::Arm64Pages16k, "max,pauth-impdef=on", "aarch64") },
    Judge { abis: &["arm", "thumb", "arm-oabi"], ..other("armhf", Kernel::Armhf, "cortex-a15", "armv5") },
    Judge { abis: &["riscv64"], ..other("riscv64", Kernel::Riscv64, "rv64", "riscv64") },
    Judge { abis: &["ppc64le"], ..other("ppc64el", Kernel::Ppc64el, "power9", "powerpc64le") },
    Judge { abis: &["ppc64le"], ..other("ppc64el-4k", Kernel::Ppc64elPages4k, "power9", "powerpc64le") },
];
