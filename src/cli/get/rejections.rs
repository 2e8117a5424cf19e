//! `ciosync get rejections`

use super::pages::Pages;
use super::tally::Tally;
use super::{Known, Selection};
use crate::cli::args::OutputFormat;
use crate::cli::output::{self, JsonList};
use crate::cli::render::key::Keys;
use crate::cli::render::rejections::{self, Listing, RejectionView};
use crate::state::StateStore;

/// Most rows of a Sync that a person is shown.
const SHOWN_MAX: usize = 100;

pub(super) async fn print(selection: &Selection, keys: Keys) -> anyhow::Result<()> {
    match selection.output {
        OutputFormat::Json => print_json(selection, keys).await,
        OutputFormat::Text => print_text(selection, keys).await,
    }
}

async fn print_json(selection: &Selection, keys: Keys) -> anyhow::Result<()> {
    let mut list = JsonList::begin();
    for Known { state, .. } in &selection.syncs {
        let Some(store) = &selection.store else { break };
        let mut pages = Pages::new(store.as_ref(), &state.sync);
        loop {
            let rows = pages.next().await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                if !list.push(&RejectionView::new(state, row, keys))? {
                    return Ok(());
                }
            }
        }
    }
    list.end()
}

async fn print_text(selection: &Selection, keys: Keys) -> anyhow::Result<()> {
    let mut is_first = true;
    for known in &selection.syncs {
        let Some(store) = &selection.store else { break };
        let listing = read(store.as_ref(), known, selection.typed(known), keys).await?;
        if listing.tally.rows() == 0 {
            continue;
        }
        let gap = if is_first { "" } else { "\n" };
        output::print(&format!("{gap}{}", rejections::text(&listing)))?;
        is_first = false;
    }
    if is_first && selection.store.is_some() {
        output::note("no invalid or rejected rows");
    }
    Ok(())
}

/// Counts all rows and keeps the first ones.
async fn read(
    store: &dyn StateStore,
    known: &Known,
    name: String,
    keys: Keys,
) -> anyhow::Result<Listing> {
    let state = &known.state;
    let mut listing = Listing { name, tally: Tally::default(), shown: Vec::new() };
    let mut pages = Pages::new(store, &state.sync);
    loop {
        let rows = pages.next().await?;
        if rows.is_empty() {
            return Ok(listing);
        }
        for row in &rows {
            listing.tally.add(row);
            if listing.shown.len() < SHOWN_MAX {
                listing.shown.push(RejectionView::new(state, row, keys));
            }
        }
    }
}
