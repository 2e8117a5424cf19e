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

/// How a log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for a person.
    #[default]
    Text,
    /// One JSON object a line, with the fields of the spans around it.
    Json,
}

/// Sends logs to stderr, filtered by `filter` as `tracing` filters are written. Whatever it asks
/// for, nothing is logged that could hold rows or credentials.
///
/// # Errors
/// Where the filter can't be read.
pub fn init(filter: &str, format: LogFormat) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(filter)?.and(filter_fn(is_harmless));
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => {
            let mut lines = lines.with_target(false);
            if !std::io::stderr().is_terminal() {
                lines = lines.with_ansi(false);
            }
            registry().with(lines.with_filter(filter)).init();
        }
        LogFormat::Json => {
            // The fields of a run's span stand beside those of the event: `sync`, `run_id`.
            let lines = lines.json().flatten_event(true).with_current_span(false);
            registry().with(lines.with_filter(filter)).init();
        }
    }
    Ok(())
}

fn is_harmless(metadata: &Metadata<'_>) -> bool {
    let is_ours = metadata.target().split("::").next() == Some(OURS);
    is_ours || (metadata.target() != SERVER_NOTICES && *metadata.level() <= LIBRARIES_MAX)
}
