//! `cargo xtask oracle`: kernels judge changed programs, and diag must say what they do.

mod host;

use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many programs
    #[arg(long, default_value_t = 100_000)]
    count: usize,
    /// Another seed gives other programs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this one, in full: 'x86-64 tiny: e_type=3'
    #[arg(long, conflicts_with_all = ["count", "seed"])]
    case: Option<String>,
    /// Write the counts into this file, as JSON
    #[arg(long)]
    tally: Option<std::path::PathBuf>,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    host::run(args)
}
