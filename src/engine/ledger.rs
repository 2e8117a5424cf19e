//! What the items of a batch stand for: what to remember of each once it is answered.

use crate::model::{Fingerprint, varint};

/// What an item asks for, seen from the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The row is sent.
    Upsert,
    /// The row left the source.
    Removal,
    /// The row moved to another target; this removes the old one.
    MoveRemoval,
}

/// One item's note, borrowed from the ledger.
#[derive(Clone, Copy)]
pub struct Note<'a> {
    /// What the item asks for.
    pub purpose: Purpose,
    /// The row's key.
    pub key: &'a [u8],
    /// The fingerprint of what is sent; `None` for removals.
    pub fingerprint: Option<Fingerprint>,
    /// The target, where it is not the key's text.
    pub target: Option<&'a str>,
    /// Whether the item undoes what is remembered of this key and target, so that it is in doubt
    /// until the answer came.
    pub is_known: bool,
    /// The row's cursor, in unix microseconds, where the Sync has one.
    pub at: Option<i64>,
}

/// The notes of one batch, in its order, packed.
#[derive(Default)]
pub struct Ledger {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Ledger {
    /// Adds the note of the next item.
    pub fn push(&mut self, note: Note<'_>) {
        self.starts.push(self.bytes.len());
        let purpose = match note.purpose {
            Purpose::Upsert => 0,
            Purpose::Removal => 1,
            Purpose::MoveRemoval => 2,
        };
        let flags = u8::from(note.target.is_some()) << 2
            | u8::from(note.is_known) << 3
            | u8::from(note.at.is_some()) << 4;
        self.bytes.push(purpose | flags);
        if let Some(at) = note.at {
            self.bytes.extend_from_slice(&at.to_le_bytes());
        }
        if let Some(fingerprint) = note.fingerprint {
            self.bytes.extend_from_slice(&fingerprint.to_bytes());
        }
        varint::write_bytes(&mut self.bytes, note.key);
        self.bytes.extend_from_slice(note.target.unwrap_or_default().as_bytes());
    }

    /// Returns how many items are noted.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Returns whether nothing is noted.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Returns the note of item `index`.
    pub fn get(&self, index: usize) -> Option<Note<'_>> {
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.bytes.len());
        let (&head, mut rest) = self.bytes.get(start..end)?.split_first()?;
        let mut at = None;
        if head & 16 != 0 {
            let (bytes, behind) = rest.split_first_chunk::<8>()?;
            (at, rest) = (Some(i64::from_le_bytes(*bytes)), behind);
        }
        let (purpose, fingerprint) = match head & 3 {
            0 => {
                let (bytes, behind) = rest.split_first_chunk::<16>()?;
                rest = behind;
                (Purpose::Upsert, Some(Fingerprint::from_bytes(*bytes)))
            }
            1 => (Purpose::Removal, None),
            _ => (Purpose::MoveRemoval, None),
        };
        let key = varint::read_bytes(&mut rest)?;
        let target = if head & 4 == 0 { None } else { Some(std::str::from_utf8(rest).ok()?) };
        Some(Note { purpose, key, fingerprint, target, is_known: head & 8 != 0, at })
    }

    /// Returns the notes in order.
    pub fn iter(&self) -> impl Iterator<Item = Note<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Returns the key of the first item.
    pub fn first_key(&self) -> Option<&[u8]> {
        self.get(0).map(|note| note.key)
    }

    /// Returns the ledgers of both halves, as a batch is split.
    pub fn split(&self) -> (Self, Self) {
        let middle = self.len() / 2;
        let (mut first, mut second) = (Self::default(), Self::default());
        for (index, note) in self.iter().enumerate() {
            if index < middle { first.push(note) } else { second.push(note) }
        }
        (first, second)
    }
}
