use super::Case;
use super::shown::Shown;
use crate::elf::consts::PT_TLS;
use crate::finding::Finding;
use crate::linker::Refusal;
use crate::machine::family;

rule! {
    /// # What it means
    /// The program has thread-local variables (PT_TLS) that lie where Android keeps its own.
    /// # How it looks
    /// `error: "./x": executable's TLS segment is underaligned: alignment is 8, needs to be at least 64 for ARM64 Bionic`,
    /// then `Aborted`.
    /// # Why
    /// On ARM these variables follow the thread pointer after two words. bionic has slots of its own in the first eight, so
    /// the segment has to be aligned to eight words: 32 bytes on 32-bit ARM, 64 on 64-bit. Only a linker that knows Android
    /// sees to that.
    /// # Fix
    /// Build it with the NDK's own start files and linker; or raise p_align of PT_TLS, as `termux-elf-cleaner` does.
    /// # Kernel source
    /// None: bionic libc/bionic/bionic_elf_tls.cpp `StaticTlsLayout::reserve_exe_segment_and_tcb`, since Android 10.
    TlsUnderaligned, check
}

fn check(case: &Case<'_>) -> Option<Finding> {
    if !family::ANDROID || case.refused_by_loader()? != Refusal::Tls {
        return None;
    }
    let (link, image) = (case.link?, case.image?);
    let tls = image.table().iter().find(|entry| entry.p_type == PT_TLS)?;
    let (p_align, p_vaddr, least) = (tls.p_align, tls.p_vaddr, image.view.class.bits());
    let (file, argument) = (case.file(), case.argument());
    let loader = Shown(&link.libraries().next()?.path);
    let kernel = if case.reaches_loader() {
        format!("starts it; its loader then aborts: {}; Aborted", Shown(&link.words))
    } else {
        String::new()
    };
    Some(case.error(format_args!(
        "\
{file} has thread-local variables where Android keeps its own
program: PT_TLS p_align={p_align}
program: PT_TLS p_vaddr={p_vaddr:#x}
machine: loader={loader}, which wants an alignment of {least} bytes
kernel:  {kernel}
fix:     build it with the NDK's linker, or align PT_TLS
run:     termux-elf-cleaner {argument}"
    )))
}
