//! `cargo xtask catalogue`: makes the tables of catalogue/ anew.

mod debian;

use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Debian's rows of systems.tsv, from its Packages files
    #[arg(long)]
    debian: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    if args.debian {
        debian::write()?;
    }
    Ok(())
}
