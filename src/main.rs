//! The `ciosync` binary.

use std::process::ExitCode;
use std::time::Duration;

use ciosync::cli::{self, Exit, output, plugin};

/// How long threads that were left behind may take to end.
const SHUTDOWN_MAX: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    // One TLS provider for every client in the process, before the first of them is made.
    // It fails only where another was installed before, and there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = plugin::typed();
    if let Err(error) = ciosync::telemetry::init(cli.log(), cli.log_format.into()) {
        return report(
            &anyhow::Error::from(error).context("--log can't be read"),
            Exit::InvalidInput,
        );
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&error.into(), Exit::Failed),
    };
    let ended = runtime.block_on(cli::dispatch(cli));
    // What still runs after that has lost its right to: it is not waited for.
    runtime.shutdown_timeout(SHUTDOWN_MAX);
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => report(&error, Exit::Failed),
    }
}

fn report(error: &anyhow::Error, exit: Exit) -> ExitCode {
    output::note(format_args!("error: {error:#}"));
    exit.into()
}
