//! One remembered row.

use super::{Encoding, Fingerprint, KeyShape};

/// What is remembered of a row, besides its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryFlags {
    /// The row was suppressed in Customer.io: it stays known, so that its return is noticed.
    pub suppressed: bool,
    /// When a complete read first lacked the row, in unix seconds; it is removed only once it was
    /// missing for long enough. `None` while it is in the source.
    pub missing_since: Option<u32>,
    /// The row's cursor, in unix seconds, of an event: one that lies far enough behind what is still
    /// read can be forgotten.
    pub read_at: Option<u32>,
}

/// A row that Customer.io accepted, borrowed from a decoded segment or journal row.
///
/// Has no `Debug`: keys and targets must not reach a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The encoded primary key.
    pub key: &'a [u8],
    /// The fingerprint of what was accepted; `None` where the row must be sent again although
    /// its key is known (a failure that was noticed late).
    pub fingerprint: Option<Fingerprint>,
    /// In which encoding the fingerprint was made.
    pub encoding: Encoding,
    /// The identifier that was sent, where it is not simply the key's text.
    pub target: Option<&'a str>,
    /// What else is known.
    pub flags: EntryFlags,
}

/// An [`Entry`] that owns its bytes. Reused from entry to entry.
#[derive(Clone, PartialEq, Eq)]
pub struct EntryBuf {
    /// The encoded primary key.
    pub key: Vec<u8>,
    /// See [`Entry::fingerprint`].
    pub fingerprint: Option<Fingerprint>,
    /// See [`Entry::encoding`].
    pub encoding: Encoding,
    /// See [`Entry::target`].
    pub target: Option<String>,
    /// See [`Entry::flags`].
    pub flags: EntryFlags,
}

impl EntryBuf {
    /// Returns the entry, borrowed.
    pub fn as_entry(&self) -> Entry<'_> {
        Entry {
            key: &self.key,
            fingerprint: self.fingerprint,
            encoding: self.encoding,
            target: self.target.as_deref(),
            flags: self.flags,
        }
    }
}

impl Entry<'_> {
    /// Returns a copy that owns its bytes.
    pub fn to_buf(&self) -> EntryBuf {
        EntryBuf {
            key: self.key.to_vec(),
            fingerprint: self.fingerprint,
            encoding: self.encoding,
            target: self.target.map(str::to_owned),
            flags: self.flags,
        }
    }

    /// Replaces `out` by the identifier that was sent for this row: the target, or the text of
    /// the key's only column. Returns `None` where the key is not of that shape.
    pub fn write_target(&self, shape: &KeyShape, out: &mut String) -> Option<()> {
        out.clear();
        match self.target {
            Some(target) => out.push_str(target),
            None => shape.write_text(self.key, 0, out)?,
        }
        Some(())
    }
}
