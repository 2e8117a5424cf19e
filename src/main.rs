//! The `ciosync` binary.

use std::process::ExitCode;

use ciosync::cli::{self, Exit, output, plugin};

fn main() -> ExitCode {
    // One TLS provider for every client in the process, before the first of them is made.
    // It fails only where another was installed before, and there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = plugin::typed();
    if let Err(error) = ciosync::telemetry::init(&cli.log, cli.log_format.into()) {
        return report(
            &anyhow::Error::from(error).context("--log can't be read"),
            Exit::InvalidInput,
        );
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&error.into(), Exit::Failed),
    };
    match runtime.block_on(cli::dispatch(cli)) {
        Ok(exit) => exit.into(),
        Err(error) => report(&error, Exit::Failed),
    }
}

fn report(error: &anyhow::Error, exit: Exit) -> ExitCode {
    output::note(format_args!("error: {error:#}"));
    exit.into()
}
