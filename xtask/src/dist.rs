//! The router builds.

use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn main(_: &Args) -> Result<()> {
    Ok(())
}
