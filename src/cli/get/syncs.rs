//! `ciosync get syncs`

use jiff::Timestamp;

use super::tally::Tally;
use super::{Known, Selection};
use crate::cli::args::OutputFormat;
use crate::cli::output;
use crate::cli::render::syncs::{self, SyncView};

pub(super) async fn print(selection: &Selection) -> anyhow::Result<()> {
    let mut views = Vec::new();
    for known in &selection.syncs {
        let Some(store) = &selection.store else { break };
        let Known { state, runs } = known;
        let tally = Tally::read(store.as_ref(), &state.sync).await?;
        views.push(SyncView::new(selection.typed(known), state.clone(), runs, tally));
    }
    match selection.output {
        OutputFormat::Json => output::print_json(&views),
        OutputFormat::Text if views.is_empty() => {
            if selection.store.is_some() {
                output::note("no Syncs are known");
            }
            Ok(())
        }
        OutputFormat::Text => output::print(&syncs::text(&views, Timestamp::now())),
    }
}
