//! The App API of a workspace: people read back, activities that failed behind a 200, segments by
//! name, collections.
//!
//! It has a key and a limit of its own: ten requests a second for a workspace, shared by all Syncs
//! of a connection. Retries and faults are those of every other request.

pub mod activities;
pub mod answer;
pub mod collections;
pub mod objects;
pub mod people;
mod question;
pub mod segments;

use serde_json::Value;

pub use activities::{Activity, ActivityPage};
pub use answer::Unread;
pub use collections::Collection;
pub use objects::ObjectProfile;
pub use people::{Names, Profile};
pub use segments::{MemberPage, Segment};

use self::question::Question;
use super::client::Client;
use super::context::SendContext;
use super::error::DeliveryError;
use super::limiter::Limiter;
use super::spec::RateLimitSpec;

/// Requests a second: with what may go at once never more than ten in any second.
/// Source: App API description, "over the 10-per-second limit".
const REQUESTS_PER_SECOND: u32 = 8;

/// Requests that may go at once after a pause.
const BURST: u32 = 2;

/// Requests that may wait for an answer at the same time.
const IN_FLIGHT_MAX: u32 = 2;

/// The App API of a connection's workspace. Exists only where the connection has a key for it.
#[derive(Clone, Copy)]
pub struct App<'c> {
    client: &'c Client,
}

impl<'c> App<'c> {
    pub(super) fn new(client: &'c Client) -> Self {
        Self { client }
    }

    /// Proves the key, and that it is of the account that `workspace_id` lies in. Changes nothing.
    ///
    /// # Errors
    /// Where the key is refused, belongs to another account, or nobody answers.
    pub async fn check(
        &self,
        workspace_id: u64,
        context: &SendContext<'_>,
    ) -> Result<(), DeliveryError> {
        let question = Question::get("check the App API key", &["v1", "workspaces"]);
        let ids = self.ask(question, context, workspaces).await?;
        match ids {
            Some(ids) if ids.contains(&workspace_id) => Ok(()),
            Some(_) => Err(DeliveryError::AppKeyElsewhere { workspace_id }),
            None => Err(self.not_there(context).await?),
        }
    }
}

/// Returns the brake of one connection's App API. It should outlive changes of credentials.
pub fn limiter() -> Limiter {
    Limiter::new(&RateLimitSpec {
        requests_per_second: REQUESTS_PER_SECOND,
        burst: BURST,
        records_per_second: REQUESTS_PER_SECOND,
        max_in_flight: IN_FLIGHT_MAX,
    })
}

/// Reads the ids of the account's workspaces.
fn workspaces(body: &[u8]) -> Result<Vec<u64>, Unread> {
    let body = answer::object(body)?;
    let workspaces = body.get("workspaces").and_then(Value::as_array);
    let workspaces = workspaces.ok_or(Unread::Strange("the answer lists no workspaces"))?;
    Ok(workspaces.iter().filter_map(|workspace| answer::number(workspace.get("id"))).collect())
}
