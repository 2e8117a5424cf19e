//! Google Sheets.

pub mod spec;
