//! `ciosync state`: look into what is remembered of a Sync, move it, forget it.

mod get;
mod key;
mod reset;
mod transfer;

use super::args::{StateCommand, StateTargetArgs};
use super::exit::Exit;
use super::output;
use super::store::Wanted;
use crate::model::SyncId;
use crate::state::{LockHolder, RunLock, StateError, StateStore};

/// Carries out one of the commands.
///
/// # Errors
/// Where the Sync or the key is not what the command needs, or the state can't be read or written.
pub async fn run(command: StateCommand) -> anyhow::Result<Exit> {
    let (StateCommand::Get { target, .. }
    | StateCommand::Export { target, .. }
    | StateCommand::Import { target, .. }
    | StateCommand::Reset { target, .. }) = &command;
    let StateTargetArgs { name, namespace, state } = target;
    let wanted = match Wanted::parse(name, namespace, state) {
        Ok(wanted) => wanted,
        Err(complaint) => return Ok(output::refuse(complaint)),
    };
    match command {
        StateCommand::Get { key, output, .. } => get::run(&wanted, &key, output).await,
        StateCommand::Export { file, .. } => transfer::export(&wanted, &file).await,
        StateCommand::Import { file, .. } => transfer::import(&wanted, &file).await,
        StateCommand::Reset { yes, .. } => reset::run(&wanted, yes).await,
    }
}

/// Takes the run lock, so that no run is going on. It need not be renewed: what is done under it
/// is one transaction, which nobody else can begin beside.
async fn lock(store: &dyn StateStore, sync: &SyncId) -> anyhow::Result<RunLock> {
    let taken = RunLock::acquire(store, sync, &LockHolder::this_process()).await;
    taken.map_err(|err| match err {
        StateError::Locked { .. } => {
            anyhow::anyhow!("{err}\nhint: try again when that run has ended")
        }
        err => output::explained(err),
    })
}

/// Gives the lock back, whatever became of what was done under it.
async fn release<T>(
    store: &dyn StateStore,
    lock: &RunLock,
    outcome: Result<T, StateError>,
) -> anyhow::Result<T> {
    let released = lock.release(store).await;
    let value = outcome.map_err(output::explained)?;
    released.map_err(output::explained)?;
    Ok(value)
}
