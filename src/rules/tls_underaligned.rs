use super::Case;
use crate::elf::consts::PT_TLS;
use crate::finding::{Finding, Severity};
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
    "tls-underaligned", check
}

const ABORTS: &str = "k starts it; its loader then aborts: %3; Aborted";
const WORDS: &str = "\
%n has thread-local variables where Android keeps its own
p PT_TLS=p_align %0, p_vaddr %x4
m loader=%2, which wants an alignment of %1 bytes
> build it with the NDK's linker, or align PT_TLS
$ termux-elf-cleaner %f";

fn check(case: &Case<'_>) -> Option<Finding> {
    if !family::ANDROID || case.refused_by_loader()? != Refusal::Tls {
        return None;
    }
    let (link, image) = (case.link?, case.image?);
    let tls = image.table().iter().find(|entry| entry.p_type == PT_TLS)?;
    let least = u64::from(image.view.class.bits());
    let loader = &link.libraries().next()?.path;
    let kernel = if case.reaches_loader() { ABORTS } else { "" };
    Some(case.tell(
        Severity::Error,
        &[WORDS, kernel],
        &[&tls.p_align, &least, loader, &link.words, &tls.p_vaddr],
    ))
}
