//! What proves diag's model of the loader against real kernels: mutants of small programs, a runner that asks the
//! kernel, the comparison, and the shrinking of a disagreement.
//!
//! ```text
//! generate::Plan -> Case -> folder::Folder (files) ┬> runner::Runner -> Answer ┐
//!                                                  └> diag           -> Model  ┴> compare -> Counts, shrink
//! ```
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`abi`] | the processors and calling conventions that programs are written for |
//! | [`layout`] | where the fields of ELF headers lie |
//! | [`base`] | the programs that are changed: our own, written byte by byte |
//! | [`edit`], [`case`] | a change; a base and its changes, one line of text |
//! | [`generate`], [`class`], [`values`], [`random`] | cases from a seed |
//! | [`folder`] | cases as files, and the files that they share |
//! | [`runner`], [`host`] | asks this computer's kernel, with a C source that serves guests as well; a whole run here |
//! | [`batch`] | a folder of cases for a guest, and the counts of what it said |
//! | [`answer`], [`model`], [`compare`] | what the kernel did, what diag says, whether they agree |
//! | [`shrink`], [`counts`] | a disagreement in its smallest form; the counts |
//! | [`tally`] | what was checked, and what did not hold: of these and of all other checks |
//! | [`linking`] | programs and libraries, for the dynamic loaders |
//! | [`sandbox`] | a private mount namespace, and a process that is nobody |
//!
//! A case is the same on this computer and in a guest: every name in it is relative to the folder of cases.
#![allow(clippy::missing_panics_doc)]

pub mod abi;
pub mod answer;
pub mod base;
pub mod batch;
pub mod case;
pub mod class;
pub mod compare;
pub mod counts;
pub mod edit;
pub mod folder;
pub mod generate;
pub mod host;
pub mod layout;
pub mod linking;
pub mod model;
pub mod random;
pub mod runner;
pub mod sandbox;
pub mod shrink;
pub mod tally;
pub mod values;
