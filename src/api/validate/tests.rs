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

    insta::assert_snapshot!(lines(&sync(&spec)), @"
        spec.schedule: `25` is not a valid hour (write 0-23, `*`, a range `a-b`, a step `*/n`, or a list of these)
        spec.mappings[0].timeZone: `Berlin` is not a time zone (write an IANA name such as Europe/Berlin, America/New_York or UTC)
        spec.timeout: it must be longer than nothing
        spec.retry.minBackoff: the shortest pause, 1h, is longer than the longest, 30m
        ");
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

    insta::assert_snapshot!(lines(&sync(&spec)), @"
        spec.mappings[0].from: `id` is set by identifiers already (take this mapping away)
        spec.mappings[1].from: `cio_id` is Customer.io's own name (give it another name with `to`)
        spec.mappings[2].from: the name `_update` starts with `_`, which Customer.io keeps for itself (give it another name with `to`)
        spec.mappings[3].from: the name `address.city` has a dot, which Customer.io may take for a path into the attribute before it (give it another name with `to`)
        spec.mappings[6].to: the attribute `plan` is already set by spec.mappings[5] (take one of the two away, or give one another name with `to`)
        spec.mappings[7].to: the name `éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé` is longer than 150 bytes (give it another name with `to`)
        ");
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

    insta::assert_snapshot!(lines(&sync(&spec)), @"spec.mappings[1].consent: `plan` is no consent of a person (consent belongs to mappings of unsubscribed and cio_subscription_preferences)");
}

#[test]
fn templates_know_columns_only() {
    let wrong = ["{{first_name | upcase}}", "{{first_name}", "{{ }}", "plain"];
    let mappings: Vec<_> = wrong
        .iter()
        .enumerate()
        .map(|(index, text)| serde_json::json!({"template": text, "to": format!("t{index}")}))
        .collect();

    insta::assert_snapshot!(lines(&sync(&sync_with(serde_json::json!({"mappings": mappings})))), @"
        spec.mappings[0].template: the template knows column names between its braces and nothing else (a template knows `{{column}}` only, such as `{{first_name}} {{last_name}}`)
        spec.mappings[1].template: the template has a `{{` without its `}}` (a template knows `{{column}}` only, such as `{{first_name}} {{last_name}}`)
        spec.mappings[2].template: the template has `{{}}` without a column's name (a template knows `{{column}}` only, such as `{{first_name}} {{last_name}}`)
        spec.mappings[3].template: the template names no column; write a `constant` instead (a template knows `{{column}}` only, such as `{{first_name}} {{last_name}}`)
        ");
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
        @"
        spec.model.sql: the statement is empty (write one select with the columns that the Sync uses)
        spec.model.sql: there are 2 statements, a model is one (keep the select, take the others away)
        spec.model.sql: the statement begins with `delete` (a model only reads: begin with select, with, values or table)
        spec.model.sql: a string is never closed
        spec.model.sql: a comment is never closed
        "
    );
}

#[test]
fn what_this_version_cant_do_is_said() {
    let spec = sync_with(serde_json::json!({
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

    insta::assert_snapshot!(lines(&findings), @"
        spec.execution: this version can't run in a Job of its own yet (take `execution` away: runs execute in the operator)
        spec.model.range: this version can't read a range of a spreadsheet yet (take the field away)
        spec.bigquery: this version can't read from Google BigQuery yet (postgres, sqlite and files are what it can read)
        spec.files.format: this version can't read Parquet yet (csv is what it can read)
        spec.files.url: this version can't read from s3:// yet (a folder or file of this machine is what it can read)
        ");
}

#[test]
fn each_entity_is_told_what_does_not_fit_it_and_its_traps() {
    let event = |event: serde_json::Value, mappings: serde_json::Value| {
        sync_with(serde_json::json!({
            "entity": "event", "behavior": "append", "event": event, "mappings": mappings,
            "model": {"table": "orders", "primaryKey": ["id"], "cursor": {"column": "at"}},
        }))
    };
    let long = "x".repeat(101);
    let specs = [
        event(serde_json::json!({"name": {"constant": " "}}), serde_json::json!([])),
        event(
            serde_json::json!({"name": {"constant": long}, "timestamp": "at"}),
            serde_json::json!([{"from": "email", "to": "recipient"}]),
        ),
        sync_with(serde_json::json!({
            "entity": "object", "behavior": "mirror", "onRemove": "clear",
            "object": {"typeId": "1", "id": "id"}, "identifiers": null,
            "mappings": [{"from": "id", "to": "object_id"}],
        })),
        sync_with(serde_json::json!({
            "entity": "segmentMembership", "segment": {"id": 7},
            "unmappedColumns": "include", "mappings": [{"from": "plan"}],
        })),
    ];

    let findings: Vec<String> = specs.iter().map(|spec| lines(&sync(spec))).collect();

    insta::assert_snapshot!(findings.join("\n--\n"), @r#"
        spec.event.name.constant: the name of the event is blank
        spec.event.timestamp: without it an event happens when it is sent: a first run dates all of the past to today (name the column that says when it happened)

        --
        spec.event.name.constant: the name is longer than 100 bytes (Customer.io takes no longer one)
        spec.model.cursor.column: rows that arrive late, with a time that lies behind what was read, are never read (name the column with the time at which a row was loaded)
        spec.mappings[0]: `recipient` takes the place of what a campaign that the event triggers says

        --
        spec.onRemove: clearing an object that somebody deleted in Customer.io makes it anew, empty (write `onRemove: delete` where that matters)
        spec.mappings[0].to: `object_id` is Customer.io's own name (give it another name with `to`)

        --
        spec.mappings: a membership has no attributes (take it away; people get their attributes from a Sync with `entity: person`)
        spec.unmappedColumns: a membership has no attributes (take it away; people get their attributes from a Sync with `entity: person`)
        "#);
}

#[test]
fn a_folder_of_csv_files_can_be_read() {
    let files: SourceSpec = serde_json::from_value(serde_json::json!({
        "files": {"url": "./data", "format": "csv"},
    }))
    .unwrap();

    assert_eq!(source(&files), []);
}
