//! The programs and libraries of this computer: the loader's list of what each needs, and what it finds wrong, must be
//! what diag says.
#![cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64", target_endian = "little"))]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use nix::unistd::{AccessFlags, access};
use oracle::linking::host::plain;
use oracle::linking::said::Said;
use oracle::linking::{Traced, compare, glibc};
use serde_json::Value;
use testkit::Image;
use testkit::elf_h::PT_DYNAMIC;

const FOLDERS: [&str; 3] = ["/usr/bin", "/usr/sbin", "/usr/lib"];
/// As many at least: an image of a few packages proves little.
const PROGRAMS: usize = 100;
const LIBRARIES: usize = 200;

/// A regular file of this computer's own kind.
struct File {
    path: PathBuf,
    elf: Image,
}

/// Where the compiler has its programs and libraries: these are larger than any that a system has, and rewritten by BOLT.
fn sysroot() -> Option<PathBuf> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn interpreter(elf: &Image) -> Option<&OsStr> {
    elf.interpreter().map(OsStr::from_bytes)
}

/// A file of this computer's word size and byte order.
fn image(path: &Path) -> Option<Image> {
    let elf = Image::parse(fs::read(path).ok()?)?;
    (elf.encoding.wide && !elf.encoding.big).then_some(elf)
}

/// Whether two paths lead to one file.
fn is(one: &Path, other: &OsStr) -> bool {
    fs::canonicalize(one).unwrap() == fs::canonicalize(other).unwrap()
}

fn own() -> Image {
    image(Path::new("/proc/self/exe")).unwrap()
}

/// Dynamic ELF files below a folder, links not followed. Those of /usr/lib/debug have lost what is loaded.
fn dynamic(folder: &Path, machine: u64, found: &mut Vec<File>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() && path != Path::new("/usr/lib/debug") {
            dynamic(&path, machine, found);
        } else if kind.is_file() {
            let Some(elf) = image(&path) else { continue };
            if elf.get("e_machine") == Some(machine) && elf.segment(PT_DYNAMIC).is_some() {
                found.push(File { path, elf });
            }
        }
    }
}

/// Makes a program that needs a library by its path, and nothing else. The linker is asked once: then a name that is as
/// long as can be is replaced.
struct Maker {
    template: Image,
    name: String,
    folder: PathBuf,
}

impl Maker {
    fn new() -> Maker {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libraries");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let name = "n".repeat(400);
        let cc = |code: &str, flags: &[&str]| {
            fs::write(folder.join("source.c"), code).unwrap();
            let mut cc = Command::new("cc");
            cc.current_dir(&folder).args(["-nostdlib", "-nostartfiles", "source.c"]).args(flags);
            assert!(cc.status().unwrap().success(), "{cc:?}");
        };
        cc("int it;", &["-shared", "-fPIC", "-o", "library", &format!("-Wl,-soname,{name}")]);
        cc("void _start(void) { for (;;); }", &["-o", "program", "-Wl,--no-as-needed", "./library"]);
        let template = image(&folder.join("program")).unwrap();
        Maker { template, name, folder }
    }

    fn program(&self, library: &Path) -> PathBuf {
        let mut elf = self.template.clone();
        let mut name = library.as_os_str().as_bytes().to_vec();
        assert!(name.len() <= self.name.len(), "{}", library.display());
        name.resize(self.name.len(), 0);
        elf.replace(self.name.as_bytes(), &name).unwrap();
        let plain = library.to_str().unwrap().replace('/', "+");
        let path = self.folder.join(plain);
        fs::write(&path, &elf.bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

/// What the loader tells of a program, which it does not start.
fn trace(loader: &OsStr, program: &Path) -> Traced {
    let command = |more: &glibc::Env| {
        let mut command = plain(Path::new(loader));
        command.envs(more.iter().cloned()).arg(program);
        command
    };
    glibc::trace(loader.to_str().unwrap(), &command).unwrap()
}

fn trace_all(loader: &OsStr, programs: &[PathBuf]) -> Vec<Traced> {
    let next = AtomicUsize::new(0);
    let traced = Mutex::new(vec![Traced::default(); programs.len()]);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(program) = programs.get(index) else { return };
                    let one = trace(loader, program);
                    traced.lock().unwrap()[index] = one;
                }
            });
        }
    });
    traced.into_inner().unwrap()
}

fn judge_all(programs: &[PathBuf]) -> Vec<Said> {
    let mut reports = Vec::new();
    for some in programs.chunks(500) {
        let output = plain(Path::new(env!("CARGO_BIN_EXE_diag"))).arg("--json").args(some).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        reports.extend(report["programs"].as_array().unwrap().iter().map(|one| Said::of_json(one).unwrap()));
    }
    reports
}

/// What is wrong with a program, as far as the loader tells without starting it.
fn disagreements(traced: &Traced, said: &Said) -> Vec<String> {
    let mut wrong = compare::libraries(traced, said, &[], &|path| PathBuf::from(path));
    let step = said.model.step.as_str();
    let missing = traced.libraries.iter().flatten().any(|one| one.path.is_none());
    let errors = said.codes("error");
    if traced.libraries.is_none() && traced.errors.is_empty() {
        wrong.push("the loader ended without a word".to_owned());
    }
    let agrees = if missing {
        matches!(step, "ld.so: library not found" | "ld.so: library unusable")
    } else if let Some(error) = traced.errors.iter().find(|line| !line.contains("no version information")) {
        step.starts_with("ld.so: ") && error.contains("version `") == (step == "ld.so: version not found")
    } else if let Some(first) = traced.unresolved.first() {
        step == "ld.so: symbol not found" && !first.is_empty()
    } else {
        let later = said.codes("warning").contains(&"symbol-missing");
        said.verdict == "starts" && errors.is_empty() && later != traced.unresolved_later.is_empty()
    };
    if !agrees {
        let Traced { errors: real, unresolved, unresolved_later, .. } = traced;
        let some = |list: &[String]| list.iter().take(3).cloned().collect::<Vec<_>>();
        wrong.push(format!(
            "the loader: missing: {missing}, errors {real:?}, unresolved {:?} and later {:?}; diag: {}, {errors:?} {:?}",
            some(unresolved),
            some(unresolved_later),
            said.model,
            said.codes("warning"),
        ));
    }
    wrong
}

#[test]
fn diag_and_the_loader_agree_on_the_files_of_this_computer() {
    let own = own();
    let loader = interpreter(&own).unwrap();
    let mut files = Vec::new();
    for folder in FOLDERS {
        dynamic(Path::new(folder), own.get("e_machine").unwrap(), &mut files);
    }
    if let Some(root) = sysroot() {
        dynamic(&root.join("bin"), own.get("e_machine").unwrap(), &mut files);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let maker = Maker::new();
    let (mut names, mut asked, mut counts) = (Vec::new(), Vec::new(), (0, 0));
    for file in files {
        let interp = interpreter(&file.elf);
        if interp.is_some_and(|interp| interp != loader) || is(&file.path, loader) {
            continue;
        }
        let executable = fs::metadata(&file.path).unwrap().permissions().mode() & 0o111 != 0;
        if executable && access(&file.path, AccessFlags::X_OK).is_err() {
            // Another user's alone.
            continue;
        }
        if interp.is_some() && executable {
            counts.0 += 1;
            asked.push(file.path.clone());
        } else {
            counts.1 += 1;
            asked.push(maker.program(&file.path));
        }
        names.push(file.path);
    }
    let real = trace_all(loader, &asked);
    let said = judge_all(&asked);
    assert_eq!(real.len(), said.len());
    let mut wrong = Vec::new();
    let mut whole = 0;
    for ((name, real), said) in names.iter().zip(&real).zip(&said) {
        whole += usize::from(said.verdict == "starts");
        let lines = disagreements(real, said);
        wrong.extend(lines.iter().map(|line| format!("{}: {line}", name.display())));
    }
    let (programs, libraries) = counts;
    let summary = format!("{programs} programs, {libraries} libraries, of which {whole} are whole");
    println!("{summary}");
    assert!(programs >= PROGRAMS && libraries >= LIBRARIES && whole > 0, "{summary}");
    assert!(wrong.is_empty(), "{summary}; {} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}
