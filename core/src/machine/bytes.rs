//! Parsers for the text of procfs and of /etc: lines, words and numbers in bytes that need not be UTF-8.

use alloc::string::String;

/// Text that somebody else wrote; what is no UTF-8 becomes U+FFFD.
pub fn word(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The number at the front, behind blanks.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    let mut number = None;
    for digit in
        text.trim_ascii_start().iter().map(|byte| byte.wrapping_sub(b'0')).take_while(|digit| *digit < 10)
    {
        number = Some(number.unwrap_or(0_u64).checked_mul(10)?.checked_add(digit.into())?);
    }
    number
}

/// What stands between marks.
pub(crate) fn parts(text: &[u8], mark: u8) -> impl Iterator<Item = &[u8]> {
    text.split(move |byte| *byte == mark)
}

/// What follows some text at the start of a line.
pub(crate) fn after<'a>(text: &'a [u8], start: &str) -> Option<&'a [u8]> {
    parts(text, b'\n').find_map(|line| line.strip_prefix(start.as_bytes()))
}

/// Whether a text has a part, which is not empty.
pub fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn numbers_end_where_digits_do() {
        let max = u64::MAX.to_string();
        assert_eq!(
            (decimal(b" 0"), decimal(b"\t42 kB"), decimal(max.as_bytes())),
            (Some(0), Some(42), Some(u64::MAX))
        );
        assert_eq!((decimal(b""), decimal(b" kB"), decimal(b"-1")), (None, None, None));
        assert_eq!((decimal(b"18446744073709551616"), decimal(b"99999999999999999999")), (None, None));
    }

    #[test]
    fn parts_of_a_text() {
        let split = |text| parts(text, b'|').collect::<Vec<_>>();
        assert_eq!(split(b"a||b|"), [&b"a"[..], b"", b"b", b""]);
        assert_eq!(split(b""), [b""]);
        assert_eq!((after(b"a: 1\nb: 2", "b: "), after(b"ab: 1", "b: ")), (Some(&b"2"[..]), None));
        assert!(holds(b"a-linux-b", b"-linux-") && !holds(b"-linux", b"-linux-"));
    }
}
