//! File systems that answer late, wrongly or never: a real FUSE mount, served by this test.
#![cfg(target_os = "linux")]

mod skipped;

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyEntry, ReplyOpen, Request,
};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use skipped::skipped;
use testkit::{Elf, copy_program};

/// What the server does with a request that reads a file.
#[derive(Clone, Copy)]
enum Answers {
    AtOnce,
    /// After so long, and to each request of any kind.
    Late(Duration),
    /// EIO.
    Badly,
    Never,
}

/// A folder with one file, `program`.
struct Server {
    program: Vec<u8>,
    answers: Answers,
}

impl Server {
    fn attributes(&self, inode: INodeNo) -> FileAttr {
        let (kind, size) = match inode {
            INodeNo::ROOT => (FileType::Directory, 0),
            _ => (FileType::RegularFile, self.program.len() as u64),
        };
        FileAttr {
            ino: inode,
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm: 0o755,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }

    fn wait(&self) {
        if let Answers::Late(time) = self.answers {
            thread::sleep(time);
        }
    }
}

impl Filesystem for Server {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.wait();
        if name == "program" {
            reply.entry(&Duration::ZERO, &self.attributes(INodeNo(2)), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        self.wait();
        reply.attr(&Duration::ZERO, &self.attributes(inode));
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.wait();
        match self.answers {
            Answers::Never => std::mem::forget(reply),
            Answers::Badly => reply.error(Errno::EIO),
            _ => {
                let rest = self.program.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
                reply.data(&rest[..rest.len().min(size as usize)]);
            }
        }
    }
}

/// Mounted file systems, in a namespace of their own that ends with this thread.
struct Mounts {
    folder: PathBuf,
    sessions: Vec<BackgroundSession>,
}

impl Mounts {
    /// None where this user may not mount anything.
    fn new(name: &str) -> Option<Mounts> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hang").join(name);
        fs::create_dir_all(&folder).unwrap();
        let none: Option<&Path> = None;
        let enter = unshare(CloneFlags::CLONE_NEWNS)
            .and_then(|()| mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none));
        if let Err(error) = enter {
            skipped(&format!(
                "no mount namespace for this user ({error}): file systems that hang are not tried"
            ));
            return None;
        }
        Some(Mounts { folder, sessions: Vec::new() })
    }

    /// The path of the program on one more; None where there is no FUSE.
    fn add(&mut self, name: &str, answers: Answers) -> Option<PathBuf> {
        let point = self.folder.join(name);
        fs::create_dir_all(&point).unwrap();
        let program = fs::read(env!("CARGO_BIN_EXE_diag")).unwrap();
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("nas".into())];
        match fuser::spawn_mount(Server { program, answers }, &point, &config) {
            Ok(session) => {
                self.sessions.push(session);
                Some(point.join("program"))
            }
            Err(error) => {
                skipped(&format!("no FUSE ({error}): file systems that hang are not tried"));
                None
            }
        }
    }
}

fn diag(arguments: &[&str], program: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diag"));
    command.args(arguments).arg(program).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Its end, which comes behind so many seconds; the most of them is for one that hangs.
fn ends_within(child: Child, since: Instant, seconds: std::ops::Range<u64>) -> Output {
    // Where what is left behind held the pipes, they would stay open.
    let output = child.wait_with_output().unwrap();
    let passed = since.elapsed();
    assert!(seconds.contains(&passed.as_secs()), "{passed:?}: {output:?}");
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// One line, and what was told before; the child that waits holds nothing of its caller's.
#[test]
fn what_never_answers_is_told_and_left() {
    let Some(mut mounts) = Mounts::new("never") else { return };
    let Some(program) = mounts.add("dead", Answers::Never) else { return };
    let Some(slow) = mounts.add("slow", Answers::Late(Duration::from_millis(600))) else { return };
    let since = Instant::now();
    let start = |mut command: Command| command.spawn().unwrap();
    let link = mounts.folder.join("link");
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(&program, &link).unwrap();
    let dead = [
        start(diag(&["-q"], &program)),
        start(diag(&["--json"], &program)),
        start(diag(&["-q"], &link)),
        start({
            let mut command = diag(&["-q"], Path::new("./program"));
            // Not by Command's own, whose child asks for it.
            command.current_dir(program.parent().unwrap());
            command
        }),
    ];
    let second = start(diag(&["-q", env!("CARGO_BIN_EXE_diag")], &program));
    let late = start(diag(&["-q"], &slow));
    for child in dead {
        let output = ends_within(child, since, 10..300);
        let place = program.parent().unwrap().display();
        // A router's build names all that are mounted.
        let others = if cfg!(feature = "every-machine") { "\n" } else { ", " };
        let told = format!("diag: no answer for 10 seconds from {place} (fuse){others}");
        assert!(text(&output.stderr).starts_with(&told), "{output:?}");
        assert_eq!((output.status.code(), text(&output.stderr).lines().count()), (Some(2), 1), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
    let output = ends_within(second, since, 10..300);
    let first = format!("{} starts on this machine\n", env!("CARGO_BIN_EXE_diag"));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), &*first));
    assert_eq!(text(&output.stderr).lines().count(), 1, "{output:?}");
    // One that goes on is waited for, longer than one that does not.
    let output = ends_within(late, since, 11..300);
    let said = format!("{} starts on this machine\n", slow.display());
    assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(0), &*said, ""));
}

/// What a child says, and how it ends, is what diag would say and how it would end.
#[test]
fn what_answers_is_told_as_elsewhere() {
    let Some(mut mounts) = Mounts::new("answers") else { return };
    let Some(program) = mounts.add("good", Answers::AtOnce) else { return };
    let Some(bad) = mounts.add("bad", Answers::Badly) else { return };
    let copy = mounts.folder.join("program");
    copy_program(env!("CARGO_BIN_EXE_diag"), &copy).unwrap();
    let foreign = mounts.folder.join("foreign");
    fs::write(&foreign, Elf::of("mips").build()).unwrap();
    fs::set_permissions(&foreign, Permissions::from_mode(0o755)).unwrap();
    let point = program.parent().unwrap().to_str().unwrap();
    for arguments in [&[][..], &["-q"], &["--json"], &["-vv"], &["--strict", "-v"], &["--bogus"]] {
        let mut here = diag(arguments, &copy);
        let mut there = diag(arguments, &program);
        let (here, there) = (here.output().unwrap(), there.output().unwrap());
        assert_eq!(here.status, there.status, "{arguments:?}: {there:?}");
        if !arguments.contains(&"--json") && !arguments.contains(&"-v") && !arguments.contains(&"-vv") {
            let moved = text(&here.stdout).replace(copy.to_str().unwrap(), program.to_str().unwrap());
            assert_eq!(text(&there.stdout), moved, "{arguments:?}");
        }
        assert_eq!(text(&here.stderr).lines().count(), text(&there.stderr).lines().count(), "{arguments:?}");
    }
    // Far more than a pipe holds, to both.
    let many: Vec<&str> = vec![foreign.to_str().unwrap(); 1000];
    let output = diag(&[&["-vv"], &many[..]].concat(), &program).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.len() > 200_000 && output.stderr.len() > 65_536, "{}", output.stderr.len());
    assert_eq!(text(&output.stdout).matches("error[wrong-architecture]").count(), 1000);
    // It is streamed, and ends where nobody reads it.
    let script = r#"trap - PIPE; "$@" | head -c 1; echo " ${PIPESTATUS[0]}""#;
    let mut piped = Command::new("bash");
    piped.args(["-c", script, "bash", env!("CARGO_BIN_EXE_diag")]).args(&many).arg(&program);
    let output = piped.output().unwrap();
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("e 141\n", ""), "{output:?}");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = diag(&[], &program).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("could not be written"), "{output:?}");
    // A folder there to install to.
    let output = diag(&["-q", "--dest", point], &copy).output().unwrap();
    assert!(matches!(output.status.code(), Some(0..=1)) && output.stderr.is_empty(), "{output:?}");
    let output = diag(&["-q"], &bad).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("cannot be read"), "{output:?}");
}

/// The child ends with its parent, whatever ends that.
#[test]
fn no_child_outlives_its_parent() {
    let Some(mut mounts) = Mounts::new("killed") else { return };
    let Some(slow) = mounts.add("slow", Answers::Late(Duration::from_secs(3))) else { return };
    let mut command = diag(&["-q"], &slow);
    let mut parent = command.stdout(Stdio::null()).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", parent.id());
    let child = loop {
        let found = fs::read_to_string(&children).unwrap();
        if let Some(child) = found.split_whitespace().next() {
            break child.to_owned();
        }
        thread::sleep(Duration::from_millis(5));
    };
    thread::sleep(Duration::from_millis(200));
    parent.kill().unwrap();
    assert_eq!(parent.wait().unwrap().signal(), Some(9));
    let since = Instant::now();
    while Path::new("/proc").join(&child).exists() {
        assert!(since.elapsed() < Duration::from_secs(20), "process {child} is left");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Who does not lie there pays nothing (a router's build, which knows less of the way, reads what is mounted): no process, and what is mounted is not read.
#[cfg(feature = "every-machine")]
#[test]
fn others_are_judged_by_one_process() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hang");
    fs::create_dir_all(&folder).unwrap();
    let log = folder.join("log");
    let mut strace = Command::new("strace");
    strace.args(["-e", "trace=pipe2,open,openat,openat2", "-o"]).arg(&log);
    match strace.arg(env!("CARGO_BIN_EXE_diag")).args(["-q", "/bin/true"]).output() {
        Ok(output) if output.status.success() => {}
        other => {
            skipped(&format!("strace ({other:?}): what others pay is not tried"));
            return;
        }
    }
    let log = fs::read_to_string(&log).unwrap();
    assert!(!log.contains("pipe2"), "{log}");
    let device = std::os::unix::fs::MetadataExt::dev(&fs::metadata("/bin/true").unwrap());
    if nix::libc::major(device) == 0 || log.contains("ENOSYS") {
        skipped("/bin/true lies on no device, or the kernel is older than 5.12: what is mounted is read");
        return;
    }
    let before = log.split("openat2").nth(1).and_then(|rest| rest.split("O_PATH) =").next()).unwrap();
    assert!(!before.contains("/proc/mounts"), "{log}");
}
