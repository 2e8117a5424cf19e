//! Logs: format, filter, and where they go.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Sends logs to stderr, in colour where that is a terminal, filtered by `filter` as `tracing` filters are written.
///
/// # Errors
/// Where the filter can't be read.
pub fn init(filter: &str) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    Ok(())
}
