//! A Sync's state as a file: to move it between stores, and to keep a backup.
//!
//! Version 1 is JSON, one object a line; bytes are written in hexadecimal digits:
//!
//! ```text
//! {"header":{"version":1,"sync":{"namespace":…,"name":…},"memo":{…}}}
//! {"segment":{"firstKey":…,"lastKey":…,"count":…,"codec":…,"crc":…,"data":…}}   any number
//! {"rejection":{"key":…,"fingerprint":…,"rejection":{…},"attempts":…,…}}        any number
//! {"end":{"segments":…,"rows":…,"rejections":…,"crc":…}}
//! ```
//!
//! Segments ascend and are laid out as `state::segment` says. The last line's `crc` is the CRC-32
//! of all bytes before it. The history of runs is not part of it: it tells of another store.

mod export;
mod hex;
mod import;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use export::export;
pub use import::import;

use super::error::StateError;
use super::store::{RejectedRow, StoredSegment, SyncMemo};
use crate::model::{Rejection, SyncId};

/// The version of the file's form that is written.
const VERSION: u32 = 1;

/// What a file holds, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The Sync that it was exported from.
    pub sync: SyncId,
    /// Remembered rows.
    pub rows: u64,
    /// Rows that were not accepted.
    pub rejections: u64,
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Header(Box<Header>),
    Segment(SegmentLine),
    Rejection(RejectionLine),
    End(End),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    version: u32,
    sync: SyncId,
    memo: SyncMemo,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SegmentLine {
    #[serde(with = "hex")]
    first_key: Vec<u8>,
    #[serde(with = "hex")]
    last_key: Vec<u8>,
    count: u32,
    codec: u8,
    crc: u32,
    #[serde(with = "hex")]
    data: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RejectionLine {
    #[serde(with = "hex")]
    key: Vec<u8>,
    /// 16 bytes, or none.
    #[serde(with = "hex")]
    fingerprint: Vec<u8>,
    rejection: Rejection,
    attempts: u32,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
    due_run: u64,
    parked: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct End {
    segments: u64,
    rows: u64,
    rejections: u64,
    crc: u32,
}

impl From<StoredSegment> for SegmentLine {
    fn from(segment: StoredSegment) -> Self {
        let StoredSegment { first_key, last_key, count, codec, crc, data } = segment;
        Self { first_key, last_key, count, codec, crc, data }
    }
}

impl From<SegmentLine> for StoredSegment {
    fn from(line: SegmentLine) -> Self {
        let SegmentLine { first_key, last_key, count, codec, crc, data } = line;
        Self { first_key, last_key, count, codec, crc, data }
    }
}

impl From<RejectedRow> for RejectionLine {
    fn from(row: RejectedRow) -> Self {
        Self {
            key: row.key,
            fingerprint: row.fingerprint.map(Vec::from).unwrap_or_default(),
            rejection: row.rejection,
            attempts: row.attempts,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            due_run: row.due_run,
            parked: row.parked,
        }
    }
}

impl RejectionLine {
    /// Returns the row; `None` where its fingerprint has another length than fingerprints have.
    fn into_row(self) -> Option<RejectedRow> {
        let fingerprint = match self.fingerprint.len() {
            0 => None,
            _ => Some(<[u8; 16]>::try_from(self.fingerprint).ok()?),
        };
        Some(RejectedRow {
            key: self.key,
            fingerprint,
            rejection: self.rejection,
            attempts: self.attempts,
            first_seen_at: self.first_seen_at,
            last_seen_at: self.last_seen_at,
            due_run: self.due_run,
            parked: self.parked,
        })
    }
}

fn export_error(problem: impl Into<String>) -> StateError {
    StateError::Export { problem: problem.into() }
}
