//! The layout of remembered rows in one block of bytes: sorted, front-coded, about 19 bytes a row.
//!
//! Version 1, with numbers as LEB128:
//!
//! ```text
//! block  = encoding, other encoding or 0, number of entries, entries
//! entry  = flags, lengths, key suffix, [fingerprint: 16 bytes], [target: length, text],
//!          [missing since: unix seconds], [read at: unix seconds]
//! ```
//!
//! `lengths` is one byte: in its upper half how many bytes the key shares with the one before it,
//! in its lower half how many follow; 15 means that the rest of the number stands behind.
//! The CRC-32, the number of entries and the outer keys are kept beside the block and checked.

use super::chunk::{Decoded, EntryChunk, bits, flags_of, removed_entry};
use super::error::StateError;
use super::store::{StateStore, StoredSegment};
use crate::model::key::KEY_BYTES_MAX;
use crate::model::{Encoding, Entry, SyncId, varint};

/// The version of the layout that is written.
pub const CODEC: u8 = 1;

/// How many entries a segment has, unless they are large.
pub const SEGMENT_ENTRIES: usize = 4_096;

/// How large a segment grows, in bytes before front-coding.
pub const SEGMENT_BYTES: usize = 256 * 1_024;

/// Marks a length that doesn't fit in its half byte.
const LONG: usize = 15;

/// Why a block of entries can't be read or written. Holds no row values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// A version of the layout that this binary doesn't know.
    #[error("has the layout {0}, which this version of ciosync doesn't know")]
    UnknownCodec(u8),
    /// Fingerprints of an encoding that this binary doesn't know.
    #[error("has fingerprints of the kind {0}, which this version of ciosync doesn't know")]
    UnknownEncoding(u8),
    /// The bytes are not those that were written.
    #[error("fails its checksum")]
    Checksum,
    /// Bytes are missing, left over, or not what the layout allows.
    #[error("is cut off or garbled")]
    Layout,
    /// Keys don't ascend.
    #[error("is out of order")]
    Order,
    /// The number of entries or an outer key differs from what is noted beside the block.
    #[error("differs from what is noted beside it")]
    Label,
}

impl SegmentError {
    /// Returns the error of a run that met this in `what` (`a segment`) of a Sync's state.
    pub(super) fn in_state(self, what: &str, store: &dyn StateStore, sync: &SyncId) -> StateError {
        match self {
            Self::UnknownCodec(_) | Self::UnknownEncoding(_) => StateError::Refused {
                location: store.location().to_owned(),
                problem: format!("holds {what} of {sync} that {self}"),
                hint: "use the version of ciosync that wrote it, or a newer one".to_owned(),
            },
            Self::Checksum | Self::Layout | Self::Order | Self::Label => {
                StateError::Damaged { sync: sync.clone(), problem: format!("{what} {self}") }
            }
        }
    }
}

/// Writes entries, in order of their keys, into one block.
#[derive(Default)]
pub struct SegmentWriter {
    body: Vec<u8>,
    count: u32,
    first_key: Vec<u8>,
    last_key: Vec<u8>,
    encoding: Option<Encoding>,
    other_encoding: Option<Encoding>,
}

impl SegmentWriter {
    /// Appends an entry.
    ///
    /// # Errors
    /// Where its key doesn't lie behind the last one's or is too long, and where it brings a third
    /// encoding into the block.
    pub fn push(&mut self, entry: &Entry<'_>) -> Result<(), SegmentError> {
        let mut flags = flags_of(entry);
        if entry.fingerprint.is_some() && !self.is_first_encoding(entry.encoding)? {
            flags |= bits::OTHER_ENCODING;
        }
        self.write(entry, flags)
    }

    /// Appends the mark of a key that is gone: for the journal only.
    ///
    /// # Errors
    /// As [`SegmentWriter::push`].
    pub fn push_removed(&mut self, key: &[u8]) -> Result<(), SegmentError> {
        self.write(&removed_entry(key), bits::REMOVED)
    }

    /// Returns the block and starts a new one; `None` where nothing was written.
    pub fn finish(&mut self) -> Option<StoredSegment> {
        if self.count == 0 {
            return None;
        }
        let encoding = self.encoding.take().unwrap_or(Encoding::CURRENT);
        let mut data = Vec::with_capacity(self.body.len() + 8);
        data.push(encoding.code());
        data.push(self.other_encoding.take().map_or(0, Encoding::code));
        varint::write(&mut data, u64::from(self.count));
        data.append(&mut self.body);
        Some(StoredSegment {
            first_key: std::mem::take(&mut self.first_key),
            last_key: std::mem::take(&mut self.last_key),
            count: std::mem::take(&mut self.count),
            codec: CODEC,
            crc: crc32fast::hash(&data),
            data,
        })
    }

    fn is_first_encoding(&mut self, encoding: Encoding) -> Result<bool, SegmentError> {
        if *self.encoding.get_or_insert(encoding) == encoding {
            return Ok(true);
        }
        if *self.other_encoding.get_or_insert(encoding) == encoding {
            return Ok(false);
        }
        Err(SegmentError::Layout)
    }

    fn write(&mut self, entry: &Entry<'_>, flags: u8) -> Result<(), SegmentError> {
        let key = entry.key;
        if self.count > 0 && key <= self.last_key.as_slice() {
            return Err(SegmentError::Order);
        }
        if key.len() > KEY_BYTES_MAX {
            return Err(SegmentError::Layout);
        }
        let shared = self.last_key.iter().zip(key).take_while(|(a, b)| a == b).count();
        let suffix = &key[shared..];
        self.body.push(flags);
        write_lengths(&mut self.body, shared, suffix.len());
        self.body.extend_from_slice(suffix);
        if let Some(fingerprint) = entry.fingerprint {
            self.body.extend_from_slice(&fingerprint.to_bytes());
        }
        if let Some(target) = entry.target {
            varint::write_bytes(&mut self.body, target.as_bytes());
        }
        for seconds in [entry.flags.missing_since, entry.flags.read_at].into_iter().flatten() {
            varint::write(&mut self.body, u64::from(seconds));
        }
        if self.count == 0 {
            self.first_key.extend_from_slice(key);
        }
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(suffix);
        self.count = self.count.checked_add(1).ok_or(SegmentError::Layout)?;
        Ok(())
    }
}

/// Replaces `out` by the entries of a segment.
///
/// # Errors
/// Where anything about the segment is not as it was written; `out` is then unspecified.
pub fn decode(segment: &StoredSegment, out: &mut EntryChunk) -> Result<(), SegmentError> {
    out.clear();
    read_block(segment, bits::KNOWN & !bits::REMOVED, out)
}

/// Appends what a journal row holds to `out`, which is in the order of keys only within each row.
///
/// # Errors
/// As [`decode`].
pub fn decode_journal(changes: &StoredSegment, out: &mut EntryChunk) -> Result<(), SegmentError> {
    read_block(changes, bits::KNOWN, out)
}

fn read_block(
    segment: &StoredSegment,
    allowed: u8,
    out: &mut EntryChunk,
) -> Result<(), SegmentError> {
    if segment.codec != CODEC {
        return Err(SegmentError::UnknownCodec(segment.codec));
    }
    if crc32fast::hash(&segment.data) != segment.crc {
        return Err(SegmentError::Checksum);
    }
    let mut input = segment.data.as_slice();
    let encodings = [take_byte(&mut input)?, take_byte(&mut input)?];
    let encodings = [known_encoding(encodings[0])?, other_encoding(encodings[1])?];
    let count = varint::read(&mut input).ok_or(SegmentError::Layout)?;
    if count == 0 || count != u64::from(segment.count) {
        return Err(SegmentError::Label);
    }
    let start = out.len();
    for index in 0..count {
        read_entry(&mut input, index == 0, allowed, encodings, out)?;
    }
    if !input.is_empty() {
        return Err(SegmentError::Layout);
    }
    let first_key = out.get(start).map(|entry| entry.key);
    if first_key != Some(&segment.first_key) || out.last_key() != Some(&segment.last_key) {
        return Err(SegmentError::Label);
    }
    Ok(())
}

fn read_entry(
    input: &mut &[u8],
    is_first: bool,
    allowed: u8,
    encodings: [Option<Encoding>; 2],
    out: &mut EntryChunk,
) -> Result<(), SegmentError> {
    let flags = take_byte(input)?;
    let is_bare_removal = flags & bits::REMOVED == 0 || flags == bits::REMOVED;
    if flags & !allowed != 0 || !is_bare_removal {
        return Err(SegmentError::Layout);
    }
    let (shared, suffix_len) = read_lengths(input)?;
    if shared.saturating_add(suffix_len) > KEY_BYTES_MAX {
        return Err(SegmentError::Layout);
    }
    let suffix = take(input, suffix_len)?;
    let previous = if is_first { None } else { out.last_key() };
    let Some(behind_shared) = previous.unwrap_or_default().get(shared..) else {
        return Err(SegmentError::Layout);
    };
    if previous.is_some() && suffix <= behind_shared {
        return Err(SegmentError::Order);
    }
    let mut fingerprint = [0; 16];
    if flags & bits::FINGERPRINT != 0 {
        fingerprint.copy_from_slice(take(input, 16)?);
    }
    let mut target = "";
    if flags & bits::TARGET != 0 {
        let bytes = varint::read_bytes(input).ok_or(SegmentError::Layout)?;
        target = std::str::from_utf8(bytes).map_err(|_| SegmentError::Layout)?;
    }
    let missing_since = take_seconds(input, flags & bits::MISSING)?;
    let read_at = take_seconds(input, flags & bits::READ_AT)?;
    let place = usize::from(flags & bits::OTHER_ENCODING != 0);
    let encoding = encodings[place].ok_or(SegmentError::Layout)?;
    // Where there is no fingerprint, it is in none.
    let encoding = if flags & bits::FINGERPRINT == 0 { Encoding::CURRENT } else { encoding };
    let decoded = Decoded { fingerprint, target, flags, encoding, missing_since, read_at };
    out.push_front_coded(shared, suffix, decoded);
    Ok(())
}

fn known_encoding(code: u8) -> Result<Option<Encoding>, SegmentError> {
    Encoding::from_code(code).map(Some).ok_or(SegmentError::UnknownEncoding(code))
}

fn other_encoding(code: u8) -> Result<Option<Encoding>, SegmentError> {
    if code == 0 { Ok(None) } else { known_encoding(code) }
}

fn write_lengths(out: &mut Vec<u8>, shared: usize, suffix: usize) {
    out.push((shared.min(LONG) << 4 | suffix.min(LONG)) as u8);
    for length in [shared, suffix] {
        if length >= LONG {
            varint::write(out, (length - LONG) as u64);
        }
    }
}

fn read_lengths(input: &mut &[u8]) -> Result<(usize, usize), SegmentError> {
    let byte = usize::from(take_byte(input)?);
    Ok((read_length(input, byte >> 4)?, read_length(input, byte & 0xf)?))
}

fn read_length(input: &mut &[u8], short: usize) -> Result<usize, SegmentError> {
    if short < LONG {
        return Ok(short);
    }
    varint::read(input)
        .and_then(|rest| usize::try_from(rest).ok()?.checked_add(LONG))
        .ok_or(SegmentError::Layout)
}

/// Takes a time off the front of `input`; zero where the entry has none.
fn take_seconds(input: &mut &[u8], is_there: u8) -> Result<u32, SegmentError> {
    if is_there == 0 {
        return Ok(0);
    }
    let seconds = varint::read(input).ok_or(SegmentError::Layout)?;
    u32::try_from(seconds).map_err(|_| SegmentError::Layout)
}

fn take_byte(input: &mut &[u8]) -> Result<u8, SegmentError> {
    let (&byte, rest) = input.split_first().ok_or(SegmentError::Layout)?;
    *input = rest;
    Ok(byte)
}

fn take<'a>(input: &mut &'a [u8], count: usize) -> Result<&'a [u8], SegmentError> {
    let (bytes, rest) = input.split_at_checked(count).ok_or(SegmentError::Layout)?;
    *input = rest;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
