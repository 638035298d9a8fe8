use super::Case;
use super::damaged_tables::tell_fault;
use super::shown::Shown;
use crate::exec::Step;
use crate::finding::{Found, Severity};
use crate::ldso::FaultKind;
use crate::machine::Libc;

rule! {
    /// # What it means
    /// The program, or a library of it, has to be relocated in a way that the loader of this machine does not know.
    /// # How it looks
    /// The first is musl's, the second and the third are glibc's, with status 127. A loader that is older than packed
    /// relative relocations (DT_RELR) says nothing, leaves the addresses as they are, and the program jumps to them.
    /// # Why
    /// A linker wrote what is newer than the loader: DT_RELR (`-z pack-relative-relocs`, which Alpine, Android and others
    /// have by default) needs musl 1.2.4 (OpenWrt 23.05) or glibc 2.36. musl knows no IRELATIVE (`ifunc`): that is a file
    /// made for glibc. A kind that nobody knows is damage.
    /// # Fix
    /// Take the build for the older release, or link it without `-z pack-relative-relocs`.
    /// # Kernel source
    /// None: musl ldso/dynlink.c `do_relocs`; glibc elf/dl-reloc.c `_dl_reloc_bad_type`, elf/dl-version.c
    /// `_dl_check_map_versions`.
    /// # Example
    /// ```text
    /// machine aarch64
    /// file /tmp/odd elf aarch64 e_type=3 base=0 gcc interp=/lib/ld-musl-aarch64.so.1 needed=libc.so relocation=37
    /// $ diag /tmp/odd
    /// error[relocation-unknown]: /tmp/odd has, or a library of it has, a relocation
    ///   that this machine's loader does not know
    ///   program: relocation type 37 (of /tmp/odd)
    ///   kernel:  starts it; its loader then ends it, status 127
    ///   you see: Error relocating /tmp/odd: unsupported relocation type 37
    ///   fix:     compare /tmp/odd with its source (sha256sum); or take the build for
    ///            linux-arm64 (also named aarch64, arm64-v8a, armv8,
    ///            aarch64_cortex-a53), or rebuild it for this machine
    ///            aarch64-openwrt-linux-musl-gcc -static
    /// [1]
    /// ```
    RelocationUnknown, looks [
        "Error relocating ./x: unsupported relocation type 37",
        "./x: error while loading shared libraries: ./x: unexpected reloc type 0x63",
        "./x: error while loading shared libraries: ./x: DT_RELR without GLIBC_ABI_DT_RELR dependency",
        "Segmentation fault",
    ],
    check, quiet after [ChangedByTransfer, UnwrittenContent]
}

fn check(case: &Case<'_>) -> Option<Found> {
    if crate::ROUTER {
        return None;
    }
    let link = case.link?;
    let fault = link.fault.as_ref().filter(|fault| fault.kind.row().1 == Step::Relocation)?;
    let (of, number) = (Shown(&fault.of), fault.number);
    let severity = if fault.lazy { Severity::Warning } else { Severity::Error };
    let is_musl = link.libc == Some(Libc::Musl);
    let mut finding = match fault.kind {
        FaultKind::RelrGuard => case.about(
            severity,
            format_args!(
                "\
has, or a library of it has, packed relocations without the version that guards them
program: DT_RELR=without GLIBC_ABI_DT_RELR (of {of})
fix:     link it again with a linker that knows the guard (binutils 2.38, lld 15), or without -z pack-relative-relocs"
            ),
        ),
        FaultKind::Relr => {
            let (libc, since) = if is_musl { ("musl", "1.2.4") } else { ("glibc", "2.36") };
            let (of_libc, release) = (if link.release.is_empty() { "" } else { " " }, Shown(&link.release));
            case.about(
                severity,
                format_args!(
                    "\
has, or a library of it has, packed relocations, which this machine's loader does not know
program: DT_RELR=of {of}
machine: C library={libc}{of_libc}{release}; they are known from {since} on
fix:     take the build for the older release, or link it without -z pack-relative-relocs"
                ),
            )
        }
        FaultKind::OutOfRange => case.about(
            severity,
            format_args!(
                "\
has, or a library of it has, a relocation that has too few bits for where its symbol is
program: relocation type={number} (of {of})
fix:     {}",
                case.copy_again_of(fault)
            ),
        ),
        _ => {
            let mut finding = case.about(
                severity,
                format_args!(
                    "\
has, or a library of it has, a relocation that this machine's loader does not know
program: relocation type={number} (of {of})"
                ),
            );
            if fault.is_of_program {
                let other = format_args!("compare {of} with its source (sha256sum)");
                case.tell_rebuild_after(&mut finding, other, "or");
            } else {
                finding.tell(format_args!("fix: {}", case.copy_again_of(fault)));
            }
            finding
        }
    };
    tell_fault(&mut finding, case, fault);
    if fault.lazy {
        finding.dies();
    }
    Some(finding)
}
