//! `ciosync get runs`

use super::Selection;
use crate::cli::args::OutputFormat;
use crate::cli::output;
use crate::cli::render::runs::{self, RunLine};

pub(super) fn print(selection: &Selection) -> anyhow::Result<()> {
    let mut lines: Vec<RunLine<'_>> = Vec::new();
    for known in &selection.syncs {
        let name = selection.typed(known);
        lines.extend(known.runs.iter().map(|run| RunLine { name: name.clone(), run }));
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.run.started_at));
    match selection.output {
        OutputFormat::Json => {
            output::print_json(&lines.iter().map(|line| line.run).collect::<Vec<_>>())
        }
        OutputFormat::Text if lines.is_empty() => {
            if selection.store.is_some() {
                output::note("no runs are known");
            }
            Ok(())
        }
        OutputFormat::Text => output::print(&runs::text(&lines, selection.is_one)),
    }
}
