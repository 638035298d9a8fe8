use super::Case;
use super::shown::Shown;
use crate::arch;
use crate::finding::Found;
use crate::ldso::LoaderRefusal;

rule! {
    /// # What it means
    /// The program is made for a fixed address, and Android's linker starts none but position-independent ones.
    /// # How it looks
    /// Status 1.
    /// # Why
    /// The kernel maps the program where it wants to lie. Its loader, /system/bin/linker or linker64, then looks at e_type:
    /// a program that lies at a random address is harder to attack.
    /// # Fix
    /// Build it with `-fPIE -pie`, as the NDK does by itself; with Go, `GOOS=android`. Or link it statically: such a program
    /// has no loader.
    /// # Kernel source
    /// None: bionic linker/linker_main.cpp `linker_main`.
    /// # Example
    /// ```text
    /// machine aarch64
    /// file /system/bin/linker64 elf aarch64 e_type=3 base=0 p_flags=7 soname=ld-android.so says="%s":_error:_Android_5.0_and_later_only_support_position-independent_executables_(-fPIE). says=error:_"%s":_executable's_TLS_segment_is_underaligned:_alignment_is_%zu,_needs_to_be_at_least_%zu_for_%s_Bionic
    /// file /tmp/fixed elf aarch64 interp=/system/bin/linker64 needed=libc.so
    /// $ diag /tmp/fixed
    /// error[not-position-independent]: /tmp/fixed is made for a fixed address, and
    ///   Android starts position-independent programs only
    ///   program: e_type ET_EXEC
    ///   machine: loader /system/bin/linker64
    ///   kernel:  starts it; its loader then ends it, status 1
    ///   you see: "/tmp/fixed": error: Android 5.0 and later only support
    ///            position-independent executables (-fPIE).
    ///   fix:     build it as a position-independent executable
    ///            cc -fPIE -pie
    /// [1]
    /// ```
    NotPositionIndependent, looks [
        "error: Android 5.0 and later only support position-independent executables (-fPIE).",
    ],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    if !arch::HAS_BIONIC || case.refused_by_loader()? != LoaderRefusal::NotPie {
        return None;
    }
    let link = case.link?;
    let (ends, loader) = (case.loader_ends(), Shown(&link.libraries().next()?.path));
    let words = Shown(&link.words);
    Some(case.error(format_args!(
        "\
is made for a fixed address, and Android starts position-independent programs only
program: e_type=ET_EXEC
machine: loader={loader}
kernel:  {ends}, status 1
you see: {words}
fix:     build it as a position-independent executable
run:     cc -fPIE -pie"
    )))
}
