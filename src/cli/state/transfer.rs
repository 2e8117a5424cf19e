//! `ciosync state export` and `import`: what is remembered of a Sync, as a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter};
use std::path::Path;

use anyhow::{Context as _, bail};
use tempfile::NamedTempFile;

use super::{lock, release};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::render::table::grouped;
use crate::cli::store::Wanted;
use crate::model::SyncId;
use crate::state::store::SyncMemo;
use crate::state::transfer::{self, Summary};
use crate::state::{Access, StateStore};

/// What stands for standard input and output.
const STANDARD: &str = "-";

/// Writes all that is remembered to `file`, which is complete or not there, and closed to other
/// users: it holds keys. Takes no lock.
///
/// # Errors
/// Where the Sync is unknown, the state can't be read, or the file can't be written.
pub(super) async fn export(wanted: &Wanted, file: &Path) -> anyhow::Result<Exit> {
    let (store, _) = wanted.find(Access::Read).await?;
    let summary = if file == Path::new(STANDARD) {
        let mut stdout = BufWriter::new(io::stdout());
        transfer::export(store, &wanted.sync, &mut stdout).await.map_err(output::explained)?
    } else {
        let cannot = || format!("{} can't be written", file.display());
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let unfinished =
            NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).with_context(cannot)?;
        let mut out = BufWriter::new(unfinished);
        let summary = transfer::export(store, &wanted.sync, &mut out).await;
        let summary = summary.map_err(output::explained)?;
        let finished = out.into_inner().map_err(io::IntoInnerError::into_error);
        let finished = finished.with_context(cannot)?;
        finished.as_file().sync_all().with_context(cannot)?;
        finished.persist(file).with_context(cannot)?;
        summary
    };
    // Standard output may be the file.
    output::note(format_args!("exported {} of {}", contents(&summary), summary.sync));
    Ok(Exit::Done)
}

/// Brings back what was exported, of this Sync or another, all of it or nothing.
///
/// # Errors
/// Where the Sync has state already or is running, or the file is not a complete export.
pub(super) async fn import(wanted: &Wanted, file: &Path) -> anyhow::Result<Exit> {
    let mut source: Box<dyn BufRead + Send> = if file == Path::new(STANDARD) {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let opened = File::open(file);
        Box::new(BufReader::new(
            opened.with_context(|| format!("{} can't be read", file.display()))?,
        ))
    };
    let store = wanted.open_or_make().await?;
    let lock = lock(store.as_ref(), &wanted.sync).await?;
    let outcome = match is_empty(store.as_ref(), &wanted.sync).await {
        Ok(true) => transfer::import(store.as_ref(), &lock, &mut source).await.map(Some),
        Ok(false) => Ok(None),
        Err(err) => Err(err),
    };
    let Some(summary) = release(store.as_ref(), &lock, outcome).await? else {
        bail!(
            "{} has state already\nhint: keep a copy with `ciosync state export {0}`, then forget \
             it with `ciosync state reset {0}`",
            wanted.sync,
        );
    };
    let origin = match &summary.sync {
        origin if *origin == wanted.sync => String::new(),
        origin => format!(", exported from {origin}"),
    };
    let contents = contents(&summary);
    output::print(&format!("imported {contents} into {}{origin}\n", wanted.sync))?;
    Ok(Exit::Done)
}

/// Returns whether nothing is remembered of a Sync, but how many runs there were.
async fn is_empty(store: &dyn StateStore, sync: &SyncId) -> Result<bool, crate::state::StateError> {
    let Some(state) = store.sync(sync).await? else { return Ok(true) };
    let forgotten = SyncMemo { was_reset: state.memo.was_reset, ..state.memo.after_reset() };
    Ok(state.memo == forgotten
        && state.segment_rows == 0
        && store.journal(sync, None, 1).await?.is_empty()
        && store.rejections(sync, None, 1).await?.is_empty())
}

fn contents(summary: &Summary) -> String {
    let count = |number: u64, noun| match number {
        1 => format!("1 {noun}"),
        number => format!("{} {noun}s", grouped(number)),
    };
    let rows = count(summary.rows, "remembered row");
    format!("{rows} and {}", count(summary.rejections, "rejection"))
}
