use super::Case;
use super::shown::Size;
use crate::finding::Found;

rule! {
    /// # What it means
    /// The file is packed by UPX: it holds a small program that unpacks the real one into memory.
    /// # How it looks
    /// It starts like any other program. UPX 3.96 made MIPS files that hang or crash.
    /// # Why
    /// The ELF headers are the packer's, so that what diag reads from them (loader, libraries, float ABI) may not hold
    /// for the program inside. Unpacked, it takes memory that cannot be given back, as a plain file's pages can.
    /// # Fix
    /// `upx -d -o plain FILE` on the computer, then judge the plain file.
    /// # Kernel source
    /// None: the kernel sees an ordinary program.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/packed elf mipsel size=2097152 fill=random upx=6291456
    /// $ diag /tmp/packed
    /// /tmp/packed starts on this machine
    /// note[packed-by-upx]: /tmp/packed is packed by UPX: 2.1 MiB here, 6.0 MiB in
    ///   memory
    ///   program: headers those of UPX, not of the original program
    ///   fix:     to judge the program inside, unpack it on the computer:
    ///            upx -d -o plain FILE
    /// [0]
    /// ```
    PackedByUpx, looks [],
    check
}

fn check(case: &Case<'_>) -> Option<Found> {
    let unpacked = case.program?.upx?.unpacked;
    let size = Size(case.candidate.size().unwrap_or(0));
    let mut finding = match unpacked.map(Size) {
        Some(unpacked) => case.note(format_args!("is packed by UPX: {size} here, {unpacked} in memory")),
        None => case.note(format_args!("is packed by UPX, so its headers are the packer's")),
    };
    finding.tell(format_args!(
        "\
program: headers=those of UPX, not of the original program
fix:     to judge the program inside, unpack it on the computer:
run:     upx -d -o plain FILE"
    ));
    Some(finding)
}
