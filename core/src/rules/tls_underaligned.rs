use alloc::format;
use alloc::string::String;

use super::Case;
use super::shown::Shown;
use crate::arch;
use crate::elf::consts::PT_TLS;
use crate::finding::Found;
use crate::ldso::LoaderRefusal;

rule! {
    /// # What it means
    /// The program has thread-local variables (PT_TLS) that lie where Android keeps its own.
    /// # How it looks
    /// One after the other.
    /// # Why
    /// On ARM these variables follow the thread pointer after two words. bionic has slots of its own in the first eight, so
    /// the segment has to be aligned to eight words: 32 bytes on 32-bit ARM, 64 on 64-bit. Only a linker that knows Android
    /// sees to that.
    /// # Fix
    /// Build it with the NDK's own start files and linker; or raise p_align of PT_TLS, as `termux-elf-cleaner` does.
    /// # Kernel source
    /// None: bionic libc/bionic/bionic_elf_tls.cpp `StaticTlsLayout::reserve_exe_segment_and_tcb`, since Android 10.
    /// # Example
    /// ```text
    /// machine armv7-novfp
    /// file /system/bin/linker elf arm e_type=3 base=0 p_flags=7 soname=ld-android.so says=error:_only_position_independent_executables_(PIE)_are_supported. says=error:_"%s":_executable's_TLS_segment_is_underaligned:_alignment_is_%zu,_needs_to_be_at_least_%zu_for_%s_Bionic
    /// file /tmp/tls elf arm e_type=3 base=0 interp=/system/bin/linker needed=libc.so tls PT_TLS.p_align=16
    /// $ diag /tmp/tls
    /// error[tls-underaligned]: /tmp/tls has thread-local variables where Android keeps
    ///   its own
    ///   program: PT_TLS p_align 16; PT_TLS p_vaddr 0x0
    ///   machine: loader /system/bin/linker, which wants an alignment of 32 bytes
    ///   kernel:  starts it; its loader then aborts
    ///   you see: error: "/tmp/tls": executable's TLS segment is underaligned:
    ///            alignment is 16, needs to be at least 32 for ARM Bionic; Aborted
    ///   fix:     build it with the NDK's linker, or align PT_TLS
    ///            termux-elf-cleaner /tmp/tls
    /// [1]
    /// ```
    TlsUnderaligned, looks [
        "error: \"./x\": executable's TLS segment is underaligned: alignment is 8, needs to be at least 64 for ARM64 Bionic",
        "Aborted",
    ],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    if !arch::HAS_BIONIC || case.refused_by_loader()? != LoaderRefusal::TlsAlignment {
        return None;
    }
    let (link, image) = (case.link?, case.image?);
    let tls = image.table().iter().find(|entry| entry.p_type == PT_TLS)?;
    let (p_align, p_vaddr, least) = (tls.p_align, tls.p_vaddr, image.encoding.class.bits());
    let argument = case.argument();
    let loader = Shown(&link.libraries().next()?.path);
    let kernel = if case.reaches_loader() {
        format!("starts it; its loader then aborts\nyou see: {}; Aborted", Shown(&link.words))
    } else {
        String::new()
    };
    Some(case.error(format_args!(
        "\
has thread-local variables where Android keeps its own
program: PT_TLS p_align={p_align}
program: PT_TLS p_vaddr={p_vaddr:#x}
machine: loader={loader}, which wants an alignment of {least} bytes
kernel:  {kernel}
fix:     build it with the NDK's linker, or align PT_TLS
run:     termux-elf-cleaner {argument}"
    )))
}
