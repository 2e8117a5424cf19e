//! `ciosync verify`: what Customer.io holds against what we believe it holds.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::args::OutputFormat;
use super::exit::Exit;
use super::load::{self, Ready, Workshop};
use super::render::key::Keys;
use super::render::run::{self as run_render, Ended};
use super::render::verify::{self as render, Shown};
use super::run::{exit_of, spill_dir};
use super::select::select;
use super::verify_args::VerifyArgs;
use super::{console, output, places, progress, state_access};
use crate::engine::verify::{Verified, VerifyRequest, forget, verify};
use crate::engine::{self, Progress, RunError, RunOptions, RunRequest};
use crate::model::Fingerprint;
use crate::state::StateStore;

/// What starts the run that repairs, for its report.
const TRIGGER: &str = "verify";

/// Runs the command.
///
/// # Errors
/// Where output can't be written.
pub async fn run(args: VerifyArgs) -> anyhow::Result<Exit> {
    let loaded = match load::load(&args.manifests) {
        Ok(loaded) => loaded,
        Err(errors) => return Ok(console::refuse(&errors)),
    };
    let names = std::slice::from_ref(&args.name);
    let selected = match select(&loaded.manifests, names, &args.manifests.namespace) {
        Ok(selected) => selected,
        Err(message) => return Ok(console::refuse_text(&message)),
    };
    console::complain(&loaded.skipped());
    if let Err(exit) = places::check(args.state.url(), args.spool_dir.as_deref()) {
        return Ok(exit);
    }
    let mut ready = match Workshop::new(&loaded, None).make(&selected.syncs).await {
        Ok(ready) => ready,
        Err(errors) => return Ok(console::refuse(&errors)),
    };
    let ready = ready.pop().context("the Sync that was named is gone")?;
    if ready.pipeline.client.app().is_none() {
        let hint = "add spec.appApiKey to the connection";
        let message = "verify reads people back, which needs an App API key, and the connection \
                       has none";
        return Ok(console::refuse_flag(&message, Some(hint.to_owned())));
    }
    let store = match state_access::open(args.state.url()).await {
        Ok(store) => store,
        Err(error) => return Ok(console::fail(&error, error.hint())),
    };
    let cancel = console::cancel_on_signal();
    let (verified, forgotten) = match look(&args, &ready, &store, &cancel).await {
        Ok(found) => found,
        Err(error) => return Ok(failed(&error)),
    };
    let ended = match forgotten {
        0 => None,
        _ => Some(send_again(&args, &ready, store, cancel).await?),
    };
    finish(&args, &ready, &verified, ended)
}

/// Verifies, and with `--repair` makes the rows that differ due again; returns how many.
async fn look(
    args: &VerifyArgs,
    ready: &Ready,
    store: &Arc<dyn StateStore>,
    cancel: &CancellationToken,
) -> Result<(Verified, u64), RunError> {
    let request = VerifyRequest {
        pipeline: Arc::clone(&ready.pipeline),
        store: Arc::clone(store),
        sample: args.sample,
        cancel: cancel.clone(),
        spill_dir: spill_dir(args.spool_dir.as_ref()),
    };
    // A page of keys at a time: a Sync of which everything differs would not fit into memory.
    let (sender, mut pages) = mpsc::unbounded_channel::<Vec<(Vec<u8>, Fingerprint)>>();
    let is_repairing = args.repair;
    let verifying = async move {
        let mut found = |page| {
            if is_repairing {
                // The other end is open as long as this goes on.
                drop(sender.send(page));
            }
        };
        verify(request, &mut found).await
    };
    let repairing = async {
        let mut forgotten = 0;
        while let Some(page) = pages.recv().await {
            forgotten += forget(&ready.pipeline, store, &page, cancel).await?;
        }
        Ok::<_, RunError>(forgotten)
    };
    let (verified, forgotten) = tokio::join!(Box::pin(verifying), repairing);
    Ok((verified?, forgotten?))
}

fn failed(error: &RunError) -> Exit {
    let exit = console::fail(error, error.hint());
    if matches!(error, RunError::Stopped) { Exit::Interrupted } else { exit }
}

/// Runs the Sync, which sends what is due.
async fn send_again(
    args: &VerifyArgs,
    ready: &Ready,
    store: Arc<dyn StateStore>,
    cancel: CancellationToken,
) -> anyhow::Result<Ended> {
    let (sender, receiver) = watch::channel(Progress::default());
    let request = RunRequest {
        pipeline: Arc::clone(&ready.pipeline),
        store,
        options: RunOptions { trigger: Some(TRIGGER.to_owned()), ..RunOptions::default() },
        cancel,
        progress: sender,
        spill_dir: spill_dir(args.spool_dir.as_ref()),
    };
    let outcome = tokio::select! {
        outcome = engine::run(request) => outcome,
        () = progress::show(&ready.id.name, receiver) => anyhow::bail!("progress ended early"),
    };
    Ok(Ended { sync: ready.id.clone(), outcome: Some(outcome), skipped: None })
}

fn finish(
    args: &VerifyArgs,
    ready: &Ready,
    verified: &Verified,
    ended: Option<Ended>,
) -> anyhow::Result<Exit> {
    let shown = Shown {
        keys: if args.show_keys { Keys::Shown } else { Keys::Masked },
        values: args.show_values,
    };
    match args.output {
        OutputFormat::Json => {
            let run = ended.as_ref().map(run_render::json);
            output::print_json(&render::json(&ready.id, verified, shown, run))?;
        }
        OutputFormat::Text => {
            output::print(&render::text(&ready.id.name, verified, shown))?;
            if verified.counts.differences() > 0 && !args.repair {
                output::print(&render::advice())?;
            }
            if let Some(outcome) = ended.as_ref().and_then(|ended| ended.outcome.as_ref()) {
                output::print("repair\n")?;
                output::print(&run_render::outcome(outcome, args.show_values))?;
            }
        }
    }
    Ok(match ended {
        Some(ended) => exit_of(&ended),
        None if verified.counts.differences() > 0 => Exit::DoneWithRejections,
        None => Exit::Done,
    })
}
