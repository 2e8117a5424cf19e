//! Believed rows against Customer.io, a hundred people a question where they are named by id.

use std::collections::{BTreeMap, HashMap};

use super::compare::differences;
use super::{DIFFERENCES_MAX, Difference, DifferingRow, OnDiffering, VerifyCounts};
use crate::customerio::SendContext;
use crate::customerio::app::people::IDS_MAX;
use crate::customerio::app::{App, Profile};
use crate::engine::audit::membership::Astray;
use crate::engine::change::Change;
use crate::engine::error::RunError;
use crate::engine::pipeline::Pipeline;
use crate::model::{Details, Fingerprint, IdentifierKind, OperationKind, RecordView};
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

/// What is asked about rows.
pub(super) enum Subject {
    People,
    Objects,
    /// Members of a segment, which were compared all at once.
    Members(Astray),
}

/// What is shown of a row: its attributes, where it is there.
type Shown<'p> = Option<&'p BTreeMap<String, String>>;

/// Asks for rows, and holds what is shown against what is believed.
pub(super) struct Asking<'a> {
    app: App<'a>,
    pipeline: &'a Pipeline,
    subject: Subject,
    counts: VerifyCounts,
    rows: Vec<DifferingRow>,
    /// Rows to be passed on.
    page: Vec<(Vec<u8>, Fingerprint)>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        app: App<'a>,
        pipeline: &'a Pipeline,
        subject: Subject,
        counts: VerifyCounts,
    ) -> Self {
        Self { app, pipeline, subject, counts, rows: Vec::new(), page: Vec::new() }
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
        match &self.subject {
            Subject::People if self.pipeline.record.identifier.0 == IdentifierKind::Id => {
                self.ask_together(group, context).await
            }
            Subject::People => self.ask_one_by_one(group, context).await,
            Subject::Objects => self.ask_for_objects(group, context).await,
            Subject::Members(_) => self.look_for_members(group),
        }
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
            self.judge(row, by_id.get(id).map(|person| &person.attributes))?;
        }
        Ok(())
    }

    async fn ask_one_by_one(
        &mut self,
        group: &[Row],
        context: &SendContext<'_>,
    ) -> Result<(), RunError> {
        for row in group {
            let target = row.view()?.target;
            if !can_be_asked(target.text) {
                self.counts.unasked += 1;
                continue;
            }
            let named = (target.kind.identifier, target.text);
            let person = self.app.person(named, context).await?;
            self.judge(row, person.as_ref().map(|person| &person.attributes))?;
        }
        Ok(())
    }

    async fn ask_for_objects(
        &mut self,
        group: &[Row],
        context: &SendContext<'_>,
    ) -> Result<(), RunError> {
        for row in group {
            let view = row.view()?;
            // The path wants a type also where the object's own id says it; the spec knows none.
            let Details::Object { type_id: Some(type_id) } = view.details else {
                self.counts.unasked += 1;
                continue;
            };
            if !can_be_asked(view.target.text) {
                self.counts.unasked += 1;
                continue;
            }
            let id_type = view.target.kind.identifier.as_str();
            let object = self.app.object((type_id, view.target.text), id_type, context).await?;
            self.judge(row, object.as_ref().map(|object| &object.attributes))?;
        }
        Ok(())
    }

    fn look_for_members(&mut self, group: &[Row]) -> Result<(), RunError> {
        let nothing = BTreeMap::new();
        for row in group {
            let view = row.view()?;
            let Subject::Members(astray) = &self.subject else { return Ok(()) };
            let is_astray = astray.hashes.contains(&view.target.holder_hash());
            let is_member = (view.operation == OperationKind::SegmentAdd) != is_astray;
            self.judge(row, is_member.then_some(&nothing))?;
        }
        Ok(())
    }

    fn judge(&mut self, row: &Row, shown: Shown<'_>) -> Result<(), RunError> {
        let counts = &mut self.counts;
        counts.checked += 1;
        let view = row.view()?;
        let should_be_gone = view.operation.removes_target();
        let difference = match shown {
            None if should_be_gone => None,
            None if view.operation == OperationKind::PersonUpdate => {
                counts.unreached += 1;
                return Ok(());
            }
            None => {
                counts.missing += 1;
                Some(Difference::Missing)
            }
            Some(_) if should_be_gone => {
                counts.unexpected += 1;
                Some(Difference::Unexpected)
            }
            Some(attributes) => {
                let attributes = differences(&view, attributes);
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
