//! `ciosync retry`: rows that were not accepted become due at the next run.

use super::args::RetryArgs;
use super::exit::Exit;
use super::output;
use super::render::table::grouped;
use super::store::Wanted;
use crate::state::Access;

/// Makes all rows of a Sync that were not accepted due at its next run, parked or not, and says how
/// many. Those that we refused ourselves are among them: with a cursor no run might look at them
/// again. Takes no lock.
///
/// # Errors
/// Where the Sync is unknown or the state can't be written.
pub async fn run(args: RetryArgs) -> anyhow::Result<Exit> {
    let wanted = match Wanted::parse(&args.name, &args.namespace, &args.state) {
        Ok(wanted) => wanted,
        Err(complaint) => return Ok(output::refuse(complaint)),
    };
    let (store, _) = wanted.find(Access::Write).await?;
    let due = store.make_rejections_due(&wanted.sync).await.map_err(output::explained)?;
    let rows = match due {
        0 => "no rows that were not accepted".to_owned(),
        1 => "1 row is due at the next run".to_owned(),
        due => format!("{} rows are due at the next run", grouped(due)),
    };
    output::print(&format!("{}: {rows}\n", wanted.sync))?;
    Ok(Exit::Done)
}
