//! `diag` says why a program will not start on a machine.
//!
//! # How data flows
//!
//! ```text
//! args -> machine::gather -> Machine  ┐
//!         candidate::open -> Candidate ┴-> exec::simulate -> ldso::load -> Outcome -> rules::run -> report
//! ```
//!
//! One direction, no way back:
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`args`], [`cli`] | the command line; one call runs a whole job against a [`system::System`] |
//! | [`judge`] | judges files: the models in their order, and the questions that they put to the kernel |
//! | [`system`] | what may be asked of a machine; [`live`] asks the one that diag runs on, [`machine::recorded`] a folder |
//! | [`machine`] | the facts of a machine, each with its source; [`machine::gather`] takes them from a system |
//! | [`router`] | what only a router's build has |
//! | [`candidate`] | the facts of a file, whatever it is, and of the libraries loaded with it |
//! | [`elf`] | ELF structures, decoded within bounds, named as in elf.h |
//! | [`exec`] | what the kernel does with the file, step by step |
//! | [`ldso`] | what the dynamic loader does then: libraries, versions, symbols |
//! | [`finding`], [`rules`] | what to say about it, one finding a file |
//! | [`advice`] | what to build for a machine |
//! | [`report`] | text and JSON |
//!
//! # Invariants
//!
//! Each is a test in `tests/tidy.rs`, `tests/invariants.rs` or `tests/asking.rs`.
//!
//! - Only `live` touches nix and the live system; only `main.rs` prints; only
//!   [`candidate`] reads a program or a library. Everything else is a function over values.
//! - A candidate is never executed, mapped executable or handed to another program.
//! - Model first, words second: [`exec::simulate`] decides, the rules explain. An outcome other than
//!   `starts` brings at least one error; with `starts` the only error is want of space.
//! - Unknown is a value: a [`machine::Fact`] without one still names where it was looked for. A decision that
//!   needs it is asked of the system ([`system::Question`]), or the outcome is `unknown` and names it.
//! - What decides nothing is not looked at: facts are gathered when the first of their group is used ([`machine::Lazy`]).
//! - Headers are decoded twice: as the machine's kernel reads them for the model (it never looks at EI_DATA), as
//!   the file itself says for the words. See [`candidate::Program::native`] and [`candidate::Program::own`].

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

pub mod args;
pub mod cli;
pub mod live;
pub mod recorded;
pub mod router;

pub use diag_core::{
    advice, candidate, elf, errno, exec, finding, judge, ldso, machine, report, rules, system, text,
};
