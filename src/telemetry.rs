//! Logs: format, filter, and where they go.

use std::io::IsTerminal as _;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, ParseError, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, registry};

/// Where our own events come from.
const OURS: &str = "ciosync";

/// The target under which the PostgreSQL driver passes on what a server tells its clients (`raise
/// warning`). It can quote rows. Source: sqlx-postgres, `connection/stream.rs`.
const SERVER_NOTICES: &str = "sqlx::postgres::notice";

/// The most that libraries may log. Below it some write down what they send and receive.
const LIBRARIES_MAX: Level = Level::DEBUG;

/// Sends logs to stderr, filtered by `filter` as `tracing` filters are written. Whatever it asks
/// for, nothing is logged that could hold rows or credentials.
///
/// # Errors
/// Where the filter can't be read.
pub fn init(filter: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(filter)?.and(filter_fn(is_harmless));
    let mut lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    if !std::io::stderr().is_terminal() {
        lines = lines.with_ansi(false);
    }
    registry().with(lines.with_filter(filter)).init();
    Ok(())
}

fn is_harmless(metadata: &Metadata<'_>) -> bool {
    let is_ours = metadata.target().split("::").next() == Some(OURS);
    is_ours || (metadata.target() != SERVER_NOTICES && *metadata.level() <= LIBRARIES_MAX)
}
