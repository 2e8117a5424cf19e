//! What is larger than memory: a bounded external sort and the spool. Knows bytes only.
