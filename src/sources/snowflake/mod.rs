//! Snowflake.

pub mod spec;
