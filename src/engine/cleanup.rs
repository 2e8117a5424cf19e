//! What becomes of a Sync's rows when the Sync goes: a run over a source that has no rows, so that
//! every remembered one is removed as any other that left its source.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::pipeline::{AuditRule, Pipeline};
use crate::diff::Guards;
use crate::mapping::spec::UnmappedColumns;
use crate::model::{Column, RowBatch, ValueKind};
use crate::sources::{Model, ReadRequest, RowStream, Source, SourceError};

impl Pipeline {
    /// Returns the pipeline that removes every row that is remembered, as `onRemove` says, past all
    /// guards: whether so much may be removed was asked before. `attributes` are those that were
    /// sent last. Run it for [`RunPurpose::CleanUp`](super::RunPurpose::CleanUp).
    #[must_use]
    pub fn into_cleanup(self, attributes: &[String]) -> Self {
        let mut names = self.record.named_columns();
        if self.record.unmapped_columns == UnmappedColumns::Include {
            names.extend(attributes.iter().cloned());
        }
        let mut columns: Vec<Column> = Vec::new();
        for name in names {
            if !columns.iter().any(|column| column.name == name) {
                let type_name = "none".to_owned();
                columns.push(Column { name, kind: ValueKind::Dynamic, type_name });
            }
        }
        let remove_after = Duration::ZERO;
        Self {
            source: Arc::new(Nothing { columns }),
            guards: Guards::default(),
            remove_after,
            refresh: None,
            audit: AuditRule { late_failures: false, membership: false, ..self.audit },
            ..self
        }
    }
}

/// Returns a source that has no rows: what a clean-up stands on where the Sync's own source may be
/// gone.
pub fn nothing() -> Arc<dyn Source> {
    Arc::new(Nothing { columns: Vec::new() })
}

/// A source that has columns and no rows.
struct Nothing {
    columns: Vec<Column>,
}

#[async_trait]
impl Source for Nothing {
    async fn probe(&self) -> Result<(), SourceError> {
        Ok(())
    }

    async fn describe(&self, _model: &Model) -> Result<Vec<Column>, SourceError> {
        Ok(self.columns.clone())
    }

    async fn open(&self, request: &ReadRequest) -> Result<Box<dyn RowStream>, SourceError> {
        let named = |name: &String| self.columns.iter().find(|column| column.name == *name);
        let columns = request.columns.iter().filter_map(named).cloned().collect();
        Ok(Box::new(NoRows { columns }))
    }
}

struct NoRows {
    columns: Vec<Column>,
}

#[async_trait]
impl RowStream for NoRows {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    async fn next(&mut self, batch: &mut RowBatch) -> Result<(), SourceError> {
        batch.reset(self.columns.len());
        Ok(())
    }
}
