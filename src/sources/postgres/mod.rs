//! PostgreSQL.

pub mod spec;
