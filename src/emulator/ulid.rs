//! ULIDs: 26 characters of Crockford's base 32 for 128 bits. Source: github.com/ulid/spec.

use crate::emulator::clock;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

/// Returns the 128 bits of a ULID, or `None` when the text is not one.
///
/// Letters may be of either case; the first character is at most `7`, or the value would not fit.
pub(crate) fn parse(text: &str) -> Option<u128> {
    if text.len() != LENGTH || text.as_bytes().first().is_none_or(|first| *first > b'7') {
        return None;
    }

    text.bytes().try_fold(0_u128, |bits, byte| {
        let digit = ALPHABET.iter().position(|known| *known == byte.to_ascii_uppercase())?;
        Some(bits << 5 | digit as u128)
    })
}

/// Returns a new ULID of the current millisecond.
pub(crate) fn fresh() -> String {
    let bits = u128::from(clock::now_millis()) << 80 | fastrand::u128(..) >> 48;

    (0..LENGTH)
        .rev()
        .map(|position| char::from(ALPHABET[(bits >> (position * 5)) as usize & 31]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_ulid_reads_back_and_anything_else_is_refused() {
        let text = fresh();

        assert_eq!(text.len(), LENGTH);
        assert!(parse(&text).is_some());
        assert_eq!(parse("00000000000000000000000010"), Some(32));
        assert_eq!(parse(&text.to_lowercase()), parse(&text));
        for not_one in ["", "42", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "0IIIIIIIIIIIIIIIIIIIIIIIII"] {
            assert_eq!(parse(not_one), None, "{not_one}");
        }
    }
}
