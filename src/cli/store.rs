//! The state that a command names: the store behind a URL, and one Sync in it.

use std::sync::Arc;

use anyhow::bail;

use super::args::StateArgs;
use super::{names, output};
use crate::model::SyncId;
use crate::state::store::SyncState;
use crate::state::{Access, StateStore, open, open_existing};

/// Whose store is made where there is none. An operator makes its own.
const OWNER_LOCAL: &str = "local";

/// One Sync in one store, as it was typed and found to be possible.
pub struct Wanted {
    /// The Sync.
    pub sync: SyncId,
    /// The store.
    pub url: String,
}

impl Wanted {
    /// Returns what `name` means in `namespace` and in the store of `state`. Opens nothing.
    ///
    /// # Errors
    /// Where the name or the URL can't be one: invalid input.
    pub fn parse(name: &str, namespace: &str, state: &StateArgs) -> anyhow::Result<Self> {
        Ok(Self { sync: names::sync_id(name, namespace)?, url: checked_url(state)? })
    }

    /// Opens the store and finds the Sync.
    ///
    /// # Errors
    /// Where there is no state, or none of the Sync; then names that are alike are offered.
    pub async fn find(&self, access: Access) -> anyhow::Result<(Arc<dyn StateStore>, SyncState)> {
        let Some(store) = open_store(&self.url, access).await? else {
            bail!("nothing is known of {}: {}", self.sync, no_state(&self.url));
        };
        let known = store.sync(&self.sync).await.map_err(output::explained)?;
        match known {
            Some(state) => Ok((store, state)),
            None => Err(unknown(store.as_ref(), &self.sync).await?),
        }
    }

    /// Opens the store, or makes it where there is none.
    ///
    /// # Errors
    /// Where it can't be opened or made.
    pub async fn open_or_make(&self) -> anyhow::Result<Arc<dyn StateStore>> {
        match open_store(&self.url, Access::Write).await? {
            Some(store) => Ok(store),
            None => open(&self.url, OWNER_LOCAL).await.map_err(output::explained),
        }
    }
}

/// Returns the URL of the store.
///
/// # Errors
/// Where it names none: invalid input.
pub fn checked_url(state: &StateArgs) -> anyhow::Result<String> {
    crate::state::open::check_url(state.url()).map_err(output::explained)?;
    Ok(state.url().to_owned())
}

/// Opens a store that exists. Any installation's is taken: who names an operator's store by hand,
/// or runs the command in the operator's pod, means it.
///
/// # Errors
/// Where it can't be opened.
pub async fn open_store(url: &str, access: Access) -> anyhow::Result<Option<Arc<dyn StateStore>>> {
    open_existing(url, None, access).await.map_err(output::explained)
}

/// Says that there is no state at `url`, and what to do.
pub fn no_state(url: &str) -> String {
    // The URL of a database may hold a password.
    let place = if url.starts_with("sqlite:") { url } else { "that database" };
    format!("there is no state at {place} yet; `ciosync run -f PATH` makes it")
}

async fn unknown(store: &dyn StateStore, sync: &SyncId) -> anyhow::Result<anyhow::Error> {
    let states = store.syncs().await.map_err(output::explained)?;
    let near = names::near(sync, states.iter().map(|state| &state.sync));
    let offer = match near.as_slice() {
        [] => "`ciosync get syncs` lists what is known".to_owned(),
        near => {
            let names: Vec<String> = near.iter().map(ToString::to_string).collect();
            format!("did you mean {}?", names.join(" or "))
        }
    };
    Ok(anyhow::anyhow!("nothing is known of {sync} in {}; {offer}", store.location()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_state_is_named_without_a_password() {
        let database = no_state("postgres://ann:secret@host/db");

        assert!(database.starts_with("there is no state at that database"), "{database}");
        assert!(no_state("sqlite:a/b.db").contains("sqlite:a/b.db"));
    }
}
