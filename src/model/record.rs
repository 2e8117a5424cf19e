//! A row as it would be sent: what is asked, about whom, with which attributes.

use super::canonical;
use super::change::OperationKind;
use super::fingerprint::{Encoding, Fingerprint};
use super::target::{IdentifierKind, Target};
use super::varint;

/// A mapped row: its key and its canonical bytes. Reused from row to row.
///
/// The canonical bytes are: operation, kind of identifier, identifier, number of attributes, then
/// name and value of each, sorted by name. They are what the fingerprint covers and what the
/// spool holds; [`RecordView`] reads them.
#[derive(Default)]
pub struct RecordBuf {
    /// The primary key, encoded by its [`super::KeyShape`].
    pub key: Vec<u8>,
    /// The canonical bytes.
    pub canonical: Vec<u8>,
    /// Where in them the number of attributes stands.
    count_at: usize,
}

impl RecordBuf {
    /// Starts the canonical bytes anew: `attribute_count` attributes must follow, sorted by name,
    /// each by [`RecordBuf::attribute`] and a writer of [`canonical`].
    #[inline]
    pub fn start(&mut self, operation: OperationKind, target: Target<'_>, attribute_count: u16) {
        self.canonical.clear();
        write_header(&mut self.canonical, operation, target);
        self.count_at = self.canonical.len();
        self.canonical.extend_from_slice(&attribute_count.to_le_bytes());
    }

    /// Mends the number of attributes, where it was not known at the start.
    pub fn set_attribute_count(&mut self, attribute_count: u16) {
        if let Some(place) = self.canonical.get_mut(self.count_at..self.count_at + 2) {
            place.copy_from_slice(&attribute_count.to_le_bytes());
        }
    }

    /// Appends an attribute's name; its value must follow.
    pub fn attribute(&mut self, name: &str) -> &mut Vec<u8> {
        varint::write_bytes(&mut self.canonical, name.as_bytes());
        &mut self.canonical
    }

    /// Returns the fingerprint of what would be sent.
    pub fn fingerprint(&self, encoding: Encoding) -> Fingerprint {
        Fingerprint::of(&self.canonical, encoding)
    }
}

/// Appends what comes before the attributes of a record.
pub fn write_header(out: &mut Vec<u8>, operation: OperationKind, target: Target<'_>) {
    out.push(operation.code());
    out.push(target.kind.code());
    varint::write_bytes(out, target.text.as_bytes());
}

/// A record's canonical bytes, taken apart without copying.
#[derive(Clone, Copy)]
pub struct RecordView<'a> {
    /// What is asked.
    pub operation: OperationKind,
    /// About whom.
    pub target: Target<'a>,
    /// The attributes.
    pub attributes: Attributes<'a>,
}

impl<'a> RecordView<'a> {
    /// Reads canonical bytes; `None` where they are not a record.
    pub fn parse(mut bytes: &'a [u8]) -> Option<Self> {
        let (&operation, rest) = bytes.split_first()?;
        let (&kind, rest) = rest.split_first()?;
        bytes = rest;
        let text = std::str::from_utf8(varint::read_bytes(&mut bytes)?).ok()?;
        let target = Target { kind: IdentifierKind::from_code(kind)?, text };
        let (count, bytes) = bytes.split_first_chunk::<2>()?;
        let count = usize::from(u16::from_le_bytes(*count));
        let attributes = Attributes { count, bytes };
        Some(Self { operation: OperationKind::from_code(operation)?, target, attributes })
    }
}

/// The attributes of a record, sorted by name.
#[derive(Clone, Copy)]
pub struct Attributes<'a> {
    count: usize,
    bytes: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Returns how many attributes there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Appends all of them as the members of a JSON object, without its braces. `write_value` takes
    /// a canonical value off the front of its input and appends JSON, as [`canonical::to_json`].
    /// Returns `None` where the bytes are damaged.
    pub fn write_json_members(
        &self,
        out: &mut Vec<u8>,
        write_value: impl Fn(&mut &[u8], &mut Vec<u8>) -> Option<()>,
    ) -> Option<()> {
        let mut rest = self.bytes;
        for index in 0..self.count {
            if index > 0 {
                out.push(b',');
            }
            canonical::write_quoted(out, varint::read_bytes(&mut rest)?);
            out.push(b':');
            write_value(&mut rest, out)?;
        }
        Some(())
    }

    /// Returns each attribute's name and canonical value, in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let mut rest = self.bytes;
        (0..self.count).map_while(move |_| {
            let name = std::str::from_utf8(varint::read_bytes(&mut rest)?).ok()?;
            let value = rest;
            canonical::skip(&mut rest)?;
            Some((name, value.get(..value.len() - rest.len())?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let mut record = RecordBuf::default();
        let target = Target { kind: IdentifierKind::Email, text: "a@b.c" };

        record.start(OperationKind::PersonUpdate, target, 2);
        canonical::write_json_text(record.attribute("a"), "[1,{\"x\":null}]").unwrap();
        canonical::write_string(record.attribute("b"), "text");
        let view = RecordView::parse(&record.canonical).unwrap();

        assert!(view.operation == OperationKind::PersonUpdate && view.target.is_same_as(&target));
        let attributes: Vec<String> = view
            .attributes
            .iter()
            .map(|(name, mut value)| {
                let mut json = Vec::new();
                canonical::to_json(&mut value, &mut json).unwrap();
                format!("{name}={}", String::from_utf8(json).unwrap())
            })
            .collect();
        assert_eq!(attributes, ["a=[1,{\"x\":null}]", "b=\"text\""]);
    }

    #[test]
    fn the_operation_and_the_target_are_part_of_the_fingerprint() {
        let fingerprint = |operation, kind, text| {
            let mut record = RecordBuf::default();
            record.start(operation, Target { kind, text }, 0);
            record.fingerprint(Encoding::CURRENT)
        };
        let base = fingerprint(OperationKind::PersonIdentify, IdentifierKind::Id, "1");

        assert_ne!(base, fingerprint(OperationKind::PersonUpdate, IdentifierKind::Id, "1"));
        assert_ne!(base, fingerprint(OperationKind::PersonIdentify, IdentifierKind::Email, "1"));
        assert_ne!(base, fingerprint(OperationKind::PersonIdentify, IdentifierKind::Id, "2"));
    }
}
