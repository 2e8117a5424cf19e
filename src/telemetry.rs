//! Logs: format, filter, and where they go.
