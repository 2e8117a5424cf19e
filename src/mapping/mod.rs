//! Row to record: the mapping as written, compiled, and applied.
