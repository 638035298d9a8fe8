use super::{Case, words};
use crate::finding::{Finding, Severity};
use crate::machine::{Libc, holds};

rule! {
    /// # What it means
    /// The program, or a library of it, uses a symbol that none of its libraries on this machine defines.
    /// # How it looks
    /// musl: `Error relocating ./x: __stat_time64: symbol not found`; glibc: `./x: symbol lookup error: ./x: undefined
    /// symbol: foo`. Status 127; where glibc binds a function when it is first called, only then.
    /// # Why
    /// A program is linked with other libraries than it finds: a newer or older release, another C library, another build
    /// of a library. Symbols in `_time64` are of musl 1.2 (OpenWrt 22.03 on), which has 64-bit time; `__*_chk`, `backtrace`
    /// and `gnu_*` are glibc's.
    /// # Fix
    /// Build it with the SDK of the machine's own release, install the libraries it was built with, or link it statically.
    /// # Kernel source
    /// None: musl ldso/dynlink.c `do_relocs`; glibc elf/dl-lookup.c `_dl_lookup_symbol_x`.
    "symbol-missing", check
}

const WORDS: &str = "\
%n needs the symbol %0, which no library of this machine defines
p undefined=%1";
const LATER: &str = "\
%n may need the symbol %0, which no library of this machine defines
p undefined=%1";
const TIME64: &str = "m C library=musl before 1.2, without 64-bit time (OpenWrt up to 21.02)";
const GLIBC_ONLY: &str = "m C library=musl, which has none of glibc's own functions";
/// The release of the libraries that it was linked with, and that of the machine's, differ.
const SDK: &str = "> use the SDK of OpenWrt %6, which is this machine's; or ";
const OTHERS: &str = "> use the libraries that it was linked with; or, to need none, ";
const MUSL: &str = "k %l, status 127: Error relocating %2: %0: symbol not found";
const GLIBC: &str = "k %l, status 127: %3: symbol lookup error: %2: undefined symbol: %0%4%5";
const CALLED: &str =
    "k starts it; once it is called, status 127: %3: symbol lookup error: %2: undefined symbol: %0%4%5";

fn check(case: &Case<'_>) -> Option<Finding> {
    let link = case.link?;
    let first = link.symbols.iter().find(|symbol| !symbol.lazy).or(link.symbols.first())?;
    let names = words::names(&mut link.symbols.iter().map(|symbol| symbol.name.as_slice()));
    let is_musl = link.libc == Some(Libc::Musl);
    let (severity, title, kernel) = match (first.lazy, is_musl) {
        (true, _) if case.reaches_loader() => (Severity::Warning, LATER, CALLED),
        (true, _) => (Severity::Warning, LATER, ""),
        (_, true) => (Severity::Error, WORDS, MUSL),
        _ => (Severity::Error, WORDS, GLIBC),
    };
    let has = |part: &[u8]| holds(&first.name, part);
    let library = if !is_musl {
        ""
    } else if has(b"_time64") {
        TIME64
    } else if has(b"_chk") || has(b"backtrace") || has(b"gnu_") {
        GLIBC_ONLY
    } else {
        ""
    };
    let comma = if first.of.is_empty() { "" } else { ", version " };
    let release = case.machine.openwrt.release.get();
    let sdk = if release.is_some() { SDK } else { OTHERS };
    Some(case.tell(
        severity,
        &[title, library, kernel, sdk, words::REBUILD],
        &[
            &first.name,
            &names,
            &first.needed_by,
            &case.candidate.path,
            &comma,
            &first.of,
            &release.map_or("", String::as_str),
        ],
    ))
}
