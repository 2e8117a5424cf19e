//! Rows that were not accepted: what is wrong with them, in words that hold no row value.

use serde::{Deserialize, Serialize};

/// Who refused the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RejectionKind {
    /// We did, before sending it.
    Invalid,
    /// Customer.io did.
    Rejected,
}

impl RejectionKind {
    /// Returns the word for tables and columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Rejected => "rejected",
        }
    }
}

/// Why a row was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejection {
    /// Who refused it.
    pub kind: RejectionKind,
    /// A short code: one of [`InvalidCode`], or Customer.io's own `reason`.
    pub code: String,
    /// The column or attribute concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong, for a person, without any value of the row.
    pub message: String,
}

impl Rejection {
    /// Returns a refusal of ours.
    pub fn invalid(code: InvalidCode, field: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            kind: RejectionKind::Invalid,
            code: code.as_str().to_owned(),
            field: field.map(str::to_owned),
            message: message.into(),
        }
    }
}

/// The reasons for which we refuse a row before sending it: a closed set, shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvalidCode {
    /// A column of the primary key is null.
    NullKey,
    /// The primary key has a value that can be no key.
    InvalidKey,
    /// Several rows have this primary key; none of them is sent.
    DuplicateKey,
    /// Several rows are about this person, object or pair; none of them is sent.
    DuplicateTarget,
    /// The identifier is null or empty.
    MissingIdentifier,
    /// The identifier cannot be one: too long, or no text.
    InvalidIdentifier,
    /// An e-mail address that cannot be one.
    InvalidEmail,
    /// An event without a name, or with one that cannot be one.
    InvalidEventName,
    /// A device's platform that is neither ios nor android.
    InvalidPlatform,
    /// A value that is no number.
    InvalidNumber,
    /// A value that is no whole number, or out of range.
    InvalidInteger,
    /// A value that is neither true nor false.
    InvalidBoolean,
    /// A value that is no instant, or infinite.
    InvalidTimestamp,
    /// A value that is no date.
    InvalidDate,
    /// A value that is no JSON.
    InvalidJson,
    /// A value of a kind that has no text.
    InvalidText,
    /// A value the source could not decode.
    Undecodable,
    /// A value over Customer.io's limit.
    ValueTooLong,
    /// More attributes than Customer.io takes in one request.
    TooManyAttributes,
    /// The whole row is over Customer.io's limit for one item.
    ItemTooLarge,
}

impl InvalidCode {
    /// Returns the code as it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NullKey => "NullKey",
            Self::InvalidKey => "InvalidKey",
            Self::DuplicateKey => "DuplicateKey",
            Self::DuplicateTarget => "DuplicateTarget",
            Self::MissingIdentifier => "MissingIdentifier",
            Self::InvalidIdentifier => "InvalidIdentifier",
            Self::InvalidEmail => "InvalidEmail",
            Self::InvalidEventName => "InvalidEventName",
            Self::InvalidPlatform => "InvalidPlatform",
            Self::InvalidNumber => "InvalidNumber",
            Self::InvalidInteger => "InvalidInteger",
            Self::InvalidBoolean => "InvalidBoolean",
            Self::InvalidTimestamp => "InvalidTimestamp",
            Self::InvalidDate => "InvalidDate",
            Self::InvalidJson => "InvalidJson",
            Self::InvalidText => "InvalidText",
            Self::Undecodable => "Undecodable",
            Self::ValueTooLong => "ValueTooLong",
            Self::TooManyAttributes => "TooManyAttributes",
            Self::ItemTooLarge => "ItemTooLarge",
        }
    }
}
