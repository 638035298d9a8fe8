//! What the firmware of a PC calls it (DMI): its maker, then its product. Where they were never filled in, they hold words
//! of the firmware's own maker.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

/// Words that name nothing, in small letters; a blank stands for `-` as well, as in board names.
///
/// Sources: what AMI's, Award's, Insyde's and ASUS's firmware leaves there; dmidecode(8), which prints some of them itself;
/// OpenWrt's 01_sysinfo and systemd's hostnamed, which leave out most of them.
static PLACEHOLDERS: [&str; 30] = [
    "to be filled by o.e.m.",
    "to be filled by oem",
    "default string",
    "system manufacturer",
    "system product name",
    "system name",
    "system version",
    "system serial number",
    "base board manufacturer",
    "base board product name",
    "product name",
    "type1productconfigid",
    "type1familyplaceholder",
    "not specified",
    "not applicable",
    "not available",
    "not defined",
    "not provided",
    "no enclosure",
    "undefined",
    "unknown",
    "invalid",
    "default",
    "none",
    "empty",
    "o.e.m.",
    "oem",
    "n/a",
    "0123456789",
    "123456789",
];

/// The name without what names nothing; None where nothing is left.
pub(super) fn name(text: &str) -> Option<String> {
    let mut rest = text.trim();
    while let Some(shorter) = without_first(rest) {
        rest = shorter.trim_start_matches(is_between);
    }
    while let Some(shorter) = without_last(rest) {
        rest = shorter.trim_end_matches(is_between);
    }
    (!rest.is_empty()).then(|| rest.to_owned())
}

fn is_between(letter: char) -> bool {
    matches!(letter, ' ' | '-')
}

/// What follows a placeholder at the front.
fn without_first(text: &str) -> Option<&str> {
    let is_end = |rest: &&str| rest.is_empty() || rest.starts_with(is_between);
    let listed = PLACEHOLDERS.iter().find_map(|words| {
        let (start, rest) = text.split_at_checked(words.len())?;
        (is_same(start, words) && is_end(&rest)).then_some(rest)
    });
    // "xxxxxxxx", ".........", "00000000".
    let filled = || {
        let (word, rest) = text.split_at_checked(text.find(is_between).unwrap_or(text.len()))?;
        is_filling(word).then_some(rest)
    };
    listed.or_else(filled)
}

/// What stands before a placeholder at the end.
fn without_last(text: &str) -> Option<&str> {
    let is_end = |rest: &&str| rest.is_empty() || rest.ends_with(is_between);
    let listed = PLACEHOLDERS.iter().find_map(|words| {
        let (rest, end) = text.split_at_checked(text.len().checked_sub(words.len())?)?;
        (is_same(end, words) && is_end(&rest)).then_some(rest)
    });
    let filled = || {
        let start = text.rfind(is_between).map_or(0, |at| at.saturating_add(1));
        let (rest, word) = text.split_at_checked(start)?;
        is_filling(word).then_some(rest)
    };
    listed.or_else(filled)
}

fn is_same(text: &str, words: &str) -> bool {
    let letter = |byte: u8| if byte == b'-' { b' ' } else { byte.to_ascii_lowercase() };
    text.bytes().map(letter).eq(words.bytes())
}

/// One letter again and again, where it is none that a name would be made of.
fn is_filling(word: &str) -> bool {
    let mut bytes = word.bytes();
    let first = bytes.next();
    matches!(first, Some(b'x' | b'X' | b'.' | b'0' | b'*' | b'_'))
        && bytes.len() >= 2
        && bytes.all(|byte| Some(byte) == first)
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn what_names_nothing_is_left_out() {
        for text in [
            "Default string Default string",
            "default-string-default-string",
            "To Be Filled By O.E.M. To Be Filled By O.E.M.",
            "To be filled by O.E.M.",
            "System manufacturer System Product Name",
            "system-manufacturer-system-product-name",
            "Not Specified",
            "Not Applicable Not Applicable",
            "None None",
            "Unknown",
            "O.E.M. OEM",
            "OEM 0123456789",
            "INVALID",
            "xxxxxxx xxxxxxx",
            "........",
            "00000000",
            "empty",
            " ",
            "",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_left_is_the_name() {
        for (text, left) in [
            ("Default string Q330G4", "Q330G4"),
            ("Protectli Default string", "Protectli"),
            ("ASUSTeK COMPUTER INC. System Product Name", "ASUSTeK COMPUTER INC."),
            ("To Be Filled By O.E.M. J3455-ITX", "J3455-ITX"),
            ("default-string-q330g4", "q330g4"),
        ] {
            assert_eq!(name(text).as_deref(), Some(left));
        }
    }

    #[test]
    fn names_stay() {
        for text in [
            "PC Engines apu2",
            "Lenovo Y1",
            "Nonesuch 5",
            "OEMTech R1",
            "TP-Link Archer C7 v2",
            "QEMU Standard PC (Q35 + ICH9, 2009)",
            "VMware, Inc. VMware Virtual Platform",
            "Linksys EA4500 (Viper)",
            "FXX 000A",
        ] {
            assert_eq!(name(text).as_deref(), Some(text));
        }
    }
}
