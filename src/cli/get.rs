//! `ciosync get`: what the store knows of Syncs, their runs, and rows that were not accepted.
//!
//! Opens the store for reading: takes no lock and writes nothing, so it may be asked during a run.

pub mod pages;
mod rejections;
mod runs;
mod syncs;
pub mod tally;

use std::sync::Arc;

use super::args::{GetArgs, GetCommand, OutputFormat};
use super::exit::Exit;
use super::render::key::Keys;
use super::store::{Wanted, checked_url, no_state, open_store};
use super::{names, output};
use crate::model::RunReport;
use crate::state::store::SyncState;
use crate::state::{Access, StateStore};

/// Most runs of a Sync that are listed. Syncs keep fewer, unless their `historyLimit` says more.
const RUNS_MAX: u32 = 1_000;

/// A Sync that the store knows, with its runs.
struct Known {
    state: SyncState,
    /// Newest first.
    runs: Vec<RunReport>,
}

/// What was asked for, read as far as every `get` needs it.
struct Selection {
    /// `None` where there is no state yet.
    store: Option<Arc<dyn StateStore>>,
    syncs: Vec<Known>,
    /// Whether one Sync was named.
    is_one: bool,
    namespace: String,
    output: OutputFormat,
}

impl Selection {
    /// Returns the Sync's name as the person would type it.
    fn typed(&self, known: &Known) -> String {
        names::typed(&known.state.sync, &self.namespace)
    }
}

/// Prints what is asked for. No state at all is an empty list and a note; a Sync that is named and
/// unknown is an error.
///
/// # Errors
/// Where the state can't be read, or the named Sync is unknown.
pub async fn run(command: GetCommand) -> anyhow::Result<Exit> {
    let (GetCommand::Syncs(args) | GetCommand::Runs(args) | GetCommand::Rejections { args, .. }) =
        &command;
    let (url, wanted) = match wanted(args) {
        Ok(wanted) => wanted,
        Err(complaint) => return Ok(output::refuse(complaint)),
    };
    let selection = select(args, &url, wanted).await?;
    match &command {
        GetCommand::Syncs(_) => syncs::print(&selection).await?,
        GetCommand::Runs(_) => runs::print(&selection)?,
        GetCommand::Rejections { show_keys, .. } => {
            let keys = if *show_keys { Keys::Shown } else { Keys::Masked };
            rejections::print(&selection, keys).await?;
        }
    }
    Ok(Exit::Done)
}

fn wanted(args: &GetArgs) -> anyhow::Result<(String, Option<Wanted>)> {
    let url = checked_url(&args.state)?;
    let wanted = match &args.name {
        Some(name) => Some(Wanted::parse(name, &args.namespace, &args.state)?),
        None => None,
    };
    Ok((url, wanted))
}

async fn select(args: &GetArgs, url: &str, wanted: Option<Wanted>) -> anyhow::Result<Selection> {
    let is_one = wanted.is_some();
    let (store, states) = match wanted {
        Some(wanted) => {
            let (store, state) = wanted.find(Access::Read).await?;
            (Some(store), vec![state])
        }
        None => match open_store(url, Access::Read).await? {
            Some(store) => {
                let states = store.syncs().await.map_err(output::explained)?;
                (Some(store), states)
            }
            None => {
                output::note(no_state(url));
                (None, Vec::new())
            }
        },
    };
    let mut syncs = Vec::new();
    for state in states {
        let Some(store) = &store else { break };
        let runs = store.runs(&state.sync, RUNS_MAX).await.map_err(output::explained)?;
        // A lock that was taken and given back leaves a row behind that says nothing.
        let is_blank = runs.is_empty() && state.segment_rows == 0 && state.memo == <_>::default();
        if is_one || !is_blank {
            syncs.push(Known { state, runs });
        }
    }
    Ok(Selection { store, syncs, is_one, namespace: args.namespace.clone(), output: args.output })
}
