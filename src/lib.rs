//! `diag` says why a program will not start on a machine.
//!
//! [`diag_core`] judges; here is the program around it:
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`args`], [`cli`] | the command line; one call runs a whole job against a [`target::Target`] |
//! | [`computer`] | the computer that diag runs on: [`live`], a target itself, or `other_os`, which has files and no more |
//! | [`record`] | the archive that `--record` writes |
//! | [`recorded`] | a target in a folder or an archive |
//! | [`on`] | a program of this computer on another target |
//! | [`router`] | what only a router's build has |
//!
//! Only `live` touches nix and the live system, and only it and `other_os` know the operating system; only `main.rs` prints. A candidate is never executed, mapped executable or
//! handed to another program. Its path is given to execveat(2) with AT_EXECVE_CHECK, which starts nothing, once that call has
//! come back for a file of diag's own.

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
#[cfg(feature = "catalogue")]
pub mod catalogue;
pub mod cli;
#[cfg(feature = "every-machine")]
pub mod on;
pub mod record;
pub mod recorded;

// The one place where the operating system decides what there is.
#[cfg(target_os = "linux")]
pub mod live;
#[cfg(target_os = "linux")]
pub use live as computer;
#[cfg(target_os = "linux")]
pub mod router;

#[cfg(not(target_os = "linux"))]
pub mod other_os;
#[cfg(not(target_os = "linux"))]
pub use other_os as computer;
#[cfg(not(any(target_os = "linux", feature = "every-machine")))]
compile_error!(
    "without Linux there are only other machines to judge for: the feature every-machine is for them"
);

pub use diag_core::{
    advice, budget, candidate, elf, errno, exec, finding, judge, ldso, machine, path, pick, report, rules,
    target, text,
};
