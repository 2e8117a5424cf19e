//! `ciosync plan`: what `run` would deliver, delivering nothing.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::args::{PlanArgs, PlanFormat};
use super::exit::Exit;
use super::load::{self, Ready, Workshop};
use super::render::plan::{self as render, Planned};
use super::run::spill_dir;
use super::select::{ids, select, suspended_note};
use super::{console, output, places, progress, state_access};
use crate::engine::{self, Preview, PreviewRequest, Progress, RunError, RunOptions};
use crate::model::SyncId;
use crate::state::{self, Access, StateStore};

/// Runs the command.
///
/// # Errors
/// Where output can't be written.
pub async fn run(args: PlanArgs) -> anyhow::Result<Exit> {
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
    let ready = match Workshop::new(&loaded, None).make(&selected.syncs).await {
        Ok(ready) => ready,
        Err(errors) => return Ok(console::refuse(&errors)),
    };
    if let Err(exit) = places::check(args.state.url(), args.spool_dir.as_deref()) {
        return Ok(exit);
    }
    let opened = state::open_existing(args.state.url(), Some(state_access::OWNER), Access::Read);
    let store = match opened.await {
        Ok(store) => store,
        Err(error) => return Ok(console::fail(&error, error.hint())),
    };
    if args.require_state
        && let Some(missing) = without_state(store.as_ref(), &ready).await?
    {
        let url = state_access::shown(args.state.url());
        return Ok(console::refuse_text(&format!("there is no state of {missing} at {url}")));
    }
    let cancel = console::cancel_on_signal();
    let mut all = Vec::new();
    for next in &ready {
        let options =
            RunOptions { full_resync: full_resync.contains(&next.id), ..RunOptions::default() };
        let planning = plan_one(&args, next, store.clone(), options, cancel.clone());
        let result = Box::pin(planning).await;
        all.push(Planned {
            sync: next.id.clone(),
            entity: next.pipeline.entity.clone(),
            behavior: next.pipeline.behavior.clone(),
            result,
        });
    }
    print(&args, &all)?;
    Ok(Exit::of_all(all.iter().map(|planned| exit_of(planned, args.exit_code))))
}

async fn without_state(
    store: Option<&Arc<dyn StateStore>>,
    ready: &[Ready],
) -> anyhow::Result<Option<SyncId>> {
    for next in ready {
        let known = match store {
            Some(store) => store.sync(&next.id).await?.is_some(),
            None => false,
        };
        if !known {
            return Ok(Some(next.id.clone()));
        }
    }
    Ok(None)
}

async fn plan_one(
    args: &PlanArgs,
    ready: &Ready,
    store: Option<Arc<dyn StateStore>>,
    options: RunOptions,
    cancel: CancellationToken,
) -> Result<Preview, RunError> {
    let (sender, receiver) = watch::channel(Progress::default());
    let request = PreviewRequest {
        pipeline: Arc::clone(&ready.pipeline),
        store,
        options,
        cancel,
        progress: sender,
        spill_dir: spill_dir(args.spool_dir.as_ref()),
    };
    tokio::select! {
        result = engine::plan(request) => result,
        () = progress::show(&ready.id.name, receiver) => Err(RunError::Stopped),
    }
}

fn print(args: &PlanArgs, all: &[Planned]) -> anyhow::Result<()> {
    match args.output {
        PlanFormat::Json => output::print_json(&render::json(all, args.show_values)),
        PlanFormat::Text => output::print(&render::text(all, args.show_values)),
        PlanFormat::Markdown => output::print(&render::markdown(all, args.show_values)),
    }
}

fn exit_of(planned: &Planned, tells_changes: bool) -> Exit {
    match &planned.result {
        Err(RunError::Stopped) => Exit::Interrupted,
        Err(_) => Exit::Failed,
        Ok(preview) if preview.tripped.is_some() || preview.needs_review => Exit::Blocked,
        Ok(preview) if tells_changes && render::change_count(&preview.counts) > 0 => {
            Exit::WouldDeliver
        }
        Ok(preview) if preview.counts.invalid + preview.counts.rejected > 0 => {
            Exit::DoneWithRejections
        }
        Ok(_) => Exit::Done,
    }
}
