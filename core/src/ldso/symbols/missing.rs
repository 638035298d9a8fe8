//! What nothing defines, as it is told: the symbols that a relocation asks for.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::super::{Linker, Undefined};
use super::wanted::Wanted;
use super::{MISSING_AT_MOST, each_undefined, relocations};
use crate::candidate::reader::Reader;

/// Adds what is still not defined of a part, where a relocation asks for it, in the order in which the loader
/// relocates: glibc the program last and its libraries from the last one, musl from the first.
pub(super) fn tell(
    linker: &Linker<'_>,
    part: RangeInclusive<(usize, usize)>,
    wanted: &mut Wanted,
    missing: &mut Vec<Undefined>,
) {
    let count = linker.link.objects.len();
    let (from, to) = part.into_inner();
    for step in 1..=count {
        let at = if linker.is_glibc() {
            count.saturating_sub(step)
        } else {
            step.checked_rem(count).unwrap_or_default()
        };
        if at < from.0 || at > to.0 {
            continue;
        }
        let Some(object) = linker.object(at) else { return };
        let mut first = if at == from.0 { from.1 } else { 1 };
        let last = if at == to.0 { to.1 } else { usize::MAX };
        // In parts (200 bytes on a router, which has none): behind many that nobody asks for at the start there may be one that is.
        loop {
            let mut symbols = Vec::new();
            let _ends_early = each_undefined(linker, at, first, false, &mut |asked| {
                if wanted.lacks(&asked.key) && asked.index < last {
                    symbols.push(asked);
                }
                asked.index < last && symbols.len() < MISSING_AT_MOST
            });
            let next = symbols
                .last()
                .map(|asked| asked.index)
                .filter(|_| !crate::ROUTER && symbols.len() >= MISSING_AT_MOST);
            let Some(image) = object.image.as_ref().filter(|_| !symbols.is_empty()) else { break };
            let Some(file) = linker.open(object) else { break };
            let mut strings = Reader::strings(&file.contents, image);
            relocations::uses(linker, image, &file.contents, &mut symbols, &mut |asked, lazy| {
                if crate::ROUTER || missing.len() < MISSING_AT_MOST || !(lazy || are_enough(missing)) {
                    let mut text = |at| strings.string_at(at).unwrap_or_default().to_vec();
                    let name = text(asked.name);
                    if linker.finds_lfs64(&name) {
                        return;
                    }
                    let of = asked.version.map_or_else(Vec::new, &mut text);
                    missing.push(Undefined::new(name, of, object, lazy));
                }
            });
            let Some(next) = next.filter(|_| !are_enough(missing) && linker.goes_on(1)) else { break };
            first = next.wrapping_add(1);
        }
    }
}

/// Whether more need not be looked for: there are as many as are told, and one of them is asked for at the start.
pub(super) fn are_enough(missing: &[Undefined]) -> bool {
    missing.len() >= MISSING_AT_MOST && (crate::ROUTER || missing.iter().any(|symbol| !symbol.lazy))
}
