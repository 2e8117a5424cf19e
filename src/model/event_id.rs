//! The id of an event, by which Customer.io drops repeats.
//!
//! A hash of where the event comes from, what it is called and the text of its row's key: the same
//! row gives the same id after a crash, under an edited mapping, and in another encoding of keys.

use xxhash_rust::xxh3::xxh3_128;

use super::{KeyShape, varint};

/// The 128 bits of a ULID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId(u128);

impl EventId {
    /// Returns the id of these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// Returns the id that a ULID in its usual form stands for; `None` for any other text.
    pub fn from_ulid(text: &str) -> Option<Self> {
        ulid::Ulid::from_string(text).ok().map(|id| Self(id.0))
    }

    /// Returns the id as a number.
    pub fn to_bits(self) -> u128 {
        self.0
    }

    /// Returns the id's bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Appends the id as Customer.io wants it: 26 characters of Crockford's base 32. They carry
    /// 130 bits, so the first one is 0 to 7.
    pub fn write_ulid(self, out: &mut Vec<u8>) {
        let mut text = [0; ulid::ULID_LEN];
        out.extend_from_slice(ulid::Ulid(self.0).array_to_str(&mut text).as_bytes());
    }
}

/// Makes the ids of one Sync's events. Reused from row to row.
#[derive(Default)]
pub struct EventIds {
    bytes: Vec<u8>,
    scope_len: usize,
}

impl EventIds {
    /// Returns what makes ids in `scope`: events of other scopes never share theirs.
    pub fn new(scope: &str) -> Self {
        let mut bytes = Vec::new();
        varint::write_bytes(&mut bytes, scope.as_bytes());
        Self { scope_len: bytes.len(), bytes }
    }

    /// Begins the id of an event of that name.
    pub fn start(&mut self, name: &str) {
        self.bytes.truncate(self.scope_len);
        varint::write_bytes(&mut self.bytes, name.as_bytes());
    }

    /// Adds the text of the next column of the row's key.
    pub fn add_key(&mut self, text: &str) {
        varint::write_bytes(&mut self.bytes, text.as_bytes());
    }

    /// Returns the id.
    pub fn finish(&self) -> EventId {
        EventId(xxh3_128(&self.bytes))
    }

    /// Returns the id of the event of that name whose row has that key, made from the key's text and
    /// not from its encoding; `None` where the key is none of that shape. `text` is a buffer to reuse.
    pub fn of_row(
        &mut self,
        name: &str,
        (shape, key): (&KeyShape, &[u8]),
        text: &mut String,
    ) -> Option<EventId> {
        self.start(name);
        for column in 0..shape.0.len() {
            text.clear();
            shape.write_text(key, column, text)?;
            self.add_key(text);
        }
        Some(self.finish())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(scope: &str, name: &str, key: &[&str]) -> EventId {
        let mut ids = EventIds::new(scope);
        // What was made before leaves no trace.
        ids.start("other");
        ids.add_key("1");
        ids.start(name);
        key.iter().for_each(|text| ids.add_key(text));
        ids.finish()
    }

    fn ulid(id: EventId) -> String {
        let mut out = Vec::new();
        id.write_ulid(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_id_of_an_event_never_changes_between_versions() {
        assert_eq!(
            ulid(id("growth/orders", "order_placed", &["42"])),
            "5H2R1063306R0AT7MM53JVCBNX"
        );
    }

    proptest! {
        #[test]
        fn every_id_is_a_valid_ulid_and_depends_on_each_of_its_parts(
            scope: String, name: String, key in proptest::collection::vec(any::<String>(), 1..3),
        ) {
            let parts: Vec<&str> = key.iter().map(String::as_str).collect();
            let made = id(&scope, &name, &parts);

            let text = ulid(made);
            prop_assert_eq!(text.len(), 26);
            prop_assert!(text.bytes().all(|b| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&b)));
            prop_assert!(matches!(text.as_bytes()[0], b'0'..=b'7'));
            prop_assert_eq!(ulid::Ulid::from_string(&text).unwrap().0, u128::from_be_bytes(made.to_bytes()));
            prop_assert_eq!(EventId::from_bytes(made.to_bytes()), made);
            prop_assert_eq!(EventId::from_ulid(&text), Some(made));

            prop_assert_ne!(made, id(&format!("{scope}x"), &name, &parts));
            prop_assert_ne!(made, id(&scope, &format!("{name}x"), &parts));
            prop_assert_ne!(made, id(&scope, &name, &[&parts[..], &["x"]].concat()));
            prop_assert_eq!(made, id(&scope, &name, &parts));
        }
    }
}
