//! `cargo xtask catalogue`: makes the tables of catalogue/ anew.

mod debian;
mod musl;
mod openwrt;

use std::path::PathBuf;

use anyhow::{Result, ensure};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A checkout of OpenWrt: its devices and package architectures become those of a release
    #[arg(requires = "release")]
    checkout: Option<PathBuf>,
    /// The release that the checkout is of ("24.10", "master")
    #[arg(long, value_name = "NAME")]
    release: Option<String>,
    /// Debian's rows of systems.tsv, from its Packages files
    #[arg(long)]
    debian: bool,
    /// musl.tsv, from Debian's packages of musl
    #[arg(long)]
    musl: bool,
}

pub(crate) fn main(args: &Args) -> Result<()> {
    ensure!(
        args.debian || args.musl || args.checkout.is_some(),
        "name a checkout of OpenWrt, --debian or --musl"
    );
    if let (Some(checkout), Some(release)) = (&args.checkout, &args.release) {
        openwrt::update(checkout, release, &crate::sh::root().join("catalogue"))?;
    }
    if args.debian {
        debian::write()?;
    }
    if args.musl {
        musl::write()?;
    }
    Ok(())
}
