//! What the kernel of this computer answers to diag's own tiny programs, against what else tells the same.

mod skipped;

use std::cell::RefCell;
use std::ffi::CStr;
use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use diag::cli::{self, Args};
use diag::elf::ByteOrder;
use diag::errno::Errno;
use diag::judge;
use diag::live::{Live, target_path};
use diag::report::Style;
use diag::target::{Answer, Auxv, Capability, Kernel, Known, ReadAt, Root, Space, Stat, Target, Uname};
use skipped::skipped;

/// The answers in a report of the machine, as `diag` itself prints it.
fn answers(diag: &mut Command) -> Vec<(String, Option<String>)> {
    let output = diag.arg("--json").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let word = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let answers = report["machine"]["answers"].as_array().unwrap();
    answers.iter().map(|answer| (word(&answer["question"]).unwrap(), word(&answer["answer"]))).collect()
}

fn of(answers: &[(String, Option<String>)], question: Capability) -> Option<String> {
    let found = answers.iter().find(|(name, _)| name == question.name());
    found.unwrap_or_else(|| panic!("{question:?} was not asked: {answers:?}")).1.clone()
}

fn diag() -> Command {
    Command::new(env!("CARGO_BIN_EXE_diag"))
}

/// A description asks all that can decide here, says how it knows, and carries it.
#[test]
fn all_that_concerns_this_machine() {
    let here = Live::default();
    let report = judge::describe(Target::new(&here));
    let kernel = report.machine.kernel();
    let (e_machine, class) = (kernel.e_machine.value.unwrap(), kernel.class.value.unwrap());
    let asked: Vec<Capability> = report.machine.answers.iter().map(|(question, _)| *question).collect();
    let concerns: Vec<Capability> =
        Capability::ALL.iter().copied().filter(|question| question.applies_to(e_machine, class)).collect();
    assert_eq!(asked, concerns);
    assert!(report.machine.answers.iter().all(|(_, fact)| fact.source.contains("diag")));
    let printed = answers(&mut diag());
    assert_eq!(printed.len(), asked.len());
    for (question, fact) in &report.machine.answers {
        assert_eq!(of(&printed, *question), fact.value.map(Answer::words), "{question:?}");
    }
    let text = String::from_utf8(diag().arg("-v").output().unwrap().stdout).unwrap();
    for (question, fact) in &report.machine.answers {
        let answer = fact.value.map_or_else(|| "not known".to_owned(), Answer::words);
        let line = format!("  {:<17} {answer:<16} {}", question.name(), fact.source);
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
}

#[test]
fn pages() {
    let here = Live::default();
    let machine = judge::describe(Target::new(&here)).machine;
    let works = machine.kernel().page_size.value.unwrap() == 4096;
    let wanted = if works { Answer::Works } else { Answer::Killed };
    assert_eq!(machine.answer(Capability::Page4K).unwrap().value, Some(wanted));
}

/// A line of /proc/self/status, as the number it is.
fn status(name: &str, radix: u32) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    u64::from_str_radix(line.split_whitespace().next().unwrap(), radix).unwrap()
}

/// Whether somebody with these capabilities maps address 0; None in a user namespace or a lowered limit of which
/// nothing is known here.
fn low_address(cap_eff: u64) -> Option<&'static str> {
    const CAP_SYS_RAWIO: u64 = 17;
    let first = fs::read_to_string("/proc/self/uid_map").unwrap();
    let is_first = first.split_whitespace().collect::<Vec<_>>() == ["0", "0", "4294967295"];
    let limit = fs::read_to_string("/proc/sys/vm/mmap_min_addr").ok()?;
    // 32-bit ARM never maps its first two pages at a fixed address.
    if cfg!(target_arch = "arm") {
        return Some("killed");
    }
    is_first.then_some(if cap_eff >> CAP_SYS_RAWIO & 1 == 1 || limit.trim() == "0" {
        "works"
    } else {
        "killed"
    })
}

#[test]
fn the_lowest_addresses_as_this_user_and_as_nobody() {
    let own = answers(&mut diag());
    if let Some(wanted) = low_address(status("CapEff:", 16)) {
        assert_eq!(of(&own, Capability::LowAddress).as_deref(), Some(wanted));
    }
    if status("Uid:", 10) != 0 {
        skipped("the lowest addresses as nobody: only root can become nobody");
        return;
    }
    // Nobody need not be able to reach the build's folder: the file is open.
    let file = File::open(env!("CARGO_BIN_EXE_diag")).unwrap();
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let nobody = answers(Command::new(path).uid(65534).gid(65534));
    if let Some(wanted) = low_address(0) {
        assert_eq!(of(&nobody, Capability::LowAddress).as_deref(), Some(wanted));
    }
    for (question, answer) in &own {
        if question != Capability::LowAddress.name() {
            let same = nobody.iter().find(|(name, _)| name == question);
            assert_eq!(same.map(|(_, answer)| answer), Some(answer), "{question}");
        }
    }
}

/// What the kernel was configured with, where it tells.
fn configuration() -> Option<String> {
    let packed = Command::new("zcat").arg("/proc/config.gz").output().ok()?;
    if packed.status.success() {
        return String::from_utf8(packed.stdout).ok();
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    fs::read_to_string(format!("/boot/config-{}", release.trim())).ok()
}

#[test]
#[cfg(target_arch = "x86_64")]
fn other_abis() {
    let here = Live::default();
    let machine = judge::describe(Target::new(&here)).machine;
    let (config, line) = (configuration(), fs::read_to_string("/proc/cmdline").unwrap_or_default());
    for (question, option, off, parameter) in [
        (Capability::Ia32, "IA32_EMULATION", "IA32_EMULATION_DEFAULT_DISABLED", "ia32_emulation"),
        (Capability::X32, "X86_X32_ABI", "X86_X32_DISABLED", "syscall.x32"),
    ] {
        let answer = machine.answer(question).unwrap().value;
        let refused = Some(Answer::Refused(Errno::ENOEXEC));
        assert!(answer == Some(Answer::Works) || answer == refused, "{question:?}: {answer:?}");
        // The command line has the last word.
        let Some(config) = config.as_ref().filter(|_| !line.contains(parameter)) else { continue };
        let set = |option| config.lines().any(|line| line == format!("CONFIG_{option}=y"));
        let wanted = if set(option) && !set(off) { Some(Answer::Works) } else { refused };
        assert_eq!(answer, wanted, "{question:?}");
    }
}

/// PR_SET_MDWE goes to the children, as SELinux's domain does.
#[test]
#[cfg(target_arch = "x86_64")]
fn an_executable_stack() {
    let enforcing = fs::read("/sys/fs/selinux/enforce").is_ok_and(|text| text == b"1");
    if !enforcing {
        assert_eq!(of(&answers(&mut diag()), Capability::ExecutableStack).as_deref(), Some("works"));
    }
    // Since Linux 6.3.
    let guard = || match unsafe { nix::libc::prctl(65, 1_u64, 0_u64, 0_u64, 0_u64) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    };
    let mut guarded = diag();
    // SAFETY: one system call.
    unsafe { guarded.pre_exec(guard) };
    let here = Live::default();
    let kernel = judge::describe(Target::new(&here)).machine.kernel().clone();
    if !kernel.older_than((6, 3, 0)) {
        let answers = answers(&mut guarded);
        assert_eq!(of(&answers, Capability::ExecutableStack).as_deref(), Some("killed"));
        assert_eq!(of(&answers, Capability::Page4K).as_deref(), Some("works"));
    }
}

/// What keeps every program from starting is no word on this one.
#[test]
fn limits_are_no_answer() {
    let limited = |limit: &str| {
        let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
        answers(Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_diag")]))
    };
    // No file may be written: none for the tiny program.
    let without_files = limited("-f 0");
    assert!(!without_files.is_empty() && without_files.iter().all(|(_, answer)| answer.is_none()));
    // Enough for diag, which has no less to map than a tiny program.
    assert_eq!(limited("-v 200000"), answers(&mut diag()));
    assert_eq!(limited("-c 0"), answers(&mut diag()));
}

#[test]
fn no_child_is_left_behind() {
    let children = || fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    let before = children();
    judge::describe(Target::new(&Live::default()));
    assert_eq!(children(), before);
}

/// Asked is what decides, and nothing else.
#[test]
#[cfg(target_arch = "x86_64")]
fn only_what_decides_is_asked() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("asking");
    fs::create_dir_all(&folder).unwrap();
    let asked = |name: &str| {
        let (made, path) = (folder.join(format!("{name}.made")), folder.join(name));
        fs::write(&made, testkit::Elf::of(name).build()).unwrap();
        fs::set_permissions(&made, Permissions::from_mode(0o755)).unwrap();
        // A child that another test starts meanwhile has what this process writes open until its execve: ETXTBSY.
        let _ = fs::remove_file(&path);
        assert!(Command::new("cp").args([&made, &path]).status().unwrap().success());
        let here = Live::default();
        let report = judge::judge_all(Target::new(&here), &[target_path(&path)], None);
        report.machine.answers.into_iter().map(|(question, _)| question).collect::<Vec<_>>()
    };
    assert_eq!(asked("x86-64"), []);
    assert_eq!(asked("mipsel"), []);
    assert_eq!(asked("i386"), [Capability::Ia32]);
    assert_eq!(asked("x32"), [Capability::X32]);
}

/// This machine, and what is looked at on it.
#[derive(Clone, Default)]
struct Watched(Rc<RefCell<Vec<String>>>);

impl Watched {
    fn note(&self, what: &str, path: &diag::path::Path) {
        self.0.borrow_mut().push(format!("{what} {}", path.display()));
    }
}

impl Root for Watched {
    fn read(&self, path: &diag::path::Path) -> Known<Result<Vec<u8>, Errno>> {
        self.note("read", path);
        Live::default().read(path)
    }
    fn list(&self, folder: &diag::path::Path, keep: fn(&[u8]) -> bool) -> Known<Result<Vec<Vec<u8>>, Errno>> {
        self.note("list", folder);
        Live::default().list(folder, keep)
    }
    fn stat(&self, path: &diag::path::Path) -> Known<Result<Stat, Errno>> {
        self.note("stat", path);
        Live::default().stat(path)
    }
    fn open(&self, path: &diag::path::Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
        self.note("open", path);
        Live::default().open(path)
    }
    fn may_execute(&self, path: &diag::path::Path) -> Known<Result<(), Errno>> {
        Live::default().may_execute(path)
    }
    fn resolve(&self, path: &diag::path::Path) -> Known<Result<diag::path::PathBuf, Errno>> {
        Live::default().resolve(path)
    }
    fn space(&self, folder: &diag::path::Path) -> Known<Space> {
        self.note("space", folder);
        Live::default().space(folder)
    }
}

impl Kernel for Watched {
    fn uname(&self) -> Known<Uname> {
        Live::default().uname()
    }
    fn auxv(&self) -> Auxv {
        Live::default().auxv()
    }
    fn variable(&self, name: &CStr) -> Option<Vec<u8>> {
        Live::default().variable(name)
    }
    fn ask(&self, question: Capability) -> Known<Answer> {
        Live::default().ask(question)
    }
    fn own_byte_order(&self) -> Option<ByteOrder> {
        Live::default().own_byte_order()
    }
}

/// A dead mount keeps nobody from an answer that does not depend on it: the mounts are not looked at, nor are folders
/// that the program does not name.
#[test]
fn only_what_decides_is_looked_at() {
    let foreign = if cfg!(target_arch = "mips") { "x86-64" } else { "mips" };
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("foreign");
    fs::write(&path, testkit::Elf::of(foreign).build()).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    let system = Watched::default();
    let output = cli::report(
        Target::new(&system),
        &Args { programs: [target_path(&path)].into_iter().collect(), ..Args::default() },
        Style::default(),
    );
    assert!(output.text.starts_with("error["), "{}", output.text);
    let seen = system.0.take();
    assert!(seen.contains(&format!("open {}", path.display())), "{seen:?}");
    if Path::new("/etc/openwrt_release").exists() {
        skipped("on OpenWrt a program is installed somewhere, which is looked at");
        return;
    }
    let unneeded = |seen: &&String| {
        seen.starts_with("space ")
            || ["/proc/mounts", "/proc/meminfo", " /lib"].iter().any(|name| seen.contains(name))
    };
    assert_eq!(seen.iter().find(unneeded), None, "{seen:?}");
    // A description looks at all of them.
    cli::report(Target::new(&system), &Args::default(), Style::default());
    let seen = system.0.take();
    for all in ["space /", "read /proc/mounts", "read /proc/meminfo", "list /lib"] {
        assert!(seen.iter().any(|seen| seen == all), "{all}: {seen:?}");
    }
}

/// Who reads a report finds every question in its description.
#[test]
fn the_schema_names_every_question() {
    let schema = include_str!("../docs/report.schema.json");
    for question in Capability::ALL {
        assert!(schema.contains(&format!(" {}", question.name())), "{}", question.name());
    }
}
