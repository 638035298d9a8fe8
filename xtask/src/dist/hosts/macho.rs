//! What a program for macOS promises: its processor, the oldest macOS, no library but libSystem, and a signature, without which
//! Apple's processors run nothing. The signature is by nobody ("ad hoc"): hashes of its pages (xnu's osfmk/kern/cs_blobs.h).

use anyhow::{Context, Result, ensure};
use object::Endianness;
use object::macho::{CPU_TYPE_ARM64, CpuType, LC_CODE_SIGNATURE, MH_EXECUTE, MachHeader64, PLATFORM_MACOS};
use object::read::macho::{LoadCommandVariant, MachHeader as _};
use sha2::{Digest as _, Sha256};

const LIBRARY: &str = "/usr/lib/libSystem.B.dylib";

/// One sentence for each that is broken.
pub(super) fn faults(data: &[u8], processor: CpuType) -> Result<Vec<String>> {
    let header = MachHeader64::<Endianness>::parse(data, 0).context("no program for macOS")?;
    let endian = header.endian()?;
    let mut faults = Vec::new();
    if header.cputype(endian) != processor || header.filetype(endian) != MH_EXECUTE {
        faults.push("it is no program for that processor".to_owned());
    }
    let (mut oldest, mut libraries, mut signature, mut has_entry) = (None, Vec::new(), None, false);
    let mut commands = header.load_commands(endian, data, 0)?;
    while let Some(command) = commands.next()? {
        match command.variant()? {
            LoadCommandVariant::BuildVersion(version, _)
                if version.platform.get(endian) == PLATFORM_MACOS =>
            {
                let minos = version.minos.get(endian);
                oldest = Some(format!("{}.{}", minos.major(), minos.minor()));
            }
            LoadCommandVariant::Dylib(library) => {
                libraries
                    .push(String::from_utf8_lossy(command.string(endian, library.dylib.name)?).into_owned());
            }
            LoadCommandVariant::EntryPoint(_) => has_entry = true,
            LoadCommandVariant::LinkeditData(place) if place.cmd.get(endian) == LC_CODE_SIGNATURE => {
                signature = Some((place.dataoff.get(endian) as usize, place.datasize.get(endian) as usize));
            }
            _ => {}
        }
    }
    if oldest.as_deref() != Some(super::MACOS) {
        faults.push(format!("its oldest macOS is {oldest:?}, not {}", super::MACOS));
    }
    if libraries != [LIBRARY] {
        faults.push(format!("it needs {}, not {LIBRARY} alone", libraries.join(", ")));
    }
    if !has_entry {
        faults.push("it has no LC_MAIN".to_owned());
    }
    match signature {
        Some((at, size)) => {
            ensure!(at + size == data.len(), "something stands behind its signature");
            let signed = signed(data, at);
            faults.extend(signed.err().map(|why| format!("its signature: {why:#}")));
        }
        None if processor == CPU_TYPE_ARM64 => faults.push("it is not signed".to_owned()),
        None => {}
    }
    Ok(faults)
}

/// Whether the signature that begins at `at` is of what stands before it.
fn signed(data: &[u8], at: usize) -> Result<()> {
    const CSMAGIC_EMBEDDED_SIGNATURE: u32 = 0xfade_0cc0;
    const CSMAGIC_CODEDIRECTORY: u32 = 0xfade_0c02;
    const CSSLOT_CODEDIRECTORY: u32 = 0;
    const CS_ADHOC: u32 = 2;
    const CS_HASHTYPE_SHA256: u8 = 2;
    let (code, signature) = data.split_at_checked(at).context("it lies outside")?;
    ensure!(number(signature, 0)? == CSMAGIC_EMBEDDED_SIGNATURE, "no embedded signature");
    // `struct CS_SuperBlob`: magic, length, count, then type and offset of each.
    let count = number(signature, 8)? as usize;
    let slots = (0..count.min(16))
        .map(|slot| Ok((number(signature, 12 + 8 * slot)?, number(signature, 16 + 8 * slot)?)));
    let slots = slots.collect::<Result<Vec<_>>>()?;
    let place = slots.iter().find(|(kind, _)| *kind == CSSLOT_CODEDIRECTORY).context("no CodeDirectory")?.1;
    let directory = signature.get(place as usize..).context("a CodeDirectory outside")?;
    ensure!(number(directory, 0)? == CSMAGIC_CODEDIRECTORY, "no CodeDirectory");
    // `struct CS_CodeDirectory`.
    ensure!(number(directory, 12)? & CS_ADHOC != 0, "not ad hoc");
    let (hashes, pages, limit) =
        (number(directory, 16)? as usize, number(directory, 28)? as usize, number(directory, 32)? as usize);
    ensure!(limit == code.len(), "it is of {limit} bytes, not of the {} before it", code.len());
    let [size @ 32, CS_HASHTYPE_SHA256, _, page @ 12..=14] =
        *directory.get(36..40).context("it is cut short")?
    else {
        anyhow::bail!("no hashes of SHA-256");
    };
    let (size, page) = (usize::from(size), 1_usize << page);
    ensure!(pages == limit.div_ceil(page), "it has {pages} hashes");
    for (at, page) in code.chunks(page).enumerate() {
        let told = directory.get(hashes + at * size..hashes + (at + 1) * size).context("it is cut short")?;
        ensure!(Sha256::digest(page).as_slice() == told, "page {at} is another");
    }
    Ok(())
}

/// 32 bits, big-endian as all of a signature.
fn number(bytes: &[u8], at: usize) -> Result<u32> {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<4>()).context("it is cut short")?;
    Ok(u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signature of two pages, as a linker makes it.
    fn made(code: &[u8]) -> Vec<u8> {
        let mut directory = Vec::new();
        let pages: Vec<&[u8]> = code.chunks(4096).collect();
        let [count, limit] = [pages.len(), code.len()].map(|number| u32::try_from(number).unwrap());
        for number in [0xfade_0c02_u32, 0, 0x20400, 2, 44, 0, 0, count, limit] {
            directory.extend(number.to_be_bytes());
        }
        directory.extend([32, 2, 0, 12, 0, 0, 0, 0]);
        for page in pages {
            directory.extend(Sha256::digest(page));
        }
        let mut file = code.to_vec();
        for number in [0xfade_0cc0_u32, 20, 1, 0, 20] {
            file.extend(number.to_be_bytes());
        }
        file.extend(directory);
        file
    }

    #[test]
    fn a_signature_is_of_each_byte_before_it() {
        let code = vec![7; 5000];
        let file = made(&code);
        signed(&file, code.len()).unwrap();
        for at in [0, 4095, 4999] {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(signed(&changed, code.len()).unwrap_err().to_string().contains("is another"));
        }
        assert!(signed(&file[..file.len() - 1], code.len()).is_err());
        assert!(signed(&file, code.len() - 1).is_err());
    }
}
