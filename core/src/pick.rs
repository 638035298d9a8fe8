//! Which file of a release page is for a machine: `diag --pick`. Files are judged by their names, so the words of each
//! project count as it means them; where a name does not say what decides, the answer is [`Fit::Unsure`].
//!
//! Sources: the release configurations and installers of 36 projects, Go's documentation of GOARM and GOMIPS, Rust's and
//! Debian's names of targets, OpenWrt's of architectures.

mod fit;
mod level;
mod name;
mod page;
pub mod release;
mod words;

use alloc::string::String;
use alloc::vec::Vec;

use crate::machine::Machine;
use fit::Wanted;
use page::Page;

/// Whether a file is for the machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fit {
    /// It is.
    Fits,
    /// Its name, or what is known of the machine, does not tell.
    Unsure,
    /// Its name says nothing of processors.
    Unreadable,
    /// It is not.
    No,
}

impl Fit {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Fit::Fits => "fits",
            Fit::Unsure => "unsure",
            Fit::Unreadable => "unreadable",
            Fit::No => "no",
        }
    }
}

/// What is said of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Whether it is for the machine.
    pub fit: Fit,
    /// Why.
    pub reason: String,
}

/// Says of each name whether the file is for the machine: those that fit first, the best of them at the head; the others
/// in their order.
pub fn pick<'a>(machine: &mut Machine, names: impl Iterator<Item = &'a [u8]>) -> Vec<Choice<'a>> {
    let page = Page::of(names);
    let wanted = Wanted::new(machine, &page);
    let mut order: Vec<u64> = Vec::new();
    for name in &page.names {
        // Of equals the first one.
        let number = order.len() as u64 & NUMBER;
        order.push(wanted.order(name, &page) << NUMBER.count_ones() | number);
    }
    order.sort_unstable();
    let mut choices = Vec::new();
    for place in order {
        if let Some(name) = page.names.get((place & NUMBER) as usize) {
            choices.push(wanted.choose(name, &page));
        }
    }
    choices
}

/// The bits of a place in the list, which has less than half a billion of them.
const NUMBER: u64 = (1 << 29) - 1;

/// The exit status: 0 where one fits, 1 where none does, 2 where that is not sure.
pub fn status(choices: &[Choice]) -> u8 {
    match choices.first().map(|choice| choice.fit) {
        Some(Fit::Fits) => 0,
        Some(Fit::Unsure | Fit::Unreadable) => 2,
        Some(Fit::No) | None => 1,
    }
}
