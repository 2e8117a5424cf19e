//! Logs: format, filter, and where they go.

use tracing_subscriber::EnvFilter;

/// Sends logs to stderr, filtered by `filter` as `tracing` filters are written.
///
/// # Errors
/// Where the filter can't be read.
pub fn init(filter: &str) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    Ok(())
}
