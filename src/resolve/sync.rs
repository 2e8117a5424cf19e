//! A Sync, its source and its client to a pipeline.

use std::sync::Arc;
use std::time::Duration;

use super::error::ResolveError;
use super::record;
use crate::api::SyncSpec;
use crate::api::guards::Limit as LimitSpec;
use crate::api::sync::InitialRun as InitialRunSpec;
use crate::customerio::Client;
use crate::customerio::spec::{Behavior, Entity, OnRemove as OnRemoveSpec};
use crate::diff::{Guards, Limit};
use crate::engine::cleanup::nothing;
use crate::engine::{AuditRule, CursorRule, InitialRun, OnRemove, Pipeline};
use crate::model::SyncId;
use crate::model::duration::GoDuration;
use crate::sources::{Model, Source};

/// How often `updateOnly` sends every row again where the spec doesn't say.
const REFRESH_OF_UPDATES: Duration = Duration::from_secs(24 * 3_600);

/// How long a run may read back: thirty thousand activities at the App API's pace, and half a
/// minute's delay where it is down.
const AUDIT_TIME_MAX: Duration = Duration::from_secs(30);

/// Returns the pipeline of a Sync whose spec was validated. `sql_from` is the text that
/// `model.sqlFrom` names.
///
/// # Errors
/// Where the spec says something that no valid one says.
pub fn pipeline(
    sync: SyncId,
    spec: &SyncSpec,
    sql_from: Option<String>,
    source: Arc<dyn Source>,
    client: Arc<Client>,
) -> Result<Pipeline, ResolveError> {
    assembled(sync, spec, model(spec, sql_from)?, source, client)
}

/// Returns the pipeline that removes every row that is remembered of a Sync. It reads nothing, so
/// neither a source nor the text of `model.sqlFrom` is needed. `attributes` are those that were
/// sent last.
///
/// # Errors
/// Where the spec says something that no valid one says.
pub fn cleanup(
    sync: SyncId,
    spec: &SyncSpec,
    attributes: &[String],
    client: Arc<Client>,
) -> Result<Pipeline, ResolveError> {
    let unread = Model::Sql(String::new());
    let pipeline = assembled(sync, spec, unread, nothing(), client)?;
    Ok(pipeline.into_cleanup(attributes))
}

fn assembled(
    sync: SyncId,
    spec: &SyncSpec,
    model: Model,
    source: Arc<dyn Source>,
    client: Arc<Client>,
) -> Result<Pipeline, ResolveError> {
    let record = record::record(&sync, spec)?;
    let adopt_from = spec
        .adopt_state_from
        .as_ref()
        .map(|from| SyncId::new(from.namespace_from(&sync.namespace), &from.name));
    Ok(Pipeline {
        adopt_from,
        entity: spec.entity.as_str().to_owned(),
        behavior: spec.behavior.as_str().to_owned(),
        model,
        cursor: spec.model.cursor.as_ref().map(|cursor| CursorRule {
            column: cursor.column.clone(),
            lookback: cursor.lookback.get(),
        }),
        segment: record::segment(spec)?,
        collection: spec.collection.as_ref().map(|collection| collection.name.clone()),
        record,
        on_remove: on_remove(spec)?,
        remove_after: spec.remove_after.map_or(Duration::ZERO, GoDuration::get),
        refresh: refresh(spec),
        exclusive: spec.exclusive,
        initial_run: match spec.initial_run {
            InitialRunSpec::Backfill => InitialRun::Backfill,
            InitialRunSpec::Baseline => InitialRun::Baseline,
            InitialRunSpec::Review => InitialRun::Review,
        },
        guards: guards(spec),
        audit: audit(spec, &client),
        timeout: spec.timeout.get(),
        history_limit: spec.history_limit,
        source,
        client,
        sync,
    })
}

pub(super) fn invalid(path: &str, message: &str) -> ResolveError {
    ResolveError::InvalidSpec { path: path.to_owned(), message: message.to_owned(), hint: None }
}

fn on_remove(spec: &SyncSpec) -> Result<Option<OnRemove>, ResolveError> {
    if spec.behavior != Behavior::Mirror {
        return Ok(None);
    }
    if spec.entity == Entity::Collection {
        // What left the source is not in the content that replaces the last one.
        return Ok(None);
    }
    if !matches!(spec.entity, Entity::Person | Entity::Object) {
        // What is taken away is the row's own: a device, a relationship, a membership.
        return Ok(Some(OnRemove::Delete));
    }
    match spec.on_remove {
        Some(OnRemoveSpec::Delete) => Ok(Some(OnRemove::Delete)),
        Some(OnRemoveSpec::Clear) => Ok(Some(OnRemove::Clear)),
        Some(OnRemoveSpec::Suppress) => Ok(Some(OnRemove::Suppress)),
        None => Err(invalid("spec.onRemove", "is required with mirror")),
    }
}

/// Returns how often every row is sent again. Without it, an update would never reach a person who
/// signs up after it was sent.
fn refresh(spec: &SyncSpec) -> Option<Duration> {
    let is_by_default = spec.behavior == Behavior::UpdateOnly && spec.model.cursor.is_none();
    spec.refresh.map(GoDuration::get).or(is_by_default.then_some(REFRESH_OF_UPDATES))
}

/// Late failures are looked for wherever there is a key for it, unless the spec says otherwise.
fn audit(spec: &SyncSpec, client: &Client) -> AuditRule {
    let audit = spec.audit.unwrap_or_default();
    let has_key = client.app().is_some();
    AuditRule {
        late_failures: has_key && audit.late_failures.unwrap_or(true),
        membership: has_key && audit.membership,
        time_max: AUDIT_TIME_MAX,
    }
}

fn model(spec: &SyncSpec, sql_from: Option<String>) -> Result<Model, ResolveError> {
    let model = &spec.model;
    let sql = model.sql.clone().or(sql_from).map(Model::Sql);
    sql.or_else(|| model.table.clone().map(Model::Table))
        .ok_or_else(|| invalid("spec.model", "has neither sql nor table"))
}

fn guards(spec: &SyncSpec) -> Guards {
    let limit = |limit: LimitSpec| match limit {
        LimitSpec::Rows(rows) => Limit::Rows(rows),
        LimitSpec::Percent(percent) => Limit::Percent(percent),
    };
    let guards = spec.guards.with_defaults(spec.behavior);
    Guards {
        max_removed: guards.max_removed.map(limit),
        max_added: guards.max_added.map(limit),
        max_changed: guards.max_changed.map(limit),
        min_rows: guards.min_rows,
        max_invalid: guards.max_invalid.map(limit),
        max_rejected: guards.max_rejected.map(limit),
    }
}
