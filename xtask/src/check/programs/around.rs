//! What surrounds a start and decides it, by the loaders of three releases: GLIBC_TUNABLES, LD_LIBRARY_PATH, folders for
//! some processors, /etc/ld.so.cache; and the kernel's release, by static programs of theirs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow};
use diag::exec::{Outcome, Signal, Step, When};
use diag::judge;
use diag::live::{Live, target_path};
use diag::target::Target;
use nix::libc;
use oracle::linking::said::Said;
use oracle::linking::{self, End, compare, glibc};
use oracle::tally::Tally;

use super::super::places::Place;
use crate::{debian, sh};

const SUITES: [&str; 3] = ["bullseye", "bookworm", "trixie"];
/// The folder of the programs and libraries.
const FOLDER: &str = "/around";
const LIBRARY: &str = "int foo(void) { return 0; }";
/// It needs no C library, whose version would decide.
const PROGRAM: &str = "int foo(void); __asm__(\".globl _start\\n_start: and $-16,%rsp; call foo; mov %eax,%edi; \
                       mov $231,%eax; syscall\");";

/// A program, its library, and what the linker is told of it.
const PROGRAMS: [(&str, &str, &[&str]); 4] = [
    ("plain", "libfoo.so", &["-Wl,-rpath,/around"]),
    ("stack", "libfoo.so", &["-Wl,-rpath,/around", "-Wl,-z,execstack"]),
    ("of-stack", "libstack.so", &["-Wl,-rpath,/around"]),
    ("by-path", "libfoo.so", &[]),
];

/// Folders below one that LD_LIBRARY_PATH or /etc/ld.so.conf names, in which alone a library lies.
const FOLDERS: [&str; 12] = [
    ".",
    "glibc-hwcaps/x86-64-v2",
    "glibc-hwcaps/x86-64-v3",
    "tls",
    "tls/haswell",
    "haswell",
    "haswell/x86_64",
    "x86_64",
    "x86_64/x86_64",
    "avx512_1",
    "xeon_phi",
    "sse2",
];

const TUNABLES: [&str; 17] = [
    "",
    "glibc.rtld.execstack=0",
    "glibc.rtld.execstack=1",
    "glibc.rtld.execstack=2",
    "glibc.rtld.execstack=9",
    "glibc.rtld.execstack=0:",
    "a:glibc.rtld.execstack=0x0",
    "glibc.rtld.execstack=0:b=c=d",
    "glibc.rtld.enable_secure=1",
    "glibc.rtld.enable_secure=2",
    "glibc.cpu.hwcaps=-AVX2",
    "glibc.cpu.hwcaps=-AVX2_Usable",
    "glibc.cpu.hwcaps=-AVX512BW",
    "glibc.cpu.hwcaps=-AVX,-FMA,-OSXSAVE",
    "glibc.cpu.hwcaps=-ERMS,-POPCNT",
    "glibc.cpu.hwcaps=-POPCNT:glibc.cpu.hwcaps=AVX2",
    "glibc.cpu.hwcaps=-POPCNT:",
];

pub(super) fn check(tally: &mut Tally) -> Result<()> {
    for suite in SUITES {
        in_place(suite, &Place::open(suite, "amd64", &[])?, tally)?;
    }
    SUITES.iter().try_for_each(|suite| kernels_release(suite, tally))
}

/// All programs with all settings in a place.
fn in_place(suite: &str, place: &Place, tally: &mut Tally) -> Result<()> {
    build(place)?;
    let (mut started, mut ended) = (0, 0);
    let mut judge = |program: &str, env: &[(&str, String)], tally: &mut Tally| -> Result<()> {
        let (starts, wrong) = judge(place, program, env)?;
        *(if starts { &mut started } else { &mut ended }) += 1;
        tally.check(wrong.is_empty(), || format!("{suite}, {program} {env:?}: {}", wrong.join("; ")));
        Ok(())
    };
    for tunables in TUNABLES {
        let set = ("GLIBC_TUNABLES", tunables.to_owned());
        for (program, ..) in PROGRAMS {
            judge(program, &[set.clone(), ("LD_LIBRARY_PATH", FOLDER.to_owned())], tally)?;
        }
        for folder in FOLDERS {
            judge("by-path", &[set.clone(), ("LD_LIBRARY_PATH", below(folder))], tally)?;
        }
    }
    for folder in FOLDERS {
        fs::write(inside(place, "/etc/ld.so.conf.d/around.conf"), below(folder))?;
        place.make_cache()?;
        judge("by-path", &[], tally)?;
    }
    tally.note(format!("settings in {suite}: {started} programs start, {ended} do not"));
    tally.check(started > 60 && ended > 60, || format!("{suite}: too few of either kind"));
    Ok(())
}

/// The folder that is named, below which a library lies in this one.
fn below(folder: &str) -> String {
    format!("{FOLDER}/{}", folder.replace('/', "+").replace('.', "itself"))
}

fn inside(place: &Place, path: &str) -> PathBuf {
    place.root().join(path.trim_start_matches('/'))
}

fn build(place: &Place) -> Result<()> {
    let own = inside(place, FOLDER);
    fs::create_dir(&own)?;
    fs::write(own.join("foo.c"), LIBRARY)?;
    fs::write(own.join("x.c"), PROGRAM)?;
    let cc = |args: &[&str], more: &[&str]| {
        let mut cc = Command::new("cc");
        sh::run(cc.current_dir(&own).args(["-nostdlib", "-Wl,-z,noexecstack", "-o"]).args(args).args(more))
    };
    let shared = ["-shared", "-fPIC"];
    cc(&["libfoo.so", "foo.c", "-Wl,-soname,libfoo.so"], &shared)?;
    cc(&["libstack.so", "foo.c", "-Wl,-soname,libstack.so", "-Wl,-z,execstack"], &shared)?;
    for (program, library, flags) in PROGRAMS {
        cc(&[program, "x.c", library], flags)?;
    }
    for folder in FOLDERS {
        let folder = inside(place, &below(folder)).join(folder.trim_start_matches('.'));
        fs::create_dir_all(&folder)?;
        fs::copy(own.join("libfoo.so"), folder.join("libfoo.so"))?;
    }
    Ok(())
}

/// Whether a program starts in a place, and where its loader and diag disagree.
fn judge(place: &Place, program: &str, env: &[(&str, String)]) -> Result<(bool, Vec<String>)> {
    let path = format!("{FOLDER}/{program}");
    let command = |more: &glibc::Env| {
        let mut command = place.command(&path, &[]);
        command.envs(env.iter().cloned()).envs(more.iter().cloned());
        command
    };
    let ran = linking::run(&mut command(&[])).map_err(|error| anyhow!(error))?;
    let traced = glibc::trace(place.loader(), &command).map_err(|error| anyhow!(error))?;
    let lines: Vec<String> = env.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    fs::write(inside(place, "env"), lines.concat())?;
    fs::write(inside(place, "answers"), "executable-stack works\n")?;
    let said: Said = place.judge(&path)?;
    let mut wrong = compare::start(&ran, &traced, &said);
    // As one with other rights it heeds no LD_TRACE_LOADED_OBJECTS either.
    if !lines.iter().any(|line| line.contains("enable_secure=1")) {
        wrong.extend(compare::libraries(&traced, &said, &[], &|path| inside(place, path)));
    }
    Ok((ran.end == End::Exited(0), wrong))
}

/// A static program of a release, on this computer's kernel as it is, and as one that calls itself Linux 2.6.
fn kernels_release(suite: &str, tally: &mut Tally) -> Result<()> {
    let busybox = debian::fetch_from(suite, &["busybox-static"])?;
    let paths = ["bin/busybox", "usr/bin/busybox"].map(|path| busybox.join(path));
    let path = paths.iter().find(|path| path.is_file()).context("no static busybox")?;
    for old in [false, true] {
        let (ran, outcome) = thread::scope(|scope| scope.spawn(|| started(path, old)).join())
            .map_err(|_| anyhow!("a thread has panicked"))??;
        // glibc 2.36 compares no more.
        let dies = old && suite == "bullseye";
        let (end, expected) = if dies {
            let (signal, when, step) = (Signal::SIGABRT, When::Later, Step::OsCheck);
            (End::Killed(libc::SIGABRT), Outcome::Killed { signal, when, step })
        } else {
            (End::Exited(0), Outcome::Starts)
        };
        let says = ran.words.iter().any(|line| line == "FATAL: kernel too old");
        tally.check(ran.end == end && says == dies && outcome == expected, || {
            format!(
                "static busybox of {suite}, old kernel: {old}: {} {:?}; diag: {outcome:?}",
                ran.end, ran.words
            )
        });
    }
    Ok(())
}

/// Runs it and has it judged, in a thread of its own: there the kernel calls itself Linux 2.6, to what it starts, too.
fn started(path: &Path, old: bool) -> Result<(linking::Ran, Outcome)> {
    /// linux/personality.h
    const UNAME26: libc::c_ulong = 0x0002_0000;
    if old {
        // SAFETY: a number alone.
        let before = unsafe { libc::personality(UNAME26) };
        anyhow::ensure!(before >= 0, "personality(2): {}", std::io::Error::last_os_error());
    }
    let ran = linking::run(Command::new(path).arg("true")).map_err(|error| anyhow!(error))?;
    let live = Live::default();
    let report = judge::judge_all(Target::new(&live), &[target_path(path)], None);
    let program = report.programs.first().context("nothing was judged")?;
    Ok((ran, program.outcome))
}
