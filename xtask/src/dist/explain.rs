//! A build that explains itself on the wrong machine. Where the kernel refuses an ELF file, the shell reads it as a
//! script; so each build is one, that says in a sentence what it is for and ends with status 126:
//!
//! ```text
//! 7f E L F class data version ' ' 2>&- '\n'     no such command, and its complaint goes nowhere
//! # the rest of both headers '\n'               a comment
//! echo "diag: this build is for ..." >&2;exit 126 '\n'
//! ```
//!
//! The kernel looks at none of these bytes of `e_ident`, and the sentence stands where the linker left room for it
//! (`explain/room*.ld`). No section table is kept: nothing on a router reads it, and its place and length would be two
//! more numbers that may hold a line feed.

use anyhow::{Context, Result, bail, ensure};
use object::elf::{PT_GNU_STACK, PT_LOAD, PT_MIPS_REGINFO, PT_NULL, PT_PHDR};
use object::{File, Object, ObjectSection};

use crate::targets::Target;

/// What `e_ident` holds behind EI_VERSION.
const FIRST_LINE_END: &[u8; 7] = b" 2>&-\n#";
/// Within it nothing moves in memory, whatever the kernel's page size.
const PAGE: u64 = 4096;

/// A line feed stands where only another layout takes it away.
#[derive(Debug)]
pub(crate) struct LineFeed(&'static str);

impl std::fmt::Display for LineFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} holds a line feed, which would end the shell's comment", self.0)
    }
}

impl std::error::Error for LineFeed {}

/// What the shell says, and the user reads.
pub(crate) fn sentence(target: &Target) -> String {
    format!("diag: this build is for {}; this machine is not: use the file named diag", target.machine)
}

/// The linker script that leaves the room: it comes before the first section that has line feeds.
pub(super) fn room(target: &Target) -> &'static str {
    match target.e_machine {
        object::elf::EM_MIPS => "xtask/src/dist/explain/room-mips.ld",
        object::elf::EM_ARM => "xtask/src/dist/explain/room-arm.ld",
        _ => "xtask/src/dist/explain/room.ld",
    }
}

/// The linker script that gives another layout.
pub(super) const MORE: &str = "xtask/src/dist/explain/more.ld";

/// `plain`, a stripped build with its section table, as the file that people get.
pub(super) fn explain(target: &Target, plain: &[u8]) -> Result<Vec<u8>> {
    let (room_at, room_size) = {
        let file = File::parse(plain)?;
        let room = file.section_by_name(".room").context("the linker left no section .room")?;
        room.file_range().context("the section .room is not in the file")?
    };
    let script = format!("\necho \"{}\" >&2;exit 126\n", sentence(target));
    ensure!(
        script.len() as u64 <= room_size,
        "the sentence has {} bytes, the room {room_size}",
        script.len()
    );

    let layout = Layout { wide: target.bits == 64, big: target.big_endian };
    let mut segments = layout.segments(plain)?;
    segments.retain(|segment| !segment.is_idle(target));
    let stored = segments.iter().map(Segment::file_end).max().unwrap_or_default();
    let mut elf = plain.get(..to_usize(stored)?).context("a segment is not in the file")?.to_vec();
    let last = segments.iter().rposition(|segment| segment.kind == PT_LOAD.0);
    for (index, segment) in segments.iter_mut().enumerate() {
        settle(segment, Some(index) == last)?;
    }
    let stored = segments.iter().map(Segment::file_end).max().unwrap_or_default();
    elf.resize(to_usize(stored)?, 0);

    let table = layout.table(&elf);
    let room_at = to_usize(room_at)?;
    // A section may lie between the two.
    let table_end = table + layout.count(&elf) * layout.entry();
    elf[table..table_end].fill(0);
    layout.write_header(&mut elf, segments.len())?;
    elf[7..14].copy_from_slice(FIRST_LINE_END);
    layout.write_segments(&mut elf, &segments);
    elf[room_at..room_at + script.len()].copy_from_slice(script.as_bytes());
    verify(target, &elf)?;
    Ok(elf)
}

/// Reads the file as a shell does: a first line without effect, a comment, the sentence.
pub(super) fn verify(target: &Target, elf: &[u8]) -> Result<()> {
    let layout = Layout { wide: target.bits == 64, big: target.big_endian };
    let mut lines = elf.split(|&byte| byte == b'\n');
    let (first, comment, echo) = (lines.next(), lines.next(), lines.next());
    ensure!(
        first == Some(&elf[..12]) && first.is_some_and(|line| line.ends_with(b" 2>&-")),
        "the first line"
    );
    let comment = comment.filter(|line| line.starts_with(b"#")).context("the second line is no comment")?;
    let headers = layout.table(elf) + layout.count(elf) * layout.entry();
    if 13 + comment.len() < headers {
        return Err(LineFeed("a header").into());
    }
    let wanted = format!("echo \"{}\" >&2;exit 126", sentence(target));
    if echo != Some(wanted.as_bytes()) {
        return Err(LineFeed("a section before the sentence").into());
    }
    ensure!(!sentence(target).contains(['"', '$', '`', '\\']), "the shell would change the sentence");
    let segments = layout.segments(elf)?;
    ensure!(segments.iter().any(|segment| segment.kind == PT_GNU_STACK.0), "no PT_GNU_STACK");
    Ok(())
}

/// Takes line feeds out of a segment's numbers without a change to what is where in memory: it may begin earlier
/// in its first page and end later in its last, where the file's neighbouring bytes are mapped anyway. Zeros
/// behind the last one's bytes become bytes of the file.
fn settle(segment: &mut Segment, last: bool) -> Result<()> {
    segment.paddr = segment.vaddr;
    if segment.is_clean() {
        return Ok(());
    }
    let bss = segment.memsz > segment.filesz;
    if segment.kind != PT_LOAD.0 || (bss && !last) {
        bail!(LineFeed("a program header"));
    }
    let earlier = segment.vaddr % PAGE;
    let rest = (PAGE - (segment.vaddr + segment.memsz) % PAGE) % PAGE;
    let filler = if bss { (segment.memsz - segment.filesz).min(PAGE) } else { rest };
    for before in 0..=earlier {
        for behind in 0..=filler {
            for more in 0..=if bss { rest.min(512) } else { 0 } {
                let filesz = segment.filesz + before + behind;
                let memsz = if bss { segment.memsz + before + more } else { filesz };
                let (offset, vaddr) = (segment.offset - before, segment.vaddr - before);
                let tried = Segment { offset, vaddr, paddr: vaddr, filesz, memsz, ..*segment };
                if tried.is_clean() {
                    *segment = tried;
                    return Ok(());
                }
                // More memory does not help where another number is at fault.
                if !clean(&[offset, vaddr, filesz]) {
                    break;
                }
            }
            if !clean(&[segment.offset - before, segment.vaddr - before]) {
                break;
            }
        }
    }
    bail!(LineFeed("a program header"))
}

/// A program header.
#[derive(Clone, Copy)]
struct Segment {
    kind: u32,
    flags: u32,
    offset: u64,
    vaddr: u64,
    paddr: u64,
    filesz: u64,
    memsz: u64,
    align: u64,
}

impl Segment {
    /// Whether neither a kernel nor a static program looks at it. An executable stack is what comes of a missing
    /// PT_GNU_STACK; PT_MIPS_ABIFLAGS is how a kernel with an FPU sets it.
    fn is_idle(&self, target: &Target) -> bool {
        let mips = target.e_machine == object::elf::EM_MIPS;
        [PT_NULL.0, PT_PHDR.0].contains(&self.kind) || (mips && self.kind == PT_MIPS_REGINFO.0)
    }

    fn file_end(&self) -> u64 {
        self.offset + self.filesz
    }

    fn is_clean(&self) -> bool {
        let words = [self.offset, self.vaddr, self.paddr, self.filesz, self.memsz, self.align];
        clean(&words) && clean(&[self.kind.into(), self.flags.into()])
    }
}

fn clean(numbers: &[u64]) -> bool {
    numbers.iter().all(|number| !number.to_le_bytes().contains(&b'\n'))
}

fn to_usize(number: u64) -> Result<usize> {
    usize::try_from(number).context("a number beyond this computer's")
}

/// How the file writes its numbers.
#[derive(Clone, Copy)]
struct Layout {
    wide: bool,
    big: bool,
}

impl Layout {
    fn get(self, elf: &[u8], at: usize, size: usize) -> u64 {
        let bytes = &elf[at..at + size];
        let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.big { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) }
    }

    fn put(self, elf: &mut [u8], at: usize, size: usize, number: u64) {
        let bytes = number.to_be_bytes();
        let place = &mut elf[at..at + size];
        place.copy_from_slice(&bytes[8 - size..]);
        if !self.big {
            place.reverse();
        }
    }

    /// `e_phoff`.
    fn table(self, elf: &[u8]) -> usize {
        let at = if self.wide { 32 } else { 28 };
        usize::try_from(self.get(elf, at, self.word())).unwrap_or(usize::MAX)
    }

    /// `e_phnum`.
    fn count(self, elf: &[u8]) -> usize {
        usize::try_from(self.get(elf, if self.wide { 56 } else { 44 }, 2)).unwrap_or_default()
    }

    fn entry(self) -> usize {
        if self.wide { 56 } else { 32 }
    }

    fn word(self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// Another number of program headers, and no section table.
    fn write_header(self, elf: &mut [u8], segments: usize) -> Result<()> {
        let (phnum, shoff) = if self.wide { (56, 40) } else { (44, 32) };
        self.put(elf, phnum, 2, segments as u64);
        self.put(elf, shoff, self.word(), 0);
        // e_shentsize, e_shnum, e_shstrndx
        elf[phnum + 2..phnum + 8].fill(0);
        let header = if self.wide { 64 } else { 52 };
        ensure!(self.table(elf) == header, "the program headers are not behind the ELF header");
        if elf[14..header].contains(&b'\n') {
            bail!(LineFeed("the ELF header"));
        }
        Ok(())
    }

    /// Where the fields are, in the order of [`Segment`]'s from `flags` on.
    fn fields(self) -> [(usize, usize); 7] {
        if self.wide {
            [(4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 8), (48, 8)]
        } else {
            [(24, 4), (4, 4), (8, 4), (12, 4), (16, 4), (20, 4), (28, 4)]
        }
    }

    fn segments(self, elf: &[u8]) -> Result<Vec<Segment>> {
        let (table, count) = (self.table(elf), self.count(elf));
        ensure!(table + count * self.entry() <= elf.len(), "the program headers are not in the file");
        let one = |index: usize| {
            let at = table + index * self.entry();
            let [flags, offset, vaddr, paddr, filesz, memsz, align] =
                self.fields().map(|(field, size)| self.get(elf, at + field, size));
            #[allow(clippy::cast_possible_truncation)] // four bytes were read
            let (kind, flags) = (self.get(elf, at, 4) as u32, flags as u32);
            Segment { kind, flags, offset, vaddr, paddr, filesz, memsz, align }
        };
        Ok((0..count).map(one).collect())
    }

    fn write_segments(self, elf: &mut [u8], segments: &[Segment]) {
        let table = self.table(elf);
        for (index, segment) in segments.iter().enumerate() {
            let at = table + index * self.entry();
            let Segment { kind, flags, offset, vaddr, paddr, filesz, memsz, align } = *segment;
            self.put(elf, at, 4, kind.into());
            let numbers = [flags.into(), offset, vaddr, paddr, filesz, memsz, align];
            for ((field, size), number) in self.fields().into_iter().zip(numbers) {
                self.put(elf, at + field, size, number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(vaddr: u64, filesz: u64, memsz: u64) -> Segment {
        let offset = vaddr % 0x10000;
        Segment { kind: PT_LOAD.0, flags: 5, offset, vaddr, paddr: vaddr, filesz, memsz, align: 0x10000 }
    }

    #[test]
    fn a_segment_without_line_feeds_stays_as_it_is() {
        let mut segment = load(0x27940, 0x250e0, 0x250e0);
        settle(&mut segment, false).unwrap();
        assert_eq!((segment.offset, segment.vaddr, segment.filesz), (0x7940, 0x27940, 0x250e0));
    }

    #[test]
    fn pages_stay_the_same_where_line_feeds_go() {
        let cases = [
            (0x2_0a40, 0x2_50e0, 0x2_50e0),
            (0x2_7940, 0x0a00, 0x0a00),
            (0x2_a90a, 0x1_0aff, 0x1_0aff),
            (0x5_ca20, 0x0a, 0x1f4),
            (0x5_ca20, 0x18, 0x0a0a),
        ];
        for (vaddr, filesz, memsz) in cases {
            let (old, mut new) = (load(vaddr, filesz, memsz), load(vaddr, filesz, memsz));
            settle(&mut new, true).unwrap();
            assert!(new.is_clean(), "{vaddr:#x}");
            assert_eq!(old.vaddr - old.offset, new.vaddr - new.offset);
            assert_eq!(old.vaddr / PAGE, new.vaddr / PAGE);
            let end = |segment: &Segment| (segment.vaddr + segment.memsz).div_ceil(PAGE);
            assert_eq!(end(&old), end(&new), "{vaddr:#x}");
            assert!(new.vaddr + new.filesz >= old.vaddr + old.filesz && new.filesz <= new.memsz);
        }
    }

    #[test]
    fn thread_local_data_has_its_size_and_place() {
        let mut tls = Segment { kind: object::elf::PT_TLS.0, ..load(0x5_0a20, 1, 16) };
        assert!(settle(&mut tls, false).unwrap_err().is::<LineFeed>());
    }
}
