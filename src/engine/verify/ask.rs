//! Believed rows against Customer.io, a hundred people a question where they are named by id.

use std::collections::HashMap;

use super::compare::differences;
use super::{DIFFERENCES_MAX, Difference, DifferingRow, OnDiffering, VerifyCounts};
use crate::customerio::SendContext;
use crate::customerio::app::people::IDS_MAX;
use crate::customerio::app::{App, Profile};
use crate::engine::change::Change;
use crate::engine::error::RunError;
use crate::engine::pipeline::Pipeline;
use crate::model::{Fingerprint, IdentifierKind, OperationKind, RecordView};
use crate::spill::SpoolReader;

const UNREADABLE: RunError = RunError::Internal("a believed row can't be read");

/// Differing rows that are passed on at a time.
const PAGE: usize = 1_000;

/// A row that is asked for.
struct Row {
    key: Vec<u8>,
    fingerprint: Fingerprint,
    canonical: Vec<u8>,
}

impl Row {
    fn view(&self) -> Result<RecordView<'_>, RunError> {
        RecordView::parse(&self.canonical).ok_or(UNREADABLE)
    }
}

/// Asks for rows, and holds what is shown against what is believed.
pub(super) struct Asking<'a> {
    app: App<'a>,
    pipeline: &'a Pipeline,
    counts: VerifyCounts,
    rows: Vec<DifferingRow>,
    /// Rows to be passed on.
    page: Vec<(Vec<u8>, Fingerprint)>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(app: App<'a>, pipeline: &'a Pipeline, counts: VerifyCounts) -> Self {
        Self { app, pipeline, counts, rows: Vec::new(), page: Vec::new() }
    }

    /// Asks for all rows of the spool.
    pub(super) async fn run(
        &mut self,
        mut rows: SpoolReader,
        context: &SendContext<'_>,
        found: &mut OnDiffering<'_>,
    ) -> Result<(), RunError> {
        let mut group = Vec::with_capacity(IDS_MAX);
        loop {
            let row = match rows.next().await? {
                None => None,
                Some(bytes) => Some(row_of(bytes)?),
            };
            let has_ended = row.is_none();
            group.extend(row);
            if group.len() >= IDS_MAX || has_ended && !group.is_empty() {
                self.ask(&group, context).await?;
                group.clear();
            }
            if self.page.len() >= PAGE || has_ended && !self.page.is_empty() {
                found(std::mem::take(&mut self.page));
            }
            if has_ended {
                return Ok(());
            }
        }
    }

    async fn ask(&mut self, group: &[Row], context: &SendContext<'_>) -> Result<(), RunError> {
        if self.pipeline.record.identifier.0 == IdentifierKind::Id {
            return self.ask_together(group, context).await;
        }
        for row in group {
            let target = row.view()?.target;
            let shown = match can_be_asked(target.text) {
                true => self.app.person(target, context).await?,
                false => continue,
            };
            self.judge(row, shown.as_ref())?;
        }
        Ok(())
    }

    async fn ask_together(
        &mut self,
        group: &[Row],
        context: &SendContext<'_>,
    ) -> Result<(), RunError> {
        let mut ids = Vec::with_capacity(group.len());
        for row in group {
            ids.push(row.view()?.target.text);
        }
        let people = self.app.people(&ids, context).await?;
        let by_id: HashMap<&str, &Profile> = people
            .iter()
            .filter_map(|person| Some((person.names.id.as_deref()?, person)))
            .collect();
        for (row, id) in group.iter().zip(&ids) {
            self.judge(row, by_id.get(id).copied())?;
        }
        Ok(())
    }

    fn judge(&mut self, row: &Row, shown: Option<&Profile>) -> Result<(), RunError> {
        let counts = &mut self.counts;
        counts.checked += 1;
        let view = row.view()?;
        let is_gone =
            matches!(view.operation, OperationKind::PersonDelete | OperationKind::PersonSuppress);
        let difference = match shown {
            None if is_gone => None,
            None if view.operation == OperationKind::PersonUpdate => {
                counts.unreached += 1;
                return Ok(());
            }
            None => {
                counts.missing += 1;
                Some(Difference::Missing)
            }
            Some(_) if is_gone => {
                counts.unexpected += 1;
                Some(Difference::Unexpected)
            }
            Some(profile) => {
                let attributes = differences(&view, &profile.attributes);
                counts.differing += u64::from(!attributes.is_empty());
                (!attributes.is_empty()).then_some(Difference::Attributes(attributes))
            }
        };
        let Some(difference) = difference else {
            counts.equal += 1;
            return Ok(());
        };
        self.page.push((row.key.clone(), row.fingerprint));
        if self.rows.len() < DIFFERENCES_MAX {
            let (key, fingerprint) = (row.key.clone(), row.fingerprint);
            self.rows.push(DifferingRow { key, fingerprint, difference });
        }
        Ok(())
    }

    pub(super) fn finish(self) -> (VerifyCounts, Vec<DifferingRow>) {
        (self.counts, self.rows)
    }
}

fn row_of(bytes: &[u8]) -> Result<Row, RunError> {
    let Some(Change::Upsert { key, fingerprint, canonical, .. }) = Change::decode(bytes) else {
        return Err(UNREADABLE);
    };
    Ok(Row { key: key.to_vec(), fingerprint, canonical: canonical.to_vec() })
}

/// A part of a path that says where it leads is taken for that, however it is written.
fn can_be_asked(text: &str) -> bool {
    !matches!(text, "." | "..")
}
