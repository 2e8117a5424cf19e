//! The field's words as values. Knows nothing else of ours.
