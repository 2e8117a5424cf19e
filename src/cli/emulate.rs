//! `run --emulator`: a workspace in this process instead of the connections' own.

use anyhow::Context as _;

use super::args::{EMULATOR_STATE, StateArgs};
use super::render::table::grouped;
use crate::emulator::{Emulator, Options};
use crate::model::secret::Secret;
use crate::resolve::connection::Stand;
use crate::state::StateStore;

/// An emulator, and where the state of runs into it is.
pub struct Emulated {
    emulator: Emulator,
    stand: Stand,
    state_url: String,
}

impl Emulated {
    /// Starts an emulator with an empty workspace and, unless another is named, an empty state.
    ///
    /// # Errors
    /// Where no port is free or the old state can't be taken away.
    pub async fn start(state: &StateArgs) -> anyhow::Result<Self> {
        let state_url = match &state.state {
            Some(url) => url.clone(),
            None => {
                forget_state()?;
                EMULATOR_STATE.to_owned()
            }
        };
        let options = Options::default();
        let (site_id, api_key) = (options.site_id.clone(), options.api_key.clone());
        let app_api_key = options.app_api_key.clone();
        let emulator = Emulator::start(options).await.context("the emulator can't be started")?;
        let stand = Stand {
            endpoint: emulator.url().to_owned(),
            site_id: Secret::new(site_id),
            api_key: Secret::new(api_key),
            app_api_key: Secret::new(app_api_key),
        };
        Ok(Self { emulator, stand, state_url })
    }

    /// Returns where connections lead instead.
    pub fn stand(&self) -> Stand {
        self.stand.clone()
    }

    /// Returns where the state is.
    pub fn state_url(&self) -> &str {
        &self.state_url
    }

    /// Says whether nothing was ever delivered with the state: trying things out must not make a
    /// real run believe that all is delivered.
    ///
    /// # Errors
    /// Where something was.
    pub async fn check_unused(&self, store: &dyn StateStore) -> anyhow::Result<()> {
        for state in store.syncs().await? {
            if let Some(identity) = state.memo.identity {
                anyhow::bail!(
                    "the state at {} is of deliveries to workspace {} (Sync {}); name another with \
                     --state, or leave it out",
                    store.location(),
                    identity.workspace_id,
                    state.sync
                );
            }
        }
        Ok(())
    }

    /// Returns what the workspace holds now, with one person as an example.
    pub fn arrived(&self) -> String {
        let workspace = self.emulator.workspace();
        let count = workspace.people_count() as u64;
        let mut out = format!("\nemulator    {} people in the workspace\n", grouped(count));
        let first = workspace.people().into_iter().next();
        if let Some(person) = first
            && let Some(attributes) = person.id.as_deref().and_then(|id| workspace.attributes(id))
        {
            out += &format!("            one of them: {attributes}\n");
        }
        out
    }

    /// Stops it.
    pub async fn stop(self) {
        self.emulator.stop().await;
    }
}

fn forget_state() -> anyhow::Result<()> {
    let path = EMULATOR_STATE.trim_start_matches("sqlite:");
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{path}{suffix}");
        match std::fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("{file} can't be removed")),
        }
    }
    Ok(())
}
