//! What to build for a machine: the Go environment, the Rust target, compiler flags, OpenWrt's package architecture.
//!
//! Sources: Go's `cmd/go` documentation (GOARM, GOMIPS), rustc's platform support list, OpenWrt's include/target.mk and
//! packages lang/{golang,rust}/*-values.mk.

use alloc::format;
use alloc::string::String;

use crate::arch;
use crate::candidate::Toolchain;
use crate::elf::{ByteOrder, Class};
use crate::machine::Machine;

/// A build, and the machines it is for.
pub struct Build {
    /// Their word size, where it matters.
    pub(crate) class: Option<Class>,
    /// Their byte order, where it matters.
    pub(crate) order: Option<ByteOrder>,
    /// What else they need.
    pub(crate) fits: fn(&Machine) -> bool,
    /// `GOARCH=mipsle GOMIPS=softfloat`; None where Go has no port.
    pub go: Option<&'static str>,
    /// The Rust target; a static musl one.
    pub rust: Option<&'static str>,
    /// The processor in the compiler's name; empty where no compiler of today builds for it.
    pub(crate) gcc: &'static str,
    /// The compiler's options.
    pub(crate) options: &'static str,
}

impl Build {
    /// By a compiler without options, for every machine of the architecture.
    pub(crate) const fn new(gcc: &'static str) -> Build {
        Build { class: None, order: None, fits: |_| true, go: None, rust: None, gcc, options: "" }
    }

    /// The command; None where the toolchain has no such target.
    pub fn command(&self, toolchain: Toolchain, machine: &Machine) -> Option<String> {
        Some(match toolchain {
            Toolchain::Go => format!("GOOS=linux {} go build", self.go?),
            Toolchain::Rust => {
                let triple = self.rust?;
                // Targets of tier 3 come without a standard library, so that is built as well.
                let bare = triple.starts_with("mips")
                    || triple.starts_with("powerpc") && !triple.starts_with("powerpc64le");
                let build = if bare { "+nightly build --release -Zbuild-std" } else { "build --release" };
                format!("cargo {build} --target {triple}")
            }
            // Named as OpenWrt's SDK names it for its own machines.
            Toolchain::C if self.gcc.is_empty() => return None,
            Toolchain::C => {
                let vendor = if machine.openwrt().release.get().is_some() { "-openwrt" } else { "" };
                let Build { gcc, options, .. } = self;
                let abi = if gcc.starts_with("arm") { "gnueabi" } else { "" };
                let blank = if options.is_empty() { "" } else { " " };
                format!("{gcc}{vendor}-linux-musl{abi}-gcc -static{blank}{options}")
            }
            Toolchain::Unknown => return None,
        })
    }
}

/// What to build for this machine; None where its processor is not known.
pub fn build(machine: &Machine) -> Option<&'static Build> {
    let own = machine.byte_order()?;
    let userland = machine.userland().get();
    let class = userland.map(|abi| abi.encoding.class).or(machine.kernel().class.value)?;
    let e_machine = userland.map(|abi| abi.e_machine).or_else(|| machine.e_machine())?;
    arch::of(e_machine)?.builds.iter().find(|build| {
        build.class.is_none_or(|wanted| wanted == class)
            && build.order.is_none_or(|wanted| wanted == own)
            && (build.fits)(machine)
    })
}
