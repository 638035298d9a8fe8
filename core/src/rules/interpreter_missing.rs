use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::Case;
use super::shown::{Shown, list};
use super::words::{self, Install, Kernel};
use crate::advice;
use crate::candidate::{Image, Interp, Toolchain};
use crate::errno::Errno;
use crate::exec::{Outcome, Step};
use crate::finding::Found;
use crate::machine::{Libc, holds};

rule! {
    /// # What it means
    /// The program is linked dynamically, and the loader that it names (PT_INTERP) does not exist on this machine.
    /// # How it looks
    /// The first is ash's. The file is there all the same.
    /// # Why
    /// The kernel starts the loader, which then loads the libraries. Its path tells the C library and the ABI:
    /// /lib/ld-musl-mipsel-sf.so.1 is musl, little-endian, soft float; /lib/ld.so.1 and /lib/ld-linux* are glibc, which
    /// OpenWrt does not have.
    /// # Fix
    /// Take the build for the machine's C library, where releases have one for musl and one for glibc (gnu), or a static one
    /// (`CGO_ENABLED=0` for Go). A kernel of 64 bits may have programs of 32 bits only; then the 32-bit build is the right
    /// one. Debian has the C libraries of other architectures, and musl, as packages; Alpine's gcompat imitates glibc's
    /// loader. A symbolic link to another loader does not help: the libraries would be wrong too.
    /// # Kernel source
    /// fs/binfmt_elf.c `load_elf_binary`: `open_exec(elf_interpreter)`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/glibc elf mipsel gcc e_flags=0x70001007 abiflags=32,2,3,0 interp=/lib/ld.so.1 needed=libc.so.6 abi-tag=3.2.0
    /// $ diag /tmp/glibc
    /// error[interpreter-missing]: /tmp/glibc needs the loader /lib/ld.so.1, which is
    ///   not on this machine
    ///   program: PT_INTERP /lib/ld.so.1 (glibc)
    ///   machine: loaders /lib/ld-musl-mipsel-sf.so.1; C library musl
    ///   kernel:  ENOENT
    ///   you see: ash: not found, though the file is there; bash: cannot execute:
    ///            required file not found
    ///   fix:     take the build for linux-mipsle-softfloat-musl (also named
    ///            mipsle_softfloat, mipsle-sf, mips32le, mipsel_24kc), or a static one;
    ///            or rebuild it for this machine
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [1]
    /// ```
    InterpreterMissing, looks ["not found", "cannot execute: required file not found"],
    check, quiet after [WrongOperatingSystem, WrongLoongarchAbi, ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let (program, image) = (case.program?, case.image.filter(|_| case.candidate.binfmt_misc.is_none())?);
    let Some(Interp::Path(path)) = &image.interp else { return None };
    let errno = case.candidate.interpreter.as_ref()?.missing()?;
    // A program for another machine names another machine's loader.
    if !case.meets(Step::InterpreterOpen) && (case.starts() || case.foreign || case.is_swapped()) {
        return None;
    }
    let refused = Outcome::Refused { errno, step: Step::InterpreterOpen };
    let kernel = match errno {
        _ if !case.meets(Step::InterpreterOpen) => Kernel::NOTHING,
        Errno::ENOENT => Kernel::Words(words::NOT_FOUND),
        _ => Kernel::Does(&refused),
    };
    let (loader, flavour) = (Shown(path), flavour(image, path));
    let found = case.machine.loaders().get();
    // Of a machine by name it is known which loader it comes with, and not what else was installed.
    let by_name = !crate::ROUTER && found.is_none();
    let is = match errno {
        _ if by_name => "this machine does not come with",
        _ if crate::ROUTER || errno.is_absence() => "is not on this machine",
        _ => "cannot be looked up",
    };
    let mut finding = case.error(format_args!(
        "\
needs the loader {loader}, which {is}
program: PT_INTERP={loader} ({flavour})"
    ));
    let loaders = match found {
        Some(found) => list(&mut found.iter().map(String::as_bytes)),
        None if by_name => String::new(),
        None => "not known".to_owned(),
    };
    let none = if loaders.is_empty() && !by_name { "none" } else { "" };
    let (wanted, own) = (image.interp_libc(), case.machine.libc().value);
    let libc = own.filter(|own| wanted.is_some_and(|wanted| wanted != *own)).map_or("", Libc::name);
    finding
        .tell(format_args!("machine: loaders={none}{loaders}\nmachine: C library={libc}\nkernel: {kernel}"));
    let go = advice::build(case.machine).and_then(|build| build.command(Toolchain::Go, case.machine));
    match go.filter(|_| program.go.is_some()) {
        Some(command) => finding.tell(format_args!(
            "\
fix:     take a static build, or build it without cgo: it is static then
run:     CGO_ENABLED=0 {command}"
        )),
        None if case.meets(Step::InterpreterOpen) => tell_other_build(&mut finding, case, image),
        None => finding.tell(format_args!("fix: {}", case.rebuild())),
    }
    Some(finding)
}

/// Which build does without the loader, and what brings the loader.
fn tell_other_build(finding: &mut Found, case: &Case<'_>, image: &Image) {
    let machine = case.machine;
    let userland = machine.userland().get();
    let is_other = userland.filter(|own| {
        !crate::ROUTER
            && words::family(own.e_machine) == words::family(image.header.e_machine)
            && own.encoding.class != image.encoding.class
    });
    let (take, rebuild) = (case.take().to_string(), case.rebuild().to_string());
    match (image.interp_libc(), machine.libc().value) {
        _ if is_other.is_some() => {
            let bits = is_other.map_or(0, |own| own.encoding.class.bits());
            let processor = words::processor(is_other.map_or(0, |own| own.e_machine));
            let or_static = if holds(take.as_bytes(), b"static") { "" } else { ", or a static one" };
            finding.tell(format_args!("machine: programs={processor}, {bits}-bit\nfix: {take}{or_static}"));
        }
        (Some(wanted), Some(own)) if wanted != own => finding.tell(format_args!("fix: {take}")),
        (Some(Libc::Musl), Some(Libc::Musl)) if is_hard_among_soft(case, image) => {
            finding.tell(format_args!("fix: take its build for soft float"));
        }
        (Some(_), Some(_)) => {
            finding.tell(format_args!("fix: take its build for a loader that is here, or a static one"));
        }
        _ => return finding.tell(format_args!("fix: {rebuild}")),
    }
    if let Some(install) = Install::loader(case, image) {
        finding.tell(format_args!("fix: ; or install the loader\nrun: {install}"));
    }
    if let Some((_, commands)) = rebuild.split_once('\n') {
        finding.tell(format_args!("fix: ; or rebuild it for this machine\n{commands}"));
    }
}

/// The program is for hard float, and the loaders that are there are for soft float.
fn is_hard_among_soft(case: &Case<'_>, image: &Image) -> bool {
    let is_soft = |loader: &[u8]| holds(loader, b"-sf.so");
    let loaders = case.machine.loaders().get().map(Vec::as_slice).unwrap_or_default();
    !is_soft(image.interp_path()) && loaders.iter().any(|loader| is_soft(loader.as_bytes()))
}

/// What the loader's name says.
fn flavour(image: &Image, path: &[u8]) -> &'static str {
    let has = |part: &[u8]| holds(path, part);
    match image.interp_libc() {
        Some(Libc::Musl) if has(b"-sf.so") => "musl, soft float",
        Some(Libc::Musl) if has(b"mips") || has(b"armhf") => "musl, hard float",
        Some(libc) => libc.name(),
        None => "of an unknown C library",
    }
}
