//! `ciosync emulator`: a Customer.io workspace in memory, until somebody stops it.

use std::io;

use anyhow::Context as _;

use super::args::EmulatorArgs;
use super::exit::Exit;
use super::output;
use crate::emulator::{Emulator, Options};

/// Starts the emulator, prints where it is and a connection that delivers into it, and returns
/// when Ctrl-C or SIGTERM asked it to stop and requests under way have ended.
///
/// # Errors
/// Where the address can't be listened on.
pub async fn run(args: EmulatorArgs) -> anyhow::Result<Exit> {
    let defaults = Options::default();
    let options = Options {
        listen: args.listen,
        workspace_id: args.workspace_id,
        site_id: args.site_id.unwrap_or(defaults.site_id),
        api_key: args.api_key.unwrap_or(defaults.api_key),
        app_api_key: args.app_api_key.unwrap_or(defaults.app_api_key),
        ..Options::default()
    };
    // Whoever reads the first line may stop us at once.
    let stop = StopSignal::listen().context("signals can't be listened for")?;
    let emulator = Emulator::start(options.clone())
        .await
        .context("the emulator can't start; `--listen 127.0.0.1:0` takes a free port")?;
    output::print(&welcome(emulator.url(), emulator.workspace_id(), &options))?;
    stop.received().await;
    emulator.stop().await;
    Ok(Exit::Done)
}

/// The first line is for programs, the rest a manifest: `ciosync emulator | tail -n +2 > a.yaml`.
fn welcome(url: &str, workspace_id: u64, options: &Options) -> String {
    format!(
        "\
listening on {url}
# Workspace {workspace_id} in memory; look inside at {url}/, stop with Ctrl-C.
# Syncs with `connectionRef: {{name: emulator}}` deliver into it:
apiVersion: v1
kind: Secret
metadata:
  name: emulator
stringData:
  site-id: {}
  api-key: {}
  app-api-key: {}
---
apiVersion: ciosync.dev/v1alpha1
kind: CustomerIoConnection
metadata:
  name: emulator
spec:
  siteId: {{secretKeyRef: {{name: emulator, key: site-id}}}}
  apiKey: {{secretKeyRef: {{name: emulator, key: api-key}}}}
  appApiKey: {{secretKeyRef: {{name: emulator, key: app-api-key}}}}
  endpoint: {url}
",
        quoted(&options.site_id),
        quoted(&options.api_key),
        quoted(&options.app_api_key),
    )
}

/// A JSON string is a YAML string too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Ctrl-C, and what a cluster sends.
struct StopSignal {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignal {
    /// From here on the signals no longer end the process by themselves.
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn received(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl StopSignal {
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn received(self) {
        // Without the signal there is no way to stop but to be killed.
        drop(tokio::signal::ctrl_c().await);
    }
}
