//! Strings that PT_DYNAMIC leads to, where one of them lies outside of DT_STRTAB: a loader reads on in memory.

use alloc::rc::Rc;
use alloc::vec::Vec;

use super::super::fault::Fault;
use super::super::{Library, Linker};
use super::memory::{Access, MappedBy, Memory};
use crate::candidate::{File, Image};
use crate::elf::ProgramHeader;
use crate::elf::consts::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRSZ, DT_STRTAB, PF_W, PT_DYNAMIC};

fn lost(library: &Library, access: Access, what: &str) -> Fault {
    Fault { name: what.as_bytes().to_vec(), ..Fault::new(access.fault(), library) }
}

impl Linker<'_> {
    fn memory<'a>(&self, index: usize, image: &Image, file: &'a File) -> Memory<'a> {
        let page = self.machine.kernel().page().get();
        Memory::new(file, image, page, index == 0, MappedBy::of(index, self.is_glibc()), &Rc::default())
    }

    /// What the DT_NEEDED of an object name where one of them lies outside of its strings: what its loader reads there, up to
    /// one that cannot be read, and what comes of that. None where all lie in them.
    pub(in super::super) fn odd_names(&self, index: usize) -> Option<(Vec<Vec<u8>>, Option<Fault>)> {
        if crate::ROUTER {
            return None;
        }
        let library = self.object(index)?;
        let image = library.image.as_deref()?;
        let dynamic = image.dynamic.as_ref()?;
        // glibc changes PT_DYNAMIC, whose pointers it moves.
        let mut tables = image.table().iter().filter(|segment| segment.p_type == PT_DYNAMIC);
        let (start, size) = (dynamic.flags(DT_STRTAB), dynamic.flags(DT_STRSZ));
        let lies = |table: &ProgramHeader| {
            start.wrapping_sub(table.p_vaddr) < table.p_memsz || table.p_vaddr.wrapping_sub(start) < size
        };
        let is_changed = self.is_glibc() && tables.any(lies);
        // musl gives away what is left of pages that can be written.
        let is_left = |load: &ProgramHeader| {
            let end = load.p_vaddr.wrapping_add(load.p_memsz);
            load.p_flags & PF_W != 0 && start >= load.p_vaddr && start.wrapping_add(size) > end
        };
        let is_given = !self.is_glibc() && image.loads().any(is_left);
        if !(dynamic.lost_name || dynamic.has_far_name || is_changed || is_given) || !self.can_rehearse() {
            return None;
        }
        let file = self.open(library)?;
        let memory = self.memory(index, image, &file);
        let strings = dynamic.flags(DT_STRTAB);
        let mut names = Vec::new();
        for (_, value) in dynamic.entries.iter().filter(|(tag, _)| *tag == DT_NEEDED) {
            match memory.string(strings.wrapping_add(*value)) {
                Ok(name) => {
                    if memory.keeps(name.len().saturating_add(size_of::<Vec<u8>>())).is_err() {
                        return Some((names, None));
                    }
                    names.push(name);
                }
                Err(access) => return Some((names, Some(lost(library, access, "DT_NEEDED")))),
            }
        }
        Some((names, None))
    }

    /// What comes of a DT_RUNPATH, a DT_RPATH or a DT_SONAME that lies nowhere: of the first two when an object's own library
    /// is searched, of the last when a library is asked for that is not loaded yet, since all that are have their names
    /// compared (glibc elf/dl-load.c `_dl_map_object`).
    pub(in super::super) fn lost_string(&self, index: usize) -> Option<Fault> {
        if crate::ROUTER || index == 1 {
            return None;
        }
        let library = self.object(index)?;
        let image = library.image.as_deref()?;
        let dynamic = image.dynamic.as_ref()?;
        let has = |tag| dynamic.get(tag).is_some();
        let is_lost = |tag, found: &Option<Vec<u8>>| has(tag) && found.is_none();
        let name = if is_lost(DT_RUNPATH, &dynamic.runpath) {
            (DT_RUNPATH, "DT_RUNPATH")
        } else if !has(DT_RUNPATH) && is_lost(DT_RPATH, &dynamic.rpath) {
            (DT_RPATH, "DT_RPATH")
        } else if self.is_glibc() && is_lost(DT_SONAME, &dynamic.soname) {
            (DT_SONAME, "DT_SONAME")
        } else {
            return None;
        };
        let mut objects = self.link.objects.iter().enumerate().skip(2);
        let (at, _) = objects.find(|(other, object)| match name.0 {
            DT_SONAME => *other > index,
            _ => object.parent == Some(index),
        })?;
        if !self.can_rehearse() {
            return None;
        }
        let file = self.open(library)?;
        let strings = dynamic.flags(DT_STRTAB);
        let read = self.memory(index, image, &file).string(strings.wrapping_add(dynamic.flags(name.0)));
        let fault = lost(library, read.err()?, name.1);
        Some(Fault { at: Some(at), ..fault })
    }
}
