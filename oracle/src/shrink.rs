//! The smallest form of a case that still shows what is to be seen.

use crate::base::KINDS;
use crate::case::{Case, Start};
use crate::edit::{Chunk, Edit};

/// Tries at most so many forms.
const TRIES: usize = 400;

/// Takes changes away, one at a time, then brings numbers nearer to the base's or to simple ones, as long as `still`
/// holds.
pub fn shrink(case: &Case, mut still: impl FnMut(&Case) -> bool) -> Case {
    let mut best = case.clone();
    let mut left = TRIES;
    loop {
        let smaller = forms(&best).into_iter().find(|form| {
            left = left.saturating_sub(1);
            left > 0 && still(form)
        });
        match smaller {
            Some(form) => best = form,
            None => return best,
        }
    }
}

/// Simpler forms of a case, the boldest first.
pub fn forms(case: &Case) -> Vec<Case> {
    let with = |edits: Vec<Edit>| Case { edits, ..case.clone() };
    let mut forms: Vec<Case> = Vec::new();
    for index in 0..case.edits.len() {
        let mut edits = case.edits.clone();
        edits.remove(index);
        forms.push(with(edits));
    }
    // The simpler base: earlier in the table, of the same role.
    if let Start::Ours(kind) = case.start {
        let simpler = KINDS.iter().take_while(|other| other.name != kind.name);
        for other in simpler.filter(|other| other.role == kind.role && other.fits(case.abi)) {
            forms.push(Case { start: Start::Ours(other), ..case.clone() });
        }
    }
    let base = case.base();
    for (index, edit) in case.edits.iter().enumerate() {
        let mut replaced = |edit: Edit| {
            let mut edits = case.edits.clone();
            edits[index] = edit;
            forms.push(with(edits));
        };
        match edit {
            Edit::Set(part, place, value) => {
                let from = base.as_ref().map_or(0, |base| base.number(case.abi, *place));
                for number in simpler(*value, from) {
                    replaced(Edit::Set(*part, *place, number));
                }
            }
            Edit::Pad(part, len) if *len > 1 => replaced(Edit::Pad(*part, len / 2)),
            Edit::Text(chunk) => fewer(chunk).map(Edit::Text).into_iter().for_each(replaced),
            Edit::Name(chunk) => fewer(chunk).map(Edit::Name).into_iter().for_each(replaced),
            Edit::Path(chunk) => fewer(chunk).map(Edit::Path).into_iter().for_each(replaced),
            _ => {}
        }
    }
    forms
}

fn fewer(chunk: &Chunk) -> Option<Chunk> {
    (chunk.times > 1).then(|| Chunk::times(chunk.bytes.clone(), chunk.times / 2))
}

/// Numbers of fewer bits, or nearer to the base's: each is simpler by a measure that goes down, so this ends.
fn simpler(value: u64, base: u64) -> Vec<u64> {
    let measure = |value: u64| (value ^ base).count_ones() + value.count_ones();
    let mut out: Vec<u64> = Vec::new();
    let mut consider = |number: u64| {
        if measure(number) < measure(value) && !out.contains(&number) {
            out.push(number);
        }
    };
    [0, 1].into_iter().for_each(&mut consider);
    for bits in [12, 16, 32] {
        let low = (1_u64 << bits) - 1;
        consider((value & !low) | (base & low));
        consider((base & !low) | (value & low));
        consider(value & !low);
        consider(value & low);
    }
    for bit in (0..64).rev() {
        consider(value ^ (1 << bit));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_goes() {
        let case = Case::parse(
            "x86-64 pages: e_shoff=0x1234 e_type=3 phdr[0].p_align=0x800000001003 cut=4000 byte[9]=1",
        );
        let case = case.expect("a case");
        let odd = |case: &Case| {
            case.edits
                .iter()
                .any(|edit| matches!(edit, Edit::Set(_, _, value) if *value & 3 == 3 && *value > 0x1000))
        };
        assert_eq!(shrink(&case, odd).to_string(), "x86-64 tiny: phdr[0].p_align=0x10003");
        assert_eq!(shrink(&case, |_| false).to_string(), case.to_string());
    }
}
