//! `ciosync run`: the Syncs in the files, once, in dependency order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::approvals::Approvals;
use super::args::{OutputFormat, RunArgs};
use super::emulate::Emulated;
use super::exit::Exit;
use super::load::{self, Ready, Workshop};
use super::order::in_dependency_order;
use super::render::run::{self as render, Ended};
use super::select::{ids, select, suspended_note};
use super::{console, output};
use super::{places, progress, state_access};
use crate::engine::{self, Progress, RunOptions, RunOutcome, RunRequest};
use crate::model::{RunId, RunResult, SyncId};
use crate::state::StateStore;

/// Runs the command.
///
/// # Errors
/// Where output can't be written, or the emulator or the state can't be opened.
pub async fn run(args: RunArgs) -> anyhow::Result<Exit> {
    let loaded = match load::load(&args.manifests) {
        Ok(loaded) => loaded,
        Err(errors) => return Ok(console::refuse(&errors)),
    };
    let namespace = &args.manifests.namespace;
    let selected = match select(&loaded.manifests, &args.sync, namespace) {
        Ok(selected) => selected,
        Err(message) => return Ok(console::refuse_text(&message)),
    };
    let full_resync = match ids(&loaded.manifests, &args.full_resync, namespace) {
        Ok(ids) => ids,
        Err(message) => return Ok(console::refuse_text(&message)),
    };
    let mut notes = loaded.skipped();
    notes.extend(selected.suspended.iter().map(|sync| suspended_note(sync)));
    console::complain(&notes);
    if let Err(exit) = places::check(args.state.url(), args.spool_dir.as_deref()) {
        return Ok(exit);
    }
    let emulated = match args.emulator {
        true => Some(Emulated::start(&args.state).await?),
        false => None,
    };
    let stand = emulated.as_ref().map(Emulated::stand);
    let ready = match Workshop::new(&loaded, stand).make(&selected.syncs).await {
        Ok(ready) => ready,
        Err(errors) => return Ok(console::refuse(&errors)),
    };
    let url = emulated.as_ref().map_or(args.state.url(), Emulated::state_url).to_owned();
    let store = match state_access::open(&url).await {
        Ok(store) => store,
        Err(error) => return Ok(console::fail(&error, error.hint())),
    };
    if let Some(emulated) = &emulated {
        emulated.check_unused(store.as_ref()).await?;
    }
    let approvals = Approvals::find(&args.approve, store.as_ref(), &ready).await?;
    if let Some((message, hint)) = approvals.complaint() {
        return Ok(console::fail(&message, Some(hint)));
    }
    let approvals = approvals.by_sync;
    let cancel = console::cancel_on_signal();
    let runner = Runner { args: &args, store, full_resync, approvals, cancel };
    let all = runner.run_all(&ready).await?;
    finish(&args, &url, &all, emulated).await
}

async fn finish(
    args: &RunArgs,
    url: &str,
    all: &[Ended],
    emulated: Option<Emulated>,
) -> anyhow::Result<Exit> {
    match args.output {
        OutputFormat::Json => {
            output::print_json(&all.iter().map(render::json).collect::<Vec<_>>())?
        }
        OutputFormat::Text => {
            output::print(&render::table(all))?;
            let flag = if url == super::args::STATE_DEFAULT {
                String::new()
            } else {
                format!(" --state {}", state_access::shown(url))
            };
            output::print(&render::rejections(all, &flag))?;
        }
    }
    if let Some(emulated) = emulated {
        if args.output == OutputFormat::Text {
            output::print(&emulated.arrived())?;
        }
        emulated.stop().await;
    }
    Ok(Exit::of_all(all.iter().map(exit_of)))
}

/// Returns the exit code of one Sync.
pub fn exit_of(ended: &Ended) -> Exit {
    match ended.outcome.as_ref().map(|outcome| outcome.report.result) {
        Some(RunResult::Succeeded | RunResult::NoChanges) => Exit::Done,
        Some(RunResult::PartiallySucceeded) => Exit::DoneWithRejections,
        Some(RunResult::Blocked) => Exit::Blocked,
        Some(RunResult::Interrupted | RunResult::Cancelled) => Exit::Interrupted,
        Some(RunResult::Failed | RunResult::Skipped) | None => Exit::Failed,
    }
}

struct Runner<'a> {
    args: &'a RunArgs,
    store: Arc<dyn StateStore>,
    full_resync: Vec<SyncId>,
    approvals: BTreeMap<SyncId, RunId>,
    cancel: CancellationToken,
}

impl Runner<'_> {
    async fn run_all(&self, ready: &[Ready]) -> anyhow::Result<Vec<Ended>> {
        let order: Vec<_> = ready.iter().map(|it| (it.id.clone(), it.depends_on.clone())).collect();
        let mut failed: BTreeSet<SyncId> = BTreeSet::new();
        let mut all = Vec::new();
        for id in in_dependency_order(&order) {
            let Some(next) = ready.iter().find(|it| it.id == id) else { continue };
            let ended = match next.depends_on.iter().find(|it| failed.contains(it)) {
                Some(cause) => {
                    let why = format!("{} did not end well", cause.name);
                    Ended { sync: id.clone(), outcome: None, skipped: Some(why) }
                }
                None if self.cancel.is_cancelled() => {
                    let why = Some("interrupted".to_owned());
                    Ended { sync: id.clone(), outcome: None, skipped: why }
                }
                None => {
                    let outcome = self.run_one(next).await?;
                    Ended { sync: id.clone(), outcome: Some(outcome), skipped: None }
                }
            };
            let well = ended.outcome.as_ref().is_some_and(|it| it.report.result.ended_well());
            if !well {
                failed.insert(id);
            }
            all.push(ended);
        }
        Ok(all)
    }

    async fn run_one(&self, ready: &Ready) -> anyhow::Result<RunOutcome> {
        let is_text = self.args.output == OutputFormat::Text;
        if is_text {
            output::print(&render::opening(&ready.pipeline))?;
        }
        let (sender, receiver) = watch::channel(Progress::default());
        let request = RunRequest {
            pipeline: Arc::clone(&ready.pipeline),
            store: Arc::clone(&self.store),
            options: self.options(&ready.id),
            cancel: self.cancel.clone(),
            progress: sender,
            spill_dir: spill_dir(self.args.spool_dir.as_ref()),
        };
        let outcome = tokio::select! {
            outcome = engine::run(request) => outcome,
            () = progress::show(&ready.id.name, receiver) => anyhow::bail!("progress ended early"),
        };
        if is_text {
            output::print(&render::outcome(&outcome, self.args.show_values))?;
        }
        Ok(outcome)
    }

    fn options(&self, id: &SyncId) -> RunOptions {
        RunOptions {
            full_resync: self.full_resync.contains(id),
            approve: self.approvals.get(id).cloned(),
            ..RunOptions::default()
        }
    }
}

/// Returns where temporary files go.
pub fn spill_dir(option: Option<&PathBuf>) -> PathBuf {
    option.cloned().unwrap_or_else(std::env::temp_dir)
}
