//! What only code can check, by example.

use super::*;

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

fn sync_with(edit: serde_json::Value) -> SyncSpec {
    let mut spec = serde_json::json!({
        "sourceRef": {"name": "warehouse"},
        "connectionRef": {"name": "production"},
        "model": {"sql": "select 1", "primaryKey": ["user_id"]},
        "entity": "person",
        "behavior": "updateOrCreate",
        "identifiers": {"id": "user_id"},
    });
    for (name, value) in edit.as_object().unwrap() {
        spec[name] = value.clone();
    }
    serde_json::from_value(spec).unwrap()
}

#[test]
fn times_that_make_no_sense_are_found() {
    let spec = sync_with(serde_json::json!({
        "schedule": "0 25 * * *",
        "timeout": "0s",
        "retry": {"minBackoff": "1h"},
        "mappings": [{"from": "seen_at", "timeZone": "Berlin"}],
    }));

    insta::assert_snapshot!(lines(&sync(&spec)), @"");
}

#[test]
fn names_that_customer_io_keeps_are_refused() {
    let spec = sync_with(serde_json::json!({
        "mappings": [
            {"from": "id"},
            {"from": "cio_id"},
            {"from": "_update"},
            {"from": "address.city"},
            {"from": "weekly", "to": "cio_subscription_preferences.topics.topic_7"},
            {"from": "plan"},
            {"from": "tier", "to": "plan"},
            {"from": "tier", "to": "é".repeat(76)},
        ],
    }));

    insta::assert_snapshot!(lines(&sync(&spec)), @"");
}

#[test]
fn an_email_beside_an_id_is_a_note() {
    let spec = sync_with(serde_json::json!({ "mappings": [{"from": "email"}] }));

    let findings = sync(&spec);

    assert_eq!(findings[0].severity, crate::api::Severity::Note);
    assert_eq!(findings[0].path, "spec.mappings[0].from");
}

#[test]
fn consent_is_for_consent_only() {
    let spec = sync_with(serde_json::json!({
        "mappings": [
            {"from": "unsubscribed", "consent": "overwrite"},
            {"from": "plan", "consent": "overwrite"},
        ],
    }));

    insta::assert_snapshot!(lines(&sync(&spec)), @"");
}

#[test]
fn templates_know_columns_only() {
    let wrong = ["{{first_name | upcase}}", "{{first_name}", "{{ }}", "plain"];
    let mappings: Vec<_> = wrong
        .iter()
        .enumerate()
        .map(|(index, text)| serde_json::json!({"template": text, "to": format!("t{index}")}))
        .collect();

    insta::assert_snapshot!(lines(&sync(&sync_with(serde_json::json!({"mappings": mappings})))), @"");
}

#[test]
fn a_model_is_one_statement_that_reads() {
    let refusal = |sql: &str| check_sql("spec.model.sql", sql).map(|found| found.to_string());

    for fine in [
        "select 1",
        "  -- all of them\n/* and /* more */ */ WITH x AS (select ';') select * from x;\n",
        "(select 1) union (select 2)",
        "select \"a;b\", 'it''s; fine', $q$ ; $q$, $1 from t -- ; end",
        "values (1)",
        "table marts.customers",
        "select 'it\\'s; fine'",
    ] {
        assert_eq!(refusal(fine), None, "{fine}");
    }
    insta::assert_snapshot!(
        ["-- nothing", "select 1; drop table t", "delete from t", "select 'open", "select 1 /* open"]
            .map(|sql| refusal(sql).unwrap())
            .join("\n"),
        @""
    );
}

#[test]
fn what_this_version_cant_do_is_said() {
    let spec = sync_with(serde_json::json!({
        "entity": "event",
        "behavior": "append",
        "event": {"name": {"constant": "order"}},
        "refresh": "168h",
        "execution": "job",
        "model": {"range": "A:B", "primaryKey": ["id"], "cursor": {"column": "at"}},
    }));
    let bigquery: SourceSpec = serde_json::from_value(serde_json::json!({
        "bigquery": {"project": "p", "workloadIdentity": {}},
    }))
    .unwrap();
    let files: SourceSpec = serde_json::from_value(serde_json::json!({
        "files": {"url": "s3://bucket/folder", "format": "parquet"},
    }))
    .unwrap();

    let findings = [sync(&spec), source(&bigquery), source(&files)].concat();

    insta::assert_snapshot!(lines(&findings), @"");
}

#[test]
fn a_folder_of_csv_files_can_be_read() {
    let files: SourceSpec = serde_json::from_value(serde_json::json!({
        "files": {"url": "./data", "format": "csv"},
    }))
    .unwrap();

    assert_eq!(source(&files), []);
}
