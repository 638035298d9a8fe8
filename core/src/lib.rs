//! What a kernel and its dynamic loader make of a program: judged from values, without an operating system.
//!
//! # How data flows
//!
//! ```text
//! Target (Root, Kernel) -> Machine   ┐
//!                    Root -> Candidate ┴-> exec::simulate -> ldso::load -> Outcome -> rules::run -> report
//! ```
//!
//! One direction, no way back:
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`target`] | what may be asked of a target: its files ([`target::Root`]), its kernel ([`target::Kernel`]) |
//! | [`path`] | the target's paths |
//! | [`machine`] | the facts of a machine, each with its source, gathered from a target when they are first looked at |
//! | [`candidate`] | the facts of a file, whatever it is, and of the libraries loaded with it |
//! | [`elf`] | ELF structures, decoded within bounds, named as in elf.h |
//! | [`budget`] | what a judgement may cost, whatever a file claims |
//! | [`exec`] | what the kernel does with the file, step by step |
//! | [`ldso`] | what the dynamic loader does then: libraries, versions, symbols |
//! | [`judge`] | judges files: the models in their order, and the questions that they put to the kernel |
//! | [`finding`], [`rules`] | what to say about it, one finding a file |
//! | `arch` | one room for each architecture, behind one row: what every other module asks of it |
//! | [`advice`] | what to build for a machine |
//! | [`pick`] | which file of a release page is for a machine |
//! | [`report`] | text and JSON |
//!
//! # Invariants
//!
//! Each is the compiler's, or a test in `tests/tidy.rs`, `tests/invariants.rs`, `tests/asking.rs` or `tests/memory.rs`.
//!
//! - No operating system: whatever is known of the target comes through [`target::Root`] and [`target::Kernel`].
//! - Only [`candidate`] reads a program or a library. Everything else is a function over values.
//! - Model first, words second: [`exec::simulate`] decides, the rules explain. An outcome other than
//!   `starts` brings at least one error; with `starts` the only error is want of space.
//! - Unknown is a value: a [`machine::Fact`] without one still names where it was looked for, and a file of which
//!   nothing is known ([`target::Known`]) is not one that is missing. A decision that needs what is unknown is asked of
//!   the kernel ([`target::Capability`]), or the outcome is `unknown` and names it.
//! - What decides nothing is not looked at: a [`machine::Machine`] gathers each group of facts when the first of it is
//!   used.
//! - Headers are decoded twice: as the machine's kernel reads them for the model (it never looks at EI_DATA), as
//!   the file itself says for the words. See [`candidate::Program::native`] and [`candidate::Program::own`].

#![no_std]
#![forbid(unsafe_code)]
// A panic of the router build is a bare signal without a word.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::exit,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod advice;
mod arch;
pub mod budget;
pub mod candidate;
pub mod elf;
pub mod errno;
pub mod exec;
pub mod finding;
pub mod judge;
pub mod ldso;
pub mod machine;
pub mod path;
pub mod pick;
pub mod report;
pub mod rules;
pub mod target;
pub mod text;

/// Whether this is a router's build. It leaves out what a router hardly meets, where that saves its package bytes: the
/// machines of other architectures, other distributions than OpenWrt, Entware and what is like them, and words for what
/// nobody copies to a router. It never says more than it knows: what it does not follow is `unknown`.
pub(crate) const ROUTER: bool = !cfg!(feature = "every-machine");
