//! A row as it would be sent: what is asked, about whom, with which attributes.

use super::canonical;
use super::change::OperationKind;
use super::details::Details;
use super::fingerprint::{Encoding, Fingerprint};
use super::target::{Target, TargetKind};
use super::varint;

/// A mapped row: its key and its canonical bytes. Reused from row to row.
///
/// The canonical bytes are: operation, kind of target, target, details (none for a person), number
/// of attributes, then name and value of each, sorted by name. They are what the fingerprint covers
/// and what the spool holds; [`RecordView`] reads them.
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
    pub fn start(&mut self, header: Header<'_>, attribute_count: u16) {
        self.canonical.clear();
        header.write(&mut self.canonical);
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
    #[inline]
    pub fn attribute(&mut self, name: &str) -> &mut Vec<u8> {
        varint::write_bytes(&mut self.canonical, name.as_bytes());
        &mut self.canonical
    }

    /// Does the same for a name that [`encoded_name`] made ready.
    #[inline]
    pub fn encoded_attribute(&mut self, name: &[u8]) -> &mut Vec<u8> {
        self.canonical.extend_from_slice(name);
        &mut self.canonical
    }

    /// Returns the fingerprint of what would be sent.
    pub fn fingerprint(&self, encoding: Encoding) -> Fingerprint {
        Fingerprint::of(&self.canonical, encoding)
    }
}

/// Returns an attribute's name as [`RecordBuf::encoded_attribute`] takes it.
pub fn encoded_name(name: &str) -> Box<[u8]> {
    let mut encoded = Vec::new();
    varint::write_bytes(&mut encoded, name.as_bytes());
    encoded.into()
}

/// What comes before the attributes of a record.
#[derive(Clone, Copy)]
pub struct Header<'a> {
    /// What is asked.
    pub operation: OperationKind,
    /// About whom or what.
    pub target: Target<'a>,
    /// What the operation says besides.
    pub details: Details<'a>,
}

impl<'a> Header<'a> {
    /// Returns the header of an operation that has no details.
    pub fn plain(operation: OperationKind, target: Target<'a>) -> Self {
        Self { operation, target, details: Details::None }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.operation.code());
        out.push(self.target.kind.code());
        varint::write_bytes(out, self.target.text.as_bytes());
        self.details.write(out);
    }
}

/// A record's canonical bytes, taken apart without copying.
#[derive(Clone, Copy)]
pub struct RecordView<'a> {
    /// What is asked.
    pub operation: OperationKind,
    /// About whom or what.
    pub target: Target<'a>,
    /// What the operation says besides.
    pub details: Details<'a>,
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
        let operation = OperationKind::from_code(operation)?;
        let target = Target { kind: TargetKind::from_code(kind)?, text };
        let details = Details::read(operation, &mut bytes)?;
        let (count, bytes) = bytes.split_first_chunk::<2>()?;
        let count = usize::from(u16::from_le_bytes(*count));
        let attributes = Attributes { count, bytes };
        Some(Self { operation, target, details, attributes })
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
mod tests;
