//! A judgement wholly from memory: no file of this computer is read, no call is made.

use std::collections::BTreeMap;
use std::rc::Rc;

use diag_core::errno::Errno;
use diag_core::exec::{Missing, Outcome, Step};
use diag_core::judge;
use diag_core::path::{Path, PathBuf};
use diag_core::report::{Style, Verdict, text};
use diag_core::target::{
    Answer, Auxv, Capability, FileKind, Kernel, Known, ReadAt, Root, Stat, Target, Uname,
};
use testkit::Elf;

/// Bytes in memory as a file.
struct Bytes(Vec<u8>);

impl ReadAt for Bytes {
    fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let start = usize::try_from(offset).map_or(self.0.len(), |start| start.min(self.0.len()));
        Ok(self.0[start..].iter().copied().take(len).collect())
    }
}

/// A router of which these files are known: their bytes, or that they are not there.
struct Router(BTreeMap<&'static str, Option<Vec<u8>>>);

impl Router {
    fn new(files: impl IntoIterator<Item = (&'static str, Option<Vec<u8>>)>) -> Router {
        Router(files.into_iter().collect())
    }

    fn bytes(&self, path: &Path) -> Known<Result<&Vec<u8>, Errno>> {
        Some(self.0.get(path.to_str()?)?.as_ref().ok_or(Errno::ENOENT))
    }
}

impl Root for Router {
    fn read(&self, path: &Path) -> Known<Result<Vec<u8>, Errno>> {
        Some(self.bytes(path)?.cloned())
    }
    fn stat(&self, path: &Path) -> Known<Result<Stat, Errno>> {
        let stat = |bytes: &Vec<u8>| {
            let size = bytes.len() as u64;
            Stat { kind: FileKind::Regular, mode: 0o755, size, device: 1, inode: 1, owner: None, group: None }
        };
        Some(self.bytes(path)?.map(stat))
    }
    fn open(&self, path: &Path) -> Known<Result<Rc<dyn ReadAt>, Errno>> {
        Some(self.bytes(path)?.map(|bytes| Rc::new(Bytes(bytes.clone())) as Rc<dyn ReadAt>))
    }
    fn may_execute(&self, path: &Path) -> Known<Result<(), Errno>> {
        Some(self.bytes(path)?.map(drop))
    }
    fn resolve(&self, path: &Path) -> Known<Result<PathBuf, Errno>> {
        Some(self.bytes(path)?.map(|_| path.to_path_buf()))
    }
}

impl Kernel for Router {
    fn uname(&self) -> Known<Uname> {
        Some(Uname { told: None, release: "5.15.167".to_owned(), machine: "mips".to_owned() })
    }
    fn auxv(&self) -> Auxv {
        Auxv { page_size: Some(4096), ..Auxv::default() }
    }
    fn ask(&self, question: Capability) -> Known<Answer> {
        matches!(question, Capability::FpInstruction | Capability::MipsNanLegacy).then_some(Answer::Works)
    }
    fn own_byte_order(&self) -> Option<diag_core::elf::ByteOrder> {
        Some(diag_core::elf::ByteOrder::Little)
    }
}

fn judged(router: &Router) -> (Outcome, String) {
    let report = judge::judge_all(Target::new(router), &[PathBuf::from("/tmp/v2ray")], None);
    let outcome = report.programs[0].outcome;
    (outcome, text::programs(&report.machine, &report.programs, Style::default()))
}

fn dynamic() -> Vec<u8> {
    Elf::of("mipsel").interp("/lib/ld-musl-mipsel-sf.so.1").build()
}

#[test]
fn a_program_for_the_other_byte_order() {
    let (outcome, shown) = judged(&Router::new([("/tmp/v2ray", Some(Elf::of("mips").build()))]));
    assert!(matches!(outcome, Outcome::Refused { errno: Errno::ENOEXEC, .. }), "{outcome:?}");
    assert!(shown.starts_with("error[wrong-byte-order]:"), "{shown}");
}

#[test]
fn a_program_that_starts() {
    let (outcome, shown) = judged(&Router::new([("/tmp/v2ray", Some(Elf::of("mipsel").build()))]));
    assert_eq!(outcome, Outcome::Starts, "{shown}");
}

/// What nobody looked for is not missing.
#[test]
fn an_unknown_file_is_not_a_missing_one() {
    let (outcome, shown) = judged(&Router::new([]));
    assert_eq!(outcome, Outcome::Unknown { missing: Missing::File }, "{shown}");

    let (outcome, shown) = judged(&Router::new([("/tmp/v2ray", None)]));
    assert!(!matches!(outcome, Outcome::Starts), "{shown}");
    assert!(shown.contains("no-such-file"), "{shown}");

    let (outcome, shown) = judged(&Router::new([("/tmp/v2ray", Some(dynamic()))]));
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}: {shown}");
    assert!(!shown.contains("missing]"), "{shown}");

    let files = [("/tmp/v2ray", Some(dynamic())), ("/lib/ld-musl-mipsel-sf.so.1", None)];
    let (outcome, shown) = judged(&Router::new(files));
    assert_eq!(outcome, Outcome::Refused { errno: Errno::ENOENT, step: Step::InterpreterOpen }, "{shown}");
    assert!(shown.contains("interpreter-missing"), "{shown}");
}

#[test]
fn an_unknown_library_is_not_a_missing_one() {
    const LOADER: &str = "/lib/ld-musl-mipsel-sf.so.1";
    let program = Elf::of("mipsel").interp(LOADER).needed("libz.so.1").build();
    // Kernels before 6.7 fill the last page of a loader with zeros, so it has to be writable.
    let loader = Elf::of("mipsel").base(0).set("e_type", 3).set("PT_LOAD.p_flags", 7).build();
    let with = |library: &[(&'static str, Option<Vec<u8>>)]| {
        let files = [("/tmp/v2ray", Some(program.clone())), (LOADER, Some(loader.clone()))];
        judged(&Router::new(files.into_iter().chain(library.iter().cloned())))
    };
    let (outcome, shown) = with(&[]);
    assert!(!matches!(outcome, Outcome::Exits { .. }), "{outcome:?}: {shown}");
    assert!(!shown.contains("library-missing"), "{shown}");

    // The folders that musl searches where nothing else is told.
    let nowhere =
        ["/etc/ld-musl-mipsel-sf.path", "/lib/libz.so.1", "/usr/local/lib/libz.so.1", "/usr/lib/libz.so.1"];
    let (outcome, shown) = with(&nowhere.map(|path| (path, None)));
    assert!(matches!(outcome, Outcome::Exits { status: 127, .. }), "{outcome:?}: {shown}");
    assert!(shown.contains("library-missing"), "{shown}");
}

#[test]
fn a_verdict_needs_no_file_of_this_computer() {
    // /bin/sh is on every computer that runs this test, and unknown here.
    let router = Router::new([("/tmp/v2ray", Some(b"#!/bin/sh\n".to_vec()))]);
    let report = judge::judge_all(Target::new(&router), &[PathBuf::from("/tmp/v2ray")], None);
    assert_eq!(report.programs[0].verdict(), Verdict::Unknown);
}
