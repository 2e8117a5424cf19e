//! The run lock: one process at a time runs a Sync, and a process that lost it writes nothing.
