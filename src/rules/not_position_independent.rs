use super::Case;
use super::shown::Shown;
use crate::finding::Finding;
use crate::linker::Refusal;
use crate::machine::family;

rule! {
    /// # What it means
    /// The program is made for a fixed address, and Android's linker starts none but position-independent ones.
    /// # How it looks
    /// `error: Android 5.0 and later only support position-independent executables (-fPIE).`, status 1.
    /// # Why
    /// The kernel maps the program where it wants to lie. Its loader, /system/bin/linker or linker64, then looks at e_type:
    /// a program that lies at a random address is harder to attack.
    /// # Fix
    /// Build it with `-fPIE -pie`, as the NDK does by itself; with Go, `GOOS=android`. Or link it statically: such a program
    /// has no loader.
    /// # Kernel source
    /// None: bionic linker/linker_main.cpp `linker_main`.
    NotPositionIndependent, check
}

fn check(case: &Case<'_>) -> Option<Finding> {
    if !family::ANDROID || case.refused_by_loader()? != Refusal::Fixed {
        return None;
    }
    let link = case.link?;
    let (file, ends, loader) = (case.file(), case.loader_ends(), Shown(&link.libraries().next()?.path));
    let words = Shown(&link.words);
    Some(case.error(format_args!(
        "\
{file} is made for a fixed address, and Android starts position-independent programs only
program: e_type=ET_EXEC
machine: loader={loader}
kernel:  {ends}, status 1: {words}
fix:     build it as a position-independent executable
run:     cc -fPIE -pie"
    )))
}
