//! What a RISC-V program says of its ISA (Tag_RISCV_arch of the psABI's attributes, e_flags) against `isa` of
//! /proc/cpuinfo and the letters of AT_HWCAP.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::arch::Lack;
use crate::candidate::{Image, Program};
use crate::elf::consts::{EF_RISCV_FLOAT_ABI, EF_RISCV_FLOAT_ABI_DOUBLE, EF_RISCV_RVC};
use crate::machine::{Machine, Version};
use crate::rules::shown::Shown;

/// Since when Linux lists extensions in `isa` that have instructions of their own (`riscv_isa_ext` in
/// arch/riscv/kernel/cpufeature.c): before, one that is not listed may be there all the same. Those that every
/// processor with Linux has (zicsr), whose instructions do nothing elsewhere (zihintpause, zicbop), that are the
/// kernel's matter (ss*, sv*, zicbom) or stand for others (zkn) are not looked at.
const LISTED: [(Version, &str); 5] = [
    ((6, 5, 0), "zba zbb zbs"),
    ((6, 7, 0), "zicond"),
    (
        (6, 8, 0),
        "zbc zbkb zbkc zbkx zknd zkne zknh zksed zksh zfa zfh zfhmin zvbb zvbc zvkb zvkg zvkned zvknha \
                 zvknhb zvksed zvksh zvfh zvfhmin",
    ),
    ((6, 11, 0), "zawrs zacas zcb zcmop zimop zve32f zve32x zve64d zve64f zve64x"),
    ((6, 15, 0), "zabha zfbfmin zvfbfmin zvfbfwma"),
];

/// Letters that programs are built with; g is the first five of them, b is zba, zbb and zbs.
const LETTERS: &str = "imafdcv";

/// Extensions that tell a profile, the newest first (RISC-V Profiles, RVA22U64 and RVA23U64).
const PROFILES: [(&str, &[&str]); 2] =
    [("RVA23", &["v", "zcb", "zfa", "zicond"]), ("RVA22", &["zba", "zbb", "zbs", "zfhmin", "zicbom"])];

pub(super) fn lack(machine: &Machine, _: &Program, image: &Image) -> Option<Lack> {
    let cpu = machine.cpu();
    let listed = cpu.isa.get().and_then(|isa| isa.iter().next());
    let (has, field, told) = match (listed, machine.hwcap().value) {
        (Some(isa), _) => (parse(isa), "isa", isa.to_string()),
        (None, Some(hwcap)) => (of_hwcap(hwcap), "AT_HWCAP", format!("{hwcap:#x}")),
        (None, None) => return None,
    };
    let attributes = image.attributes.as_ref().and_then(|attributes| attributes.riscv_arch.as_deref());
    let mut wants = attributes.map(parse).unwrap_or_default();
    let e_flags = image.header.e_flags;
    let marks = [(EF_RISCV_RVC, "c"), (EF_RISCV_FLOAT_ABI, "f"), (EF_RISCV_FLOAT_ABI_DOUBLE, "d")];
    for (bits, letter) in marks {
        if e_flags & bits != 0 && !wants.iter().any(|name| name == letter) {
            wants.push(letter.into());
        }
    }
    // The T-Head C906, C910 and C920 have a draft of V, 0.7.1, with other encodings; their own kernels list it as v.
    let model = cpu.model.get().map(|model| model.to_ascii_lowercase()).unwrap_or_default();
    let is_draft = ["c906", "c910", "c920"].iter().any(|core| model.contains(core));
    let has_one = |name: &str| {
        let of = |letter: &str| has.iter().any(|known| known == letter);
        let vector = name.starts_with("zve") && of("v");
        (of(name) || vector) && !(is_draft && name == "v")
    };
    let (mut lacks, mut unsure) = (Vec::new(), Vec::new());
    for name in &wants {
        let is_letter = name.len() == 1 && LETTERS.contains(name.as_str());
        let since = LISTED.iter().find(|(_, names)| names.split(' ').any(|known| known == name));
        let is_listed = match since {
            // What adds to the vectors says nothing new.
            Some(_) if name.starts_with("zv") && wants.iter().any(|name| name == "v") && !has_one("v") => {
                continue;
            }
            Some((version, _)) => {
                let release = machine.kernel().release.get();
                listed.is_some() && release.is_some_and(|release| release.version >= *version)
            }
            None if is_letter => true,
            None => continue,
        };
        if !has_one(name) {
            if is_listed { &mut lacks } else { &mut unsure }.push(name.as_str());
        }
    }
    let is_unsure = lacks.is_empty();
    let names = if is_unsure { unsure } else { lacks };
    let profile = PROFILES.iter().find(|(_, all)| all.iter().all(|one| wants.iter().any(|name| name == one)));
    let words = words(&names)?;
    let (none, them) = match names.len() {
        1 => ("none", "it"),
        2 => ("neither", "them"),
        _ => ("none of them", "them"),
    };
    let title = match profile {
        _ if is_unsure => {
            format!("is built for {words}; whether this processor has {them}, its kernel does not list")
        }
        Some((profile, _)) => format!("is built for {profile}, this processor lacks {words}"),
        None => format!("is built for {words}, this processor has {none}"),
    };
    let mark = if attributes.is_some() { "Tag_RISCV_arch" } else { "e_flags" };
    let (names, told) = (names.join(" "), Shown(&told));
    Some(Lack {
        text: format!("{title}\nprogram: {mark}={names}\nmachine: {field}={told}"),
        dies: !is_unsure,
        is_unsure,
        ..Lack::default()
    })
}

/// "V, Zba and Zbb", of many the first three.
fn words(names: &[&str]) -> Option<String> {
    let (first, rest) = names.split_first()?;
    let word = |name: &str| {
        let (letter, rest) = name.split_at_checked(1).unwrap_or_default();
        format!("{}{rest}", letter.to_ascii_uppercase())
    };
    let mut told = word(first);
    for (index, name) in rest.iter().enumerate() {
        let left = rest.len().saturating_sub(index);
        match (index, left) {
            (2.., 2..) => return Some(format!("{told} and {left} more")),
            (_, 1) => told.push_str(" and "),
            _ => told.push_str(", "),
        }
        told.push_str(&word(name));
    }
    Some(told)
}

/// The extensions that a string names, without their versions: "rv64i2p1_m2p0_zba1p0", "rv64imafdc_zba".
fn parse(isa: &str) -> Vec<String> {
    let isa = isa.strip_prefix("rv64").or_else(|| isa.strip_prefix("rv32")).unwrap_or(isa);
    let mut found: Vec<String> = Vec::new();
    // b stands beside its parts.
    let mut add = |name: &str| {
        if !found.iter().any(|known| known == name) {
            found.push(String::from(name));
        }
    };
    for (index, word) in isa.split('_').enumerate() {
        if index > 0 && word.starts_with(['z', 's', 'x']) {
            add(unversioned(word));
            continue;
        }
        let mut version = false;
        for (at, letter) in word.char_indices() {
            // "2p1" is a version; p is no letter that Linux knows.
            version = letter.is_ascii_digit() || (version && letter == 'p');
            match letter {
                _ if version => {}
                'z' | 'x' => {
                    add(unversioned(word.get(at..).unwrap_or_default()));
                    break;
                }
                'g' => ["i", "m", "a", "f", "d"].into_iter().for_each(&mut add),
                'b' => ["zba", "zbb", "zbs"].into_iter().for_each(&mut add),
                'a'..='y' => add(word.get(at..at.saturating_add(1)).unwrap_or_default()),
                _ => {}
            }
        }
    }
    found
}

/// "zve32f" of "zve32f1p0".
fn unversioned(name: &str) -> &str {
    let major = name.trim_end_matches(|digit: char| digit.is_ascii_digit()).strip_suffix('p');
    let stripped = major.map(|name| name.trim_end_matches(|digit: char| digit.is_ascii_digit()));
    match (stripped, major) {
        // It has to end in digits, p and digits.
        (Some(stripped), Some(major)) if stripped.len() < major.len() && !name.ends_with('p') => stripped,
        _ => name,
    }
}

/// COMPAT_HWCAP_ISA_*: a bit for each letter.
fn of_hwcap(mut bits: u64) -> Vec<String> {
    let mut found = Vec::new();
    for letter in 'a'..='z' {
        if bits & 1 != 0 {
            found.push(letter.to_string());
        }
        bits >>= 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_programs_and_kernels() {
        let of = |isa| parse(isa).join(" ");
        assert_eq!(
            of("rv64i2p1_m2p0_a2p1_f2p2_d2p2_c2p0_v1p0_zicsr2p0_zve32f1p0_zvl128b1p0"),
            "i m a f d c v zicsr zve32f zvl128b"
        );
        assert_eq!(of("rv64imafdcvsu"), "i m a f d c v s u");
        assert_eq!(of("rv64gcb_zicond_svinval"), "i m a f d c zba zbb zbs zicond svinval");
        assert_eq!(of("rv64imafdc_zcmp1p0_zic64b1p0"), "i m a f d c zcmp zic64b");
        assert_eq!(of("rv64i2p0m2p0zba1p0"), "i m zba");
        for odd in ["", "rv", "rv64", "_", "rv64_", "zp", "rv64i_zp1", "rv64\u{e4}_z\u{e4}1p0"] {
            parse(odd);
        }
        assert_eq!(of_hwcap(0x112d).join(""), "acdfim");
    }

    #[test]
    fn many_are_not_all_named() {
        assert_eq!(words(&["v"]).unwrap(), "V");
        assert_eq!(words(&["v", "zba", "zbb"]).unwrap(), "V, Zba and Zbb");
        assert_eq!(words(&["v", "zba", "zbb", "zbs"]).unwrap(), "V, Zba, Zbb and Zbs");
        assert_eq!(words(&["v", "zba", "zbb", "zbs", "zcb"]).unwrap(), "V, Zba, Zbb and 2 more");
        assert_eq!(words(&[]), None);
    }
}
