//! Primary keys for people: masked, unless they asked to see them.

use xxhash_rust::xxh3::xxh3_64;

use crate::engine::invalid::row_number;
use crate::model::KeyShape;

/// How keys are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// As marks that tell rows apart.
    Masked,
    /// As they are.
    Shown,
}

/// Returns the key for a person. A row without a usable key is named by its number in the read,
/// which says nothing about it. `shape` is `None` where nothing was ever delivered.
pub fn key(key: &[u8], shape: Option<&KeyShape>, keys: Keys) -> String {
    if let Some(number) = row_number(key) {
        return format!("row {number}");
    }
    match (keys, shape) {
        (Keys::Masked, _) => masked(key),
        (Keys::Shown, Some(shape)) => shape.display(key),
        (Keys::Shown, None) => format!("0x{}", hex(key)),
    }
}

/// Returns a mark that is the same for a key each time. It is short on purpose: enough to tell
/// the rows of a list apart, too little to find out whose they are (of two million people, thirty
/// share each mark).
pub fn masked(key: &[u8]) -> String {
    format!("•••{:04x}", xxh3_64(key) & 0xffff)
}

/// Returns bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::invalid::numbered_key;
    use crate::model::{KeyKind, Value};

    fn encoded(shape: &KeyShape, values: &[Value<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        shape.encode(values.iter().copied(), &mut out).unwrap();
        out
    }

    #[test]
    fn a_mask_tells_keys_apart_and_shows_nothing_of_them() {
        let shape = KeyShape(vec![KeyKind::Text]);
        let ann = encoded(&shape, &[Value::Text("ann@example.com")]);
        let bob = encoded(&shape, &[Value::Text("bob@example.com")]);

        let mask = key(&ann, Some(&shape), Keys::Masked);

        assert_eq!(mask, key(&ann, None, Keys::Masked));
        assert_ne!(mask, key(&bob, Some(&shape), Keys::Masked));
        assert_eq!(mask.chars().count(), 7);
        assert!(!mask.contains("ann"), "{mask}");
    }

    #[test]
    fn shown_keys_read_as_they_are_sent() {
        let shape = KeyShape(vec![KeyKind::Number, KeyKind::Text]);
        let bytes = encoded(&shape, &[Value::Int(-7), Value::Text("x")]);

        assert_eq!(key(&bytes, Some(&shape), Keys::Shown), "-7, x");
        assert_eq!(key(b"\x01\xab", None, Keys::Shown), "0x01ab");
    }

    #[test]
    fn a_row_without_a_key_is_named_by_its_number() {
        for keys in [Keys::Masked, Keys::Shown] {
            assert_eq!(key(&numbered_key(12), None, keys), "row 12");
        }
    }
}
