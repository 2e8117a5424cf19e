//! Whom or what an operation is about, as Customer.io knows them.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

/// Added to the code of an identifier that names the first half of a pair.
const PAIR: u8 = 1 << 4;

/// The identifiers by which Customer.io knows people and objects.
/// Source: Track API v2, "exactly one of id, email, phone, cio_id"; for objects "object_type_id and
/// object_id" or "cio_object_id".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IdentifierKind {
    /// The workspace's own id for the person; upper and lower case differ.
    Id,
    /// The e-mail address; upper and lower case are one.
    Email,
    /// The phone number in E.164 form.
    Phone,
    /// Customer.io's own id, without the `cio_` that version 1 of the API puts in front.
    CioId,
    /// The id of a visitor who has not identified themselves: of events only.
    AnonymousId,
    /// The id of an object within its type.
    ObjectId,
    /// Customer.io's own id of an object.
    CioObjectId,
}

impl IdentifierKind {
    const ALL: [Self; 7] = [
        Self::Id,
        Self::Email,
        Self::Phone,
        Self::CioId,
        Self::AnonymousId,
        Self::ObjectId,
        Self::CioObjectId,
    ];

    /// Returns the identifier's name in Customer.io's JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::CioId => "cio_id",
            Self::AnonymousId => "anonymous_id",
            Self::ObjectId => "object_id",
            Self::CioObjectId => "cio_object_id",
        }
    }

    /// Returns the number that stands for the identifier in records on disk.
    pub fn code(self) -> u8 {
        match self {
            Self::Id => 1,
            Self::Email => 2,
            Self::Phone => 3,
            Self::CioId => 4,
            Self::AnonymousId => 5,
            Self::ObjectId => 6,
            Self::CioObjectId => 7,
        }
    }

    /// Returns the identifier that a record on disk names.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What a target's text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TargetKind {
    /// The identifier that the text, or its first half, is.
    pub identifier: IdentifierKind,
    /// Whether the text is a person and something of theirs: a device's token, an object.
    pub is_pair: bool,
}

impl TargetKind {
    /// Returns the kind of targets that one identifier names.
    pub fn single(identifier: IdentifierKind) -> Self {
        Self { identifier, is_pair: false }
    }

    /// Returns the kind of targets that a person and something of theirs name.
    pub fn pair(identifier: IdentifierKind) -> Self {
        Self { identifier, is_pair: true }
    }

    /// Returns the number that stands for the kind in records on disk.
    pub fn code(self) -> u8 {
        self.identifier.code() | if self.is_pair { PAIR } else { 0 }
    }

    /// Returns the kind that a record on disk names.
    pub fn from_code(code: u8) -> Option<Self> {
        let identifier = IdentifierKind::from_code(code & !PAIR)?;
        Some(Self { identifier, is_pair: code & PAIR != 0 })
    }
}

/// A person, an object, or a pair of a person and something of theirs, in a workspace.
///
/// The text of a pair is `<bytes of the first half>:<first half><second half>`, so that no two
/// pairs share their text and what is remembered of a row says all that its removal needs.
///
/// Has no `Debug`: an identifier must not reach a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// What the text is.
    pub kind: TargetKind,
    /// The identifier, as it is sent, or the text of a pair.
    pub text: &'a str,
}

impl<'a> Target<'a> {
    /// Returns what one identifier names.
    pub fn single(identifier: IdentifierKind, text: &'a str) -> Self {
        Self { kind: TargetKind::single(identifier), text }
    }

    /// Returns the person or object, and the other half of a pair; `None` for a pair whose text
    /// can't be read.
    pub fn parts(&self) -> Option<(&'a str, Option<&'a str>)> {
        if !self.kind.is_pair {
            return Some((self.text, None));
        }
        let (len, halves) = self.text.split_once(':')?;
        let (first, second) = halves.split_at_checked(len.parse().ok()?)?;
        Some((first, Some(second)))
    }

    /// Returns whether Customer.io takes both for one.
    pub fn is_same_as(&self, other: &Target<'_>) -> bool {
        self.kind == other.kind
            && (self.text == other.text
                || (self.kind.identifier == IdentifierKind::Email
                    && self.folded().is_some_and(|text| Some(text) == other.folded())))
    }

    /// Returns a hash that is equal for targets that Customer.io takes for one.
    pub fn holder_hash(&self) -> u128 {
        let needs_folding = self.kind.identifier == IdentifierKind::Email
            && self.text.bytes().any(|b| !b.is_ascii() || b.is_ascii_uppercase());
        let folded = if needs_folding { self.folded() } else { None };
        xxh3_128(folded.as_deref().unwrap_or(self.text).as_bytes())
    }

    /// Returns the text with the e-mail address in lower case; a token keeps its case.
    fn folded(&self) -> Option<String> {
        let (first, second) = self.parts()?;
        let Some(second) = second else { return Some(first.to_lowercase()) };
        let mut text = String::with_capacity(self.text.len());
        write_pair(&first.to_lowercase(), second, &mut text);
        Some(text)
    }
}

/// Appends the text of a pair.
pub fn write_pair(first: &str, second: &str, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(first.len()));
    out.push(':');
    out.push_str(first);
    out.push_str(second);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(first: &str, second: &str) -> String {
        let mut text = String::new();
        write_pair(first, second, &mut text);
        text
    }

    #[test]
    fn only_e_mails_are_compared_without_case() {
        let email = |text| Target::single(IdentifierKind::Email, text);
        let id = |text| Target::single(IdentifierKind::Id, text);

        assert!(email("Ann@Example.com").is_same_as(&email("ann@example.COM")));
        assert_eq!(email("Ann@É.com").holder_hash(), email("ann@é.com").holder_hash());
        assert!(!id("Ann").is_same_as(&id("ann")));
        assert_ne!(id("Ann").holder_hash(), id("ann").holder_hash());
    }

    #[test]
    fn of_a_pair_the_e_mail_is_compared_without_case_and_the_rest_with_it() {
        let (upper, lower, other) =
            (pair("Ann@É.com", "Token"), pair("ann@é.com", "Token"), pair("ann@é.com", "token"));
        let kind = TargetKind::pair(IdentifierKind::Email);
        let [upper, lower, other] =
            [&upper, &lower, &other].map(|text| Target { kind, text: text.as_str() });

        assert!(upper.is_same_as(&lower));
        assert_eq!(upper.holder_hash(), lower.holder_hash());
        assert!(!lower.is_same_as(&other));
        assert_ne!(lower.holder_hash(), other.holder_hash());
    }

    proptest! {
        #[test]
        fn a_pair_reads_back_and_shares_its_text_with_no_other(
            first: String, second: String, other_first: String, other_second: String,
        ) {
            let text = pair(&first, &second);
            let target = Target { kind: TargetKind::pair(IdentifierKind::Id), text: &text };

            prop_assert_eq!(target.parts(), Some((first.as_str(), Some(second.as_str()))));
            let is_same = (&first, &second) == (&other_first, &other_second);
            prop_assert_eq!(text == pair(&other_first, &other_second), is_same);
        }

        #[test]
        fn what_is_no_pair_is_told_without_a_panic(text: String) {
            let _ = Target { kind: TargetKind::pair(IdentifierKind::Email), text: &text }.parts();
            let _ = Target { kind: TargetKind::pair(IdentifierKind::Email), text: &text }.holder_hash();
        }
    }

    #[test]
    fn every_kind_is_found_by_its_number() {
        for identifier in IdentifierKind::ALL {
            for kind in [TargetKind::single(identifier), TargetKind::pair(identifier)] {
                assert_eq!(TargetKind::from_code(kind.code()), Some(kind));
            }
        }
    }
}
