//! Rows out of a warehouse, one folder a source.
