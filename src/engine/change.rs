//! Changes as the spool holds them: compact bytes, in order of their keys.

use crate::model::{ChangeKind, Encoding, Entry, EntryFlags, Fingerprint, varint};

const UPSERT_ADDED: u8 = 1;
const UPSERT_CHANGED: u8 = 2;
const UPSERT_REFRESHED: u8 = 3;
const MOVE: u8 = 4;
const REMOVE: u8 = 5;
const REMEMBER: u8 = 6;
const FORGET: u8 = 7;
const NOTE: u8 = 8;

/// Added to the tag of a change that carries its row's cursor.
const WITH_AT: u8 = 1 << 7;

/// Bits of what a note holds.
const NOTE_FINGERPRINT: u8 = 1;
const NOTE_TARGET: u8 = 1 << 1;
const NOTE_MISSING: u8 = 1 << 2;
const NOTE_IF_DUPLICATE: u8 = 1 << 3;

/// One planned change, borrowed from the spool.
///
/// Has no `Debug`: keys and targets must not reach a log.
#[derive(Clone, Copy, PartialEq)]
pub enum Change<'a> {
    /// Send the record, then remember it.
    Upsert {
        /// Why: added, changed or refreshed.
        kind: ChangeKind,
        /// The row's key.
        key: &'a [u8],
        /// What is remembered once it is accepted.
        fingerprint: Fingerprint,
        /// What is sent.
        canonical: &'a [u8],
        /// The row's cursor, in unix microseconds, where the Sync has one.
        at: Option<i64>,
    },
    /// The row is about another target now: remove the old one, then send the record.
    Move {
        /// The row's key.
        key: &'a [u8],
        /// What is remembered once the record is accepted.
        fingerprint: Fingerprint,
        /// What is sent.
        canonical: &'a [u8],
        /// The target that the row no longer has.
        old_target: &'a str,
    },
    /// The row left the source: remove its target.
    Remove {
        /// The key it had.
        key: &'a [u8],
        /// The target that was sent for it.
        target: &'a str,
    },
    /// Send nothing, remember the row as it stands.
    Remember {
        /// The row's key.
        key: &'a [u8],
        /// What is remembered.
        fingerprint: Fingerprint,
        /// The target, where it is not the key's text.
        target: Option<&'a str>,
        /// The row's cursor, in unix microseconds, where the Sync has one.
        at: Option<i64>,
    },
    /// Send nothing, forget the row.
    Forget {
        /// The key it had.
        key: &'a [u8],
    },
    /// Send nothing; what is known of the row besides what was sent is another now.
    Note {
        /// What is remembered from now on. Never of a suppressed row, nor of an event.
        entry: Entry<'a>,
        /// Whether it holds only where the row proves one of several about its target; the next
        /// change is what the row comes to otherwise.
        if_duplicate: bool,
    },
}

impl<'a> Change<'a> {
    /// Returns the key of the row.
    pub fn key(&self) -> &'a [u8] {
        match *self {
            Self::Upsert { key, .. }
            | Self::Move { key, .. }
            | Self::Remove { key, .. }
            | Self::Remember { key, .. }
            | Self::Forget { key } => key,
            Self::Note { entry, .. } => entry.key,
        }
    }

    /// Replaces `out` by the change's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        out.push(self.tag());
        varint::write_bytes(out, self.key());
        match *self {
            Self::Upsert { fingerprint, canonical, at, .. } => {
                if let Some(at) = at {
                    out.extend_from_slice(&at.to_le_bytes());
                }
                out.extend_from_slice(&fingerprint.to_bytes());
                out.extend_from_slice(canonical);
            }
            Self::Move { fingerprint, canonical, old_target, .. } => {
                out.extend_from_slice(&fingerprint.to_bytes());
                varint::write_bytes(out, old_target.as_bytes());
                out.extend_from_slice(canonical);
            }
            Self::Remove { target, .. } => out.extend_from_slice(target.as_bytes()),
            Self::Remember { fingerprint, target, at, .. } => {
                if let Some(at) = at {
                    out.extend_from_slice(&at.to_le_bytes());
                }
                out.extend_from_slice(&fingerprint.to_bytes());
                if let Some(target) = target {
                    out.push(1);
                    out.extend_from_slice(target.as_bytes());
                }
            }
            Self::Forget { .. } => {}
            Self::Note { entry, if_duplicate } => encode_note(&entry, if_duplicate, out),
        }
    }

    fn tag(&self) -> u8 {
        match self {
            Self::Upsert { kind, at, .. } => {
                let tag = match kind {
                    ChangeKind::Added => UPSERT_ADDED,
                    ChangeKind::Refreshed => UPSERT_REFRESHED,
                    ChangeKind::Changed | ChangeKind::Removed => UPSERT_CHANGED,
                };
                with_at(tag, *at)
            }
            Self::Move { .. } => MOVE,
            Self::Remove { .. } => REMOVE,
            Self::Remember { at, .. } => with_at(REMEMBER, *at),
            Self::Forget { .. } => FORGET,
            Self::Note { .. } => NOTE,
        }
    }

    /// Reads a change; `None` where the bytes are not one.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (&tag, mut rest) = bytes.split_first()?;
        let key = varint::read_bytes(&mut rest)?;
        let mut at = None;
        if tag & WITH_AT != 0 {
            let (bytes, behind) = rest.split_first_chunk::<8>()?;
            (at, rest) = (Some(i64::from_le_bytes(*bytes)), behind);
        }
        let upsert = |kind| {
            let (fingerprint, canonical) = rest.split_first_chunk::<16>()?;
            let fingerprint = Fingerprint::from_bytes(*fingerprint);
            Some(Self::Upsert { kind, key, fingerprint, canonical, at })
        };
        match tag & !WITH_AT {
            UPSERT_ADDED => upsert(ChangeKind::Added),
            UPSERT_CHANGED => upsert(ChangeKind::Changed),
            UPSERT_REFRESHED => upsert(ChangeKind::Refreshed),
            MOVE => {
                let (fingerprint, mut canonical) = rest.split_first_chunk::<16>()?;
                let old_target = std::str::from_utf8(varint::read_bytes(&mut canonical)?).ok()?;
                let fingerprint = Fingerprint::from_bytes(*fingerprint);
                Some(Self::Move { key, fingerprint, canonical, old_target })
            }
            REMOVE => Some(Self::Remove { key, target: std::str::from_utf8(rest).ok()? }),
            REMEMBER => {
                let (fingerprint, rest) = rest.split_first_chunk::<16>()?;
                let target = match rest.split_first() {
                    Some((_, text)) => Some(std::str::from_utf8(text).ok()?),
                    None => None,
                };
                let fingerprint = Fingerprint::from_bytes(*fingerprint);
                Some(Self::Remember { key, fingerprint, target, at })
            }
            FORGET => Some(Self::Forget { key }),
            NOTE => decode_note(key, rest),
            _ => None,
        }
    }
}

fn with_at(tag: u8, at: Option<i64>) -> u8 {
    if at.is_some() { tag | WITH_AT } else { tag }
}

fn encode_note(entry: &Entry<'_>, if_duplicate: bool, out: &mut Vec<u8>) {
    let has = |is_there: bool, bit| if is_there { bit } else { 0 };
    out.push(entry.encoding.code());
    out.push(
        has(entry.fingerprint.is_some(), NOTE_FINGERPRINT)
            | has(entry.target.is_some(), NOTE_TARGET)
            | has(entry.flags.missing_since.is_some(), NOTE_MISSING)
            | has(if_duplicate, NOTE_IF_DUPLICATE),
    );
    if let Some(fingerprint) = entry.fingerprint {
        out.extend_from_slice(&fingerprint.to_bytes());
    }
    if let Some(seconds) = entry.flags.missing_since {
        out.extend_from_slice(&seconds.to_le_bytes());
    }
    out.extend_from_slice(entry.target.unwrap_or_default().as_bytes());
}

fn decode_note<'a>(key: &'a [u8], rest: &'a [u8]) -> Option<Change<'a>> {
    let (&[encoding, has], mut rest) = rest.split_first_chunk::<2>()?;
    let mut fingerprint = None;
    if has & NOTE_FINGERPRINT != 0 {
        let (bytes, behind) = rest.split_first_chunk::<16>()?;
        (fingerprint, rest) = (Some(Fingerprint::from_bytes(*bytes)), behind);
    }
    let mut missing_since = None;
    if has & NOTE_MISSING != 0 {
        let (bytes, behind) = rest.split_first_chunk::<4>()?;
        (missing_since, rest) = (Some(u32::from_le_bytes(*bytes)), behind);
    }
    let text = std::str::from_utf8(rest).ok()?;
    let target = (has & NOTE_TARGET != 0).then_some(text);
    let flags = EntryFlags { missing_since, ..EntryFlags::default() };
    let encoding = Encoding::from_code(encoding)?;
    let entry = Entry { key, fingerprint, encoding, target, flags };
    Some(Change::Note { entry, if_duplicate: has & NOTE_IF_DUPLICATE != 0 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note<'a>(
        key: &'a [u8],
        fingerprint: Option<Fingerprint>,
        target: Option<&'a str>,
        missing_since: Option<u32>,
    ) -> Change<'a> {
        let flags = EntryFlags { missing_since, ..EntryFlags::default() };
        Change::Note {
            entry: Entry { key, fingerprint, encoding: Encoding::CURRENT, target, flags },
            if_duplicate: missing_since.is_none(),
        }
    }

    proptest! {
        #[test]
        fn every_change_reads_back(key: Vec<u8>, print: [u8; 16], canonical: Vec<u8>, text: String) {
            let (key, canonical, target) = (&key[..], &canonical[..], &text[..]);
            let fingerprint = Fingerprint::from_bytes(print);
            let upsert = |kind, at| Change::Upsert { kind, key, fingerprint, canonical, at };
            let changes = [
                upsert(ChangeKind::Added, None),
                upsert(ChangeKind::Changed, Some(-1)),
                upsert(ChangeKind::Refreshed, Some(i64::MAX)),
                Change::Move { key, fingerprint, canonical, old_target: target },
                Change::Remove { key, target },
                Change::Remember { key, fingerprint, target: None, at: Some(3) },
                Change::Remember { key, fingerprint, target: Some(target), at: None },
                Change::Forget { key },
                note(key, Some(fingerprint), Some(target), Some(7)),
                note(key, None, None, None),
            ];
            let mut bytes = Vec::new();

            for change in changes {
                change.encode(&mut bytes);
                prop_assert!(Change::decode(&bytes) == Some(change));
            }
        }

        #[test]
        fn rubbish_is_refused_without_a_panic(bytes: Vec<u8>) {
            let _ = Change::decode(&bytes);
        }
    }
}
