use alloc::format;

use super::Case;
use super::library_missing::tell_ends;
use super::shown::{Shown, Size};
use crate::arch;
use crate::errno::Errno;
use crate::finding::Found;
use crate::ldso::{LibraryState, Unusable};
use crate::machine::Libc;

rule! {
    /// # What it means
    /// A library that the program needs is there, and the program's loader cannot use it: it is for another processor,
    /// word size, byte order or float ABI, no library, or damaged.
    /// # How it looks
    /// The first is musl's, the others are glibc's. Status 127.
    /// # Why
    /// Loaders take a library only where it was built for the machine that the program was built for. musl stops at the
    /// first file of the name; glibc goes on to the next folder where a file is for another machine. A library that is
    /// linked for pages of 4 KiB cannot be mapped by a kernel with larger ones; musl does not look, and dies. Of a library
    /// that wants an executable stack (PT_GNU_STACK, mostly by mistake), glibc asks the kernel for one: SELinux and
    /// PR_SET_MDWE refuse it, and GLIBC_TUNABLES may forbid it (glibc.rtld.execstack=0).
    /// # Fix
    /// Put the library for this machine in its place, or link the program statically. One that is cut short is to be
    /// copied again, where there is room for all of it.
    /// # Kernel source
    /// None: musl ldso/dynlink.c `map_library`; glibc elf/dl-load.c `open_verify`, `_dl_map_object_from_fd`.
    /// # Example
    /// ```text
    /// machine aarch64
    /// file /lib/libsmall.so elf aarch64 e_type=3 base=0x1000 soname=libsmall.so
    /// file /tmp/small elf aarch64 e_type=3 base=0 gcc interp=/lib/ld-musl-aarch64.so.1 needed=libsmall.so needed=libc.so
    /// file /auxv edit AT_PAGESZ 4096 => AT_PAGESZ 16384
    /// $ diag /tmp/small
    /// error[library-unusable]: /tmp/small needs libsmall.so, and the file that is
    ///   there cannot be loaded
    ///   program: DT_NEEDED libsmall.so (of /tmp/small)
    ///   machine: file /lib/libsmall.so: ELF load command address/offset not
    ///            page-aligned; pages of 16.0 KiB
    ///   kernel:  starts it; its loader maps whole pages, finds other bytes at its
    ///            addresses and dies of SIGSEGV
    ///   you see: Segmentation fault
    ///   fix:     put a library for this machine in its place; or, to need no library,
    ///            take a static build for linux-arm64 (also named aarch64, arm64-v8a,
    ///            armv8, aarch64_cortex-a53), or rebuild it for this machine
    ///            aarch64-openwrt-linux-musl-gcc -static
    /// [1]
    /// ```
    LibraryUnusable, looks [
        "Error loading shared library libfoo.so: Exec format error (needed by ./x)",
        "wrong ELF class: ELFCLASS32",
        "invalid ELF header",
        "file too short",
        "cannot enable executable stack as shared object requires",
        "Segmentation fault",
    ],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let link = case.link?;
    let unusable = |state: LibraryState| match state {
        LibraryState::Unusable(why) => Some(why),
        _ => None,
    };
    let (library, why) = link.needed().find_map(|library| Some((library, unusable(library.state)?)))?;
    let (name, path) = (Shown(&library.name), Shown(&library.path));
    let (needed_by, ends) = (Shown(link.needed_by(library)), case.loader_ends());
    let what = why.reason();
    let page = Size(case.machine.kernel().page().get());
    let is_misplaced = arch::PAGES_DIFFER && link.libc == Some(Libc::Musl) && why == Unusable::NotPageAligned;
    let mut finding = case.error(format_args!(
        "\
needs {name}, and the file that is there cannot be loaded
program: DT_NEEDED={name} (of {needed_by})
machine: file={path}: {what}"
    ));
    if is_misplaced {
        finding.tell(format_args!("machine: pages of={page}"));
    }
    let is_marked = arch::HAS_LEVELS && why == Unusable::ExecutableStack;
    if is_marked {
        finding.tell(format_args!(
            "\
machine: executable-stack=refused (SELinux, PR_SET_MDWE; systemd, which says: Operation not permitted)
fix:     clear the library's executable-stack flag; almost no library needs it:
run:     patchelf --clear-execstack {path}"
        ));
    } else if !crate::ROUTER && why == Unusable::StackForbidden {
        finding.tell(format_args!(
            "\
fix: clear the library's executable-stack flag; almost no library needs it:
run: patchelf --clear-execstack {path}"
        ));
    } else {
        let fix = if !crate::ROUTER && why == Unusable::Cut {
            "copy it again, to where there is room for all of it (df)"
        } else {
            "put a library for this machine in its place"
        };
        case.tell_rebuild_after(&mut finding, format_args!("{fix}"), "or, to need no library,");
    }
    let dies = if why == Unusable::Cut {
        "its loader then dies of SIGBUS\nyou see: Bus error"
    } else if is_misplaced {
        "its loader maps whole pages, finds other bytes at its addresses and dies of SIGSEGV\nyou see: Segmentation fault"
    } else {
        ""
    };
    if !dies.is_empty() {
        if case.reaches_loader() {
            finding.tell(format_args!("kernel: starts it; {dies}"));
        }
        return Some(finding);
    }
    if why == Unusable::Machine && link.libc == Some(Libc::Musl) {
        finding.tell(format_args!(
            "kernel: {ends}, status 127\nyou see: Error relocating {path}: unsupported relocation type"
        ));
        return Some(finding);
    }
    let errno = if why == Unusable::Folder { Errno::EISDIR } else { Errno::ENOEXEC };
    let said = Shown(if why.is_of_the_file() { &library.path } else { &library.name });
    tell_ends(&mut finding, case, (link, library), errno.text(), &format!("{said}: {}", why.words()));
    Some(finding)
}
