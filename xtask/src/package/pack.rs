//! Compression that every opkg and apk reads, always the same bytes. zopfli takes a second for a build and saves a
//! twentieth.

use anyhow::{Context, Result};
use zopfli::{Format, Options};

/// gzip, for what is large.
pub(super) fn gzip(data: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    zopfli::compress(Options::default(), Format::Gzip, data, &mut packed).context("compress a package")?;
    Ok(packed)
}

/// The same without a frame, behind some bytes.
pub(super) fn deflate(head: &[u8], data: &[u8]) -> Result<Vec<u8>> {
    let mut packed = head.to_vec();
    zopfli::compress(Options::default(), Format::Deflate, data, &mut packed).context("compress a package")?;
    Ok(packed)
}
