//! Programs with libraries, whole, missing and damaged: of musl as OpenWrt has it, and of Debian's glibc, which is for
//! hard float. Debian has no big-endian MIPS any more, so those of glibc are little-endian.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use testkit::Image;

use super::table::{Expect, Row, row};
use super::{Link, Make, Order, Side, c, make};
use crate::{debian, lab, sh, toolchain};

/// Which C library a program is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Libc {
    Musl,
    Glibc,
}

/// A program that prints what a function of one library gives.
#[derive(Clone, Copy)]
pub(crate) struct Needs {
    libc: Libc,
    /// The library's name, without `lib` and `.so`; empty for the C library alone.
    library: &'static str,
    symbol: &'static str,
}

/// What the guest has under a library's name.
#[derive(Clone, Copy)]
enum Library {
    /// It defines this.
    Defines(&'static str),
    /// The same for another float ABI.
    OtherFloat,
    /// The same for the other byte order.
    Swapped,
    /// The same for 64 bits.
    Wide,
    /// The same for another processor of the same byte order and word size.
    Arm,
    /// It needs libremoved.so.
    Chained,
    /// It has another e_type.
    Core,
    /// Its second half is missing, and with it PT_DYNAMIC.
    Cut,
    Text(&'static str),
    Folder,
}

const GREETING: &str = "greeting";

const PROGRAM: &str = include_str!("needs.c");
const LIBRARY: &str = include_str!("greeting.c");

/// There is none that is called "removed".
const LIBRARIES: [(&str, Library); 12] = [
    ("whole", Library::Defines(GREETING)),
    ("older", Library::Defines("answer")),
    ("float", Library::OtherFloat),
    ("swapped", Library::Swapped),
    ("wide", Library::Wide),
    ("chained", Library::Chained),
    ("arm", Library::Arm),
    ("core", Library::Core),
    ("cut", Library::Cut),
    ("text", Library::Text("<html>404</html> and more than the 52 bytes that a header has\n")),
    ("empty", Library::Text("")),
    ("folder", Library::Folder),
];

const FROM_LIBRARY: &str = "hello from a library";
const MISSING: Expect = Expect::Dies("library-missing", "exits 127 start");
const UNUSABLE: Expect = Expect::Dies("library-unusable", "exits 127 start");
const NO_SYMBOL: Expect = Expect::Dies("symbol-missing", "exits 127 start");
/// A hard-float glibc saves FP registers before it looks for anything.
const NO_FPU: Expect = Expect::Dies("hard-float-without-fpu", "killed SIGILL later");

const fn musl(name: &'static str, library: &'static str, expect: Expect) -> Row {
    needs(name, Needs { libc: Libc::Musl, library, symbol: GREETING }, expect)
}

const fn glibc(name: &'static str, library: &'static str, with_fpu: Expect) -> Row {
    needs(name, Needs { libc: Libc::Glibc, library, symbol: GREETING }, NO_FPU)
        .with_fpu(with_fpu)
        .little_endian()
}

const fn needs(name: &'static str, needs: Needs, expect: Expect) -> Row {
    row(name, Make::Needs(needs), expect).linked()
}

const fn debians(name: &'static str, file: &'static str, prints: &'static str) -> Row {
    row(name, Make::Debian(file), NO_FPU).with_fpu(Expect::Runs(prints)).little_endian().linked()
}

pub(crate) const ROWS: &[Row] = &[
    musl("musl-whole", "whole", Expect::Runs(FROM_LIBRARY)),
    musl("musl-removed", "removed", MISSING).says(&["libremoved.so", "/usr/lib/libremoved.so"]),
    musl("musl-older", "older", NO_SYMBOL)
        .says(&["Error relocating ./musl-older: greeting: symbol not found"]),
    needs(
        "musl-for-glibc",
        Needs { libc: Libc::Musl, library: "whole", symbol: "gnu_get_libc_version" },
        NO_SYMBOL,
    )
    .says(&["gnu_get_libc_version", "none of glibc's own functions"]),
    musl("musl-swapped", "swapped", UNUSABLE).says(&["/usr/lib/libswapped.so", "not {own}-endian"]),
    musl("musl-wide", "wide", UNUSABLE).says(&["ELFCLASS64"]),
    musl("musl-chained", "chained", MISSING).says(&["(needed by /usr/lib/libchained.so)"]),
    // musl compares no float ABIs.
    musl("musl-float", "float", Expect::Runs(FROM_LIBRARY)),
    musl("musl-core", "core", UNUSABLE),
    // musl does not look at e_machine.
    musl("musl-arm", "arm", UNUSABLE).says(&["unsupported relocation type"]),
    musl("musl-cut", "cut", Expect::Dies("library-unusable", "killed SIGBUS start")),
    musl("musl-text", "text", UNUSABLE).says(&["invalid ELF header"]),
    musl("musl-empty", "empty", UNUSABLE).says(&["too short"]),
    musl("musl-folder", "folder", UNUSABLE).says(&["/usr/lib/libfolder.so"]),
    glibc("glibc-whole", "whole", Expect::Runs(FROM_LIBRARY)),
    glibc("glibc-removed", "removed", MISSING),
    glibc("glibc-older", "older", NO_SYMBOL),
    // glibc passes over it, and finds the one that is meant for musl.
    glibc("glibc-float", "float", Expect::Runs(FROM_LIBRARY)),
    row("glibc-soft", Make::C(Side::Native, Link::Glibc), NO_FPU)
        .with_fpu(Expect::Dies("wrong-mips-abi", "refused ELIBBAD"))
        .little_endian()
        .linked(),
    glibc("glibc-swapped", "swapped", UNUSABLE),
    glibc("glibc-wide", "wide", UNUSABLE),
    glibc("glibc-chained", "chained", MISSING),
    glibc("glibc-core", "core", UNUSABLE),
    glibc("glibc-arm", "arm", UNUSABLE),
    glibc("glibc-cut", "cut", Expect::Dies("library-unusable", "killed SIGBUS start")),
    glibc("glibc-text", "text", UNUSABLE),
    glibc("glibc-empty", "empty", UNUSABLE),
    glibc("glibc-folder", "folder", UNUSABLE),
    needs("glibc-newer", Needs { libc: Libc::Glibc, library: "", symbol: "__isoc23_strtol" }, NO_FPU)
        .with_fpu(Expect::Dies("version-missing", "exits 1 start"))
        .little_endian(),
    debians("v2ray-with-libc6", V2RAY, "V2Ray").args("-version"),
    debians("curl", "usr/bin/curl", "curl 7").args("--version"),
];

impl Row {
    /// The C library of a program that has libraries.
    pub(crate) fn libc(&self) -> Libc {
        match self.make {
            Make::Needs(Needs { libc, .. }) => libc,
            _ => Libc::Glibc,
        }
    }

    /// Whether nothing is wrong with its libraries.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.expect(true), Expect::Runs(_))
    }
}

/// Debian's v2ray, and where it is: a Go program, dynamic.
pub(super) const V2RAY: &str = "usr/bin/v2ray";

/// What is unpacked for programs of Debian's: in parts, since their names are the name of a folder.
const PACKAGES: [&[&str]; 3] = [
    &["libc6", "v2ray"],
    &[
        "curl",
        "libcurl4",
        "zlib1g",
        "libbrotli1",
        "libgssapi-krb5-2",
        "libidn2-0",
        "libldap-2.5-0",
        "libnghttp2-14",
        "libpsl5",
        "librtmp1",
        "libssh2-1",
        "libssl3",
        "libzstd1",
        "libcom-err2",
    ],
    &[
        "libk5crypto3",
        "libkrb5-3",
        "libkrb5support0",
        "libunistring2",
        "libgnutls30",
        "libsasl2-2",
        "libgmp10",
        "libhogweed6",
        "libnettle8",
        "libkeyutils1",
        "libp11-kit0",
        "libtasn1-6",
        "libffi8",
        "libatomic1",
    ],
];
/// Debian's folder for libraries, below /lib and /usr/lib.
const MULTIARCH: &str = "mipsel-linux-gnu";

/// A file of Debian's packages.
pub(super) fn debians_file(file: &str) -> Result<PathBuf> {
    for packages in PACKAGES {
        let path = debian::fetch("mipsel", packages)?.join(file);
        if path.is_file() {
            return Ok(path);
        }
    }
    anyhow::bail!("Debian's packages have no {file}")
}

/// The program, linked with a library that has all that it needs.
pub(super) fn program(needs: Needs, order: Order) -> Result<PathBuf> {
    let Needs { libc, library, symbol } = needs;
    let flag = format!("-DSYMBOL={symbol}");
    let mut with = Vec::new();
    if !library.is_empty() {
        let soname = format!("-Wl,-soname,lib{library}.so");
        with.push(shared(&format!("stub-{library}-{symbol}"), libc, order, &[&flag, &soname])?);
    }
    let with: Vec<&str> = with.iter().filter_map(|file| file.to_str()).collect();
    let name = format!("needs-{}-{library}-{symbol}", machine(libc, order));
    if libc == Libc::Musl {
        return make(&name, &recipe(&[&flag], PROGRAM), |to| {
            let source = c::source(to, PROGRAM)?;
            lab::musl::link(order.kernel(), &[&source], &[&[flag.as_str()][..], &with].concat(), to)
        });
    }
    // A symbol that Debian's release of it does not have yet.
    let newer = if library.is_empty() { ".2.38" } else { "" };
    let target = format!("{}{newer}", machine(libc, order));
    let flags = [&["-target", &target, HARD, "-Os", "-s", &flag][..], &with].concat();
    make(&name, &recipe(&flags, PROGRAM), |to| c::compile(PROGRAM, &flags, to))
}

const SOFT: &str = "-mcpu=mips32+soft_float";
const HARD: &str = "-mcpu=mips32";

/// zig's name of the machine whose programs use this C library.
fn machine(libc: Libc, order: Order) -> String {
    let system = if libc == Libc::Musl { "musleabi" } else { "gnueabihf" };
    format!("{}-linux-{system}", order.arch())
}

fn recipe(flags: &[&str], code: &str) -> String {
    format!("zig {} cc {}\n{code}", toolchain::zig_release(), flags.join(" "))
}

/// A shared library for programs with this C library.
fn shared(name: &str, libc: Libc, order: Order, flags: &[&str]) -> Result<PathBuf> {
    let float = if libc == Libc::Musl { SOFT } else { HARD };
    shared_for(name, &machine(libc, order), &[&[float], flags].concat())
}

fn shared_for(name: &str, machine: &str, flags: &[&str]) -> Result<PathBuf> {
    let flags = [&["-target", machine, "-Os", "-s", "-shared", "-nostdlib"], flags].concat();
    make(&format!("lib{name}-{machine}.so"), &recipe(&flags, LIBRARY), |to| c::compile(LIBRARY, &flags, to))
}

/// Puts what is under the libraries' names into a folder.
fn place_libraries(libc: Libc, order: Order, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let greeting = format!("-DSYMBOL={GREETING}");
    let whole = || shared("whole", libc, order, &[&greeting]);
    for (name, library) in LIBRARIES {
        let to = folder.join(format!("lib{name}.so"));
        let built = match library {
            Library::Defines(symbol) => shared(name, libc, order, &[&format!("-DSYMBOL={symbol}")])?,
            Library::OtherFloat if libc == Libc::Musl => shared(name, Libc::Glibc, order, &[&greeting])?,
            Library::OtherFloat => shared(name, Libc::Musl, order, &[&greeting])?,
            Library::Swapped => shared(name, libc, order.other(), &[&greeting])?,
            Library::Wide => {
                let machine = if order == Order::Big { "mips64" } else { "mips64el" };
                shared_for(name, &format!("{machine}-linux-muslabi64"), &[&greeting])?
            }
            Library::Arm => {
                let machine = if order == Order::Big { "armeb" } else { "arm" };
                shared_for(name, &format!("{machine}-linux-musleabi"), &[&greeting, "-DRELOCATED"])?
            }
            Library::Chained => {
                let removed = shared("removed", libc, order, &[&greeting, "-Wl,-soname,libremoved.so"])?;
                let removed = removed.to_str().context("a name")?;
                shared(name, libc, order, &[&greeting, "-Wl,--no-as-needed", removed])?
            }
            Library::Core => {
                let mut elf = Image::parse(fs::read(whole()?)?).context("an ELF file")?;
                elf.set("e_type", 4).context("e_type")?;
                fs::write(&to, elf.bytes)?;
                continue;
            }
            Library::Cut => {
                let long = shared("long", libc, order, &[&greeting, "-DFILLER=40000"])?;
                let bytes = fs::read(long)?;
                fs::write(&to, bytes.get(..bytes.len() / 2).unwrap_or_default())?;
                continue;
            }
            Library::Text(text) => {
                fs::write(&to, text)?;
                continue;
            }
            Library::Folder => {
                fs::create_dir(&to)?;
                continue;
            }
        };
        super::link(&built, &to)?;
    }
    Ok(())
}

/// Where a router's flash has no room for what the libraries of curl take.
pub(crate) const ELSEWHERE: &str = "/tmp/lib";

/// Fills two folders: one that is copied over the guest's root, one that is copied to [`ELSEWHERE`].
pub(crate) fn place_root(order: Order, root: &Path, elsewhere: &Path) -> Result<()> {
    place_libraries(Libc::Musl, order, &root.join("usr/lib"))?;
    fs::create_dir_all(elsewhere)?;
    if order == Order::Big {
        return Ok(());
    }
    let lib = root.join("lib").join(MULTIARCH);
    fs::create_dir_all(&lib)?;
    symlink(format!("{MULTIARCH}/ld.so.1"), root.join("lib/ld.so.1"))?;
    symlink(ELSEWHERE, root.join("usr/lib").join(MULTIARCH))?;
    place_libraries(Libc::Glibc, order, elsewhere)?;
    for packages in PACKAGES {
        let package = debian::fetch("mipsel", packages)?;
        for (from, to) in [("lib", lib.as_path()), ("usr/lib", elsewhere)] {
            copy_libraries(&package.join(from).join(MULTIARCH), to)?;
        }
    }
    Ok(())
}

/// The libraries of a folder and its links, without what else is there.
fn copy_libraries(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let entry = entry?;
        let is_library = entry.file_name().to_string_lossy().contains(".so");
        if is_library && !entry.file_type()?.is_dir() {
            sh::run(std::process::Command::new("cp").arg("-P").arg(entry.path()).arg(to))?;
        }
    }
    Ok(())
}
