//! Recordings as archives and as texts: anybody may have made them.

use std::rc::Rc;

use arbitrary::{Result, Unstructured};
use diag::errno::Errno;
use diag::on::Carried;
use diag::recorded::Recorded;
use diag_core::judge;
use diag_core::path::{Path, PathBuf};
use diag_core::report::{Style, json, text};
use diag_core::target::{ReadAt, Target};
use testkit::Elf;

use crate::{HEAP, hold};

/// Names of a machine's, and of nobody's.
const NAMES: [&str; 20] = [
    "uname",
    "df",
    "known",
    "auxv",
    "env",
    "proc/mounts",
    "proc/cpuinfo",
    "lib/x",
    "lib/",
    "bin/sh",
    "./lib/liba.so",
    "/lib/liba.so",
    "lib/ld-musl-mipsel-sf.so.1",
    "etc/ld-musl-mipsel-sf.path",
    "a/../../x",
    "",
    "/",
    "lib/x/y/z",
    "==> uname <==",
    "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/a/b/c/d/e/f/g/h/i/j/k",
];
/// What they hold, or lead to.
const CONTENTS: [&str; 14] = [
    "Linux - 4.14.151 mips\n",
    "Linux r 6.6.1 #1 x86_64\n",
    "tmpfs / tmpfs rw,noexec 0 0\n",
    "libraries /lib\nfolder /bin\nabsent /lib/liba.so\n",
    "left-out 755 99999999999999999999 /lib/x\nleft-out 755 4096 /lib/liba.so\nunlisted /lib\nunknown /bin/sh\n",
    "link /lib -> /lib\nlink /lib/x -> /lib/../lib/x\nlink  -> \nlink /a -> /b -> /c\n",
    "/lib/x",
    "../../../../etc/passwd",
    "lib",
    ".",
    "x",
    "30 path=lib/a/b/c/d/e/f/g/h\n",
    "16 size=99999999\n19 linkpath=/lib/x\n",
    "22 GNU.sparse.major=1\n",
];
/// Of entries.
const KINDS: &[u8] = b"0123456789LKxgSVD\0?";
const TITLES: [&str; 5] = ["uname", "df", "/proc/cpuinfo", "hexdump /bin/sh", "hexdump /lib/../x"];
/// What an archive of a few entries may take.
const MEMORY: usize = 16 << 20;

struct InMemory(Vec<u8>);

impl ReadAt for InMemory {
    fn read_at(&self, offset: u64, len: usize) -> std::result::Result<Vec<u8>, Errno> {
        let rest = self.0.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        Ok(rest[..len.min(rest.len())].to_vec())
    }
}

/// An entry, most with the right sum. Where the bytes end, `ratio` is true.
fn entry(from: &mut Unstructured<'_>, archive: &mut Vec<u8>) -> Result<()> {
    let start = archive.len();
    let (name, content) = (from.choose(&NAMES)?.as_bytes(), from.choose(&CONTENTS)?.as_bytes());
    let content = if from.ratio(3, 4)? { content } else { from.bytes(from.len().min(600))? };
    archive.resize(start + 512, 0);
    let block = &mut archive[start..];
    let size = if from.ratio(11, 12)? {
        content.len() as u64
    } else {
        from.arbitrary::<u64>()? >> from.int_in_range(0..=63)?
    };
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000755");
    block[124..136].copy_from_slice(format!("{:0>11o}\0", size & 0o77_777_777_777).as_bytes());
    block[156] = *from.choose(KINDS)?;
    let link = from.choose(&CONTENTS)?.as_bytes();
    block[157..157 + link.len().min(100)].copy_from_slice(&link[..link.len().min(100)]);
    block[257..265].copy_from_slice(b"ustar\x0000");
    if !from.ratio(7, 8)? {
        let at = from.choose_index(512)?;
        block[at] = from.arbitrary()?;
    }
    if from.ratio(31, 32)? {
        block[148..156].copy_from_slice(b"        ");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:0>6o}\0").as_bytes());
    }
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(512), 0);
    Ok(())
}

/// What `cat` and `hexdump` print.
fn printed(from: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for _ in 0..from.int_in_range(1..=6)? {
        text.extend(format!("==> {} <==\n", from.choose(&TITLES)?).bytes());
        for _ in 0..from.int_in_range(0..=4)? {
            let length = from.int_in_range(0..=40)?;
            match from.int_in_range(0..=3)? {
                0 => text.extend(from.bytes(length)?),
                1 => text.extend(format!("{:08x}  7f 45 4c 46 01 01 |.|\r\n*\n", from.arbitrary::<u32>()?).bytes()),
                2 => text.extend(b"00000000  7f 45 4c 46 01 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|\n*\n00010000\n"),
                _ => text.extend(from.choose(&CONTENTS)?.bytes()),
            }
        }
    }
    Ok(text)
}

pub(super) fn run(from: &mut Unstructured<'_>) -> Result<()> {
    let mut bytes = Vec::new();
    // Without anything of a machine's it is none.
    let is_text = !from.ratio(7, 8)?;
    if from.ratio(7, 8)? {
        let mut block = [0; 1024];
        block[..5].copy_from_slice(b"uname");
        block[124..128].copy_from_slice(b"0026");
        block[148..155].copy_from_slice(b"001736\0");
        block[512..534].copy_from_slice(b"Linux - 4.14.151 mips\n");
        bytes.extend(block);
    }
    if is_text {
        bytes = printed(from)?;
    } else {
        for _ in 0..from.int_in_range(1..=8)? {
            entry(from, &mut bytes)?;
        }
        let end = if from.ratio(7, 8)? { 1024 } else { from.int_in_range(0..=1023)? };
        bytes.resize(bytes.len() + end, 0);
    }
    let size = bytes.len() as u64;
    HEAP.reset_peak_usage();
    let heap = HEAP.current_usage();
    let file: Rc<dyn ReadAt> = Rc::new(InMemory(bytes));
    let read = Recorded::read(&file, size);
    let memory = HEAP.peak_usage().saturating_sub(heap);
    assert!(memory <= MEMORY * hold::threads(), "{memory} bytes of memory");
    let machine = match read {
        Ok(machine) => machine,
        Err(why) => {
            assert!(why.starts_with("it ") && !why.contains('\n'), "{why}");
            hold::is_harmless(&why);
            return Ok(());
        }
    };
    let folder = Path::new(*from.choose(&["/", "/tmp", "/lib"])?);
    let mut here = super::KINDS[1].machine();
    here.put(
        "/program",
        Elf::of(from.choose(&["mips", "mipsel", "x86-64"])?)
            .interp("/lib/x")
            .needed("liba.so")
            .build()
            .into(),
    );
    let carried = Carried::new(&here, &machine, folder);
    carried.take(Path::new("/program"));
    let target = Target { root: &carried, kernel: &machine };
    let programs = [PathBuf::from("/program"), PathBuf::from("/bin/sh"), PathBuf::from("/lib/x")];
    for report in [judge::judge_all(target, &programs, Some(folder)), judge::describe(target)] {
        hold::is_json(&json::write(&report.machine, &report.programs));
        let style = Style { verbose: true, ..Style::default() };
        hold::is_harmless(&text::programs(&report.machine, &report.programs, style));
        hold::is_harmless(&text::machine(&report.machine, style));
    }
    Ok(())
}
