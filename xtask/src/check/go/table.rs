//! The matrix: Debian's Go releases, the levels that each has, and the processors of QEMU.

use super::build::{Program, Release};
use super::cpu::Ran;
use crate::check::machine::{NO_GP, NO_PIC};

/// A GOARCH.
pub(super) struct Arch {
    pub(super) goarch: &'static str,
    /// QEMU's word, behind `qemu-`.
    pub(super) qemu: &'static str,
    /// zig's words for the program that reads the facts: the weakest processor.
    pub(super) zig: &'static [&'static str],
    /// `-cpu`, from the weakest on. QEMU may be told to leave out a part.
    pub(super) cpus: &'static [&'static str],
    /// The variable of the level; empty where there is none.
    pub(super) variable: &'static str,
    /// Its values, each with the minor releases of Go that have it. "" is what is built without.
    pub(super) levels: &'static [(&'static str, Minors)],
}

/// The first and the last.
type Minors = (u8, u8);

const ANY: Minors = (0, u8::MAX);
const UNSET: &[(&str, Minors)] = &[("", ANY)];
const FLOAT: &[(&str, Minors)] = &[("hardfloat", ANY), ("softfloat", ANY)];
const POWER: &[(&str, Minors)] = &[("power8", ANY), ("power9", ANY), ("power10", (20, u8::MAX))];

const fn since(minor: u8) -> Minors {
    (minor, u8::MAX)
}

impl Arch {
    pub(super) fn levels(&self, release: &Release) -> impl Iterator<Item = &'static str> {
        let minor = release.minor;
        self.levels
            .iter()
            .filter(move |(_, (first, last))| (*first..=*last).contains(&minor))
            .map(|(level, _)| *level)
    }
}

/// In the order of their releases.
pub(super) const RELEASES: [Release; 3] = [
    Release { suite: "bullseye", minor: 15 },
    Release { suite: "bookworm", minor: 19 },
    Release { suite: "trixie", minor: 24 },
];

const MIPS_CPUS: &[&str] = &["4Kc", "XBurstR1", "M14Kc", "24Kc", "24KEc", "24Kf", "34Kf", "74Kf"];
const MIPS64_CPUS: &[&str] =
    &["5Kc", "5Kf", "5KEc", "5KEf", "MIPS64R2-generic", "Octeon68XX", "Loongson-3A4000"];

pub(super) const ARCHES: [Arch; 13] = [
    Arch {
        goarch: "arm",
        qemu: "arm",
        zig: &["-target", "arm-linux-musleabi", "-mcpu=arm926ej_s+soft_float"],
        cpus: &[
            "arm946",
            "arm926",
            "pxa270",
            "arm1136",
            "arm1176",
            "arm11mpcore",
            "cortex-a8",
            "cortex-a9",
            "cortex-a9,neon=off,vfp-d32=off",
            "cortex-a9,vfp=off,neon=off,vfp-d32=off",
            "cortex-a15",
            "max",
        ],
        variable: "GOARM",
        levels: &[
            ("5", ANY),
            ("6", ANY),
            ("7", ANY),
            ("5,hardfloat", since(22)),
            ("6,softfloat", since(22)),
            ("7,softfloat", since(22)),
        ],
    },
    Arch {
        goarch: "386",
        qemu: "i386",
        zig: &["-target", "x86-linux-musl", "-mcpu=i486"],
        cpus: &["486", "pentium", "pentium2", "pentium3", "pentium3,mmx=off", "qemu32", "Nehalem", "max"],
        variable: "GO386",
        levels: &[("387", (0, 15)), ("sse2", ANY), ("softfloat", since(16))],
    },
    Arch {
        goarch: "amd64",
        qemu: "x86_64",
        zig: &["-target", "x86_64-linux-musl"],
        cpus: &["qemu64", "Conroe", "Nehalem", "SandyBridge", "Haswell", "EPYC", "max"],
        variable: "GOAMD64",
        levels: &[("", (0, 17)), ("v1", since(18)), ("v2", since(18)), ("v3", since(18)), ("v4", since(18))],
    },
    Arch {
        goarch: "arm64",
        qemu: "aarch64",
        zig: &["-target", "aarch64-linux-musl"],
        cpus: &["cortex-a35", "cortex-a53", "cortex-a72", "cortex-a55", "neoverse-n1", "max"],
        variable: "GOARM64",
        levels: &[
            ("", (0, 22)),
            ("v8.0", since(23)),
            ("v8.0,lse", since(23)),
            ("v8.0,crypto", since(23)),
            ("v8.1", since(23)),
            ("v8.5", since(23)),
            ("v9.0", since(23)),
        ],
    },
    mips(
        "mips",
        "mips",
        &["-target", "mips-linux-musleabi", "-mcpu=mips32+soft_float", NO_PIC, NO_GP],
        MIPS_CPUS,
    ),
    mips(
        "mipsle",
        "mipsel",
        &["-target", "mipsel-linux-musleabi", "-mcpu=mips32+soft_float", NO_PIC, NO_GP],
        MIPS_CPUS,
    ),
    mips(
        "mips64",
        "mips64",
        &["-target", "mips64-linux-muslabi64", "-mcpu=mips64", NO_PIC, NO_GP],
        MIPS64_CPUS,
    ),
    mips(
        "mips64le",
        "mips64el",
        &["-target", "mips64el-linux-muslabi64", "-mcpu=mips64", NO_PIC, NO_GP],
        MIPS64_CPUS,
    ),
    Arch {
        goarch: "ppc64",
        qemu: "ppc64",
        zig: &["-target", "powerpc64-linux-musl", "-mcpu=970"],
        cpus: &["970", "power7", "power8", "power9", "power10"],
        variable: "GOPPC64",
        levels: POWER,
    },
    Arch {
        goarch: "ppc64le",
        qemu: "ppc64le",
        zig: &["-target", "powerpc64le-linux-musl"],
        cpus: &["power7", "power8", "power9", "power10"],
        variable: "GOPPC64",
        levels: POWER,
    },
    Arch {
        goarch: "riscv64",
        qemu: "riscv64",
        zig: &["-target", "riscv64-linux-musl"],
        cpus: &[
            "sifive-u54",
            "rv64,zba=off,zbb=off,zbs=off",
            "rv64,zba=off",
            "rv64,zbb=off",
            "rv64,zbs=off",
            "rv64",
            "rv64,v=true",
            "rva22s64",
            "max",
        ],
        variable: "GORISCV64",
        levels: &[("", (0, 22)), ("rva20u64", since(23)), ("rva22u64", since(23))],
    },
    Arch {
        goarch: "s390x",
        qemu: "s390x",
        zig: &["-target", "s390x-linux-musl"],
        cpus: &["z900-base", "qemu,vx=off", "qemu"],
        variable: "",
        levels: UNSET,
    },
    Arch {
        goarch: "loong64",
        qemu: "loongarch64",
        zig: &["-target", "loongarch64-linux-musl"],
        cpus: &["la464", "max"],
        variable: "",
        levels: &[("", since(19))],
    },
];

const fn mips(
    goarch: &'static str,
    qemu: &'static str,
    zig: &'static [&'static str],
    cpus: &'static [&'static str],
) -> Arch {
    let variable =
        if goarch.len() > 6 || matches!(goarch.as_bytes(), [.., b'6', b'4']) { "GOMIPS64" } else { "GOMIPS" };
    Arch { goarch, qemu, zig, cpus, variable, levels: FLOAT }
}

/// Why a run tells nothing of the processor that is named.
pub(super) fn not_judged(arch: &Arch, program: &Program, cpu: &str, ran: &Ran) -> Option<&'static str> {
    match (arch.variable, program.level, ran) {
        // Seen: sdc1 stores a pair of registers in a program that has that section, one register without it.
        ("GOMIPS", "hardfloat", Ran::Exits(2, said)) if program.minor < 16 && said.contains("float64nan") => {
            Some(
                "Go before 1.16 writes no .MIPS.abiflags; QEMU gives such a program FPU registers of 64 bits, Linux of 32",
            )
        }
        // Seen: movsd, addsd and pxor of %xmm0 run there.
        ("GO386", "sse2", Ran::Hello) if cpu == "pentium3" => {
            Some("QEMU executes most of SSE2 where there is SSE")
        }
        _ => None,
    }
}
