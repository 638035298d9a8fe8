use super::Case;
use super::shown::{Shown, names};
use crate::finding::{Found, Severity};
use crate::machine::{Libc, holds};

rule! {
    /// # What it means
    /// The program, or a library of it, uses a symbol that none of its libraries on this machine defines.
    /// # How it looks
    /// The first is musl's, the second glibc's. Status 127; where glibc binds a function when it is first called, only
    /// then.
    /// # Why
    /// A program is linked with other libraries than it finds: a newer or older release, another C library, another build
    /// of a library. Symbols in `_time64` are of musl 1.2 (OpenWrt 22.03 on), which has 64-bit time; `__*_chk`, `backtrace`
    /// and `gnu_*` are glibc's.
    /// # Fix
    /// Build it with the SDK of the machine's own release, install the libraries it was built with, or link it statically.
    /// Where the finding names LD_LIBRARY_PATH, LD_PRELOAD, LD_BIND_NOW or /etc/ld.so.preload, it starts without it: `unset` it
    /// in the script that starts it. Firmware sets LD_LIBRARY_PATH for its own libraries, and that comes before DT_RUNPATH.
    /// # Kernel source
    /// None: musl ldso/dynlink.c `do_relocs`; glibc elf/dl-lookup.c `_dl_lookup_symbol_x`.
    /// # Example
    /// ```text
    /// machine lenovo-y1
    /// file /tmp/time elf mipsel gcc interp=/lib/ld-musl-mipsel-sf.so.1 needed=libc.so undefined=stat undefined=__stat_time64
    /// $ diag /tmp/time
    /// error[symbol-missing]: /tmp/time needs the symbol stat, which no library of this
    ///   machine defines
    ///   program: undefined stat, __stat_time64
    ///   kernel:  starts it; its loader then ends it, status 127
    ///   you see: Error relocating /tmp/time: stat: symbol not found
    ///   fix:     use the SDK of OpenWrt 19.07.0-rc1, which is this machine's; or take
    ///            the build for linux-mipsle-softfloat (also named mipsle_softfloat,
    ///            mipsle-sf, mips32le, mipsel_24kc), or rebuild it for this machine
    ///            mipsel-openwrt-linux-musl-gcc -static -march=mips32r2 -msoft-float
    /// [1]
    /// ```
    SymbolMissing, looks [
        "Error relocating ./x: __stat_time64: symbol not found",
        "./x: symbol lookup error: ./x: undefined symbol: foo",
    ],
    check, quiet after [ChangedByTransfer]
}

fn check(case: &Case<'_>) -> Option<Found> {
    let link = case.link?;
    let first = link.symbols.iter().find(|symbol| !symbol.lazy).or(link.symbols.first())?;
    let (path, ends) = (Shown(&case.candidate.path), case.loader_ends());
    let (symbol, needed_by) = (Shown(&first.name), Shown(&first.needed_by));
    let (severity, needs) =
        if first.lazy { (Severity::Warning, "may need") } else { (Severity::Error, "needs") };
    let mut finding = case.about(
        severity,
        format_args!(
            "\
{needs} the symbol {symbol}, which no library of this machine defines
program: undefined={undefined}",
            undefined = names(&mut link.symbols.iter().map(|symbol| symbol.name.as_slice())),
        ),
    );
    let is_musl = link.libc == Some(Libc::Musl);
    let has = |part: &[u8]| holds(&first.name, part);
    let library = if !is_musl {
        ""
    } else if has(b"_time64") {
        "musl before 1.2, without 64-bit time (OpenWrt up to 21.02)"
    } else if has(b"_chk") || has(b"backtrace") || has(b"gnu_") {
        "musl, which has none of glibc's own functions"
    } else {
        ""
    };
    let release = if is_musl && !crate::ROUTER { Shown(link.release.as_slice()) } else { Shown(&b""[..]) };
    finding.tell(format_args!("machine: C library={library}\nmachine: musl={release}"));
    if !first.lazy {
        finding.tell(format_args!("kernel: {ends}, status 127"));
    } else if case.reaches_loader() {
        finding.tell(format_args!("kernel: starts it; once it is called, status 127"));
    }
    if !first.lazy && is_musl {
        finding.tell(format_args!("you see: Error relocating {needed_by}: {symbol}: symbol not found"));
    } else if !first.lazy || case.reaches_loader() {
        let (mark, version) = (
            if first.is_versioned || crate::ROUTER && !first.of.is_empty() { ", version " } else { "" },
            Shown(&first.of),
        );
        finding.tell(format_args!(
            "you see: {path}: symbol lookup error: {needed_by}: undefined symbol: {symbol}{mark}{version}"
        ));
    }
    // The release of the libraries that it was linked with, and that of the machine's, differ.
    if let Some(release) = case.machine.openwrt().release.get() {
        case.tell_rebuild_after(
            &mut finding,
            format_args!("use the SDK of OpenWrt {}, which is this machine's", Shown(release)),
            "or",
        );
    } else {
        let other = format_args!("use the libraries that it was linked with");
        case.tell_rebuild_after(&mut finding, other, "or, to need no library,");
    }
    Some(finding)
}
