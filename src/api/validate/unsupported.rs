//! What the resources can say and this version can't do yet. Refused with these words, never
//! ignored.

use crate::api::finding::Finding;
use crate::api::sync::Execution;
use crate::api::{SourceSpec, SyncSpec};
use crate::sources::files::spec::FileFormat;

/// Returns what a Sync asks for that this version can't do yet.
pub(super) fn sync(spec: &SyncSpec) -> Vec<Finding> {
    let mut findings = Vec::new();
    if spec.execution == Execution::Job {
        findings.push(not_yet(
            "spec.execution",
            "run in a Job of its own",
            Some("take `execution` away: runs execute in the operator"),
        ));
    }
    let fields =
        [("spec.model.range", "read a range of a spreadsheet", spec.model.range.is_some())];
    for (path, what, is_asked) in fields {
        if is_asked {
            findings.push(not_yet(path, what, Some("take the field away")));
        }
    }
    findings
}

/// Returns what a Source asks for that this version can't do yet.
pub(super) fn source(spec: &SourceSpec) -> Vec<Finding> {
    let Some(block) = spec.block() else { return Vec::new() };
    let name = match block {
        "redshift" => "Amazon Redshift",
        "bigquery" => "Google BigQuery",
        "snowflake" => "Snowflake",
        "databricks" => "Databricks",
        "googleSheets" => "Google Sheets",
        "rockset" => "Rockset",
        _ => return files(spec),
    };
    let path = format!("spec.{block}");
    let hint = "postgres, sqlite and files are what it can read";
    vec![not_yet(&path, &format!("read from {name}"), Some(hint))]
}

fn files(spec: &SourceSpec) -> Vec<Finding> {
    let Some(files) = &spec.files else { return Vec::new() };
    let mut findings = Vec::new();
    if files.format == FileFormat::Parquet {
        let hint = Some("csv is what it can read");
        findings.push(not_yet("spec.files.format", "read Parquet", hint));
    }
    if let Some((scheme, _)) = files.url.split_once("://")
        && scheme != "file"
    {
        let hint = Some("a folder or file of this machine is what it can read");
        findings.push(not_yet("spec.files.url", &format!("read from {scheme}://"), hint));
    }
    if files.credentials.is_some() {
        let hint = Some("take the field away: files of this machine need none");
        findings.push(not_yet("spec.files.credentials", "log in to an object store", hint));
    }
    findings
}

fn not_yet(path: &str, what: &str, hint: Option<&str>) -> Finding {
    let finding = Finding::error(path, format!("this version can't {what} yet"));
    match hint {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}
