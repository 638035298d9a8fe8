use alloc::format;
use alloc::string::String;

use super::Case;
use super::shown::{Data, Shown};
use crate::exec::{Outcome, Step};
use crate::finding::Found;

rule! {
    /// # What it means
    /// The program was built for the other byte order. MIPS, ARM and PowerPC processors exist in both.
    /// # How it looks
    /// The last is bash's, the others are ash's.
    /// # Why
    /// The kernel reads e_type in its own byte order, finds 0x0200 instead of 2, and refuses the file (ENOEXEC). ash
    /// then runs it as a shell script. `uname -m` says `mips` for both byte orders.
    /// # Fix
    /// Take the build for the other byte order: `mipsle` instead of `mips` (Go), `mipsel` (Rust, OpenWrt, Debian).
    /// # Kernel source
    /// fs/binfmt_elf.c `load_elf_binary`: `elf_ex->e_type != ET_EXEC && elf_ex->e_type != ET_DYN`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/v2ray elf mips go abiflags=32,1,3,0 size=5203208
    /// $ diag /tmp/v2ray
    /// error[wrong-byte-order]: /tmp/v2ray is big-endian, this machine is little-endian
    ///   program: EI_DATA 2 (MSB); built for MIPS32, o32, soft float, Go
    ///   machine: Lenovo Y1, mipsel_24kc; byte order little-endian (uname -m says
    ///            "mips" for both)
    ///   kernel:  ENOEXEC
    ///   you see: ash runs it as a script: syntax error: unexpected "(", or: ELF: not
    ///            found; bash: cannot execute binary file: Exec format error
    ///   fix:     take the build for linux-mipsle-softfloat (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or rebuild it
    ///            for this machine
    ///            GOOS=linux GOARCH=mipsle GOMIPS=softfloat go build
    /// [1]
    /// ```
    WrongByteOrder, looks [
        "./v2ray: line 1: syntax error: unexpected \"(\"", "syntax error: unexpected word (expecting \")\")",
        "line 1: ...ELF...: not found",
        "cannot execute binary file: Exec format error",
    ],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let order = case.declared()?.encoding.order;
    let own = case.machine.byte_order()?;
    let refused = matches!(case.content, Outcome::Refused { .. } | Outcome::Unknown { .. });
    if order == own || !refused || case.foreign {
        return None;
    }
    let (data, order, own) = (Data(order), order.name(), own.name());
    let (built_for, machine) = (case.built_for(), case.machine_name());
    let (kernel, rebuild) = (case.kernel_at(&[Step::ElfType, Step::CheckArch]), case.rebuild());
    // `uname -m` does not tell it.
    let uname = match case.machine.kernel().machine.get() {
        Some(name) if name.starts_with("mips") => format!(" (uname -m says \"{}\" for both)", Shown(name)),
        _ => String::new(),
    };
    Some(case.error(format_args!(
        "\
is {order}, this machine is {own}
program: EI_DATA={data}
program: built for={built_for}
machine: machine={machine}
machine: byte order={own}{uname}
kernel:  {kernel}
fix:     {rebuild}"
    )))
}
