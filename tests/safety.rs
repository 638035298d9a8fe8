//! What `diag` never does, whoever calls it on whatever: execute anything but its own tiny programs, read a file of the
//! kernel's own, tell with foreign rights, wait for a mount that decides nothing.

mod skipped;

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::IntoRawFd as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};
use skipped::skipped;
use testkit::{Elf, copy_program};

fn diag(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diag"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn executable(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A mount namespace in which a folder lies over /proc, as in a chroot whose /proc is an ordinary folder.
fn with_proc(command: &mut Command, proc: &Path) {
    let proc = proc.to_path_buf();
    in_namespace(command, move || {
        let none: Option<&Path> = None;
        mount(Some(&proc), "/proc", none, MsFlags::MS_BIND, none).map_err(Into::into)
    });
}

/// Runs in a mount namespace of its own, once `prepare` is done there.
fn in_namespace(command: &mut Command, prepare: impl Fn() -> io::Result<()> + Send + Sync + 'static) {
    let (user, group) = (geteuid(), getegid());
    let enter = move || -> io::Result<()> {
        let none: Option<&Path> = None;
        if !user.is_root() {
            unshare(CloneFlags::CLONE_NEWUSER)?;
            fs::write("/proc/self/setgroups", "deny")?;
            fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
            fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
        }
        unshare(CloneFlags::CLONE_NEWNS)?;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        prepare()
    };
    // SAFETY: no other thread of the child holds a lock that these calls need; a child that hangs fails the test.
    unsafe { command.pre_exec(enter) };
}

#[test]
fn nothing_but_its_own_bytes_is_executed() {
    let folder = folder("foreign-proc");
    let (proc, mark) = (folder.join("proc"), folder.join("mark"));
    fs::create_dir_all(proc.join("self/fd")).unwrap();
    let evil = format!("#!/bin/sh\necho \"$0\" >>'{}'\n", mark.display());
    for descriptor in 0..12 {
        executable(&proc.join("self/fd").join(descriptor.to_string()), evil.as_bytes());
    }
    for arguments in [&[][..], &["--json"], &["/bin/true"], &["--json", "/bin/true"]] {
        let mut command = diag(arguments);
        with_proc(&mut command, &proc);
        let output = match command.output() {
            Ok(output) => output,
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
                skipped("no mount namespace for this user: not tried");
                return;
            }
            Err(error) => panic!("{error}"),
        };
        assert!(matches!(output.status.code(), Some(0..=2)), "{arguments:?}: {output:?}");
        assert!(!mark.exists(), "{arguments:?}: {}", fs::read_to_string(&mark).unwrap());
        // What it executes is its own all the same, by the descriptor.
        if arguments == ["--json"] {
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let answers = report["machine"]["answers"].as_array().unwrap();
            assert!(answers.iter().any(|answer| !answer["answer"].is_null()), "{report}");
        }
    }
    // The folder does what it should do: this is how the file would be run.
    let mut command = Command::new("/proc/self/fd/7");
    with_proc(&mut command, &proc);
    assert!(command.status().unwrap().success());
    assert_eq!(fs::read_to_string(&mark).unwrap(), "/proc/self/fd/7\n");
}

/// Says that it cannot tell, in one line, with status 2; `named` is the file that is judged.
fn left_alone(named: &Path) {
    let output = diag(&["-q", named.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let said = told(&output);
    assert!(said.lines().count() == 1 && said.contains("a file of the kernel's own"), "{said}");
    let output = diag(&["--json", named.to_str().unwrap()]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["programs"][0]["verdict"], "unknown", "{report}");
}

#[test]
fn files_of_the_kernels_own_are_not_read() {
    let folder = folder("kernels-own");
    for path in [
        "/proc/kmsg",
        "/proc/version",
        "/proc/self/maps",
        "/sys/kernel/notes",
        "/proc/sys/vm/overcommit_memory",
    ] {
        if Path::new(path).exists() {
            left_alone(Path::new(path));
        } else {
            skipped(&format!("no {path}: not tried"));
        }
    }
    let link = folder.join("link");
    symlink("/proc/version", &link).unwrap();
    left_alone(&link);
    let script = folder.join("script");
    executable(&script, b"#!/proc/version\n");
    left_alone(&script);
    let loader = folder.join("loader");
    executable(&loader, &Elf::of("x86-64").interp("/proc/version").needed("libc.so.6").build());
    left_alone(&loader);
    let library = folder.join("library");
    let needing = Elf::of("x86-64").interp("/lib64/ld-linux-x86-64.so.2").needed("version");
    executable(&library, &needing.dynamic(29, "/proc").build());
    if Path::new("/lib64/ld-linux-x86-64.so.2").exists() {
        left_alone(&library);
    } else {
        skipped("no glibc's loader for x86-64: not tried with a library");
    }
}

/// What lies there is a link to a real file.
#[test]
fn its_own_program_is_read_through_proc() {
    let output = diag(&["-q", "/proc/self/exe"]).output().unwrap();
    assert_eq!(
        (output.status.code(), told(&output).as_str()),
        (Some(0), "/proc/self/exe starts on this machine\n")
    );
}

/// Nothing is taken out of the kernel's log.
#[test]
fn the_kernels_log_stays_whole() {
    // SAFETY: SYSLOG_ACTION_SIZE_UNREAD reads nothing.
    let unread = || unsafe { libc::klogctl(9, std::ptr::null_mut(), 0) };
    let before = unread();
    if before <= 0 {
        skipped("the kernel's log is empty, or not for this user: not tried");
        return;
    }
    let folder = folder("log");
    let script = folder.join("script");
    executable(&script, b"#!/proc/kmsg\n");
    for path in [Path::new("/proc/kmsg"), &script] {
        diag(&[path.to_str().unwrap()]).output().unwrap();
    }
    assert!(unread() >= before, "{} bytes of {before} are left", unread());
}

/// Mounts a FUSE file system whose server never answers, like one behind a network that is gone: statfs(2) waits for
/// ever. The descriptor stays open in the program that is then executed: closed, it would end the waiting.
fn dead_mount(folder: &Path) -> io::Result<()> {
    let fuse = fs::File::options().read(true).write(true).open("/dev/fuse")?.into_raw_fd();
    // SAFETY: a descriptor that is open, and no flag of it.
    if unsafe { libc::fcntl(fuse, libc::F_SETFD, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let options = format!("fd={fuse},rootmode=40000,user_id={},group_id={}", geteuid(), getegid());
    let (flags, options) = (MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some(options.as_str()));
    mount(Some("dead"), folder, Some("fuse"), flags, options).map_err(Into::into)
}

/// The end of a command, or None where it is still running after so long: then it is killed.
fn within(mut child: Child, limit: Duration) -> Option<ExitStatus> {
    let begin = Instant::now();
    while begin.elapsed() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[test]
fn a_dead_mount_elsewhere_keeps_no_answer_back() {
    let folder = folder("dead-mount");
    let (dead, program) = (folder.join("dead"), folder.join("program"));
    fs::create_dir(&dead).unwrap();
    executable(&program, &Elf::of("mips").build());
    let own = PathBuf::from(env!("CARGO_BIN_EXE_diag"));
    let start = |mut command: Command| {
        let dead = dead.clone();
        in_namespace(&mut command, move || dead_mount(&dead));
        command.stdout(Stdio::null()).spawn()
    };
    // What a file names is not looked for there.
    let named = |name: &str, elf: &Elf| {
        let path = folder.join(name);
        executable(&path, &elf.build());
        path
    };
    let inside = dead.join("file");
    let inside = inside.to_str().unwrap();
    let glibc = || Elf::of("x86-64").interp("/lib64/ld-linux-x86-64.so.2");
    let loader = named("loader", &Elf::of("x86-64").interp(inside));
    let library = named("library", &glibc().needed(inside));
    let list = named("list", &glibc().needed("libmissing.so").dynamic(29, dead.to_str().unwrap()));
    let script = folder.join("script");
    executable(&script, format!("#!{inside}\n").as_bytes());
    let mut cases = vec![(&program, 1), (&own, 0), (&script, 2)];
    // A router's build asks of what the kernel opens alone.
    if !cfg!(feature = "every-machine") {
        cases.push((&loader, 2));
    } else if cfg!(target_arch = "x86_64") && Path::new("/lib64/ld-linux-x86-64.so.2").exists() {
        cases.extend([(&loader, 2), (&library, 2), (&list, 2)]);
    } else {
        skipped("no glibc's loader for x86-64: programs that lead to a dead mount are not tried");
    }
    for (arguments, status) in cases.into_iter().map(|(path, status)| ([path], status)) {
        let mut command = diag(&[]);
        command.args(arguments);
        let child = match start(command) {
            Ok(child) => child,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                skipped(&format!("no FUSE mount for this user ({error}): a dead mount is not tried"));
                return;
            }
            Err(error) => panic!("{error}"),
        };
        let ended = within(child, Duration::from_secs(30));
        assert_eq!(ended.and_then(|status| status.code()), Some(status), "{arguments:?}");
    }
    // The mount is what it should be: who asks for it waits.
    let mut asking = Command::new("stat");
    asking.arg("-f").arg(&dead).stdin(Stdio::null());
    assert_eq!(within(start(asking).unwrap(), Duration::from_secs(1)), None);
}

/// /proc/mounts is longer than what is read of other files at once.
#[cfg(feature = "every-machine")]
#[test]
fn the_last_of_two_thousand_mounts_counts() {
    let folder = folder("many-mounts");
    let (many, last) = (folder.join("many"), folder.join("last"));
    fs::create_dir(&many).unwrap();
    fs::create_dir(&last).unwrap();
    let mut command = diag(&["--dest", last.to_str().unwrap(), "/bin/true"]);
    let place = last.clone();
    in_namespace(&mut command, move || {
        let tmpfs = |point: &Path, flags| mount(Some("tmpfs"), point, Some("tmpfs"), flags, None::<&str>);
        for _ in 0..2000 {
            tmpfs(&many, MsFlags::empty())?;
        }
        tmpfs(&place, MsFlags::MS_NOEXEC).map_err(Into::into)
    });
    match command.output() {
        Ok(output) => {
            let said = told(&output);
            assert!(said.contains("mount-noexec") && said.contains(last.to_str().unwrap()), "{said}");
        }
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
            skipped("no mount namespace for this user: two thousand mounts are not tried");
        }
        Err(error) => panic!("{error}"),
    }
}

/// Text between the first pair of quotation marks.
fn quoted(line: &str) -> Option<&str> {
    line.split('"').nth(1)
}

/// statfs(2) tells whether a file is the kernel's own, before it is opened; no mount is asked for its own sake.
#[test]
fn file_systems_are_asked_only_of_files_that_are_read() {
    let folder = folder("statfs");
    let (log, program) = (folder.join("log"), folder.join("program"));
    executable(&program, &Elf::of("mips").build());
    for program in [program.as_path(), Path::new("/bin/sh")] {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-e", "trace=statfs,fstatfs,open,openat", "-o"]).arg(&log);
        let output = match strace.arg(env!("CARGO_BIN_EXE_diag")).arg(program).output() {
            Ok(output) => output,
            Err(error) => {
                skipped(&format!("strace: {error}: calls of statfs are not tried"));
                return;
            }
        };
        if !matches!(output.status.code(), Some(0 | 1)) {
            skipped(&format!("strace may not trace here ({output:?}): calls of statfs are not tried"));
            return;
        }
        let log = fs::read_to_string(&log).unwrap();
        let of = |call: &'static str| log.lines().filter(move |line| line.contains(call)).filter_map(quoted);
        let opened: Vec<&str> = of(" open").collect();
        let asked: Vec<&str> = of(" statfs(").collect();
        let idle: Vec<&&str> = asked.iter().filter(|path| !opened.contains(path)).collect();
        assert!(idle.is_empty(), "{}: {idle:?}\n{log}", program.display());
        // What is counted is there.
        assert!(opened.iter().any(|path| Path::new(path) == program), "{log}");
        let folders: Vec<&&str> = asked.iter().filter(|path| Path::new(path).is_dir()).collect();
        assert!(folders.is_empty(), "{}: {folders:?}\n{log}", program.display());
    }
}

const NOBODY: u32 = 65534;

/// `struct vfs_cap_data` of linux/capability.h, revision 2, effective: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
fn may_read_everything() -> Vec<u8> {
    [0x0200_0001_u32, 0b110, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A copy of diag with foreign rights tells of files what any other copy does.
#[test]
fn rights_of_the_file_are_given_up() {
    if !geteuid().is_root() {
        skipped("only root can make a file with foreign rights: not tried");
        return;
    }
    // Below /tmp, which everybody reaches.
    let folder = std::env::temp_dir().join(format!("diag-rights-{}", std::process::id()));
    fs::create_dir_all(folder.join("secret")).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    executable(&folder.join("secret/script"), b"#!/no/such --password=hunter2\n");
    let shut = folder.join("shut");
    executable(&shut, b"#!/no/such --password=hunter2\n");
    // Executable for all, to be read by its owner or its group.
    fs::set_permissions(&shut, Permissions::from_mode(0o751)).unwrap();
    fs::set_permissions(folder.join("secret"), Permissions::from_mode(0o750)).unwrap();
    let copy = |name: &str, mode: u32| {
        let path = folder.join(name);
        copy_program(env!("CARGO_BIN_EXE_diag"), &path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    };
    let plain = copy("plain", 0o755);
    let capable = copy("capable", 0o755);
    let value = may_read_everything();
    let path = std::ffi::CString::new(capable.to_str().unwrap()).unwrap();
    // SAFETY: two texts that end in NUL, and bytes of that length.
    let set = unsafe {
        libc::setxattr(path.as_ptr(), c"security.capability".as_ptr(), value.as_ptr().cast(), value.len(), 0)
    };
    let mut copies = vec![copy("set-user-id", 0o4755), copy("set-group-id", 0o2755), copy("both", 0o6755)];
    if set == 0 {
        copies.push(capable);
    } else {
        skipped("no capabilities on this file system: not tried with them");
    }
    let run = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&folder).stdin(Stdio::null());
        command.uid(NOBODY).gid(NOBODY).output().unwrap()
    };
    for arguments in [
        &["secret/script"][..],
        &["secret/none"],
        &["./shut"],
        &["--json", "shut", "secret/script"],
        &["--dest", "secret", "/bin/true"],
        &["/proc/1/exe"],
    ] {
        let wanted = run(&plain, arguments);
        assert!(!told(&wanted).contains("hunter2"));
        for copy in &copies {
            let output = run(copy, arguments);
            assert_eq!(output.status, wanted.status, "{}, {arguments:?}", copy.display());
            if !arguments.contains(&"--json") {
                assert_eq!(told(&output), told(&wanted), "{}, {arguments:?}", copy.display());
            }
            assert!(!told(&output).contains("hunter2"), "{}: {output:?}", copy.display());
        }
    }
    // The rights are real: another program keeps them.
    let cat = folder.join("cat");
    copy_program("/bin/cat", &cat).unwrap();
    fs::set_permissions(&cat, Permissions::from_mode(0o4755)).unwrap();
    let output = run(&cat, &["secret/script"]);
    fs::remove_dir_all(&folder).unwrap();
    if !told(&output).contains("hunter2") {
        skipped("set-user-ID has no effect in the folder for temporary files: not tried");
    }
}
