//! SQLite, for laptops, demos and tests.

pub mod spec;
