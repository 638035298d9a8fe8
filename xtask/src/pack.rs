//! Compression that gunzip, opkg and apk read, by an ordinary deflate: the same bytes every time.

use std::io::Write;

use anyhow::{Context, Result};
use flate2::write::DeflateEncoder;
use flate2::{Compression, GzBuilder};

/// gzip without a name and a time.
pub(crate) fn gzip(data: &[u8]) -> Result<Vec<u8>> {
    // 3 is Unix, as gzip itself says.
    let mut encoder = GzBuilder::new().operating_system(3).write(Vec::new(), Compression::best());
    encoder.write_all(data).context("compress")?;
    encoder.finish().context("compress")
}

/// The same without a frame, behind some bytes.
pub(crate) fn deflate(head: &[u8], data: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(head.to_vec(), Compression::best());
    encoder.write_all(data).context("compress")?;
    encoder.finish().context("compress")
}
