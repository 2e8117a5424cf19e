//! Whom an operation is about, as Customer.io knows them.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

/// The identifiers by which Customer.io knows a person.
/// Source: Track API v2, "exactly one of id, email, phone, cio_id".
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
}

impl IdentifierKind {
    /// Returns the identifier's name in Customer.io's JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::CioId => "cio_id",
        }
    }

    /// Returns the number that stands for the identifier in records on disk.
    pub fn code(self) -> u8 {
        match self {
            Self::Id => 1,
            Self::Email => 2,
            Self::Phone => 3,
            Self::CioId => 4,
        }
    }

    /// Returns the identifier that a record on disk names.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Id, Self::Email, Self::Phone, Self::CioId]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// A person in a workspace, named by one identifier.
///
/// Has no `Debug`: an identifier must not reach a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// Which identifier names the person.
    pub kind: IdentifierKind,
    /// Its value, as it is sent.
    pub text: &'a str,
}

impl Target<'_> {
    /// Returns whether Customer.io takes both for one person.
    pub fn is_same_as(&self, other: &Target<'_>) -> bool {
        self.kind == other.kind
            && (self.text == other.text
                || (self.kind == IdentifierKind::Email
                    && self.text.to_lowercase() == other.text.to_lowercase()))
    }

    /// Returns a hash that is equal for targets that Customer.io takes for one person.
    pub fn holder_hash(&self) -> u128 {
        let folded = match self.kind {
            IdentifierKind::Email
                if self.text.bytes().any(|b| !b.is_ascii() || b.is_ascii_uppercase()) =>
            {
                Some(self.text.to_lowercase())
            }
            IdentifierKind::Email
            | IdentifierKind::Id
            | IdentifierKind::Phone
            | IdentifierKind::CioId => None,
        };
        xxh3_128(folded.as_deref().unwrap_or(self.text).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e_mails_are_compared_without_case() {
        let email = |text| Target { kind: IdentifierKind::Email, text };
        let id = |text| Target { kind: IdentifierKind::Id, text };

        assert!(email("Ann@Example.com").is_same_as(&email("ann@example.COM")));
        assert_eq!(email("Ann@É.com").holder_hash(), email("ann@é.com").holder_hash());
        assert!(!id("Ann").is_same_as(&id("ann")));
        assert_ne!(id("Ann").holder_hash(), id("ann").holder_hash());
    }
}
