//! `kubectl ciosync approve`: let a plan pass that a guard stopped.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use jiff::Timestamp;

use super::args::ApproveArgs;
use super::target::{Failure, Target};
use crate::api::Sync;
use crate::cli::exit::Exit;
use crate::cli::render::history;
use crate::cli::{confirm, console, output};
use crate::controller::requests::Request;
use crate::controller::requests::request::CLEANUP;

/// Shows what is blocked, asks, and writes the approval.
pub(super) async fn run(target: &Target, args: &ApproveArgs) -> Result<Exit, Failure> {
    if !args.yes && !io::stdin().is_terminal() {
        return Ok(output::refuse(
            "`approve` asks first, and there is no terminal to ask on: add --yes",
        ));
    }
    let object = target.read().await?;
    let sync = &target.sync;
    let Some(id) = blocked_id(&object) else {
        let hint = "`kubectl get sync` says how it is; a guard shows there as GuardTripped";
        return Ok(console::fail(
            &format_args!("no guard blocks {sync}: there is nothing to approve"),
            Some(hint.to_owned()),
        ));
    };
    if let Some(meant) = args.id.as_deref().filter(|meant| *meant != id) {
        return Ok(console::fail(
            &format_args!("{sync} is not blocked by {meant}, but by {id}"),
            Some("look at its numbers before approving it".to_owned()),
        ));
    }
    output::note(words(&object, &target.sync.to_string()).trim_end());
    let question = "Let a run pass, up to these numbers plus 10 %? [y/N] ";
    if !args.yes && !confirm::on_terminal(question).context("the terminal can't be used")? {
        output::note("nothing was approved");
        return Ok(Exit::Failed);
    }
    target.ask(&Request::Approve { id: id.clone() }).await?;
    output::print(&format!("{sync}: {id} is approved\n"))?;
    Ok(Exit::Done)
}

/// Returns what is to be approved: a blocked run, or the cleanup of a Sync that is being deleted.
fn blocked_id(sync: &Sync) -> Option<String> {
    let blocked = sync.status.as_ref()?.blocked.as_ref()?;
    Some(match sync.metadata.deletion_timestamp {
        Some(_) => CLEANUP.to_owned(),
        None => blocked.id.clone(),
    })
}

/// Returns what the guard stopped, in numbers.
fn words(sync: &Sync, name: &str) -> String {
    let blocked = sync.status.as_ref().and_then(|status| status.blocked.as_ref());
    blocked.map(|blocked| history::blocked(name, blocked, Timestamp::now())).unwrap_or_default()
}
