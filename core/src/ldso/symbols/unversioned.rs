//! Symbols that are asked for by version of a library that has none.

use alloc::vec::Vec;

use super::super::Linker;
use super::super::fault::{Fault, FaultKind};
use super::wanted::Wanted;
use super::{MISSING_AT_MOST, define, each_undefined, relocations};
use crate::candidate::reader::Reader;

/// A symbol that is asked for by version and found in the library that should have that version, and has none
/// (elf/dl-lookup.c `check_match`); `asks` says who asks for a version of whom ([`versions::Compared`]).
pub(in super::super) fn found_without_version(
    linker: &Linker<'_>,
    asks: &[(usize, usize, usize)],
) -> Option<Fault> {
    let mut later = None;
    for ask in asks {
        // In parts: behind many that are bound later there may be one that is bound at the start.
        let mut next = Some(1);
        while let Some(from) = next.filter(|_| linker.goes_on(1)) {
            let (found, behind) = in_part(linker, ask, from)?;
            match found {
                Some(found) if !found.lazy => return Some(found),
                Some(found) => later = later.or(Some(found)),
                None => {}
            }
            next = behind;
        }
    }
    later
}

/// The same of some symbols from one on, and where the next part begins.
fn in_part(
    linker: &Linker<'_>,
    (by, of, name): &(usize, usize, usize),
    from: usize,
) -> Option<(Option<Fault>, Option<usize>)> {
    let mut asked = Vec::new();
    let _ends_early = each_undefined(linker, *by, from, true, &mut |one| {
        if one.file == *name && one.version.is_some() {
            asked.push(one);
        }
        asked.len() < MISSING_AT_MOST
    });
    let next = asked.last().map(|one| one.index.wrapping_add(1));
    let next = next.filter(|_| asked.len() >= MISSING_AT_MOST);
    let mut wanted = Wanted::new();
    asked.retain(|one| wanted.add(one.key));
    // What another one defines before is taken from that.
    let before = [0].into_iter().chain(2..*of);
    for library in before.filter_map(|index| linker.object(index)) {
        let _cut_short = define(linker, library, &mut wanted, &mut |_| ());
    }
    asked.retain(|one| wanted.lacks(&one.key));
    let _cut_short = define(linker, linker.object(*of)?, &mut wanted, &mut |_| ());
    asked.retain(|one| !wanted.lacks(&one.key));
    let object = linker.object(*by)?;
    let (file, image) = (linker.open(object)?, object.image.as_ref()?);
    let mut strings = Reader::strings(&file.contents, image);
    let mut found = None;
    relocations::uses(linker, image, &file.contents, &mut asked, &mut |one, lazy| {
        if found.as_ref().is_none_or(|found: &Fault| found.lazy && !lazy) {
            let name = strings.string_at(one.name).unwrap_or_default().to_vec();
            let kind = FaultKind::NoVersions;
            found = Some(Fault { name, lazy, ..Fault::new(kind, linker.object(*of).unwrap_or(object)) });
        }
    });
    Some((found, next))
}
