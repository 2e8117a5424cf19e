//! Files: CSV and Parquet, in a folder or an object store.

pub mod spec;
