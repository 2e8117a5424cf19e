//! `ciosync state reset`: forget what is remembered of a Sync.

use std::io::{self, IsTerminal as _};

use super::{lock, release};
use crate::cli::confirm;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::render::table::grouped;
use crate::cli::store::Wanted;
use crate::state::Access;

/// Forgets all that is remembered, after asking, unless `yes`. The history of runs stays.
/// Where there is nobody to ask, that is invalid input.
///
/// # Errors
/// Where the Sync is unknown or running, or the state can't be written.
pub(super) async fn run(wanted: &Wanted, yes: bool) -> anyhow::Result<Exit> {
    if !yes && !io::stdin().is_terminal() {
        return Ok(output::refuse(
            "`state reset` asks first, and there is no terminal to ask on: add --yes",
        ));
    }
    let (store, state) = wanted.find(Access::Write).await?;
    let sync = &wanted.sync;
    let rows = format!("{} remembered rows", grouped(state.segment_rows));
    let question = format!(
        "Forget {rows} of {sync} in {}? The next run sends as its initialRun says. [y/N] ",
        store.location(),
    );
    if !yes && !confirm::on_terminal(&question)? {
        output::note("nothing was forgotten");
        return Ok(Exit::Failed);
    }
    let lock = lock(store.as_ref(), sync).await?;
    let outcome = store.reset(&lock).await;
    release(store.as_ref(), &lock, outcome).await?;
    output::print(&format!("forgot {rows} of {sync}; the next run follows its initialRun\n"))?;
    Ok(Exit::Done)
}
