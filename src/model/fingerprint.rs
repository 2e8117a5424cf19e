//! 128-bit hashes of records: how a run sees that a row changed.

use xxhash_rust::xxh3::xxh3_128_with_seed;

/// How fingerprints are made. Every stored segment names its encoding; a run compares each entry
/// in the entry's own encoding and writes the current one, so that an upgrade sends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Encoding(u8);

impl Encoding {
    /// The encoding before the current one, which must still be understood.
    /// It differs from the current one by its seed alone.
    pub const PREVIOUS: Self = Self(1);
    /// The encoding that is written.
    pub const CURRENT: Self = Self(2);

    /// Returns the number under which the encoding is stored.
    pub fn code(self) -> u8 {
        self.0
    }

    /// Returns the encoding of that number; `None` where this binary doesn't know it, because it
    /// is too old or because a newer binary wrote it.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::PREVIOUS, Self::CURRENT].into_iter().find(|encoding| encoding.0 == code)
    }
}

/// A 128-bit hash over the canonical form of what would be sent for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// Returns the fingerprint of a record's canonical bytes.
    pub fn of(canonical: &[u8], encoding: Encoding) -> Self {
        Self(xxh3_128_with_seed(canonical, u64::from(encoding.0)))
    }

    /// Returns the 16 bytes under which the fingerprint is stored.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// Returns the fingerprint that [`Fingerprint::to_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }
}
