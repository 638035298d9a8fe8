//! Thread-local variables at a start: PT_TLS of the program and of all that is loaded with it is laid out in one block, which
//! the loader allocates, and into which it copies what each begins with. So nothing is too large but for memory.

use super::fault::{Fault, FaultKind};
use super::{Library, Linker};
use crate::candidate::Image;
use crate::elf::ProgramHeader;
use crate::elf::consts::PT_TLS;

/// Beyond it no program has memory: 47 bits of addresses.
const ADDRESSES: u64 = 1 << 47;
/// As far from an object nothing is that was loaded with it.
const FAR: u64 = 1 << 40;
/// Alignments that no addition stands.
const ABSURD: u64 = 1 << 62;

impl Linker<'_> {
    /// What the loader does not stand of it, in its order: glibc elf/dl-tls.c `_dl_determine_tlsoffset` and the block itself,
    /// before relocations; `_dl_allocate_tls_init` behind them. musl ldso/dynlink.c `map_library`, `__dls3`.
    pub(super) fn damaged_tls(&self) -> Option<Fault> {
        if !self.link.versions.is_empty() || self.link.fault.is_some() {
            return None;
        }
        let segments = || {
            self.link.objects.iter().filter_map(|object| {
                let image = object.image.as_ref()?;
                // Of several the last one counts. One that is empty is none.
                let segment = image.table().iter().rfind(|segment| segment.p_type == PT_TLS)?;
                (segment.p_memsz > 0).then_some((object, &**image, segment))
            })
        };
        let mut block = 0_u64;
        let mut largest = None;
        for (object, _, segment) in segments() {
            if segment.p_align == 0 {
                let kind = if self.is_glibc() { FaultKind::TlsAlignment } else { FaultKind::TlsPlace };
                return Some(Fault::new(kind, object));
            }
            if segment.p_align > ABSURD || segment.p_memsz > ABSURD {
                return Some(Fault { number: segment.p_memsz, ..Fault::new(FaultKind::TlsAbsurd, object) });
            }
            let size = segment.p_memsz.saturating_add(segment.p_align);
            block = block.saturating_add(size);
            if largest.is_none_or(|(most, _)| most < size) {
                largest = Some((size, object));
            }
        }
        let (_, object) = largest?;
        if let Some(kind) = self.too_large(block) {
            return Some(Fault { number: block, ..Fault::new(kind, object) });
        }
        if self.link.symbols.iter().any(|symbol| !symbol.lazy) {
            return None;
        }
        segments().find_map(|(object, image, segment)| self.not_copied(object, image, segment))
    }

    /// Whether no memory is given for the block: one piece, of which vm.overcommit_memory decides.
    fn too_large(&self, block: u64) -> Option<FaultKind> {
        // Whatever memory there is: this is less than a program has in all.
        if block < 1 << 24 {
            return None;
        }
        let memory = self.machine.memory();
        let all = match (memory.overcommit.value, memory.total.value, memory.swap.value) {
            (Some(0), Some(total), Some(swap)) => total.saturating_add(swap),
            _ => ADDRESSES,
        };
        let no_memory = if self.is_glibc() { FaultKind::TlsMemory } else { FaultKind::MuslTlsMemory };
        match block {
            _ if block > all => Some(no_memory),
            // musl takes it three times, and others may have what is left.
            _ if block > all / 4 => Some(FaultKind::TlsAbsurd),
            _ => None,
        }
    }

    /// What comes of copying the first bytes.
    fn not_copied(&self, object: &Library, image: &Image, segment: &ProgramHeader) -> Option<Fault> {
        let fault = |kind| Some(Fault { number: segment.p_memsz, ..Fault::new(kind, object) });
        if segment.p_filesz > segment.p_memsz {
            return fault(if self.is_glibc() { FaultKind::TlsImage } else { FaultKind::TlsAbsurd });
        }
        let (from, size) = (segment.p_vaddr, segment.p_filesz);
        if size == 0 || image.loads().any(|load| from.wrapping_sub(load.p_vaddr) < load.p_memsz) && from != 0
        {
            return None;
        }
        // glibc takes it for none, and copies from there.
        let is_null = from == 0 && self.is_glibc();
        let is_far = image.loads().all(|load| from.abs_diff(load.p_vaddr) > FAR);
        fault(if is_null || is_far { FaultKind::TlsPlace } else { FaultKind::TlsAbsurd })
    }
}
