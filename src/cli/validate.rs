//! `ciosync validate`: all complaints at once.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::args::{OutputFormat, ValidateArgs};
use super::exit::Exit;
use super::load::{self, Loaded, Workshop};
use super::{console, output};
use crate::api::Finding;
use crate::customerio::{Client, DeliveryError, SendClock, SendContext, Traffic};
use crate::manifest::Complaint;

/// How long a workspace may take to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(20);

/// Runs the command.
///
/// # Errors
/// Where output can't be written.
pub async fn run(args: ValidateArgs) -> anyhow::Result<Exit> {
    let loaded = match load::load(&args.manifests) {
        Ok(loaded) => loaded,
        Err(errors) => {
            if args.output == OutputFormat::Json {
                output::print_json(&errors)?;
                return Ok(Exit::InvalidInput);
            }
            return Ok(console::refuse(&errors));
        }
    };
    let mut found = loaded.notes.clone();
    let mut exit = Exit::Done;
    if args.connect {
        let (mut failures, is_input) = connect(&loaded).await;
        if !failures.is_empty() {
            exit = if is_input { Exit::InvalidInput } else { Exit::Failed };
        }
        found.append(&mut failures);
    }
    match args.output {
        OutputFormat::Json => output::print_json(&found)?,
        OutputFormat::Text => {
            console::complain(&found);
            if exit == Exit::Done {
                output::print(&summary(&loaded))?;
            }
        }
    }
    Ok(exit)
}

fn summary(loaded: &Loaded) -> String {
    let manifests = &loaded.manifests;
    let count =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!(
        "{}, {}, {}: valid\n",
        count(manifests.sources.len(), "Source"),
        count(manifests.connections.len(), "CustomerIoConnection"),
        count(manifests.syncs.len(), "Sync")
    )
}

/// Reaches every source and connection. The second value says whether all that failed was missing
/// input, found before anything was reached.
async fn connect(loaded: &Loaded) -> (Vec<Complaint>, bool) {
    let workshop = Workshop::new(loaded, None);
    let mut complaints = Vec::new();
    let mut reached_any = false;
    for manifest in &loaded.manifests.sources {
        match workshop.make_source(manifest).await {
            Err(found) => complaints.extend(found),
            Ok(source) => {
                reached_any = true;
                if let Err(error) = source.probe().await {
                    let mut finding = Finding::error("spec", error.to_string());
                    finding.hint = error.hint.clone();
                    complaints.push(manifest.complaint(finding));
                }
            }
        }
    }
    for manifest in &loaded.manifests.connections {
        match workshop.make_client(manifest).await {
            Err(found) => complaints.extend(found),
            Ok(client) => {
                reached_any = true;
                if let Err(error) = probe(&client).await {
                    let mut finding = Finding::error("spec", error.to_string());
                    finding.hint = error.hint();
                    complaints.push(manifest.complaint(finding));
                }
            }
        }
    }
    (complaints, !reached_any)
}

async fn probe(client: &Client) -> Result<(), DeliveryError> {
    let (cancel, clock, traffic) = (
        CancellationToken::new(),
        SendClock::not_before(Timestamp::UNIX_EPOCH),
        Traffic::default(),
    );
    let context = SendContext {
        deadline: Instant::now() + PROBE_TIMEOUT,
        cancel: &cancel,
        may_send: &|| true,
        clock: &clock,
        traffic: &traffic,
    };
    client.probe(&context).await.map(drop)
}
