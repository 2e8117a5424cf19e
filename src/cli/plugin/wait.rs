//! Waiting for the run that was asked for.

use std::pin::pin;

use futures_util::{Stream, StreamExt as _};
use tokio::time::timeout;

use super::args::RunArgs;
use super::target::{Failure, Target};
use crate::api::Sync;
use crate::api::sync_status::{RunSummary, SyncStatus};
use crate::cli::args::OutputFormat;
use crate::cli::exit::Exit;
use crate::cli::render::history;
use crate::cli::{console, output};
use crate::controller::requests::{RequestError, Standing};
use crate::model::RunResult;

/// Waits until the run of `token` has ended, prints it, and returns the exit for its result.
/// Ctrl-C ends the waiting, not the run.
pub(super) async fn for_end(target: &Target, token: &str, args: &RunArgs) -> Result<Exit, Failure> {
    let sync = &target.sync;
    let seen = pin!(target.cluster.follow(sync));
    let followed = tokio::select! {
        followed = timeout(args.timeout.get(), follow(seen, token)) => followed,
        () = console::signalled() => {
            output::note(format_args!("{sync}: the run goes on; `kubectl ciosync cancel` stops it"));
            return Ok(Exit::Interrupted);
        }
    };
    let Ok(outcome) = followed else {
        return Ok(console::fail(
            &format_args!("{sync}: the run has not ended within {}", args.timeout),
            Some("it goes on; --timeout says how long to wait".to_owned()),
        ));
    };
    let Some(ended) = outcome? else {
        return Ok(console::fail(
            &format_args!("{sync}: the operator has seen the request and started no run"),
            Some("`kubectl describe sync` says why".to_owned()),
        ));
    };
    match args.output {
        OutputFormat::Json => output::print_json(&ended.run)?,
        OutputFormat::Text => {
            let now = jiff::Timestamp::now();
            output::print(&history::text(None, std::slice::from_ref(&ended.run), now))?;
        }
    }
    if !ended.message.is_empty() {
        output::note(format_args!("{sync}: {}", ended.message));
    }
    Ok(exit(&ended.run.result))
}

/// The run that was waited for.
struct Ended {
    run: RunSummary,
    /// What the status says beside it, where it did not end well.
    message: String,
}

/// Follows the Sync to the end of the run; returns nothing where none was started.
async fn follow(
    mut seen: std::pin::Pin<&mut impl Stream<Item = Result<Sync, RequestError>>>,
    token: &str,
) -> Result<Option<Ended>, RequestError> {
    let mut said = String::new();
    while let Some(object) = seen.next().await {
        let status = object?.status;
        let words = match Standing::of(status.as_ref(), token) {
            Standing::Waiting => continue,
            Standing::Running(run) => history::progress(run),
            Standing::Interrupted(_) => "interrupted; the operator starts it again".to_owned(),
            Standing::Ended(run) => {
                return Ok(Some(Ended {
                    run: run.clone(),
                    message: message(status.as_ref(), run),
                }));
            }
            Standing::Ignored => return Ok(None),
        };
        if words != said {
            output::note(&words);
            said = words;
        }
    }
    Ok(None)
}

/// Returns what Ready says, where the run did not end well and is the last one.
fn message(status: Option<&SyncStatus>, run: &RunSummary) -> String {
    let is_last = |status: &&SyncStatus| {
        status.last_run.as_ref().is_some_and(|last| last.id == run.id)
            && run.reason.as_deref().is_some_and(|reason| !reason.is_empty())
    };
    status
        .filter(is_last)
        .and_then(|status| status.conditions.iter().find(|one| one.condition_type == "Ready"))
        .filter(|ready| Some(&ready.reason) == run.reason.as_ref())
        .map(|ready| ready.message.clone())
        .unwrap_or_default()
}

/// Returns the exit for the result of a run. What a newer operator may add is a failure here.
fn exit(result: &str) -> Exit {
    let is = |wanted: RunResult| result == wanted.as_str();
    if is(RunResult::Succeeded) || is(RunResult::NoChanges) {
        Exit::Done
    } else if is(RunResult::PartiallySucceeded) {
        Exit::DoneWithRejections
    } else if is(RunResult::Blocked) {
        Exit::Blocked
    } else {
        Exit::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_is_that_of_the_run() {
        let codes: Vec<u8> =
            ["Succeeded", "NoChanges", "PartiallySucceeded", "Blocked", "Failed", "Cancelled"]
                .map(|result| exit(result).code())
                .to_vec();

        assert_eq!(codes, [0, 0, 3, 4, 1, 1]);
        assert_eq!(exit("SomethingNew"), Exit::Failed);
    }
}
