//! What a router pays for diag, and how much that may be: one table, for every build.

use std::fmt::Write;

/// An amount that has a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    what: &'static str,
    unit: &'static str,
    pub(crate) limit: u64,
}

/// What is downloaded and flashed: an .ipk or .apk, packed by an ordinary deflate. 160 KiB is what judging may take; 12 more
/// are for `--record`, which is 9,500 bytes of PowerPC's: a router that diag fits on can then be judged for from elsewhere;
/// and 12 for `--pick`, which is 8,000 of them, and what comes after it.
pub(crate) const PACKAGE: Gate = Gate { what: "package", unit: "bytes", limit: 184 * 1024 };
/// The one file with every router's build in it: what is copied to /tmp.
pub(crate) const ONE_FILE: Gate = Gate { what: "the one file", unit: "bytes", limit: 1792 * 1024 };
/// A build as it is. It lies in /tmp for a minute, and compressed in flash: a tripwire, for the package counts.
pub(crate) const FLAT: Gate = Gate { what: "flat", unit: "bytes", limit: 360 * 1024 };
/// The same of n64, whose code is the largest and whose package is not.
pub(crate) const FLAT_N64: Gate = Gate { what: "flat", unit: "bytes", limit: 372 * 1024 };
/// Peak RSS (VmHWM) of diag, whatever it judges; `cargo xtask check lab` measures it in the lab.
pub(crate) const MEMORY: Gate = Gate { what: "peak memory", unit: "KiB", limit: 1536 };

impl Gate {
    /// `package 101,317 of 163,840 bytes (slack 62,523)`.
    pub(crate) fn of(&self, amount: u64) -> String {
        let Self { what, unit, limit } = self;
        let (slack, word) = (limit.abs_diff(amount), if amount > *limit { "OVER BY" } else { "slack" });
        format!("{what} {} of {} {unit} ({word} {})", thousands(amount), thousands(*limit), thousands(slack))
    }

    /// The same as a fault, where it is more than the gate lets through.
    pub(crate) fn fault(&self, amount: u64) -> Option<String> {
        (amount > self.limit).then(|| self.of(amount))
    }
}

/// 131072 as `131,072`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        let _ = text.write_char(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_at_the_gate_passes_and_a_byte_more_does_not() {
        assert_eq!(PACKAGE.of(101_317), "package 101,317 of 188,416 bytes (slack 87,099)");
        assert_eq!(FLAT.fault(FLAT.limit), None);
        let over = "flat 368,641 of 368,640 bytes (OVER BY 1)";
        assert_eq!(FLAT.fault(FLAT.limit + 1).as_deref(), Some(over));
        assert_eq!(ONE_FILE.limit, 1_835_008);
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(131_072), "131,072");
    }
}
