//! Compression that gunzip, opkg and apk read, always the same bytes. zopfli takes a second for a build and saves a
//! twentieth.

use anyhow::{Context, Result};
use zopfli::{Format, Options};

/// gzip, for what is large.
pub(crate) fn gzip(data: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    zopfli::compress(Options::default(), Format::Gzip, data, &mut packed).context("compress")?;
    Ok(packed)
}

/// The same without a frame, behind some bytes.
pub(crate) fn deflate(head: &[u8], data: &[u8]) -> Result<Vec<u8>> {
    let mut packed = head.to_vec();
    zopfli::compress(Options::default(), Format::Deflate, data, &mut packed).context("compress")?;
    Ok(packed)
}
