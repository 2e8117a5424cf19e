//! One row against what is remembered of it.

use crate::model::{Encoding, Entry, Fingerprint, Target};

/// A row of the source, mapped.
#[derive(Clone, Copy)]
pub struct Present<'a> {
    /// The canonical bytes of what would be sent.
    pub canonical: &'a [u8],
    /// Their fingerprint in the encoding that is written now.
    pub fingerprint: Fingerprint,
    /// That encoding.
    pub encoding: Encoding,
    /// Whom it is about.
    pub target: Target<'a>,
}

/// How a row stands to what is remembered under its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is remembered.
    Added,
    /// Something else is remembered, about the same target.
    Changed,
    /// Remembered about another target: the old one is no longer meant.
    Moved,
    /// What is remembered is what would be sent.
    Unchanged,
    /// As unchanged, but remembered in an older encoding: to be remembered anew, not sent.
    Outdated,
    /// The person was suppressed by us, and Customer.io would ignore the row with a 200.
    Suppressed,
}

/// Judges `row` by `entry`, which holds the identifier `remembered_target` of the same kind.
pub fn judge(row: &Present<'_>, entry: Option<(&Entry<'_>, &str)>) -> Verdict {
    let Some((entry, remembered_target)) = entry else { return Verdict::Added };
    if entry.flags.suppressed {
        return Verdict::Suppressed;
    }
    let remembered = Target { kind: row.target.kind, text: remembered_target };
    if !row.target.is_same_as(&remembered) {
        return Verdict::Moved;
    }
    if entry.encoding == row.encoding {
        return if entry.fingerprint == Some(row.fingerprint) {
            Verdict::Unchanged
        } else {
            Verdict::Changed
        };
    }
    if entry.fingerprint == Some(Fingerprint::of(row.canonical, entry.encoding)) {
        Verdict::Outdated
    } else {
        Verdict::Changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Header;
    use crate::model::{EntryFlags, IdentifierKind, OperationKind, RecordBuf};

    fn email(text: &str) -> Target<'_> {
        Target::single(IdentifierKind::Email, text)
    }

    fn record(target: &str) -> RecordBuf {
        let mut record = RecordBuf::default();
        record.start(Header::plain(OperationKind::PersonIdentify, email(target)), 0);
        record
    }

    fn verdict(row: &str, remembered: &str, encoding: Encoding, flags: EntryFlags) -> Verdict {
        let row_record = record(row);
        let fingerprint = record(remembered).fingerprint(encoding);
        let entry =
            Entry { key: b"k", fingerprint: Some(fingerprint), encoding, target: None, flags };
        let present = Present {
            canonical: &row_record.canonical,
            fingerprint: row_record.fingerprint(Encoding::CURRENT),
            encoding: Encoding::CURRENT,
            target: email(row),
        };
        judge(&present, Some((&entry, remembered)))
    }

    #[test]
    fn an_entry_is_compared_in_its_own_encoding() {
        let none = EntryFlags::default();

        assert_eq!(verdict("a@x.y", "a@x.y", Encoding::CURRENT, none), Verdict::Unchanged);
        assert_eq!(verdict("a@x.y", "a@x.y", Encoding::PREVIOUS, none), Verdict::Outdated);
    }

    #[test]
    fn another_case_of_an_e_mail_is_a_change_and_no_move() {
        let none = EntryFlags::default();

        assert_eq!(verdict("A@x.y", "a@x.y", Encoding::CURRENT, none), Verdict::Changed);
        assert_eq!(verdict("A@x.y", "a@x.y", Encoding::PREVIOUS, none), Verdict::Changed);
        assert_eq!(verdict("b@x.y", "a@x.y", Encoding::CURRENT, none), Verdict::Moved);
    }

    #[test]
    fn a_suppressed_person_stays_suppressed() {
        let flags = EntryFlags { suppressed: true, ..EntryFlags::default() };

        assert_eq!(verdict("b@x.y", "a@x.y", Encoding::CURRENT, flags), Verdict::Suppressed);
    }
}
