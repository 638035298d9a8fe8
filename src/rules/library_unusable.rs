use super::{Case, words};
use crate::finding::{Finding, Severity};
use crate::linker::{State, Unusable};
use crate::machine::{Libc, family};
use crate::text;

rule! {
    /// # What it means
    /// A library that the program needs is there, and the program's loader cannot use it: it is for another processor,
    /// word size, byte order or float ABI, no library, or damaged.
    /// # How it looks
    /// musl: `Error loading shared library libfoo.so: Exec format error (needed by ./x)`; glibc: `wrong ELF class:
    /// ELFCLASS32`, `invalid ELF header`, `file too short`, `cannot enable executable stack as shared object requires`.
    /// Status 127.
    /// # Why
    /// Loaders take a library only where it was built for the machine that the program was built for. musl stops at the
    /// first file of the name; glibc goes on to the next folder where a file is for another machine. A library that is
    /// linked for pages of 4 KiB cannot be mapped by a kernel with larger ones; musl does not look, and dies. Of a library
    /// that wants an executable stack (PT_GNU_STACK, mostly by mistake), glibc asks the kernel for one: SELinux and
    /// PR_SET_MDWE refuse it.
    /// # Fix
    /// Put the library for this machine in its place, or link the program statically.
    /// # Kernel source
    /// None: musl ldso/dynlink.c `map_library`; glibc elf/dl-load.c `open_verify`, `_dl_map_object_from_fd`.
    "library-unusable", check
}

const WORDS: &str = "\
%n needs %0, and the file that is there cannot be loaded
p DT_NEEDED=%0 (of %1)
m file=%2: %7";
const MUSL: &str = "k %l, status 127: Error loading shared library %0: %4 (needed by %1)";
const FOREIGN: &str = "k %l, status 127: Error relocating %2: unsupported relocation type";
const CUT: &str = "k starts it; its loader then dies of SIGBUS: Bus error";
const PAGES: &str = "m pages of=%4";
const MISPLACED: &str = "\
    k starts it; its loader maps whole pages, finds other bytes at its addresses and dies: \
    Segmentation fault";
const STACK: &str = "\
m executable-stack=refused (SELinux, or PR_SET_MDWE)
> take the mark off the library: hardly one means it
$ patchelf --clear-execstack %2";
const REPLACE: &str = "> put one for this machine in its place; or, to need none, ";
const GLIBC: &str = "k %l, status 127: %5: error while loading shared libraries: %6: %3";

fn check(case: &Case<'_>) -> Option<Finding> {
    let link = case.link?;
    let given = |holds: bool, words| if holds { words } else { "" };
    let unusable = |state: State| match state {
        State::Unusable(why) => Some(why),
        _ => None,
    };
    let (library, why) =
        link.libraries().skip(1).find_map(|library| Some((library, unusable(library.state)?)))?;
    let file = &library.path;
    let mut pages_line = "";
    let loader = match link.libc {
        _ if why == Unusable::Cut => given(case.reaches_loader(), CUT),
        Some(Libc::Musl) if family::PAGES && why == Unusable::NotPageAligned => {
            pages_line = PAGES;
            given(case.reaches_loader(), MISPLACED)
        }
        Some(Libc::Musl) if why == Unusable::Machine => FOREIGN,
        Some(Libc::Musl) => MUSL,
        _ => GLIBC,
    };
    let pages = if family::PAGES { text::size(case.machine.kernel.page().get()) } else { String::new() };
    let errno = match why {
        Unusable::Folder => "Is a directory",
        Unusable::NotPageAligned if family::PAGES => &pages,
        _ => "Exec format error",
    };
    // glibc's words for these are those for no file at all.
    let what = match why {
        Unusable::Machine => "for another processor",
        Unusable::FloatAbi => "for another float ABI",
        _ => why.words(),
    };
    let marked = family::X86 && why == Unusable::ExecutableStack;
    let [advice, fix] = if marked { [STACK, ""] } else { [REPLACE, words::REBUILD] };
    let said = if why.is_of_the_file() { file } else { &library.name };
    Some(case.tell(
        Severity::Error,
        &[WORDS, pages_line, loader, advice, fix],
        &[
            &library.name,
            &link.needed_by(library),
            file,
            &why.words(),
            &errno,
            &case.candidate.path,
            said,
            &what,
        ],
    ))
}
