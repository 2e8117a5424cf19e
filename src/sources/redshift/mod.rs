//! Amazon Redshift.

pub mod spec;
