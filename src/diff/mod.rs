//! Sorted records against the sorted snapshot, and the guards. Pure.
