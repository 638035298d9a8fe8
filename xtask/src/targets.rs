//! The table of the builds: the routers', and those for other machines. Another target is another row here, and a
//! stanza in `.cargo/router.toml` where rustc's baseline CPU is not the one wanted (there, because `cross` reads it as well).

/// One binary that people can copy to a router.
pub(crate) struct Target {
    /// The file's name in `target/dist`.
    pub(crate) name: &'static str,
    /// The machine in words, as people say it.
    pub(crate) machine: &'static str,
    pub(crate) triple: &'static str,
    /// zig's words for the same machine: its C library is built by them.
    pub(crate) zig: &'static [&'static str],
    /// 32 or 64, and the byte order, as the ELF header must say.
    pub(crate) bits: u8,
    pub(crate) big_endian: bool,
    pub(crate) e_machine: object::elf::Machine,
    /// What runs it here, and the weakest CPUs that it is for.
    pub(crate) qemu: (&'static str, &'static [&'static str]),
    /// Debian's binutils for it: the prefix of its programs, which is also the end of the package's name.
    pub(crate) binutils: &'static str,
    /// Whether it is a router's: of the builds that are made where none is named, in the one file and the packages.
    pub(crate) router: bool,
}

pub(crate) const TARGETS: [Target; 12] = [
    Target {
        name: "diag-mips",
        machine: "big-endian MIPS",
        triple: "mips-unknown-linux-musl",
        zig: &["-target", "mips-linux-musleabi", "-mcpu=mips32+soft_float"],
        bits: 32,
        big_endian: true,
        e_machine: object::elf::EM_MIPS,
        qemu: ("qemu-mips", &["4Kc"]),
        binutils: "mips-linux-gnu",
        router: true,
    },
    Target {
        name: "diag-mipsel",
        machine: "little-endian MIPS",
        triple: "mipsel-unknown-linux-musl",
        zig: &["-target", "mipsel-linux-musleabi", "-mcpu=mips32+soft_float"],
        bits: 32,
        big_endian: false,
        e_machine: object::elf::EM_MIPS,
        qemu: ("qemu-mipsel", &["4Kc"]),
        binutils: "mipsel-linux-gnu",
        router: true,
    },
    // n64 with hard float: zig's own libraries do not link without.
    Target {
        name: "diag-mips64el",
        machine: "64-bit little-endian MIPS",
        triple: "mips64el-unknown-linux-muslabi64",
        zig: &["-target", "mips64el-linux-muslabi64", "-mcpu=mips64r2"],
        bits: 64,
        big_endian: false,
        e_machine: object::elf::EM_MIPS,
        qemu: ("qemu-mips64el", &["5KEf"]),
        binutils: "mips64el-linux-gnuabi64",
        router: false,
    },
    Target {
        name: "diag-aarch64",
        machine: "64-bit ARM",
        triple: "aarch64-unknown-linux-musl",
        zig: &["-target", "aarch64-linux-musl"],
        bits: 64,
        big_endian: false,
        e_machine: object::elf::EM_AARCH64,
        qemu: ("qemu-aarch64", &["cortex-a53"]),
        binutils: "aarch64-linux-gnu",
        router: true,
    },
    // ARMv5 without FPU: it runs on every ARM of 32 bits since.
    Target {
        name: "diag-armv5",
        machine: "32-bit ARM",
        triple: "armv5te-unknown-linux-musleabi",
        zig: &["-target", "arm-linux-musleabi", "-mcpu=arm926ej_s+soft_float"],
        bits: 32,
        big_endian: false,
        e_machine: object::elf::EM_ARM,
        qemu: ("qemu-arm", &["arm946", "pxa250"]),
        binutils: "arm-linux-gnueabi",
        router: true,
    },
    Target {
        name: "diag-riscv64",
        machine: "64-bit RISC-V",
        triple: "riscv64gc-unknown-linux-musl",
        zig: &["-target", "riscv64-linux-musl"],
        bits: 64,
        big_endian: false,
        e_machine: object::elf::EM_RISCV,
        qemu: ("qemu-riscv64", &["rv64"]),
        binutils: "riscv64-linux-gnu",
        router: true,
    },
    // The standard library asks for an unwinder there, whatever a panic does.
    Target {
        name: "diag-powerpc64le",
        machine: "64-bit little-endian PowerPC",
        triple: "powerpc64le-unknown-linux-musl",
        zig: &["-target", "powerpc64le-linux-musl", "-l", "unwind"],
        bits: 64,
        big_endian: false,
        e_machine: object::elf::EM_PPC64,
        qemu: ("qemu-ppc64le", &["power8"]),
        binutils: "powerpc64le-linux-gnu",
        router: false,
    },
    Target {
        name: "diag-i586",
        machine: "32-bit x86",
        triple: "i586-unknown-linux-musl",
        zig: &["-target", "x86-linux-musl", "-mcpu=i586"],
        bits: 32,
        big_endian: false,
        e_machine: object::elf::EM_386,
        qemu: ("qemu-i386", &["pentium"]),
        binutils: "i686-linux-gnu",
        router: true,
    },
    Target {
        name: "diag-x86_64",
        machine: "64-bit x86",
        triple: "x86_64-unknown-linux-musl",
        zig: &["-target", "x86_64-linux-musl"],
        bits: 64,
        big_endian: false,
        e_machine: object::elf::EM_X86_64,
        qemu: ("qemu-x86_64", &["qemu64"]),
        binutils: "x86-64-linux-gnu",
        router: true,
    },
    // n64, for octeon. Its C library is built for an FPU, for zig has no other; no instruction of it needs one.
    Target {
        name: "diag-mips64",
        machine: "64-bit big-endian MIPS",
        triple: "mips64-unknown-linux-muslabi64",
        zig: &["-target", "mips64-linux-muslabi64", "-mcpu=mips64r2"],
        bits: 64,
        big_endian: true,
        e_machine: object::elf::EM_MIPS,
        qemu: ("qemu-mips64", &["5KEc"]),
        binutils: "mips64-linux-gnuabi64",
        router: true,
    },
    // Without FPU; `msync` is the one barrier that the e500 has.
    Target {
        name: "diag-powerpc",
        machine: "32-bit PowerPC",
        triple: "powerpc-unknown-linux-musl",
        zig: &["-target", "powerpc-linux-musleabi"],
        bits: 32,
        big_endian: true,
        e_machine: object::elf::EM_PPC,
        qemu: ("qemu-ppc", &["405", "440epb", "e500v1", "e500v2_v10"]),
        binutils: "powerpc-linux-gnu",
        router: true,
    },
    Target {
        name: "diag-loongarch64",
        machine: "64-bit LoongArch",
        triple: "loongarch64-unknown-linux-musl",
        zig: &["-target", "loongarch64-linux-musl"],
        bits: 64,
        big_endian: false,
        e_machine: object::elf::EM_LOONGARCH,
        qemu: ("qemu-loongarch64", &["la464"]),
        binutils: "loongarch64-linux-gnu",
        router: true,
    },
];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::TARGETS;
    use crate::sh;

    /// What `cross` is told, and by whom.
    const COMMAND: &str =
        "build --package diag --release --no-default-features --config .cargo/router.toml --target";

    #[test]
    fn cross_builds_the_two_for_mips_by_the_same_recipe() {
        let read = |name: &str| fs::read_to_string(sh::root().join(name)).unwrap();
        let (cross, recipe) = (read("cross.toml"), read(".cargo/router.toml"));
        let offered: Vec<&str> =
            cross.lines().filter_map(|line| line.strip_prefix("[target.")?.strip_suffix(']')).collect();
        let mips = TARGETS.iter().filter(|target| target.e_machine == object::elf::EM_MIPS);
        let wanted: Vec<&str> = mips.filter(|target| target.bits == 32).map(|target| target.triple).collect();
        assert_eq!(offered, wanted);
        assert!(recipe.contains("\n[target.'cfg(target_arch = \"mips\")']\n"));
        for (name, text) in [("cross.toml", &cross), (".cargo/router.toml", &recipe)] {
            assert!(text.contains(COMMAND), "{name} gives another command");
        }
        // The recipe builds std itself, by options that a stable compiler has to be told it may take.
        for line in ["build-std = false", "xargo = false", "passthrough = [\"RUSTC_BOOTSTRAP=1\"]"] {
            assert!(cross.lines().any(|it| it == line), "cross.toml: no line {line}");
        }
        assert!(recipe.contains("\nbuild-std = [\"std\", \"panic_abort\"]\n"));
    }
}
