//! The one file in BusyBox ash: as every machine that it is for, and on machines in trouble.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::cases::{self, Wanted};
use super::container::{self, Container};
use super::{assemble, path, race};
use crate::dist::explain;
use crate::lab::busybox;
use crate::targets::{TARGETS, Target};
use crate::{debian, host, sh};

/// Its name, the options of the tmpfs on /tmp, the commands, and what they must end with.
type Trial = (&'static str, &'static str, &'static str, Wanted);

/// Where a machine's BusyBox is from.
enum From {
    /// Debian's, of this architecture.
    Debian(&'static str),
    /// Debian has none; built for this architecture, as the lab's.
    Lab(&'static str),
}

/// Each with QEMU's program for it, where this computer does not run it itself, and the build that the one file must
/// take.
const MACHINES: [(From, Option<&str>, &str); 8] = [
    (From::Debian("amd64"), None, "diag-x86_64"),
    (From::Debian("i386"), None, "diag-i586"),
    (From::Debian("mipsel"), Some("qemu-mipsel"), "diag-mipsel"),
    (From::Lab("mips"), Some("qemu-mips"), "diag-mips"),
    (From::Debian("armel"), Some("qemu-arm"), "diag-armv5"),
    (From::Debian("arm64"), Some("qemu-aarch64"), "diag-aarch64"),
    (From::Debian("riscv64"), Some("qemu-riscv64"), "diag-riscv64"),
    (From::Lab("powerpc"), Some("qemu-ppc"), "diag-powerpc"),
];

pub(in crate::dist) fn check() -> Result<String> {
    let work = tempfile::tempdir().context("create a folder for the trials")?;
    // Another user's run reads it too.
    fs::set_permissions(work.path(), fs::Permissions::from_mode(0o755))?;
    crate::dist::build::write(&work.path().join("diag"), &fs::read(path()?)?)?;
    let (machines, mut faults) = machines(work.path())?;
    let stand_in = stand_ins(work.path())?;
    let amd64 = debian::busybox("amd64")?;
    let container = Container::new(amd64.clone(), work.path());
    let shells = [("dash", "/bin/dash"), ("bash", "/bin/bash"), ("mksh", "/bin/mksh")];
    host::ensure(&shells.map(|(package, program)| (program, package)))?;
    let mut trials = 0;
    let mut tried = |shell: &str, rows: &[Trial]| -> Result<()> {
        for (name, options, commands, wanted) in rows {
            let mut container = Container::new(amd64.clone(), work.path());
            container.shell = (!shell.is_empty()).then(|| shell.into());
            if !options.is_empty() {
                container.options = options;
            }
            trials += 1;
            faults.extend(trial(&container, &format!("{shell} {name}"), commands, wanted, &stand_in)?);
        }
        Ok(())
    };
    tried("", cases::TRIALS)?;
    tried("", cases::UNSTABLE)?;
    tried("/bin/dash", cases::DASH)?;
    for options in ["mode=1777", "mode=0777"] {
        let rows: Vec<Trial> = cases::PLANTED
            .iter()
            .map(|&(name, commands, wanted)| (name, options, commands, wanted))
            .collect();
        tried("", &rows)?;
    }
    for shell in std::iter::once("").chain(shells.map(|(_, program)| program)) {
        tried(shell, cases::SHELLS)?;
        tried(shell, if shell == "/bin/bash" { cases::SOURCED_BY_BASH } else { cases::SOURCED })?;
    }
    faults.extend(headers(amd64, work.path())?);
    let (raced, beaten) = race::run(&container, &stand_in)?;
    faults.extend(beaten);
    let (copies, unnamed) = damaged(&container, &stand_in)?;
    faults.extend(unnamed);
    ensure!(faults.is_empty(), "the one file:\n{}", faults.join("\n"));
    Ok(format!("{machines}, {trials} trials in BusyBox ash, dash, bash and mksh, {raced}, {copies}"))
}

/// Runs the commands; gives what is not as wanted.
fn trial(
    container: &Container,
    name: &str,
    commands: &str,
    wanted: &Wanted,
    stand_in: &StandIn,
) -> Result<Option<String>> {
    let named =
        |text: &str| text.replace("NAME", &stand_in.name).replace("BASE", &stand_in.name["/tmp/".len()..]);
    let output = container.run(&named(commands))?;
    let (status, stdout, stderr) = (wanted.0, named(wanted.1), wanted.2);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    let right = if stderr.is_empty() { complained.is_empty() } else { complained.contains(stderr) };
    if output.status.code() == Some(status) && said == stdout && right {
        return Ok(None);
    }
    Ok(Some(format!(
        "{name}: {}, {said:?}, {complained:?}; wanted {status}, {stdout:?}, {stderr:?}",
        output.status
    )))
}

/// The file itself takes each machine's build, and that runs. Gives how many machines there were, and which not, and
/// the faults.
fn machines(work: &Path) -> Result<(String, Vec<String>)> {
    let (mut tried, mut not_made, mut not_emulated, mut faults) = (0, 0, 0, Vec::new());
    let emulates = container::emulates()?;
    for (from, qemu, name) in MACHINES {
        let build = sh::target("dist")?.join(name);
        if !build.exists() {
            println!("diag: {name} is not made: its machine is not tried");
            not_made += 1;
            continue;
        }
        if qemu.is_some() && !emulates {
            not_emulated += 1;
            println!("diag: no binfmt_misc for a container alone (Linux 6.7 has it): not tried with {name}");
            continue;
        }
        let target = TARGETS.iter().find(|target| target.name == name).context("no such target")?;
        let elf = fs::read(build).with_context(|| format!("read {name}"))?;
        let busybox = match from {
            From::Debian(arch) => debian::busybox(arch)?,
            From::Lab(arch) => busybox::file(arch)?,
        };
        let mut container = Container::new(busybox, work);
        container.qemu = qemu;
        let commands = "/work/diag --version && /work/diag --unpack /keep && sha256sum </keep/diag; \
                        /work/diag /nowhere >/dev/null; echo $?";
        let output = container.run(commands)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wanted = format!(
            "diag {}\n/keep/diag is the build for {}, {} bytes\n{}  -\n2\n",
            super::version()?,
            target.machine,
            elf.len(),
            super::sums(&elf).sha256
        );
        tried += 1;
        if said == wanted && output.stderr.is_empty() {
            println!("diag: {} takes {name}", target.machine);
        } else {
            let complained = String::from_utf8_lossy(&output.stderr);
            faults.push(format!("{}: {said:?}, {complained:?}; wanted {wanted:?}", target.machine));
        }
    }
    let left_out = [(not_made, "builds not made"), (not_emulated, "machines not emulated here")];
    let left_out: Vec<String> = left_out
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let left_out = if left_out.is_empty() { String::new() } else { format!(" ({})", left_out.join(", ")) };
    Ok((format!("{tried} of {} machines{left_out}", MACHINES.len()), faults))
}

/// Each build is taken by the header that its machine's shell has, and others are named. Without /proc, a file can
/// stand for /proc/self/exe.
fn headers(busybox: PathBuf, work: &Path) -> Result<Vec<String>> {
    let routers: Vec<&Target> = TARGETS.iter().filter(|target| target.router).collect();
    let builds: Vec<_> = routers.iter().map(|target| (*target, target.name.into())).collect();
    crate::dist::build::write(&work.join("every"), &assemble(&builds)?)?;
    let mut commands = "umount /proc; mkdir -p /proc/self; cd /keep; ".to_owned();
    let mut wanted = String::new();
    let mut header = |class: u8, big: bool, machine: u16, abi: u8, said: &str| {
        let two = if big { machine.to_be_bytes() } else { machine.to_le_bytes() };
        let mut bytes = [0; 52];
        bytes[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, 1 + u8::from(big), 1]);
        bytes[18..20].copy_from_slice(&two);
        bytes[if big { 39 } else { 36 }] = abi;
        let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
        let _ = write!(
            commands,
            "printf '{octal}' >/proc/self/exe; /work/every --unpack . 2>&1 | head -c 80; echo; "
        );
        wanted += &format!("{}\n", &said[..said.len().min(80)]);
    };
    for target in &routers {
        let said = format!("./diag is the build for {}, {} bytes\n", target.machine, target.name.len());
        // What an old o32 or EABI header has there besides.
        header(target.bits / 32, target.big_endian, target.e_machine.0, 5, &said);
    }
    let none = "diag: none of its builds is for this machine: ";
    header(1, true, 40, 0, &format!("{none}ARM, 32 bits, big-endian (of /proc/self/exe: EI_CLASS 1, ..."));
    header(1, true, 8, 0x20, &format!("{none}MIPS n32, 32 bits, big-endian (of /proc/self/exe"));
    header(2, false, 8, 0, &format!("{none}MIPS, 64 bits, little-endian (of /proc/self/exe"));
    header(1, false, 62, 0, &format!("{none}x86-64, 32 bits, little-endian (of /proc/self/exe"));
    header(2, true, 22, 0, &format!("{none}S/390, 64 bits, big-endian (of /proc/self/exe"));
    let mut container = Container::new(busybox, work);
    container.shell = Some("/bin/dash".into());
    let output = container.run(&commands)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("diag: the headers of {} builds' machines", routers.len());
    Ok(if said == wanted { Vec::new() } else { vec![format!("headers: {said}\nwanted: {wanted}")] })
}

pub(super) struct StandIn {
    /// The folder that root's is unpacked to.
    pub(super) name: String,
    file: Vec<u8>,
}

/// One files with a stand-in for the build: a good one as `diag`, and those of other trials.
fn stand_ins(work: &Path) -> Result<StandIn> {
    let target = |name: &str| TARGETS.iter().find(|target| target.name == name).context("no such target");
    let own: &Target = target("diag-x86_64")?;
    // Bytes that gzip cannot shrink behind the last line, as many as a build has.
    let mut state = 1_u32;
    let mut build = cases::STAND_IN.as_bytes().to_vec();
    build.resize_with(150_000, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let name = format!("/tmp/diag-0-{}", &super::sums(&build).sha256[..16]);
    let broken = b"#!/bin/sh\nkill -4 $$\n".to_vec();
    let refused = format!("no ELF\necho \"{}\" >&2; exit 126\n", explain::sentence(own)).into_bytes();
    let file = assemble(&[(target("diag-mips")?, b"another".to_vec()), (own, build.clone())])?;
    let put = |name: &str, file: &[u8]| crate::dist::build::write(&work.join(name), file);
    put("diag", &file)?;
    put("naive", &super::assemble_with(&race::naive()?, &[(own, build.clone())])?)?;
    put("where", &assemble(&[(own, cases::WHERE.into())])?)?;
    put("foreign", &assemble(&[(target("diag-mips")?, build)])?)?;
    put("broken", &assemble(&[(own, broken)])?)?;
    put("refused", &assemble(&[(own, refused)])?)?;
    Ok(StandIn { name, file })
}

/// Copies cut short, and with a byte that is another. In the first part, which the shell runs unchecked, a changed
/// byte may also make the shell complain, or change nothing that matters. Gives the counts, and the faults.
fn damaged(container: &Container, stand_in: &StandIn) -> Result<(String, Vec<String>)> {
    let file = &stand_in.file;
    let first = file.windows(3).position(|window| window == b"\n}\n").context("a first part")? + 3;
    let script = super::SCRIPT.len();
    let cuts =
        (11..first).step_by(7).chain((first..script).step_by(211)).chain([script, 60_000, file.len() - 1]);
    let flips = (0..first).chain((first..script).step_by(97)).chain((script..file.len()).step_by(9_973));
    let mut commands = String::from(
        "try() { /keep/d x >/keep/out 2>/keep/err; echo \"$1 $2 $? $(cat /keep/out) $(head -n 1 /keep/err)\"; rm -rf /tmp/*; }\n",
    );
    let mut copies = 0;
    for cut in cuts {
        copies += 1;
        let _ = writeln!(commands, "head -c {cut} /work/diag >/keep/d; chmod 755 /keep/d; try cut {cut}");
    }
    let bits = |at: usize| format!("\\{:03o}", file[at] ^ if at % 2 == 0 { 1 } else { 4 });
    for at in flips.chain([file.len() - 1]) {
        copies += 1;
        let _ = writeln!(
            commands,
            "{{ head -c {at} /work/diag; printf '{}'; tail -c +{} /work/diag; }} >/keep/d; chmod 755 /keep/d; try flip {at}",
            bits(at),
            at + 2
        );
    }
    fs::write(container.work().join("damaged.sh"), commands)?;
    let output = container.run("sh /work/damaged.sh")?;
    let mut faults = Vec::new();
    let (mut lines, mut named) = (0, 0);
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        lines += 1;
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let [kind, at, status, said] = words[..] else { bail!("a line of the trials: {line:?}") };
        let sentence = status == "126" && said.trim() == "diag: /keep/d is damaged: copy it here again";
        let harmless = kind == "flip" && status == "37" && said.trim().starts_with("<x>");
        let refused = !["0", "1", "37"].contains(&status) && !said.contains('<');
        named += usize::from(sentence);
        let unchecked = at.parse::<usize>()? < first;
        if !(sentence || unchecked && (harmless || refused)) {
            faults.push(format!("damaged: {line}"));
        }
    }
    ensure!(
        lines == copies,
        "the trials of damaged copies ended after {lines} of {copies}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((format!("{lines} damaged copies, {named} named so"), faults))
}
