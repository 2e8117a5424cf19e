//! `kubectl ciosync approve`: let a plan pass that a guard stopped.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use jiff::Timestamp;

use super::args::ApproveArgs;
use super::suspend::Suspension;
use super::target::{Failure, Target};
use crate::cli::exit::Exit;
use crate::cli::render::history;
use crate::cli::{confirm, console, output};
use crate::controller::requests::Request;

/// Shows what is blocked, asks, and writes the approval.
pub(super) async fn run(target: &Target, args: &ApproveArgs) -> Result<Exit, Failure> {
    if !args.yes && !io::stdin().is_terminal() {
        return Ok(output::refuse(
            "`approve` asks first, and there is no terminal to ask on: add --yes",
        ));
    }
    let object = target.read().await?;
    let sync = &target.sync;
    let Some(blocked) = object.status.as_ref().and_then(|status| status.blocked.as_ref()) else {
        let hint = "`kubectl get syncs` says how it is; a guard shows there as GuardTripped";
        return Ok(console::fail(
            &format_args!("no guard blocks {sync}: there is nothing to approve"),
            Some(hint.to_owned()),
        ));
    };
    // A cleanup is no run: it goes on while the Sync is suspended.
    let is_cleanup = object.metadata.deletion_timestamp.is_some();
    if let Some(suspension) = Suspension::of(&object).filter(|_| !is_cleanup) {
        return Ok(console::fail(
            &format_args!("{sync} {}, and an approval would be ignored", suspension.words()),
            Some("resume it first".to_owned()),
        ));
    }
    let id = &blocked.id;
    if let Some(meant) = args.id.as_deref().filter(|meant| meant != id) {
        return Ok(console::fail(
            &format_args!("{sync} is not blocked by {meant}, but by {id}"),
            Some("look at its numbers before approving it".to_owned()),
        ));
    }
    output::note(history::blocked(&sync.to_string(), blocked, Timestamp::now()).trim_end());
    let question = "Let a run pass, up to these numbers plus 10 %? [y/N] ";
    if !args.yes && !confirm::on_terminal(question).context("the terminal can't be used")? {
        output::note("nothing was approved");
        return Ok(Exit::Failed);
    }
    target.ask(&Request::Approve { id: id.clone() }).await?;
    output::print(&format!("{sync}: {id} is approved\n"))?;
    Ok(Exit::Done)
}
