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
//! (`explain/sentence*.ld`). No section table is kept: nothing on a router reads it, and its place and length would be two
//! more numbers that may hold a line feed.

use anyhow::{Context, Result, bail, ensure};
use object::{File, Object, ObjectSection};
use testkit::elf_h::{PT_GNU_STACK, PT_LOAD, PT_MIPS_REGINFO, PT_NULL, PT_PHDR};
use testkit::{Image, Segment};

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

/// The linker script that leaves space for it: it comes before the first section that has line feeds.
pub(super) fn space(target: &Target) -> &'static str {
    match target.e_machine {
        object::elf::EM_MIPS => "xtask/src/dist/explain/sentence-mips.ld",
        object::elf::EM_ARM => "xtask/src/dist/explain/sentence-arm.ld",
        _ => "xtask/src/dist/explain/sentence.ld",
    }
}

/// The linker script that gives another layout.
pub(super) const MORE: &str = "xtask/src/dist/explain/more.ld";

/// `plain`, a stripped build with its section table, as the file that people get.
pub(super) fn explain(target: &Target, plain: &[u8]) -> Result<Vec<u8>> {
    let (space_at, space_size) = {
        let file = File::parse(plain)?;
        let space = file.section_by_name(".sentence").context("the linker left no section .sentence")?;
        space.file_range().context("the section .sentence is not in the file")?
    };
    let script = format!("\necho \"{}\" >&2;exit 126\n", sentence(target));
    ensure!(
        script.len() as u64 <= space_size,
        "the sentence has {} bytes, the space for it {space_size}",
        script.len()
    );

    let mut elf = image(plain)?;
    let mut segments = segments(&elf)?;
    let headers = headers_end(&elf);
    segments.retain(|segment| !is_idle(segment, target));
    let stored = segments.iter().map(Segment::file_end).max().unwrap_or_default();
    ensure!(stored <= elf.bytes.len() as u64, "a segment is not in the file");
    elf.bytes.truncate(to_usize(stored)?);
    let last = segments.iter().rposition(|segment| segment.p_type == PT_LOAD);
    for (index, segment) in segments.iter_mut().enumerate() {
        settle(segment, Some(index) == last)?;
    }
    let stored = segments.iter().map(Segment::file_end).max().unwrap_or_default();
    elf.bytes.resize(to_usize(stored)?, 0);

    // A section may lie behind the program headers that are left.
    let first = elf.encoding.header_size();
    elf.bytes.get_mut(first..headers).context("the program headers are not in the file")?.fill(0);
    write_header(&mut elf, segments.len())?;
    for (index, segment) in segments.iter().enumerate() {
        elf.write_segment(index, segment).context("the program headers are not in the file")?;
    }
    elf.write(7, FIRST_LINE_END).context("no ELF header")?;
    elf.write(to_usize(space_at)?, script.as_bytes()).context("the section .sentence is not in the file")?;
    verify(target, &elf.bytes)?;
    Ok(elf.bytes)
}

/// Reads the file as a shell does: a first line without effect, a comment, the sentence.
pub(super) fn verify(target: &Target, elf: &[u8]) -> Result<()> {
    let image = image(elf)?;
    let mut lines = elf.split(|&byte| byte == b'\n');
    let (first, comment, echo) = (lines.next(), lines.next(), lines.next());
    ensure!(
        first == Some(&elf[..12]) && first.is_some_and(|line| line.ends_with(b" 2>&-")),
        "the first line"
    );
    let comment = comment.filter(|line| line.starts_with(b"#")).context("the second line is no comment")?;
    if 13 + comment.len() < headers_end(&image) {
        return Err(LineFeed("a header").into());
    }
    let wanted = format!("echo \"{}\" >&2;exit 126", sentence(target));
    if echo != Some(wanted.as_bytes()) {
        return Err(LineFeed("a section before the sentence").into());
    }
    ensure!(!sentence(target).contains(['"', '$', '`', '\\']), "the shell would change the sentence");
    ensure!(image.segment(PT_GNU_STACK).is_some(), "no PT_GNU_STACK");
    Ok(())
}

/// Takes line feeds out of a segment's numbers without a change to what is where in memory: it may begin earlier
/// in its first page and end later in its last, where the file's neighbouring bytes are mapped anyway. Zeros
/// behind the last one's bytes become bytes of the file.
fn settle(segment: &mut Segment, last: bool) -> Result<()> {
    segment.p_paddr = segment.p_vaddr;
    if is_clean(segment) {
        return Ok(());
    }
    let bss = segment.p_memsz > segment.p_filesz;
    if segment.p_type != PT_LOAD || (bss && !last) {
        bail!(LineFeed("a program header"));
    }
    let earlier = segment.p_vaddr % PAGE;
    let rest = (PAGE - (segment.p_vaddr + segment.p_memsz) % PAGE) % PAGE;
    let filler = if bss { (segment.p_memsz - segment.p_filesz).min(PAGE) } else { rest };
    for before in 0..=earlier {
        for behind in 0..=filler {
            for more in 0..=if bss { rest.min(512) } else { 0 } {
                let filesz = segment.p_filesz + before + behind;
                let memsz = if bss { segment.p_memsz + before + more } else { filesz };
                let (offset, vaddr) = (segment.p_offset - before, segment.p_vaddr - before);
                let tried = Segment {
                    p_offset: offset,
                    p_vaddr: vaddr,
                    p_paddr: vaddr,
                    p_filesz: filesz,
                    p_memsz: memsz,
                    ..*segment
                };
                if is_clean(&tried) {
                    *segment = tried;
                    return Ok(());
                }
                // More memory does not help where another number is at fault.
                if !clean(&[offset, vaddr, filesz]) {
                    break;
                }
            }
            if !clean(&[segment.p_offset - before, segment.p_vaddr - before]) {
                break;
            }
        }
    }
    bail!(LineFeed("a program header"))
}

/// Whether neither a kernel nor a static program looks at it. An executable stack is what comes of a missing
/// PT_GNU_STACK; PT_MIPS_ABIFLAGS is how a kernel with an FPU sets it.
fn is_idle(segment: &Segment, target: &Target) -> bool {
    let mips = target.e_machine == object::elf::EM_MIPS;
    [PT_NULL, PT_PHDR].contains(&segment.p_type) || (mips && segment.p_type == PT_MIPS_REGINFO)
}

fn is_clean(segment: &Segment) -> bool {
    let Segment { p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align } = *segment;
    clean(&[p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align])
}

fn clean(numbers: &[u64]) -> bool {
    numbers.iter().all(|number| !number.to_le_bytes().contains(&b'\n'))
}

fn to_usize(number: u64) -> Result<usize> {
    usize::try_from(number).context("a number beyond this computer's")
}

fn image(elf: &[u8]) -> Result<Image> {
    Image::parse(elf.to_vec()).context("no ELF file")
}

fn segments(elf: &Image) -> Result<Vec<Segment>> {
    elf.segments().context("the program headers are not in the file")
}

/// Where the program headers end.
fn headers_end(elf: &Image) -> usize {
    elf.segment_table().unwrap_or_default() + elf.segment_count() * elf.encoding.segment_size()
}

/// Another number of program headers, and no section table.
fn write_header(elf: &mut Image, segments: usize) -> Result<()> {
    let zeros = ["e_shoff", "e_shentsize", "e_shnum", "e_shstrndx"].map(|field| (field, 0));
    for (field, value) in [("e_phnum", segments as u64)].into_iter().chain(zeros) {
        elf.set(field, value).context("no ELF header")?;
    }
    let header = elf.encoding.header_size();
    ensure!(elf.segment_table() == Some(header), "the program headers are not behind the ELF header");
    if elf.bytes.get(14..header).is_some_and(|numbers| numbers.contains(&b'\n')) {
        bail!(LineFeed("the ELF header"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(vaddr: u64, filesz: u64, memsz: u64) -> Segment {
        Segment {
            p_type: PT_LOAD,
            p_flags: 5,
            p_offset: vaddr % 0x10000,
            p_vaddr: vaddr,
            p_paddr: vaddr,
            p_filesz: filesz,
            p_memsz: memsz,
            p_align: 0x10000,
        }
    }

    #[test]
    fn a_segment_without_line_feeds_stays_as_it_is() {
        let mut segment = load(0x27940, 0x250e0, 0x250e0);
        settle(&mut segment, false).unwrap();
        assert_eq!((segment.p_offset, segment.p_vaddr, segment.p_filesz), (0x7940, 0x27940, 0x250e0));
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
            assert!(is_clean(&new), "{vaddr:#x}");
            assert_eq!(old.p_vaddr - old.p_offset, new.p_vaddr - new.p_offset);
            assert_eq!(old.p_vaddr / PAGE, new.p_vaddr / PAGE);
            let end = |segment: &Segment| (segment.p_vaddr + segment.p_memsz).div_ceil(PAGE);
            assert_eq!(end(&old), end(&new), "{vaddr:#x}");
            assert!(new.p_vaddr + new.p_filesz >= old.p_vaddr + old.p_filesz && new.p_filesz <= new.p_memsz);
        }
    }

    #[test]
    fn thread_local_data_has_its_size_and_place() {
        let mut tls = Segment { p_type: u64::from(object::elf::PT_TLS.0), ..load(0x5_0a20, 1, 16) };
        assert!(settle(&mut tls, false).unwrap_err().is::<LineFeed>());
    }
}
