//! What differs between the source and what was accepted, and whether that may go out. Pure.
//!
//! Both sides come sorted by key, so one pass finds what was added, changed and removed
//! ([`merge`]); one judgement compares a row with what is remembered of it ([`verdict`]); and the
//! guards look at the numbers before anything is sent ([`guard`]).

pub mod guard;
pub mod merge;
pub mod refresh;
pub mod verdict;

pub use guard::{GuardInput, Guards, Limit, Tripped};
pub use merge::{Cursor, Entries, Met};
pub use refresh::Refresh;
pub use verdict::{Present, Verdict, judge};
