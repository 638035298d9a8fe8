//! ADB, the database format of apk-tools 3, in which its packages and indices are written: values with offsets in one
//! block, file contents in blocks after it. The names are those of apk-tools' `adb.h`.

use std::collections::HashMap;

use anyhow::Result;

use crate::pack;

/// A value: the type in the high four bits, below it a small number or an offset.
pub(crate) type Val = u32;

pub(crate) const NULL: Val = 0;
pub(crate) const TYPE_INT: Val = 0x1000_0000;
pub(crate) const TYPE_INT_32: Val = 0x2000_0000;
pub(crate) const TYPE_INT_64: Val = 0x3000_0000;
pub(crate) const TYPE_BLOB_8: Val = 0x8000_0000;
pub(crate) const TYPE_BLOB_16: Val = 0x9000_0000;
pub(crate) const TYPE_BLOB_32: Val = 0xa000_0000;
pub(crate) const TYPE_ARRAY: Val = 0xd000_0000;
pub(crate) const TYPE_OBJECT: Val = 0xe000_0000;

/// What a block holds: `ADB_BLOCK_*`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Block {
    /// The values.
    Adb = 0,
    /// The content of one file.
    Data = 2,
}

/// What the values describe: `ADB_SCHEMA_*`.
pub(crate) const SCHEMA_INDEX: [u8; 4] = *b"indx";
pub(crate) const SCHEMA_PACKAGE: [u8; 4] = *b"pckg";

/// The values of one file while they are written. Equal ones are stored once.
pub(crate) struct Adb {
    bytes: Vec<u8>,
    seen: HashMap<(Vec<u8>, usize), u32>,
}

impl Adb {
    /// Begins with `adb_hdr`: two version numbers, padding, the root.
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; 8], seen: HashMap::new() }
    }

    /// Stores bytes at a multiple of `align`, and gives their offset.
    fn store(&mut self, data: Vec<u8>, align: usize) -> Result<u32> {
        let key = (data, align);
        if let Some(&at) = self.seen.get(&key) {
            return Ok(at);
        }
        self.bytes.resize(self.bytes.len().next_multiple_of(align), 0);
        let at = u32::try_from(self.bytes.len())?;
        if at >= TYPE_INT {
            anyhow::bail!("the values take more than 256 MiB");
        }
        self.bytes.extend(&key.0);
        self.seen.insert(key, at);
        Ok(at)
    }

    /// Bytes or text; nothing at all where there are none.
    pub(crate) fn blob(&mut self, data: &[u8]) -> Result<Val> {
        if data.is_empty() {
            return Ok(NULL);
        }
        let (kind, mut stored, align) = if let Ok(length) = u8::try_from(data.len()) {
            (TYPE_BLOB_8, length.to_le_bytes().to_vec(), 1)
        } else if let Ok(length) = u16::try_from(data.len()) {
            (TYPE_BLOB_16, length.to_le_bytes().to_vec(), 2)
        } else {
            (TYPE_BLOB_32, u32::try_from(data.len())?.to_le_bytes().to_vec(), 4)
        };
        stored.extend(data);
        Ok(kind | self.store(stored, align)?)
    }

    pub(crate) fn int(&mut self, number: u64) -> Result<Val> {
        match u32::try_from(number) {
            Ok(small) if small < TYPE_INT => Ok(TYPE_INT | small),
            Ok(middle) => Ok(TYPE_INT_32 | self.store(middle.to_le_bytes().to_vec(), 4)?),
            Err(_) => Ok(TYPE_INT_64 | self.store(number.to_le_bytes().to_vec(), 4)?),
        }
    }

    pub(crate) fn array(&mut self, items: &[Val]) -> Result<Val> {
        self.slots(TYPE_ARRAY, items)
    }

    /// Fields by number, the first being 1.
    pub(crate) fn object(&mut self, fields: &[Val]) -> Result<Val> {
        self.slots(TYPE_OBJECT, fields)
    }

    /// The number of slots, itself included, then the slots without the empty ones at the end.
    fn slots(&mut self, kind: Val, slots: &[Val]) -> Result<Val> {
        let Some(last) = slots.iter().rposition(|&slot| slot != NULL) else { return Ok(NULL) };
        let count = u32::try_from(last)? + 2;
        let words = std::iter::once(&count).chain(&slots[..=last]);
        let stored = words.flat_map(|word| word.to_le_bytes()).collect();
        Ok(kind | self.store(stored, 4)?)
    }

    /// Names the root, and gives the block's content.
    pub(crate) fn finish(mut self, root: Val) -> Vec<u8> {
        self.bytes[4..8].copy_from_slice(&root.to_le_bytes());
        self.bytes
    }
}

/// A file before it is compressed.
pub(crate) struct Stream {
    bytes: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(schema: [u8; 4]) -> Self {
        Self { bytes: [*b"ADB.", schema].concat() }
    }

    /// Appends a block: type and size, the content, zeros up to a multiple of eight.
    pub(crate) fn block(&mut self, kind: Block, content: &[u8]) -> Result<()> {
        let size = u32::try_from(content.len() + 4)?;
        if size >= 1 << 30 {
            anyhow::bail!("a block takes 1 GiB or more");
        }
        self.bytes.extend((((kind as u32) << 30) | size).to_le_bytes());
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file as it is kept: every apk reads deflate, OpenWrt's no zstd.
    pub(crate) fn compressed(&self) -> Result<Vec<u8>> {
        pack::deflate(b"ADBd", &self.bytes)
    }
}
