//! What a sample is changed in, where that is more than one field.

use testkit::elf_h::{PT_INTERP, PT_LOAD, PT_MIPS_ABIFLAGS};
use testkit::{Image, Place};

/// Offset and size in .MIPS.abiflags.
pub(super) const FP_ABI: Place = (7, 1);
pub(super) const ASES: Place = (12, 4);

pub(super) fn abiflags(elf: &mut Image, (at, size): Place, value: u64) -> Option<()> {
    let from = usize::try_from(elf.get_in(elf.segment(PT_MIPS_ABIFLAGS)?, "p_offset")?).ok()?;
    elf.put((from + at, size), value)
}

pub(super) fn flags(elf: &mut Image, more: u64) -> Option<()> {
    elf.set("e_flags", elf.get("e_flags")? | more)
}

/// The first PT_LOAD that holds e_entry.
pub(super) fn text(elf: &Image) -> Option<usize> {
    elf.load_of(elf.get("e_entry")?)
}

/// The last PT_LOAD: data and .bss.
pub(super) fn data(elf: &Image) -> Option<usize> {
    elf.last_segment(PT_LOAD)
}

/// The last segment reaches so far beyond the end of the file.
pub(super) fn beyond(elf: &mut Image, more: u64) -> Option<()> {
    let data = data(elf)?;
    let end = u64::try_from(elf.bytes.len()).ok()?;
    let size = end - elf.get_in(data, "p_offset")? + more;
    elf.set_in(data, "p_filesz", size)?;
    elf.set_in(data, "p_memsz", size + 0x4000)
}

/// Another interpreter, in the place of the one that it has, which must be longer.
pub(super) fn interpreter(elf: &mut Image, path: &str) -> Option<()> {
    let segment = elf.segment(PT_INTERP)?;
    let name = format!("{path}\0");
    let size = u64::try_from(name.len()).ok()?;
    let from = usize::try_from(elf.get_in(segment, "p_offset")?).ok()?;
    (size <= elf.get_in(segment, "p_filesz")?).then_some(())?;
    elf.write(from, name.as_bytes())?;
    elf.set_in(segment, "p_filesz", size)
}

/// Zeros where the code begins, so many.
pub(super) fn blank_entry(elf: &mut Image, len: usize) -> Option<()> {
    let segment = text(elf)?;
    let within = elf.get("e_entry")? - elf.get_in(segment, "p_vaddr")?;
    let from = usize::try_from(elf.get_in(segment, "p_offset")? + within).ok()?;
    elf.write(from, &vec![0; len])
}

/// Zeros behind the first page, which holds the headers: no more of it was written.
pub(super) fn first_page(elf: &mut Image) -> Option<()> {
    elf.bytes.get_mut(4096..)?.fill(0);
    Some(())
}

/// As FTP's text mode leaves what has an LF: CR before each.
pub(super) fn text_mode(elf: &mut Image) -> Option<()> {
    let line_end = |byte: &u8| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] };
    let changed: Vec<u8> = elf.bytes.iter().flat_map(line_end).collect();
    (changed.len() > elf.bytes.len()).then(|| elf.bytes = changed)
}

/// The interpreter's name without the NUL at its end.
pub(super) fn shorter(elf: &mut Image) -> Option<()> {
    elf.add_in(elf.segment(PT_INTERP)?, "p_filesz", u64::MAX)
}
