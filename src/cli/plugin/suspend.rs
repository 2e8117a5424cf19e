//! `kubectl ciosync suspend` and `resume`.

use jiff::Timestamp;

use super::target::{Failure, Target};
use crate::api::Sync;
use crate::api::condition::ConditionStatus;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::render::age::instant;
use crate::controller::requests::Request;
use crate::controller::requests::request::SUSPENDED_BY;

/// What keeps a Sync from running.
pub(super) enum Suspension {
    /// Its own `spec.suspend`, with who set it where that was noted.
    Own(Option<String>),
    /// Something that it uses is suspended; the words are the operator's.
    Inherited(String),
}

impl Suspension {
    /// Reads off a Sync whether, and by what, it is suspended.
    pub(super) fn of(sync: &Sync) -> Option<Self> {
        if sync.spec.suspend {
            let noted = sync.metadata.annotations.as_ref().and_then(|all| all.get(SUSPENDED_BY));
            return Some(Self::Own(noted.cloned()));
        }
        let conditions = sync.status.as_ref().map(|status| status.conditions.as_slice());
        let suspended = conditions.unwrap_or_default().iter().find(|condition| {
            condition.condition_type == "Suspended" && condition.status == ConditionStatus::True
        })?;
        match suspended.reason.as_str() {
            // What the spec no longer says: the operator has not looked yet.
            "SuspendedBySpec" => None,
            _ => Some(Self::Inherited(suspended.message.clone())),
        }
    }

    /// Returns words that follow the name of a Sync.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Own(None) => "is suspended".to_owned(),
            Self::Own(Some(by)) => format!("is suspended by {by}"),
            Self::Inherited(message) => {
                format!("is suspended with what it uses: {message}")
            }
        }
    }
}

/// Suspends a Sync, and notes who did so.
pub(super) async fn suspend(target: &Target) -> Result<Exit, Failure> {
    let object = target.read().await?;
    let sync = &target.sync;
    if let Some(suspension @ Suspension::Own(_)) = Suspension::of(&object) {
        output::print(&format!("{sync} {} already\n", suspension.words()))?;
        return Ok(Exit::Done);
    }
    let who = target.cluster.user().await.unwrap_or_else(|| "an unknown user".to_owned());
    let by = format!("{who} at {}", instant(Timestamp::now()));
    target.ask(&Request::Suspend { by }).await?;
    output::print(&format!("{sync} is suspended; a run in progress stops at its next batch\n"))?;
    Ok(Exit::Done)
}

/// Lets a Sync run again.
pub(super) async fn resume(target: &Target) -> Result<Exit, Failure> {
    let object = target.read().await?;
    let sync = &target.sync;
    match Suspension::of(&object) {
        Some(suspension @ Suspension::Own(_)) => {
            let resumed = target.ask(&Request::Resume).await?;
            output::print(&format!("{sync} {} no more\n", suspension.words()))?;
            if let Some(still) = Suspension::of(&resumed) {
                output::note(format_args!("{sync} {}", still.words()));
            }
        }
        Some(inherited) => output::print(&format!("{sync} {}\n", inherited.words()))?,
        None => output::print(&format!("{sync} is not suspended\n"))?,
    }
    Ok(Exit::Done)
}
