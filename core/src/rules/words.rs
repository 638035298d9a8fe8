//! What shells print when execve(2) fails, and the words for a machine that several findings share.
//!
//! Sources: BusyBox 1.35 shell/ash.c `tryexec` and `shellexec`, dash 0.5.12, bash 5.2 execute_cmd.c; observed.

pub(super) mod env;
mod packages;
mod settings;
pub(crate) mod shown;
mod tell;
use core::fmt::{self, Display, Formatter};

use crate::path::{Path, PathBuf, is_below, join};

use super::Case;
use crate::candidate::{Image, Program, Script, last_name};
use crate::elf::ByteOrder;
use crate::elf::consts::{
    EM_386, EM_486, EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC, EM_PPC64, EM_X86_64, machine_name,
};
use crate::elf::mips;
use crate::errno::Errno;
use crate::exec::{Outcome, Step, When};
use crate::finding::Found;
use crate::machine::{Machine, Mount};
pub(super) use env::{EnvSays, is_plain, tell_words_for_env};
pub(super) use packages::{Install, PackageManager, is_bundled};
pub(super) use settings::blame;
use shown::{FreeSpace, Quoted, Shown};
pub(super) use tell::Kernel;

/// ENOENT for a file that is there.
pub(super) const NOT_FOUND: &str = "ENOENT\nyou see: ash: not found, though the file is there; bash: cannot execute: required file not found";

/// What is no ELF file and no script: what ash prints depends on the bytes.
pub(super) const DATA_AS_SCRIPT: &str = "\
    ENOEXEC\nyou see: ash runs the file as a script: not found, or syntax error; \
    bash: cannot execute binary file: Exec format error";

/// Text without `#!`.
pub(super) const TEXT_AS_SCRIPT: &str =
    "ENOEXEC\nyou see: ash and bash run the file as a shell script; of what is no command in it: not found";

/// ENOEXEC for an ELF file.
const AS_SCRIPT: &str = "\
    ENOEXEC\nyou see: ash runs it as a script: syntax error: unexpected \"(\", or: ELF: not found; \
    bash: cannot execute binary file: Exec format error";

/// ELIBBAD.
const CORRUPTED: &str = "ELIBBAD\nyou see: Accessing a corrupted shared library (musl: No error information)";

/// Where the kernel comes to a dynamic loader, which ends the program.
const LOADER_ENDS: &str = "starts it; its loader then ends it";
/// The same, which comes to no end; and where it is not known how it ends. Rehearsals tell those, which a router's build has not.
pub(super) const LOADER_CIRCLES: &str =
    if crate::ROUTER { LOADER_ENDS } else { "starts it; its loader goes round in a circle" };
pub(super) const FAILS: &str =
    if crate::ROUTER { LOADER_ENDS } else { "starts it; it does not come to its main()" };

/// What the kernel answers and the shell prints.
pub(super) fn kernel(outcome: Outcome, f: &mut Formatter<'_>) -> fmt::Result {
    let (moment, name, seen) = match outcome {
        Outcome::Refused { errno: Errno::ENOEXEC, .. } => ("", AS_SCRIPT, ""),
        Outcome::Refused { errno: Errno::ELIBBAD, .. } => ("", CORRUPTED, ""),
        Outcome::Refused { errno, .. } => ("", errno.name(), errno.text()),
        Outcome::Killed { signal, when, .. } => {
            let moment = match when {
                When::Exec => "kills it within execve: ",
                When::Start => "starts it, and its first instruction fails: ",
                When::Later => "starts it; it dies soon after: ",
            };
            (moment, signal.name(), signal.words())
        }
        Outcome::Starts => ("starts it", "", ""),
        Outcome::Exits { status, step } if step.is_of_env() => {
            return write!(f, "starts env, which ends with status {status}");
        }
        Outcome::Exits { .. } => (LOADER_ENDS, "", ""),
        Outcome::Endless { step } if step.is_of_env() => {
            ("starts it again and again, without an end", "", "")
        }
        Outcome::Endless { .. } => (LOADER_CIRCLES, "", ""),
        Outcome::Fails { .. } => (FAILS, "", ""),
        Outcome::Unknown { missing } => ("not known: ", missing.words(), ""),
    };
    write!(f, "{moment}{name}\nyou see: {seen}")
}

/// That a dynamic loader ends the program, where the kernel comes to it.
pub(super) fn loader_ends(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Exits { .. } | Outcome::Starts => LOADER_ENDS,
        _ => "its loader would end it then",
    }
}

/// The check that ends the start.
pub(super) const fn step(outcome: Outcome) -> Option<Step> {
    match outcome {
        Outcome::Refused { step, .. }
        | Outcome::Killed { step, .. }
        | Outcome::Exits { step, .. }
        | Outcome::Endless { step }
        | Outcome::Fails { step } => Some(step),
        Outcome::Starts | Outcome::Unknown { .. } => None,
    }
}

/// The machine in a few words: what it calls itself, and OpenWrt's name for its packages.
pub(super) struct MachineName<'a>(pub(super) &'a Machine<'a>);

impl Display for MachineName<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (cpu, openwrt) = (self.0.cpu(), self.0.openwrt());
        let own = [&openwrt.model, &cpu.system_type, &cpu.machine, &cpu.model];
        let name = match (own.iter().find_map(|fact| fact.get()), self.0.catalogue_name()) {
            (Some(name), _) => name,
            // OpenWrt's architecture is in it.
            (None, Some(name)) => return f.write_str(name),
            (None, None) => "this machine",
        };
        Shown(name).fmt(f)?;
        match openwrt.arch.get() {
            Some(arch) => write!(f, ", {}", Shown(arch)),
            None => Ok(()),
        }
    }
}

/// Processors that are one family, whatever their word size.
pub(super) const fn family(e_machine: u16) -> u16 {
    match e_machine {
        EM_AARCH64 => EM_ARM,
        EM_X86_64 | EM_486 => EM_386,
        EM_PPC64 => EM_PPC,
        other => other,
    }
}

/// A processor by name.
pub(super) fn processor(e_machine: u16) -> &'static str {
    machine_name(e_machine).unwrap_or("an unknown processor")
}

/// The word size of a program: by its processor where that has one only, else by its class.
pub(super) const fn bits(image: &Image) -> u32 {
    match image.header.e_machine {
        EM_386 | EM_486 | EM_ARM | EM_PPC => 32,
        EM_X86_64 | EM_AARCH64 | EM_PPC64 => 64,
        _ => image.encoding.class.bits(),
    }
}

/// What a program was built for, and by what, in a few words: "MIPS32, o32, soft float, Go".
pub(super) struct BuiltFor<'a>(pub(super) Option<&'a Program>);

impl Display for BuiltFor<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some((program, image)) = self.0.and_then(|program| Some((program, program.image()?))) else {
            return f.write_str("a header that is cut short");
        };
        let e_machine = image.header.e_machine;
        f.write_str(image.mips_isa().map_or_else(|| processor(e_machine), |isa| isa.name()))?;
        let (abi, float) = if e_machine == EM_MIPS {
            let float = image.abiflags.and_then(|flags| mips::fp::name(flags.fp_abi));
            (image.mips_abi().name(), float.unwrap_or_default())
        } else {
            (if bits(image) == 64 { "64-bit" } else { "32-bit" }, "")
        };
        let toolchain = program.origin().toolchain.name();
        let upx = if program.upx.is_some() { "packed by UPX" } else { "" };
        for word in &[abi, order(image), abi_version(image), float, toolchain, upx] {
            if !word.is_empty() {
                write!(f, ", {word}")?;
            }
        }
        Ok(())
    }
}

/// The byte order, where a processor's name leaves it open and a machine's may be the other one.
fn order(image: &Image) -> &'static str {
    let is_told = match image.header.e_machine {
        EM_PPC | EM_PPC64 => true,
        EM_ARM | EM_AARCH64 => image.encoding.order == ByteOrder::Big,
        _ => false,
    };
    if is_told { image.encoding.order.name() } else { "" }
}

/// EF_PPC64_ABI (elf.h): 0 where nothing is said.
const fn abi_version(image: &Image) -> &'static str {
    match (image.header.e_machine, image.header.e_flags & 3) {
        (EM_PPC64, 1) => "ELFv1",
        (EM_PPC64, 2) => "ELFv2",
        _ => "",
    }
}

/// The bytes of a path.
pub(super) fn bytes(path: &Path) -> &[u8] {
    path.as_bytes()
}

/// Whether two paths are the same, byte by byte: `==` takes them apart.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    bytes(one) == bytes(other)
}

/// A name without a slash, which may have come from PATH.
pub(super) fn is_bare(path: &Path) -> bool {
    !bytes(path).contains(&b'/')
}

/// The line after `#!`.
pub(super) fn line(script: &Script) -> &[u8] {
    script.buffer.split(|byte| matches!(byte, b'\n' | 0)).next().unwrap_or_default()
}

/// At most 60 characters of it.
pub(super) struct FirstLine<'a>(pub(super) &'a Script);

impl Display for FirstLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let line = line(self.0);
        let short = line.get(..60).unwrap_or(line);
        let dots = if line.len() > 60 { "..." } else { "" };
        write!(f, "{}{dots}", Shown(short))
    }
}

/// A mount in a few words: "/mnt/usb: /dev/sda1, vfat, rw,noexec".
pub(super) struct MountWords<'a>(pub(super) &'a Mount);

impl Display for MountWords<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Mount { point, device, fstype, options, .. } = self.0;
        let (device, comma) = if device == fstype { ("", "") } else { (device.as_str(), ", ") };
        let (point, device, fstype) = (Shown(point), Shown(device), Shown(fstype));
        write!(f, "{point}: {device}{comma}{fstype}, {}", Shown(options))
    }
}

/// A folder that programs run from, and that has room: "/tmp (RAM, gone after a restart; 60.2 MiB free)".
pub(super) struct RunnableFolder<'a> {
    folder: &'a Path,
    is_ram: bool,
    free: u64,
    /// The file in it.
    copy: PathBuf,
    /// The file lies in it.
    pub(super) has_it: bool,
}

impl Display for RunnableFolder<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let lost = if self.is_ram { "RAM, gone after a restart; " } else { "" };
        write!(f, "{} ({lost}{} free)", Shown(self.folder), FreeSpace(self.free))
    }
}

impl RunnableFolder<'_> {
    /// The file in it, as a word of a command.
    pub(super) fn copy(&self) -> Quoted<'_> {
        Quoted(&self.copy)
    }

    /// Tells the command that copies the file there, and starts it there, if it would.
    pub(super) fn tell_run(&self, finding: &mut Found, case: &Case<'_>) {
        let (from, to) = (case.argument(), self.copy());
        if !case.starts() {
            finding.tell(format_args!("run: cp {from} {to}"));
        } else if case.meets(Step::Permission) {
            finding.tell(format_args!("run: cp {from} {to} && chmod +x {to} && {to}"));
        } else {
            finding.tell(format_args!("run: cp {from} {to} && {to}"));
        }
    }
}

/// A folder with room for the file, on a writable mount that lets programs be executed and is not this one: /tmp,
/// else /root, else the mount with the most room.
pub(super) fn runnable_folder<'a>(case: &Case<'a>, but: &Mount) -> Option<RunnableFolder<'a>> {
    const SYSTEM: [&str; 8] = ["/dev", "/proc", "/sys", "/run", "/rom", "/boot", "/overlay", "/snap"];
    let machine = case.machine;
    let needed = case.candidate.size().unwrap_or(0);
    let free = |path: &Path| {
        let mount = machine.mount_of(path)?;
        if mount.has("noexec") || mount.has("ro") || same(&mount.point, &but.point) {
            return None;
        }
        let free = machine.space(mount)?.available;
        (free >= needed).then_some(free)
    };
    let mut best = None;
    for folder in &["/tmp", "/root"] {
        let folder = Path::new(folder);
        best = best.or_else(|| Some((folder, free(folder)?)));
    }
    if best.is_none() {
        let mut most = 0;
        for mount in machine.mounts().get()? {
            let point = mount.point.as_path();
            if bytes(point).len() < 2 || SYSTEM.iter().any(|folder| is_below(point, Path::new(folder))) {
                continue;
            }
            match free(point) {
                Some(free) if free >= most => (best, most) = (Some((point, free)), free),
                _ => {}
            }
        }
    }
    let (folder, free) = best?;
    let resolved = &case.candidate.resolved;
    Some(RunnableFolder {
        folder,
        is_ram: machine.storage_of(folder).is_some_and(Mount::is_ram),
        free,
        copy: join(folder, Path::new(last_name(bytes(resolved)).1)),
        has_it: is_below(resolved, folder),
    })
}

/// Whether it runs OpenWrt.
pub(super) fn is_openwrt(machine: &Machine) -> bool {
    machine.openwrt().release.get().is_some()
}
