//! What a loader does with the tables of an object as soon as it has mapped it.

use super::fault::{Fault, FaultKind};
use super::{Library, LibraryState, Linker};
use crate::arch;
use crate::candidate::reader::Reader;
use crate::candidate::{Dynamic, Image};
use crate::elf::consts::{
    DT_GNU_HASH, DT_HASH, DT_JMPREL, DT_MIPS_SYMTABNO, DT_MIPS_XHASH, DT_NEEDED, DT_PLTREL, DT_PLTRELSZ,
    DT_REL, DT_RELA, DT_RELAENT, DT_RELASZ, DT_RELENT, DT_RELR, DT_RELRENT, DT_RELSZ, DT_STRTAB, DT_SYMTAB,
};

impl Linker<'_> {
    /// What ends the loader, of tables and of PT_TLS.
    pub(super) fn look_for_damage(&mut self) {
        match self.damaged_tables() {
            Some(fault) => self.link.fault = Some(fault),
            None if self.goes_on(0) && self.is_doubtful() => self.rehearse(),
            None => {}
        }
        if self.link.fault.is_none() {
            self.link.fault = self.damaged_tls();
        }
    }

    /// The first object whose tables the loader does not stand, but for itself.
    pub(super) fn damaged_tables(&self) -> Option<Fault> {
        let objects = self.link.objects.iter().enumerate();
        objects.filter(|(index, _)| *index != 1).find_map(|(index, object)| {
            let image = object.image.as_ref()?;
            let dynamic = image.dynamic.as_ref()?;
            if index == 0 && dynamic.is_blank() {
                return None;
            }
            let damaged = if self.is_glibc() {
                self.damaged_to_glibc(object, image, dynamic)
            } else {
                // musl's looks at none before it has all.
                damaged_to_musl(dynamic, index == 0).filter(|_| !self.can_rehearse())
            };
            if let Some((kind, number)) = damaged {
                return Some(Fault { number, at: Some(index), ..Fault::new(kind, object) });
            }
            let next = self.link.objects.iter().position(|other| other.parent >= Some(index));
            let lost = match self.odd_names(index) {
                Some((_, lost)) => lost,
                None if dynamic.lost_name => {
                    let kind = FaultKind::Unmapped;
                    Some(Fault { name: b"DT_NEEDED".to_vec(), ..Fault::new(kind, object) })
                }
                None => None,
            };
            let lost = lost.map(|fault| Fault { at: next.filter(|next| *next > 1), ..fault });
            lost.or_else(|| self.lost_string(index))
        })
    }

    /// elf/get-dynamic-info.h `elf_get_dynamic_info`, elf/dl-setup_hash.c `_dl_setup_hash`, in their order.
    fn damaged_to_glibc(
        &self,
        object: &Library,
        image: &Image,
        dynamic: &Dynamic,
    ) -> Option<(FaultKind, u64)> {
        let abi = arch::ldso(image.header.e_machine)?;
        let has_rel = abi.has_rel;
        let word = image.encoding.word() as u64;
        // Of several entries the last one counts.
        let [mut plt, mut rela, mut rel, mut packed, mut gnu] = [None; 5];
        let [mut of_rela, mut of_rel, mut of_packed] = [None; 3];
        let [mut symbols, mut strings] = [false; 2];
        for (tag, value) in &dynamic.entries {
            match *tag {
                DT_PLTREL => plt = Some(*value),
                DT_RELA => rela = Some(*value),
                DT_REL => rel = Some(*value),
                DT_RELR => packed = Some(*value),
                DT_RELAENT => of_rela = Some(*value),
                DT_RELENT => of_rel = Some(*value),
                DT_RELRENT => of_packed = Some(*value),
                DT_GNU_HASH => gnu = Some(*value),
                DT_SYMTAB => symbols = true,
                DT_STRTAB => strings = true,
                _ => {}
            }
        }
        if dynamic.is_blank() {
            return Some((FaultKind::EmptyDynamic, 0));
        }
        if let Some(number) = plt.filter(|tag| *tag != DT_RELA.into() && !(has_rel && *tag == DT_REL.into()))
        {
            return Some((if has_rel { FaultKind::PltRel } else { FaultKind::PltRela }, number));
        }
        let knows_relr = self.glibc.as_ref().is_some_and(|facts| facts.knows_relr());
        let checks = [
            (rela, of_rela, word.wrapping_mul(3), FaultKind::RelaEntry),
            (rel.filter(|_| has_rel), of_rel, word.wrapping_mul(2), FaultKind::RelEntry),
            (packed.filter(|_| knows_relr), of_packed, word, FaultKind::RelrEntry),
        ];
        for (table, entry, size, kind) in checks {
            match entry {
                None if table.is_some() => return Some((FaultKind::NoEntrySize, 0)),
                Some(number) if table.is_some() && number != size => return Some((kind, number)),
                _ => {}
            }
        }
        let has = |tag| dynamic.get(tag).is_some();
        let lacks_size = (rela.is_some() && !has(DT_RELASZ))
            || (has_rel && rel.is_some() && !has(DT_RELSZ))
            || (plt.is_some() && !(has(DT_JMPREL) && has(DT_PLTRELSZ)));
        if lacks_size && !self.can_rehearse() {
            return Some((FaultKind::NoEntrySize, 0));
        }
        // `_dl_setup_hash` reads the one for the other (observed on 2.36).
        if abi.has_global_got && has(DT_MIPS_XHASH) && !has(DT_MIPS_SYMTABNO) {
            return Some((FaultKind::NoEntrySize, 0));
        }
        let lacks_symbols = !(symbols && strings);
        if gnu.is_none() && !lacks_symbols {
            return None;
        }
        let file = self.open(object)?;
        let head = |tag, at| Reader::dynamic(&file.contents, image, tag, 16).number_at(at, 4);
        let words = head(DT_GNU_HASH, 8).unwrap_or_default();
        if words & words.wrapping_sub(1) != 0 {
            return Some((FaultKind::Filter, words as u64));
        }
        // elf/dl-deps.c `_dl_map_object_deps`
        if !strings && dynamic.get(DT_NEEDED).is_some() {
            return Some((FaultKind::NoSymbolTable, 0));
        }
        let has_buckets =
            || head(if gnu.is_some() { DT_GNU_HASH } else { DT_HASH }, 0).is_some_and(|buckets| buckets > 0);
        // They are looked into once all objects are there.
        let is_loaded = || self.link.objects.iter().all(|object| object.state == LibraryState::Found);
        // A rehearsal tells what comes before that.
        let is_missed = lacks_symbols && !self.can_rehearse() && is_loaded() && has_buckets();
        is_missed.then_some((FaultKind::NoSymbolTable, 0))
    }
}

/// musl ldso/dynlink.c `decode_dyn`, `find_sym`.
fn damaged_to_musl(dynamic: &Dynamic, is_program: bool) -> Option<(FaultKind, u64)> {
    let has = |tag| dynamic.get(tag).is_some();
    let is_relocated = [DT_REL, DT_RELA, DT_JMPREL].into_iter().any(has);
    let is_looked_up = dynamic.is_blank() || is_relocated || has(DT_SYMTAB);
    if is_looked_up && !has(DT_HASH) && !has(DT_GNU_HASH) {
        return Some((FaultKind::NoHash, 0));
    }
    let has_symbols = !is_program || (has(DT_SYMTAB) && has(DT_STRTAB));
    let sizes =
        [(DT_REL, DT_RELSZ), (DT_RELA, DT_RELASZ), (DT_JMPREL, DT_PLTRELSZ), (DT_PLTRELSZ, DT_JMPREL)];
    let has_sizes = sizes.into_iter().all(|(table, size)| !has(table) || has(size));
    (is_relocated && !(has_symbols && has_sizes)).then_some((FaultKind::TablesNowhere, 0))
}
