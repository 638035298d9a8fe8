//! What to take or to build for a machine: the words of release pages, the Go environment, the Rust target, the compiler
//! and its options, and what further toolchains call it.
//!
//! Sources: Go's `cmd/go` documentation (GOARM, GOMIPS), rustc's platform support list, OpenWrt's include/target.mk and
//! packages lang/{golang,rust}/*-values.mk, musl-cross-make's README, Debian's gcc-TRIPLE packages, `zig targets`, .NET's
//! list of runtime identifiers, `dart help compile exe`, `bun build --help`, `deno compile --help`, Nim's
//! `compiler/platforms.nim`, the NDK's toolchains.

pub mod release;
pub mod targets;

use alloc::format;
use alloc::string::String;

use crate::arch;
use crate::candidate::Toolchain;
use crate::elf::{ByteOrder, Class};
use crate::machine::{Abi, Libc, Machine, OF_ITSELF};

/// A build, and the machines it is for.
pub struct Build {
    /// Their word size, where it matters.
    pub(crate) class: Option<Class>,
    /// Their byte order, where it matters.
    pub(crate) order: Option<ByteOrder>,
    /// What else they need.
    pub(crate) fits: fn(&Machine) -> bool,
    /// What release pages call it, the most usual word first. [`release`] adds what depends on the machine.
    pub(crate) names: &'static [&'static str],
    /// `GOARCH=mipsle GOMIPS=softfloat`; None where Go has no port.
    pub go: Option<&'static str>,
    /// The Rust target; a static musl one.
    pub rust: Option<&'static str>,
    /// What rustc has to be told beside it.
    pub(crate) rust_flags: &'static str,
    /// The processor in the compiler's name; empty where no compiler is known.
    pub(crate) gcc: &'static str,
    /// The C library in the name of musl-cross-make's compiler.
    pub(crate) musl: &'static str,
    /// The name of Debian's cross compiler; empty where the C library it brings does not run there.
    pub(crate) gnu: &'static str,
    /// The compiler's options.
    pub(crate) options: &'static str,
    /// The Rust target for Android, by which the NDK's compilers are called as well.
    pub(crate) android: Option<&'static str>,
    /// What further toolchains call the machine.
    pub(crate) others: &'static [(Toolchain, &'static str)],
}

impl Build {
    /// By a compiler without options, for every machine of the architecture.
    pub(crate) const fn new(gcc: &'static str) -> Build {
        Build {
            class: None,
            order: None,
            fits: |_| true,
            names: &[],
            go: None,
            rust: None,
            rust_flags: "",
            gcc,
            musl: "musl",
            gnu: "",
            options: "",
            android: None,
            others: &[],
        }
    }

    /// The command; None where the toolchain has no such target, or builds only for the machine that it runs on.
    pub fn command(&self, toolchain: Toolchain, machine: &Machine) -> Option<String> {
        if is_android(machine) {
            return self.for_android(toolchain);
        }
        Some(match toolchain {
            Toolchain::Go => format!("GOOS=linux {} go build", self.go?),
            Toolchain::Rust => cargo(self.rust?, self.rust_flags),
            Toolchain::C | Toolchain::Cxx => {
                let command = if toolchain == Toolchain::C { "gcc" } else { "g++" };
                let blank = if self.options.is_empty() { "" } else { " " };
                format!("{} -static{blank}{}", self.compiler(machine, command)?, self.options)
            }
            // Nobody builds for a router with the others.
            _ if crate::ROUTER => return None,
            _ => {
                let target = self.target(toolchain)?;
                // Theirs are dynamic programs: the C library is part of the target.
                let musl = machine.libc().value == Some(Libc::Musl);
                match toolchain {
                    Toolchain::Zig => format!("zig build -Dtarget={target}"),
                    Toolchain::Nim => {
                        let compiler = self.compiler(machine, "gcc")?;
                        format!(
                            "nim c --os:linux --cpu:{target} --gcc.exe:{compiler} --gcc.linkerexe:{compiler} \
                             --passL:-static FILE.nim"
                        )
                    }
                    Toolchain::Pascal => format!("fpc -Tlinux -P{target} FILE.pas"),
                    Toolchain::Swift => format!("swift build --swift-sdk {target}"),
                    Toolchain::DotNet => {
                        let libc = if musl { "musl-" } else { "" };
                        format!("dotnet publish --self-contained -r linux-{libc}{target}")
                    }
                    Toolchain::Dart => {
                        format!("dart compile exe --target-os=linux --target-arch={target} FILE.dart")
                    }
                    Toolchain::Bun => {
                        let libc = if musl { "-musl" } else { "" };
                        format!("bun build --compile --target=bun-linux-{target}{libc} FILE.ts")
                    }
                    Toolchain::Deno if !musl => {
                        format!("deno compile --target {target}-unknown-linux-gnu FILE.ts")
                    }
                    _ => return None,
                }
            }
        })
    }

    /// What a further toolchain calls the machine; None where it is not known to build for such ones.
    pub(crate) fn target(&self, toolchain: Toolchain) -> Option<&'static str> {
        if crate::ROUTER {
            return None;
        }
        self.others.iter().find(|(other, _)| *other == toolchain).map(|(_, target)| *target)
    }

    /// GCC by its name: that of OpenWrt's SDK for OpenWrt's machines, Debian's for a machine with glibc, else
    /// musl-cross-make's.
    fn compiler(&self, machine: &Machine, command: &str) -> Option<String> {
        let Build { gcc, musl, gnu, .. } = self;
        if gcc.is_empty() {
            return None;
        }
        let is_openwrt = machine.openwrt().release.get().is_some();
        Some(if is_openwrt {
            let abi = if gcc.starts_with("arm") { "gnueabi" } else { "" };
            format!("{gcc}-openwrt-linux-musl{abi}-{command}")
        } else if !crate::ROUTER && !gnu.is_empty() && machine.libc().value == Some(Libc::Glibc) {
            format!("{gnu}-{command}")
        } else {
            format!("{gcc}-linux-{musl}-{command}")
        })
    }

    /// The NDK's compilers, for Android 5 and later. Go needs none of them on arm64 alone (`go tool dist list`,
    /// internal/platform `MustLinkExternal`).
    fn for_android(&self, toolchain: Toolchain) -> Option<String> {
        let triple = self.android.filter(|_| arch::HAS_BIONIC)?;
        let clang = || {
            // The NDK has ARMv7 as armv7a.
            let (cpu, rest) = triple.split_once('-').unwrap_or_default();
            let v7 = if cpu == "armv7" { "a" } else { "" };
            let level = if cpu == "riscv64" { 35 } else { 21 };
            format!("{cpu}{v7}-{rest}{level}-clang")
        };
        Some(match toolchain {
            Toolchain::Go => {
                let environment = self.go?;
                let cgo = if triple.starts_with("aarch64") {
                    String::new()
                } else {
                    format!("CGO_ENABLED=1 CC={} ", clang())
                };
                format!("{cgo}GOOS=android {environment} go build")
            }
            Toolchain::Rust => format!("cargo build --release --target {triple}"),
            Toolchain::C => clang(),
            Toolchain::Cxx => format!("{}++", clang()),
            _ => return None,
        })
    }
}

/// Targets of tier 3 come without a standard library, so that is built as well.
fn cargo(triple: &str, flags: &str) -> String {
    let is_bare = triple.starts_with("mips")
        || triple.starts_with("riscv32")
        || triple.starts_with("powerpc") && !triple.starts_with("powerpc64le");
    let build = if is_bare { "+nightly build --release -Zbuild-std" } else { "build --release" };
    let (before, behind) = if flags.is_empty() { ("", "") } else { ("RUSTFLAGS=", " ") };
    format!("{before}{flags}{behind}cargo {build} --target {triple}")
}

/// Whether Android's C library is the machine's own.
pub(crate) fn is_android(machine: &Machine) -> bool {
    arch::HAS_BIONIC && machine.libc().value == Some(Libc::Bionic)
}

/// What the machine's own programs are made for: that `diag` itself is a narrow one says nothing of them.
pub(crate) fn userland<'a>(machine: &'a Machine<'_>) -> Option<&'a Abi> {
    let userland = machine.userland();
    userland.get().filter(|_| userland.source != OF_ITSELF)
}

/// What to build for this machine; None where its processor is not known.
pub fn build(machine: &Machine) -> Option<&'static Build> {
    builds(machine).next()
}

/// The builds that run as this machine's own programs do, the best first; none where its processor is not known. Of one
/// architecture a processor runs what was made for older ones.
pub(crate) fn builds<'a>(machine: &'a Machine<'_>) -> impl Iterator<Item = &'static Build> + 'a {
    let userland = userland(machine);
    let class = userland.map(|abi| abi.encoding.class).or(machine.kernel().class.value);
    let e_machine = userland.map(|abi| abi.e_machine).or_else(|| machine.e_machine());
    of(machine, e_machine, class)
}

/// What the kernel runs beside the machine's own programs, where those are narrower than it: without their libraries only
/// a static one starts.
pub(crate) fn wider(machine: &Machine) -> Option<&'static Build> {
    if crate::ROUTER {
        return None;
    }
    let userland = userland(machine)?;
    let kernel = machine.kernel();
    if (kernel.class.value, userland.encoding.class) != (Some(Class::Elf64), Class::Elf32) {
        return None;
    }
    of(machine, kernel.e_machine.value, kernel.class.value).next()
}

fn of<'a>(
    machine: &'a Machine<'_>,
    e_machine: Option<u16>,
    class: Option<Class>,
) -> impl Iterator<Item = &'static Build> + 'a {
    let order = machine.byte_order();
    let is_known = order.is_some() && class.is_some();
    let table = e_machine.filter(|_| is_known).map(arch::builds).unwrap_or_default();
    table.iter().filter(move |build| {
        build.class.is_none_or(|wanted| Some(wanted) == class)
            && build.order.is_none_or(|wanted| Some(wanted) == order)
            && (build.fits)(machine)
    })
}
