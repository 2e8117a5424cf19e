//! The official Python client, one call a row: what a script from cron does.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

/// Calls that are timed: enough to be steady, few enough to be short.
const CALLS: u32 = 3_000;

/// A Python that has the client.
pub struct Client {
    python: PathBuf,
}

impl Client {
    /// Returns the Python that `make bench` prepared; `None` where there is none.
    pub fn prepare() -> anyhow::Result<Option<Self>> {
        let Some(python) = std::env::var_os("CIOSYNC_BENCH_PYTHON") else { return Ok(None) };
        let python = PathBuf::from(python);
        let has_client = Command::new(&python).args(["-c", "import customerio"]).output()?;
        Ok(has_client.status.success().then_some(Self { python }))
    }

    /// Returns how many rows a second it identifies at the server of `url`.
    pub async fn records_per_second(&self, url: &str) -> anyhow::Result<f64> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/throughput/client.py");
        let output = tokio::process::Command::new(&self.python)
            .args([script, url, &CALLS.to_string()])
            .output()
            .await
            .context("the Python client can't be started")?;
        anyhow::ensure!(
            output.status.success(),
            "the Python client failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let seconds: f64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
        Ok(f64::from(CALLS) / seconds)
    }
}
