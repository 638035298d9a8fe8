//! What the machine's own programs are made for, and what loads them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::arch;
use crate::elf::consts::PT_INTERP;
use crate::elf::{ByteOrder, Class, Encoding, Header, ProgramHeader, offset};
use crate::machine::c_library::starts_a_loader;
use crate::machine::{Abi, Fact, Libc, holds, parts, word};
use crate::path::Path;
use crate::target::{FileKind, Root};

/// Where a program of the machine's own is looked for, and the sources of what it tells.
struct Place {
    path: &'static str,
    abi: &'static str,
    /// None: the C library that it was linked with says nothing of the machine.
    libc: Option<&'static str>,
}

/// `diag` itself is a static program and may be narrower than the machine's own, so those are looked at first.
static PLACES: [Place; 5] = [
    Place {
        path: "/bin/busybox",
        abi: "ELF header of /bin/busybox",
        libc: Some("loader that /bin/busybox names"),
    },
    Place { path: "/bin/sh", abi: "ELF header of /bin/sh", libc: Some("loader that /bin/sh names") },
    Place { path: "/bin/bash", abi: "ELF header of /bin/bash", libc: Some("loader that /bin/bash names") },
    Place {
        path: "/system/bin/sh",
        abi: "ELF header of /system/bin/sh",
        libc: Some("loader that /system/bin/sh names"),
    },
    Place { path: "/proc/self/exe", abi: OF_ITSELF, libc: None },
];

/// The source of what `diag` itself is made for.
pub(crate) const OF_ITSELF: &str = "ELF header of /proc/self/exe";

/// A program of the machine's own.
#[derive(Clone)]
pub(in crate::machine) struct Program {
    pub(super) abi: Abi,
    /// Where the ABI is from.
    pub(super) source: &'static str,
    /// The C library of the loader that it names.
    libc: Fact<Libc>,
}

/// The first program that the kernel could run: one of another root, say, is passed over. `diag` itself tells less than
/// the dynamic loaders that are there.
pub(super) fn program(
    root: &dyn Root,
    kernel: Option<u16>,
    loaders: &dyn Fn() -> Vec<String>,
) -> Option<Program> {
    let runs = |abi: &Abi| kernel.is_none_or(|kernel| arch::runs(kernel, abi.e_machine));
    let of = |place: &Place| {
        let head = head(root, place.path)?;
        let abi = decode(&head).filter(runs)?;
        let libc = match place.libc.zip(named(&head, abi.encoding)) {
            Some((source, libc)) => Fact::new(Some(libc), source),
            None => NO_LIBC,
        };
        Some(Program { abi, source: place.abi, libc })
    };
    let (own, machines) = PLACES.split_last()?;
    let mut found = machines.iter().filter_map(of);
    let Some(mut program) = found.next() else {
        // A router has BusyBox.
        if crate::ROUTER {
            return of(own);
        }
        return of_loaders(root, &loaders(), &runs).or_else(|| of(own));
    };
    // A static one names no loader; another of the same kind may.
    if program.libc.value.is_none() {
        let is_same =
            |other: &Program| other.abi.encoding == program.abi.encoding && other.libc.value.is_some();
        if let Some(other) = found.find(is_same) {
            program.libc = other.libc;
        }
    }
    Some(program)
}

/// What the loaders are made for, where all of them that the kernel could run agree. Entware's are not the machine's.
fn of_loaders(root: &dyn Root, loaders: &[String], runs: &dyn Fn(&Abi) -> bool) -> Option<Program> {
    let own = loaders.iter().filter(|path| !path.starts_with("/opt/"));
    let mut abis = own.filter_map(|path| {
        let abi = decode(&head(root, path)?).filter(runs)?;
        Some((abi, Libc::of_loader(path.as_bytes())))
    });
    let (abi, libc) = abis.next()?;
    let agrees = |(other, _): (Abi, _)| other.e_machine == abi.e_machine && other.encoding == abi.encoding;
    abis.all(agrees).then(|| Program {
        abi,
        source: "ELF headers of the dynamic loaders",
        libc: Fact::new(libc, NO_LIBC.source),
    })
}

const NO_LIBC: Fact<Libc> = Fact::new(None, "names of the dynamic loaders");

/// What the machine's own programs are.
pub(in crate::machine) fn abi(program: Option<&Program>) -> Fact<Abi> {
    match program {
        Some(program) => Fact::new(Some(program.abi), program.source),
        None => Fact::new(None, "no ELF header in /bin/busybox, /bin/sh, /proc/self/exe"),
    }
}

/// The C library of the machine's own programs; for want of such a program that of the loaders which are there. Those
/// of Entware are not the machine's.
pub(in crate::machine) fn libc<'a>(
    program: Option<&Program>,
    loaders: &dyn Fn() -> &'a Fact<Vec<String>>,
) -> Fact<Libc> {
    let named = program.map_or(NO_LIBC, |program| program.libc.clone());
    if named.value.is_some() {
        return named;
    }
    let paths = loaders().get().map(Vec::as_slice).unwrap_or_default();
    let mut own = paths.iter().filter(|path| !path.starts_with("/opt/"));
    Fact::new(own.find_map(|path| Libc::of_loader(path.as_bytes())), NO_LIBC.source)
}

/// The beginning of a file: the ELF header, and PT_INTERP in practice.
fn head(root: &dyn Root, path: &str) -> Option<Vec<u8>> {
    root.open(Path::new(path))?.ok()?.read_at(0, 1024).ok()
}

fn decode(head: &[u8]) -> Option<Abi> {
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    // As the kernel does: the order in which e_type is ET_EXEC or ET_DYN, not EI_DATA.
    let order = match head.get(16..18)? {
        [2 | 3, 0] => ByteOrder::Little,
        [0, 2 | 3] => ByteOrder::Big,
        _ => return None,
    };
    let (class, at) = match head.get(4)? {
        1 => (Class::Elf32, 36_usize),
        2 => (Class::Elf64, 48),
        _ => return None,
    };
    if head.len() < at.saturating_add(4) {
        return None;
    }
    let uint = |at, len| order.uint(head, at, len);
    let (e_machine, e_flags) = (uint(18, 2).try_into().ok()?, uint(at, 4).try_into().ok()?);
    Some(Abi { e_machine, encoding: Encoding { order, class }, e_flags })
}

/// Where loaders lie. Entware keeps its own in /opt/lib.
const FOLDERS: [&str; 6] = ["/lib", "/lib64", "/lib32", "/libx32", "/opt/lib", "/system/bin"];

/// The dynamic loaders that are there, by path. None where no folder could be listed.
pub(in crate::machine) fn loaders(root: &dyn Root) -> Fact<Vec<String>> {
    let mut found = Vec::new();
    let mut listed = false;
    for folder in &FOLDERS {
        listed |= list(root, folder, true, &mut found);
    }
    Fact::new(listed.then_some(found), "the names in /lib, /lib64, /opt/lib, /system/bin")
}

/// Adds the loaders of a folder, and of Debian's multiarch folders in it: /lib/mips-linux-gnu/ld.so.1.
fn list(root: &dyn Root, folder: &str, deeper: bool, found: &mut Vec<String>) -> bool {
    let is_wanted = |name: &[u8]| starts_a_loader(name) || !crate::ROUTER && is_multiarch(name);
    let Some(Ok(names)) = root.list(Path::new(folder), is_wanted) else { return false };
    for name in &names {
        let path = format!("{folder}/{}", word(name));
        if Libc::of_loader(path.as_bytes()).is_some() {
            // A symbolic link may lead nowhere.
            let stat = root.stat(Path::new(&path));
            if stat.is_some_and(|stat| stat.is_ok_and(|stat| stat.kind == FileKind::Regular)) {
                found.push(path);
            }
        } else if !crate::ROUTER && deeper && is_multiarch(name) {
            list(root, &path, false, found);
        }
    }
    true
}

fn is_multiarch(name: &[u8]) -> bool {
    !name.contains(&b'.') && holds(name, b"-linux-")
}

/// The loader that a program names, where that stands among its first bytes.
fn named(head: &[u8], encoding: Encoding) -> Option<Libc> {
    let header = Header::decode(head, encoding);
    let table = head.get(offset(header.e_phoff)..)?.chunks_exact(encoding.program_header_size());
    let mut entries = table.take(header.e_phnum.into()).map(|entry| ProgramHeader::decode(entry, encoding));
    let interp = entries.find(|entry| entry.p_type == PT_INTERP)?;
    Libc::of_loader(parts(head.get(offset(interp.p_offset)..)?, 0).next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let file = std::fs::read(std::env::current_exe().expect("path")).expect("itself");
        let abi = decode(&file).expect("an ELF file");
        let bits = if cfg!(target_pointer_width = "64") { 64 } else { 32 };
        assert_eq!(abi.encoding.class.bits(), bits);
        for end in 0..200 {
            let head = file.get(..end).expect("long enough");
            assert_eq!(decode(head).is_some(), end >= 52, "{end}");
            named(head, Encoding { class: Class::Elf32, order: ByteOrder::Big });
        }
    }
}
