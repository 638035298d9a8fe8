//! The facts of a machine. Pure values: [`gather`] takes them from a target.

pub mod binfmt_misc;
mod bytes;
mod c_library;
pub(crate) mod capability;
pub mod cpuinfo;
mod facts;
pub mod gather;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

use crate::path::{Path, is_below};
use binfmt_misc::BinfmtRule;
pub(crate) use bytes::{after, decimal, parts};
pub use bytes::{holds, word};
pub use c_library::Libc;
pub(crate) use c_library::system_of_loader;
pub(crate) use facts::lists;
pub use facts::{Abi, Cpu, Fact, Fpu, KernelFacts, Limits, Memory, Mount, OpenWrt, Release, Version, Words};

pub(crate) use gather::OF_ITSELF;

use crate::candidate::Formats;
use crate::candidate::script::Rules;
use crate::elf::{ByteOrder, Class, Encoding};
use crate::target::{Answer, Auxv, Capability, Space, Target, Uname};

/// A machine. Its facts are gathered when they are first looked at, each group once; one that is given beforehand
/// (`machine.cpu = Box::new(cpu).into()`) is not gathered. Large ones are boxed: std's cell moves what it takes (400 bytes of a
/// router's package).
#[derive(Clone)]
pub struct Machine<'a> {
    /// Its files and its kernel.
    pub target: Target<'a>,
    /// [`Machine::cpu`], once it was looked at.
    pub cpu: OnceCell<Box<Cpu>>,
    /// [`Machine::kernel`].
    pub kernel: OnceCell<Box<KernelFacts>>,
    /// [`Machine::userland`].
    pub userland: OnceCell<Fact<Abi>>,
    /// [`Machine::binfmt_misc`].
    pub binfmt_misc: OnceCell<Fact<Vec<BinfmtRule>>>,
    /// [`Machine::mmap_min_addr`].
    pub mmap_min_addr: OnceCell<Fact<u64>>,
    /// [`Machine::memory`].
    pub memory: OnceCell<Box<Memory>>,
    /// [`Machine::limits`].
    pub limits: OnceCell<Box<Limits>>,
    /// [`Machine::mounts`].
    pub mounts: OnceCell<Fact<Vec<Mount>>>,
    /// [`Machine::libc`].
    pub libc: OnceCell<Fact<Libc>>,
    /// [`Machine::loaders`].
    pub loaders: OnceCell<Fact<Vec<String>>>,
    /// [`Machine::openwrt`].
    pub openwrt: OnceCell<Box<OpenWrt>>,
    /// What the kernel answered when it was asked.
    pub answers: Vec<(Capability, Fact<Answer>)>,
    /// uname(2).
    pub uname: OnceCell<Option<Uname>>,
    /// The auxiliary vector.
    pub auxv: OnceCell<Auxv>,
    /// The levels of x86-64 that the processor has, as GNU_PROPERTY_X86_ISA_1 counts them.
    #[cfg_attr(not(feature = "every-machine"), allow(dead_code))] // A router of x86 alone looks at it.
    pub(crate) x86_levels: OnceCell<u32>,
    /// Only verdicts and codes are asked for: no finding has a text.
    #[cfg(feature = "every-machine")]
    pub only_codes: bool,
    /// A program of the machine's own.
    program: OnceCell<Option<gather::Program>>,
}

impl<'a> Machine<'a> {
    /// A machine of which nothing was looked at yet.
    pub fn new(target: Target<'a>) -> Machine<'a> {
        Machine {
            target,
            cpu: OnceCell::new(),
            kernel: OnceCell::new(),
            userland: OnceCell::new(),
            binfmt_misc: OnceCell::new(),
            mmap_min_addr: OnceCell::new(),
            memory: OnceCell::new(),
            limits: OnceCell::new(),
            mounts: OnceCell::new(),
            libc: OnceCell::new(),
            loaders: OnceCell::new(),
            openwrt: OnceCell::new(),
            answers: Vec::new(),
            uname: OnceCell::new(),
            auxv: OnceCell::new(),
            x86_levels: OnceCell::new(),
            #[cfg(feature = "every-machine")]
            only_codes: false,
            program: OnceCell::new(),
        }
    }

    /// The processor, as /proc/cpuinfo tells.
    pub fn cpu(&self) -> &Cpu {
        self.cpu.get_or_init(|| gather::processor(self.target.root))
    }

    /// The kernel.
    pub fn kernel(&self) -> &KernelFacts {
        self.kernel.get_or_init(|| Box::new(gather::kernel(self)))
    }

    /// What the machine's own programs are: the ELF header of /proc/self/exe or /bin/busybox.
    pub fn userland(&self) -> &Fact<Abi> {
        self.userland.get_or_init(|| gather::abi(self.program()))
    }

    /// The enabled rules of binfmt_misc. Several that match are tried in an order that the kernel does not tell.
    pub fn binfmt_misc(&self) -> &Fact<Vec<BinfmtRule>> {
        self.binfmt_misc.get_or_init(|| gather::binfmt_misc(self.target.root))
    }

    /// /proc/sys/vm/mmap_min_addr.
    pub fn mmap_min_addr(&self) -> &Fact<u64> {
        self.mmap_min_addr.get_or_init(|| gather::number(self.target.root, "/proc/sys/vm/mmap_min_addr"))
    }

    /// Memory.
    pub fn memory(&self) -> &Memory {
        self.memory.get_or_init(|| Box::new(gather::memory(self.target.root)))
    }

    /// Resource limits of the asking process, and so of a program that its shell starts.
    pub fn limits(&self) -> &Limits {
        self.limits.get_or_init(|| Box::new(gather::limits(self.target.kernel)))
    }

    /// What is mounted, in the order of /proc/mounts.
    pub fn mounts(&self) -> &Fact<Vec<Mount>> {
        self.mounts.get_or_init(|| gather::mounts::mounts(self.target.root))
    }

    /// The C library of the machine's own programs.
    pub fn libc(&self) -> &Fact<Libc> {
        self.libc.get_or_init(|| gather::libc(self.program(), &|| self.loaders()))
    }

    /// Dynamic loaders present, by path.
    pub fn loaders(&self) -> &Fact<Vec<String>> {
        self.loaders.get_or_init(|| gather::loaders(self.target.root))
    }

    /// What OpenWrt says of itself.
    pub fn openwrt(&self) -> &OpenWrt {
        self.openwrt.get_or_init(|| Box::new(gather::openwrt(self.target.root)))
    }

    /// AT_HWCAP.
    pub fn hwcap(&self) -> Fact<u64> {
        Fact::new(self.auxv().hwcap, "AT_HWCAP")
    }

    /// AT_HWCAP2.
    pub fn hwcap2(&self) -> Fact<u64> {
        Fact::new(self.auxv().hwcap2, "AT_HWCAP2")
    }

    /// AT_PLATFORM.
    pub fn platform(&self) -> Fact<&str> {
        Fact::new(self.auxv().platform.as_deref(), "AT_PLATFORM")
    }

    /// AT_BASE_PLATFORM: the processor itself, where AT_PLATFORM names one that it is compatible with (PowerPC).
    pub fn base_platform(&self) -> Fact<&str> {
        Fact::new(self.auxv().base_platform.as_deref(), "AT_BASE_PLATFORM")
    }

    /// Do floating-point instructions work: what cpuinfo and AT_HWCAP tell, and what the kernel answered.
    pub fn fpu(&self) -> Fact<Fpu> {
        gather::fpu(self)
    }

    fn uname(&self) -> Option<&Uname> {
        self.uname.get_or_init(|| self.target.kernel.uname()).as_ref()
    }

    fn auxv(&self) -> &Auxv {
        self.auxv.get_or_init(|| self.target.kernel.auxv())
    }

    fn program(&self) -> Option<&gather::Program> {
        self.program.get_or_init(|| gather::program(self)).as_ref()
    }

    /// What is free on a mount. proc, sysfs and their like have no blocks, and tell nothing.
    pub fn space(&self, mount: &Mount) -> Option<Space> {
        let ask = || self.target.root.space(&mount.point).filter(|space| space.size > 0);
        *mount.space.get_or_init(|| if mount.remote { None } else { ask() })
    }

    /// The mount that a path lies on: the last one whose point is a prefix.
    pub fn mount_of(&self, path: &Path) -> Option<&Mount> {
        let above = self.mounts().get()?.iter().filter(|mount| is_below(path, &mount.point));
        // Of points that are prefixes of one path the longest is the deepest; of equal ones the last hides the others.
        above.max_by_key(|mount| mount.point.as_bytes().len())
    }

    /// How many mounts there are, where they were looked at.
    pub(crate) fn mounts_seen(&self) -> usize {
        self.mounts.get().and_then(Fact::get).map_or(0, Vec::len)
    }

    /// Whether to look at what a file names could take for ever, or ask another machine: it lies on a
    /// [remote](Mount::remote) mount that none of these lies on.
    pub(crate) fn is_out_of_reach(&self, path: &Path, from: &[&Path]) -> bool {
        // Nobody mounts a single one of these elsewhere; reading what is mounted takes longer than a judgement.
        const SYSTEM: [&[u8]; 6] = [b"/lib", b"/usr/", b"/bin/", b"/sbin/", b"/etc/", b"/opt/"];
        let bytes = path.as_bytes();
        if !crate::ROUTER && SYSTEM.iter().any(|system| bytes.starts_with(system)) {
            return false;
        }
        let Some(mount) = self.mount_of(path).filter(|mount| mount.remote) else { return false };
        let is_it = |other: &Mount| other.point.as_bytes() == mount.point.as_bytes();
        // Nobody has a router's loader or interpreters there.
        crate::ROUTER || !from.iter().any(|from| self.mount_of(from).is_some_and(is_it))
    }

    /// The mount whose device holds what is written below a folder: for an overlay the one of its upper layer.
    pub fn storage_of(&self, folder: &Path) -> Option<&Mount> {
        let mount = self.mount_of(folder)?;
        let upper = mount.options().find_map(|option| option.strip_prefix("upperdir="));
        match upper {
            Some(upper) if mount.fstype == "overlay" => self.mount_of(Path::new(upper)).or(Some(mount)),
            _ => Some(mount),
        }
    }

    /// Byte order of the kernel.
    pub fn byte_order(&self) -> Option<ByteOrder> {
        self.kernel().byte_order.value
    }

    /// e_machine of the machine: the kernel's, or the userland's where `uname -m` tells nothing.
    pub fn e_machine(&self) -> Option<u16> {
        self.kernel().e_machine.value.or_else(|| self.userland().value.map(|abi| abi.e_machine))
    }

    /// The ways in which this kernel decodes an ELF file: its own layout, then the 32-bit one of its compatibility
    /// handler.
    pub fn encodings(&self) -> &'static [Encoding] {
        const fn both(order: ByteOrder) -> [Encoding; 2] {
            [Encoding { order, class: Class::Elf64 }, Encoding { order, class: Class::Elf32 }]
        }
        let both: &[Encoding] = match self.byte_order() {
            Some(ByteOrder::Little) => const { &both(ByteOrder::Little) },
            Some(ByteOrder::Big) => const { &both(ByteOrder::Big) },
            None => &[],
        };
        match self.kernel().class.value {
            Some(Class::Elf64) => both,
            Some(Class::Elf32) => both.get(1..).unwrap_or_default(),
            None => &[],
        }
    }

    /// How this kernel reads a file.
    pub fn formats(&self) -> Formats<'_> {
        let script = self.kernel().release.get().map_or(Rules::LATEST, |release| Rules::of(release.version));
        Formats {
            encodings: self.encodings(),
            script,
            binfmt_misc: self.binfmt_misc().get().map(Vec::as_slice).unwrap_or_default(),
            reach: Some(self),
        }
    }

    /// The name by which alone it is known ([`crate::target::Kernel::catalogue_name`]); a router's build knows none by name.
    pub fn catalogue_name(&self) -> Option<&str> {
        if crate::ROUTER { None } else { self.target.kernel.catalogue_name() }
    }

    /// What the kernel answered; None where it was not asked yet.
    pub fn answer(&self, question: Capability) -> Option<&Fact<Answer>> {
        self.answers.iter().find(|(asked, _)| *asked == question).map(|(_, fact)| fact)
    }
}
