//! What is fuzzed.

use arbitrary::{Result, Unstructured};
use testkit::Elf;

use crate::elf::{self, LIBRARIES};
use crate::hold;
use crate::memory::{File, Machine};
pub use attacks::{ATTACKS, Attack};

mod attacks;
mod recording;
mod recordings;
mod script;
mod tables;
mod texts;

/// Makes files and a machine from any bytes, and judges them.
pub struct Target {
    /// Of its corpus.
    pub name: &'static str,
    make: fn(&mut Unstructured<'_>) -> Result<()>,
}

impl Target {
    /// With these bytes.
    ///
    /// # Panics
    ///
    /// If something does not hold.
    pub fn run(&self, bytes: &[u8]) {
        // Where the bytes end, zeros follow; it fails where a choice has nothing to choose from.
        let _ = (self.make)(&mut Unstructured::new(bytes));
    }
}

/// All of them.
pub const TARGETS: [Target; 8] = [
    Target { name: "candidate", make: candidate },
    Target { name: "libraries", make: libraries },
    Target { name: "tables", make: tables::run },
    Target { name: "texts", make: texts::run },
    Target { name: "scripts", make: script::run },
    Target { name: "recording", make: recording::run },
    Target { name: "recordings", make: recordings::run },
    Target { name: "attacks", make: attacks::run },
];

/// A machine to judge for.
pub(crate) struct Kind {
    /// In machines/.
    folder: &'static str,
    /// uname(2), where it is another than recorded.
    processor: Option<&'static str>,
    abi: &'static str,
    loader: &'static str,
}

const fn kind(folder: &'static str, abi: &'static str, loader: &'static str) -> Kind {
    Kind { folder, processor: None, abi, loader }
}

/// Both byte orders and both classes.
pub(crate) const KINDS: [Kind; 8] = [
    kind("x86-64", "x86-64", "/lib64/ld-linux-x86-64.so.2"),
    kind("lenovo-y1", "mipsel", "/lib/ld-musl-mipsel-sf.so.1"),
    kind("ath79-be", "mips", "/lib/ld.so.1"),
    kind("aarch64", "aarch64", "/lib/ld-linux-aarch64.so.1"),
    kind("raspbian-32", "armhf", "/lib/ld-linux-armhf.so.3"),
    Kind { processor: Some("mips64"), ..kind("ath79-be", "n64", "/lib64/ld.so.1") },
    kind("x86-64", "x86-64", "/lib/ld-musl-x86_64.so.1"),
    kind("armv7-novfp", "arm", "/lib/ld-musl-arm.so.1"),
];

impl Kind {
    pub(crate) fn machine(&self) -> Machine {
        let mut machine = Machine::of(self.folder);
        self.processor.into_iter().for_each(|name| machine.set_processor(name));
        machine
    }

    /// One whose strings name glibc's folders and its cache.
    fn loader(&self) -> Elf {
        let soname = self.loader.rsplit('/').next().unwrap_or_default();
        let elf = Elf::of(self.abi).base(0).set("e_type", 3).set("PT_LOAD.p_flags", 7).dynamic(14, soname);
        elf.data(b"\0/etc/ld.so.cache\0/lib/\0/usr/lib/\0/etc/ld.so.preload\0")
    }
}

const PROGRAM: &str = "/tmp/program";

/// A program, whose loader and C library are good.
fn candidate(from: &mut Unstructured<'_>) -> Result<()> {
    let kind = from.choose(&KINDS)?;
    let mut machine = kind.machine();
    machine.put(kind.loader, kind.loader().build().into());
    machine.put("/lib/libc.so", kind.loader().build().into());
    let loader = if from.ratio(1, 16)? { PROGRAM } else { kind.loader };
    machine.put(PROGRAM, elf::any(from, kind.abi, Some(loader))?);
    hold::judge(&machine, [PROGRAM]);
    Ok(())
}

/// Libraries, a loader and what it reads.
fn libraries(from: &mut Unstructured<'_>) -> Result<()> {
    let kind = from.choose(&KINDS)?;
    let mut machine = kind.machine();
    machine.put(kind.loader, kind.loader().build().into());
    let which = from.arbitrary::<u8>()?;
    for (index, name) in LIBRARIES.iter().enumerate().take(5).filter(|(index, _)| which >> index & 1 == 1) {
        let folder = ["/lib", "/usr/lib", "/tmp"][index % 3];
        machine.put(&format!("{folder}/{name}"), elf::any(from, kind.abi, None)?);
    }
    if which >> 5 & 1 == 1 {
        machine.put(kind.loader, loader(from, kind)?);
    }
    if which >> 6 & 1 == 1 {
        machine.put("/etc/ld.so.cache", cache(from)?);
    }
    if which >> 7 == 1 {
        let file = *from.choose(&[
            "/etc/ld.so.preload",
            "/etc/ld-musl-x86_64.path",
            "/etc/ld-musl-mipsel-sf.path",
        ])?;
        machine.put(file, texts::any(from)?);
    }
    let mut program = Elf::of(kind.abi).interp(kind.loader).symbol("puts", false);
    for name in LIBRARIES.iter().take(from.int_in_range(1..=5)?) {
        program = program.needed(name);
    }
    if from.arbitrary()? {
        program = program.dynamic(29, "/tmp:$ORIGIN");
    }
    machine.put(PROGRAM, program.build().into());
    hold::judge(&machine, [PROGRAM]);
    Ok(())
}

/// A loader that says what it likes.
fn loader(from: &mut Unstructured<'_>, kind: &Kind) -> Result<File> {
    if from.arbitrary()? {
        return elf::any(from, kind.abi, None);
    }
    let mut data = vec![0];
    let (name, count) =
        (*from.choose(&["/lib", "/", "/lib/n", "/etc/ld.so.cache"])?, from.arbitrary::<u16>()?);
    (0..count).for_each(|index| data.extend(format!("{name}{index}/\0").bytes()));
    Ok(kind.loader().data(&data).build().into())
}

/// ld.so.cache: its header, entries that are written or follow from numbers, strings.
fn cache(from: &mut Unstructured<'_>) -> Result<File> {
    let mut head = b"glibc-ld.so.cache1.1".to_vec();
    let little = |value: u32| value.to_le_bytes();
    let count = *from.choose(&[1, 2, 3, 16, 1000, 1 << 20, u32::MAX])?;
    head.extend(little(count));
    head.extend(little(from.arbitrary()?));
    head.resize(48, 0);
    let strings = 48 + 24 * count.min(16);
    for _ in 0..count.min(16) {
        let name = strings.wrapping_add(from.arbitrary::<u8>()?.into());
        let flags = *from.choose(&[1, 3, 0x303, 0xa03, 0x803])?;
        for field in [flags, name, strings, 0, from.arbitrary::<u8>()?.into(), 0] {
            head.extend(little(field));
        }
    }
    for _ in 0..from.int_in_range(0..=8)? {
        head.extend(from.choose(&LIBRARIES)?.bytes().chain([0]));
        head.extend(b"/usr/lib/");
    }
    for _ in 0..from.int_in_range(0..=3)? {
        let (at, byte) = (from.choose_index(head.len())?, from.arbitrary()?);
        head[at] = byte;
    }
    let start = head.len() as u64;
    let (end, length) = (start + (1_u64 << from.int_in_range(0..=36)?), from.int_in_range(0..=64)?);
    Ok(File { head, parts: vec![(start, end, from.bytes(length)?.to_vec())] })
}
