//! Scripts, packages, and what else is given to diag.

use arbitrary::{Result, Unstructured};

use super::KINDS;
use crate::hold;

/// What files begin with and are made of.
const PIECES: [&[u8]; 32] = [
    b"#!",
    b"#! ",
    b"/bin/sh",
    b"/usr/bin/env",
    b" -S",
    b" -iu PATH ",
    b" PATH=/tmp",
    b" ash",
    b" python3",
    b" \t",
    b"\n",
    b"\r\n",
    b"/tmp/program",
    b"/tmp/other",
    b"./other",
    b"..",
    b"\0",
    b"echo \xe2\x80\xae\x1b[2J\n",
    b"!<arch>\n",
    b"debian-binary   1700000000  0     0     100644  4         `\n2.0\n",
    b"\x1f\x8b\x08\x00\0\0\0\0\0\x03",
    b"ADB.pckg",
    b"ADBd",
    b"\xed\xab\xee\xdb",
    b"BZh91AY&SY",
    b"\xfd7zXZ\0",
    b"PK\x03\x04",
    b"MZ\x90\0",
    b"\xcf\xfa\xed\xfe",
    b"hsqs",
    b"MZqFpD='\n",
    b"#!/bin/sh\n# This file wraps\nexec ",
];
const NAMES: [&str; 8] = [
    "/tmp/program",
    "/tmp/a_1.0_mipsel_24kc.ipk",
    "/tmp/b-2.3-r1.apk",
    "/tmp/c_1_all.deb",
    "/tmp/run.sh",
    "/tmp/\u{202e}a",
    "/tmp/a\n\u{1b}b",
    "/tmp/v2ray.tar.gz",
];

fn any(from: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for _ in 0..from.int_in_range(0..=11)? {
        match from.int_in_range(0..=5)? {
            0..=3 => bytes.extend(*from.choose(&PIECES)?),
            4 => bytes.extend(from.choose(&PIECES)?.repeat(from.arbitrary::<u8>()?.into())),
            _ => {
                let length = from.int_in_range(0..=40)?;
                bytes.extend(from.bytes(length)?);
            }
        }
    }
    Ok(bytes)
}

pub(super) fn run(from: &mut Unstructured<'_>) -> Result<()> {
    let mut machine = from.choose(&KINDS)?.machine();
    let name = *from.choose(&NAMES)?;
    machine.put(name, any(from)?.into());
    machine.put("/tmp/other", any(from)?.into());
    if from.arbitrary()? {
        machine.put("/bin/python3", any(from)?.into());
    }
    hold::judge(&machine, [name]);
    Ok(())
}
