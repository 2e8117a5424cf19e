//! What only code can check of one resource: schedules, mappings, SQL, and what this version can't
//! do yet.
//!
//! Takes a resource that its schema accepts; gives findings, all at once. The command line refuses
//! on them before anything is opened, the operator reports them as `InvalidSpec`.

use crate::api::finding::Finding;
use crate::api::{CustomerIoConnectionSpec, SourceSpec, SyncSpec};

mod entities;
mod mappings;
mod needs;
mod sql;
mod timing;
mod unsupported;

#[cfg(test)]
mod tests;

pub use needs::{NamedSecret, connection_secrets, model_fits, needs_app_key, source_secrets};
pub use sql::check_sql;

/// Returns what is wrong with a Sync by itself, and what is good to know about it.
pub fn sync(spec: &SyncSpec) -> Vec<Finding> {
    let mut findings = timing::sync(spec);
    findings.extend(primary_key(spec));
    findings.extend(entities::sync(spec));
    findings.extend(mappings::sync(spec));
    if let Some(sql) = &spec.model.sql {
        findings.extend(check_sql("spec.model.sql", sql));
    }
    findings.extend(unsupported::sync(spec));
    findings
}

/// Returns what is wrong with a Source by itself.
pub fn source(spec: &SourceSpec) -> Vec<Finding> {
    let mut findings = timing::source(spec);
    findings.extend(unsupported::source(spec));
    findings
}

/// Returns what is wrong with a connection by itself.
pub fn connection(spec: &CustomerIoConnectionSpec) -> Vec<Finding> {
    let rate = &spec.rate_limit;
    let mut findings = Vec::new();
    if rate.burst < rate.requests_per_second {
        findings.push(
            Finding::note(
                "spec.rateLimit.burst",
                format!(
                    "bursts of {} keep the connection below its {} requests a second",
                    rate.burst, rate.requests_per_second
                ),
            )
            .hint("set burst to at least requestsPerSecond"),
        );
    }
    findings
}

fn primary_key(spec: &SyncSpec) -> Vec<Finding> {
    repeated(&spec.model.primary_key)
        .map(|(index, column)| {
            Finding::error(
                format!("spec.model.primaryKey[{index}]"),
                format!("the column `{column}` is named twice"),
            )
        })
        .collect()
}

/// Returns the entries that already stood further up, with their position.
fn repeated(names: &[String]) -> impl Iterator<Item = (usize, &str)> {
    names.iter().enumerate().filter_map(|(index, name)| {
        let stood_before = names.iter().take(index).any(|earlier| earlier == name);
        stood_before.then_some((index, name.as_str()))
    })
}
