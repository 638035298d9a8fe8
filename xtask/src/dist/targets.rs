//! The table of the router builds. Another target is another row here, and a stanza in `.cargo/router.toml`
//! where rustc's baseline CPU is not the one wanted (there, because `cross` reads it as well).

/// One binary that people can copy to a router.
pub(crate) struct Target {
    /// The file's name in `target/dist`.
    pub(crate) name: &'static str,
    pub(crate) triple: &'static str,
    /// zig's words for the same machine: its C library is built by them.
    pub(crate) zig: &'static [&'static str],
    /// 32 or 64, and the byte order, as the ELF header must say.
    pub(crate) bits: u8,
    pub(crate) big_endian: bool,
    pub(crate) e_machine: object::elf::Machine,
    /// What runs it here, as the weakest CPU that it is for.
    pub(crate) qemu: (&'static str, &'static str),
    /// Debian's binutils for it: the prefix of its programs, which is also the end of the package's name.
    pub(crate) binutils: &'static str,
    /// Whether cross.toml offers it too.
    pub(crate) cross: bool,
    /// The bytes it may have at most.
    pub(crate) gate: u64,
}

/// The bytes that a binary may have once it is packed into a squashfs, whatever the target.
pub(crate) const PACKED_GATE: u64 = 96 * 1024;
/// Where the size should stay; only said.
pub(crate) const AIM: u64 = 128 * 1024;

pub(crate) const TARGETS: [Target; 2] = [
    Target {
        name: "diag-mips",
        triple: "mips-unknown-linux-musl",
        zig: &["-target", "mips-linux-musleabi", "-mcpu=mips32+soft_float"],
        bits: 32,
        big_endian: true,
        e_machine: object::elf::EM_MIPS,
        qemu: ("qemu-mips", "4Kc"),
        binutils: "mips-linux-gnu",
        cross: true,
        gate: 192 * 1024,
    },
    Target {
        name: "diag-mipsel",
        triple: "mipsel-unknown-linux-musl",
        zig: &["-target", "mipsel-linux-musleabi", "-mcpu=mips32+soft_float"],
        bits: 32,
        big_endian: false,
        e_machine: object::elf::EM_MIPS,
        qemu: ("qemu-mipsel", "4Kc"),
        binutils: "mipsel-linux-gnu",
        cross: true,
        gate: 192 * 1024,
    },
];
