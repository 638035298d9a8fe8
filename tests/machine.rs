//! Machines, recorded and live: what their files and commands tell.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use diag::elf::consts::{EM_AARCH64, EM_ARM, EM_MIPS, EM_X86_64};
use diag::elf::{ByteOrder, Class};
use diag::errno::Errno;
use diag::live::Live;
use diag::machine::gather::ask;
use diag::machine::{Cpu, Fact, Fpu, KernelFacts, Libc, Machine, OpenWrt};
use diag::path::{self, Path};
use diag::recorded::Recorded;
use diag::target::{Answer, Auxv, Capability, Kernel, Known, Root as _, Space, Target, Uname};
use nix::sys::personality::{self, Persona};

fn recorded(name: &str) -> Recorded {
    Recorded::new(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/machines")).join(name))
}

fn text_of(fact: &Fact<String>) -> &str {
    fact.value.as_deref().unwrap_or("unknown")
}

/// What every OpenWrt machine here has in common.
fn openwrt_machine(recorded: &Recorded, e_machine: u16, bits: u32, order: ByteOrder) -> Machine<'_> {
    let found = Machine::new(Target::new(recorded));
    let abi = found.userland().value.expect("userland");
    assert_eq!(found.userland().source, "ELF header of /bin/busybox");
    assert_eq!(abi.e_machine, e_machine);
    assert_eq!(abi.encoding.class.bits(), bits);
    assert_eq!(found.byte_order(), Some(order));
    assert_eq!(found.kernel().e_machine.value, Some(e_machine));
    assert_eq!(found.kernel().class.value.map(Class::bits), Some(bits));
    assert_eq!(found.kernel().page_size.value, Some(4096));
    assert!(found.mmap_min_addr().value.is_some());
    assert_eq!(found.libc().value, Some(Libc::Musl));
    assert_eq!(found.libc().source, "loader that /bin/busybox names");
    assert_eq!(found.memory().swap.value, Some(0));
    let root = found.mount_of(Path::new("/usr/bin/x")).expect("a root");
    assert_eq!((root.device.as_str(), root.fstype.as_str()), ("overlayfs:/overlay", "overlay"));
    assert!(found.space(root).is_some());
    let proc = found.mount_of(Path::new("/proc/1/exe")).expect("proc");
    assert!(proc.has("noexec") && found.space(proc).is_none());
    let tmp = found.mount_of(Path::new("/tmp/x")).expect("tmp");
    assert!(tmp.is_ram() && !tmp.has("noexec"));
    // /tmp is half of the memory, to what `df -h` rounds.
    let (half, tmp) =
        (found.memory().total.value.expect("memory") / 2, found.space(tmp).expect("space").size);
    assert!(half.abs_diff(tmp) < 200 << 10, "{half} {tmp}");
    found
}

#[test]
fn lenovo_y1() {
    let recorded = recorded("lenovo-y1");
    let found = openwrt_machine(&recorded, EM_MIPS, 32, ByteOrder::Little);
    assert_eq!(text_of(&found.cpu().system_type), "MediaTek MT7620A ver:2 eco:6");
    let release = found.kernel().release.get().expect("release");
    assert_eq!((release.text.as_str(), release.version), ("4.14.151", (4, 14, 151)));
    assert_eq!(text_of(&found.kernel().machine), "mips");
    assert_eq!(found.loaders().value, Some(vec![String::from("/lib/ld-musl-mipsel-sf.so.1")]));
    assert_eq!(text_of(&found.openwrt().target), "ramips/mt7620");
    assert_eq!(text_of(&found.openwrt().arch), "mipsel_24kc");
    assert_eq!(text_of(&found.openwrt().board), "y1");
    assert_eq!(text_of(&found.openwrt().model), "Lenovo Y1");
    assert_eq!(found.platform().value.unwrap_or("unknown"), "mips");
    assert_eq!(found.memory().total.value, Some(125_376 << 10));
    assert_eq!(found.fpu().value, None);
    assert!(found.answers.is_empty());
    let space = |path| found.mount_of(Path::new(path)).and_then(|mount| found.space(mount));
    // 10.6M, 12.0M
    let overlay = Space { size: 12_582_912, available: 11_114_905 };
    assert_eq!(space("/overlay/x"), Some(overlay));
    assert_eq!(space("/root"), Some(overlay));
    assert_eq!(space("/rom/bin").map(|space| space.available), Some(0));
    assert_eq!(space("/dev").map(|space| space.size), Some(512 << 10));
}

#[test]
fn asking_a_recorded_machine() {
    let system = recorded("lenovo-y1");
    let mut found = Machine::new(Target::new(&system));
    for question in Capability::ALL.iter().chain(Capability::ALL).copied() {
        ask(&mut found, question);
    }
    assert_eq!(found.answers.len(), Capability::ALL.len());
    let answer = |question| found.answer(question).and_then(|fact| fact.value);
    assert_eq!(answer(Capability::FpInstruction), Some(Answer::Killed));
    assert_eq!(answer(Capability::MipsFp64), Some(Answer::Refused(Errno::ENOEXEC)));
    assert_eq!(answer(Capability::MipsNan2008), Some(Answer::Works));
    assert_eq!(found.fpu().value, Some(Fpu::Absent));
    assert!(found.fpu().source.contains("mtc1"));
}

/// A description of a machine asks all that can decide there.
#[test]
fn recorded_answers_are_whole() {
    for name in ["aarch64", "armv7-novfp", "ath79-be", "lenovo-y1", "x86-64"] {
        let system = recorded(name);
        let found = Machine::new(Target::new(&system));
        let (e_machine, class) =
            (found.e_machine().expect("uname"), found.kernel().class.value.expect("uname"));
        for &question in Capability::ALL {
            let answered = system.ask(question).is_some();
            assert_eq!(answered, question.applies_to(e_machine, class), "{name}: {question:?}");
        }
    }
}

/// A program may be what it asks for.
#[test]
fn diag_itself_is_an_answer() {
    for &question in Capability::ALL {
        let live = Live::default();
        let mut found = Machine::new(Target::new(&live));
        ask(&mut found, question);
        let fact = found.answer(question).expect("asked");
        let itself = live.proven_by_own_build(question);
        assert_eq!(fact.source == "this build of diag, which runs here", itself, "{question:?}");
        assert!(!itself || fact.value == Some(Answer::Works), "{question:?}");
        let compatible = [Capability::Ia32, Capability::Arm32, Capability::Ppc32, Capability::Riscv32];
        let is_32_bit = cfg!(target_pointer_width = "32");
        assert!(is_32_bit || !itself || !compatible.contains(&question), "{question:?}");
    }
}

/// A kernel that runs the instruction, and a processor that cannot be looked at.
#[test]
fn asking_without_cpuinfo() {
    struct Emulating(Recorded);
    impl Kernel for Emulating {
        fn ask(&self, _: Capability) -> Known<Answer> {
            Some(Answer::Works)
        }
        fn uname(&self) -> Known<Uname> {
            self.0.uname()
        }
        fn auxv(&self) -> Auxv {
            self.0.auxv()
        }
    }
    let system = Emulating(recorded("lenovo-y1"));
    let target = Target { root: &system.0, kernel: &system };
    let mut found = Machine::new(target);
    ask(&mut found, Capability::FpInstruction);
    assert_eq!(found.fpu(), Fact::new(Some(Fpu::Emulated), "started a tiny program that executes mtc1"));
    let mut found = Machine::new(target);
    found.cpu = Box::new(Cpu::unknown("/proc/cpuinfo cannot be read")).into();
    ask(&mut found, Capability::FpInstruction);
    assert!(found.fpu().source.contains("without cpu model"), "{}", found.fpu().source);
}

#[test]
fn ath79_be() {
    let recorded = recorded("ath79-be");
    let found = openwrt_machine(&recorded, EM_MIPS, 32, ByteOrder::Big);
    assert_eq!(text_of(&found.cpu().model), "MIPS 74Kc V5.0");
    assert_eq!(text_of(&found.openwrt().arch), "mips_24kc");
    assert_eq!(found.hwcap().value, Some(0x188));
    assert_eq!(found.loaders().value, Some(vec![String::from("/lib/ld-musl-mips-sf.so.1")]));
}

#[test]
fn armv7_novfp() {
    let recorded = recorded("armv7-novfp");
    let found = openwrt_machine(&recorded, EM_ARM, 32, ByteOrder::Little);
    assert_eq!(found.fpu(), Fact::new(Some(Fpu::Absent), "/proc/cpuinfo: Features"));
    assert_eq!(found.cpu().arm_architecture.value, Some(7));
    assert_eq!(text_of(&found.cpu().system_type), "BCM5301X");
    assert_eq!(text_of(&found.openwrt().arch), "arm_cortex-a9");
    assert_eq!(found.platform().value.unwrap_or("unknown"), "v7l");
}

#[test]
fn aarch64() {
    let recorded = recorded("aarch64");
    let found = openwrt_machine(&recorded, EM_AARCH64, 64, ByteOrder::Little);
    assert_eq!(found.fpu().value, Some(Fpu::Hardware));
    assert_eq!(text_of(&found.cpu().model), "Cortex-A53");
    assert_eq!(text_of(&found.openwrt().release), "24.10.0");
    assert_eq!(text_of(&found.openwrt().model), "GL.iNet GL-MT6000");
    // A relative symbolic link that leaves /etc.
    assert_eq!(
        recorded.resolve(Path::new("/etc/os-release")),
        Some(Ok(path::PathBuf::from("/usr/lib/os-release")))
    );
    assert_eq!(recorded.resolve(Path::new("/bin/sh")), Some(Ok(path::PathBuf::from("/bin/busybox"))));
}

#[test]
fn x86_64() {
    let recorded = recorded("x86-64");
    let found = openwrt_machine(&recorded, EM_X86_64, 64, ByteOrder::Little);
    assert_eq!(found.fpu().value, Some(Fpu::Hardware));
    assert_eq!(found.cpu().machine.value, None);
    assert_eq!(text_of(&found.openwrt().target), "x86/64");
    assert_eq!(found.encodings().len(), 2);
    let mut asked = found;
    ask(&mut asked, Capability::FpInstruction);
    assert_eq!(asked.fpu().value, Some(Fpu::Hardware));
    assert_eq!(asked.answer(Capability::FpInstruction).and_then(|fact| fact.value), None);
}

#[test]
fn nothing_known() {
    let recorded = recorded("no such folder");
    let found = Machine::new(Target::new(&recorded));
    assert_eq!(*found.cpu(), Cpu::unknown("/proc/cpuinfo cannot be read"));
    let KernelFacts { release, machine, e_machine, class, byte_order, page_size, told } =
        found.kernel().clone();
    assert_eq!(told, None);
    assert_eq!((release.value, machine.value, e_machine.value), (None, None, None));
    assert_eq!(
        (class.value, byte_order.value, page_size.value, found.mmap_min_addr().value),
        (None, None, None, None)
    );
    assert_eq!((found.userland().value, found.hwcap().value, found.hwcap2().value), (None, None, None));
    assert_eq!((found.platform().value, found.fpu().value, found.libc().value), (None, None, None));
    assert_eq!((found.mounts().get(), found.loaders().get()), (None, None));
    assert_eq!(
        (found.memory().total.value, found.memory().available.value, found.memory().swap.value),
        (None, None, None)
    );
    let OpenWrt { release, target, arch, board, model } = found.openwrt().clone();
    for fact in [release, target, arch, board, model] {
        assert_eq!(fact.value, None);
        assert!(!fact.source.is_empty());
    }
}

/// uname(2) can be told to say 2.6; what else decides by the release must not believe it.
#[test]
fn the_release_under_another_name() {
    let report = |command: &mut Command| -> serde_json::Value {
        let output = command.arg("--json").output().expect("diag");
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let plain = report(&mut Command::new(env!("CARGO_BIN_EXE_diag")));
    let mut fooled = Command::new(env!("CARGO_BIN_EXE_diag"));
    // SAFETY: one system call between fork(2) and execve(2).
    unsafe {
        fooled.pre_exec(|| personality::set(Persona::UNAME26).map(drop).map_err(Into::into));
    }
    let release = |report: &serde_json::Value| report["machine"]["kernel"]["release"]["value"].clone();
    assert_eq!(release(&report(&mut fooled)), release(&plain));
    assert!(release(&plain).is_string());
}

#[test]
fn this_host() {
    let live = Live::default();
    let found = Machine::new(Target::new(&live));
    let abi = found.userland().value.expect("userland");
    let encoding = abi.encoding;
    assert_eq!(encoding.order == ByteOrder::Little, cfg!(target_endian = "little"));
    assert_eq!(found.byte_order(), Some(encoding.order));
    assert_eq!(encoding.class == Class::Elf64, cfg!(target_pointer_width = "64"));
    assert_eq!(found.kernel().class.value, Some(encoding.class));
    assert_eq!(found.kernel().e_machine.value, Some(abi.e_machine));
    assert!(found.kernel().release.get().expect("release").version >= (2, 6, 0));
    assert!(found.kernel().page_size.value.is_some_and(|size| size.is_power_of_two() && size >= 4096));
    let mounts = found.mounts().get().expect("mounts");
    assert!(mounts.iter().any(|mount| mount.point == Path::new("/")));
    assert!(
        found
            .space(found.mount_of(Path::new("/")).expect("/"))
            .is_some_and(|space| space.size >= space.available)
    );
    assert!(mounts.iter().all(|mount| mount.fstype != "proc" || found.space(mount).is_none()));
    assert!(found.memory().total.value >= found.memory().available.value);
    if cfg!(target_arch = "x86_64") {
        assert_eq!((abi.e_machine, found.fpu().value), (EM_X86_64, Some(Fpu::Hardware)));
        assert_eq!(found.platform().value.unwrap_or("unknown"), "x86_64");
        assert!(found.loaders().get().is_some_and(|all| !all.is_empty()));
        assert!(found.libc().value.is_some());
    }
}
