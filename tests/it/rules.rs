//! What the resources' schema and rules accept and refuse, offline, by the same texts that the API
//! server runs. Each rule of the CRDs is broken here at least once.

use std::collections::BTreeSet;

use ciosync::api::{Finding, Kind, crds, schema};
use serde_json::{Value, json};

/// Lays a patch over a tree: fields replace fields, null takes one away, lists replace lists.
fn patched(base: Value, patch: &Value) -> Value {
    let (Value::Object(mut fields), Value::Object(changes)) = (base, patch) else {
        return patch.clone();
    };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            let old = fields.remove(name).unwrap_or_else(|| json!({}));
            let new = if change.is_object() { patched(old, change) } else { change.clone() };
            fields.insert(name.clone(), new);
        }
    }
    Value::Object(fields)
}

fn resource(kind: Kind, patch: &Value) -> Value {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let spec = match kind {
        Kind::Source => json!({"sqlite": {"path": "demo.db"}}),
        Kind::CustomerIoConnection => json!({"siteId": secret, "apiKey": secret}),
        Kind::Sync => json!({
            "sourceRef": {"name": "warehouse"},
            "connectionRef": {"name": "production"},
            "model": {"sql": "select 1", "primaryKey": ["user_id"]},
            "entity": "person",
            "behavior": "updateOrCreate",
            "identifiers": {"id": "user_id"},
        }),
    };
    json!({
        "apiVersion": "ciosync.dev/v1alpha1",
        "kind": kind.as_str(),
        "metadata": {"name": "customers"},
        "spec": patched(spec, patch),
    })
}

fn check(kind: Kind, patch: &Value) -> Vec<Finding> {
    schema::check(kind, &resource(kind, patch))
}

fn event() -> Value {
    json!({
        "entity": "event",
        "behavior": "append",
        "event": {"name": {"constant": "order_placed"}},
    })
}

fn with(base: Value, patch: Value) -> Value {
    patched(base, &patch)
}

fn object() -> Value {
    json!({
        "entity": "object",
        "identifiers": null,
        "object": {"typeId": "1", "id": "account_id"},
    })
}

fn accepted() -> Vec<(Kind, Value)> {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let source = |spec: Value| (Kind::Source, with(json!({"sqlite": null}), spec));
    let sync = |spec: Value| (Kind::Sync, spec);
    vec![
        sync(json!({})),
        sync(json!({"schedule": "*/15 * * * *", "timeZone": "Europe/Berlin"})),
        sync(json!({"interval": "1h30m", "removeAfter": null})),
        sync(
            json!({"behavior": "mirror", "onRemove": "suppress", "removeAfter": "24h", "deletionPolicy": "Delete"}),
        ),
        sync(json!({"behavior": "delete", "guards": {"maxRemoved": 5000, "maxInvalid": "2.5%"}})),
        sync(json!({"mappings": [
            {"from": "email"},
            {"constant": null, "to": "old"},
            {"constant": "warehouse", "to": "origin"},
            {"template": "{{a}} {{b}}", "to": "name"},
            {"from": "mrr", "to": "mrr_usd", "type": "number"},
        ]})),
        sync(json!({"model": {"sql": null, "table": "marts.customers"}})),
        sync(
            json!({"model": {"sql": null, "sqlFrom": {"configMapKeyRef": {"name": "sql", "key": "a.sql"}}}}),
        ),
        sync(event()),
        sync(with(event(), json!({"identifiers": {"id": null, "anonymousId": "visitor"}}))),
        sync(
            json!({"entity": "device", "behavior": "mirror", "device": {"token": "t", "platform": {"constant": "ios"}}}),
        ),
        sync(object()),
        sync(with(
            object(),
            json!({"behavior": "updateOnly", "object": {"typeId": null, "id": null, "cioObjectId": "c"}}),
        )),
        sync(json!({"entity": "relationship", "object": {"typeId": "1", "id": "account_id"}})),
        sync(json!({"entity": "segmentMembership", "behavior": "mirror", "segment": {"id": 7}})),
        sync(
            json!({"entity": "collection", "behavior": "mirror", "identifiers": null, "collection": {"name": "Coupons"}}),
        ),
        sync(json!({"suspend": null, "timeout": null})),
        source(
            json!({"postgres": {"host": "db", "database": "d", "user": "u", "password": secret}}),
        ),
        source(json!({"postgres": {"url": secret, "tls": {"ca": secret}}})),
        source(
            json!({"redshift": {"host": "h", "database": "d", "iam": {"workgroup": "w", "region": "r"}}}),
        ),
        source(
            json!({"bigquery": {"project": "p", "workloadIdentity": {}, "labels": {"team": "growth"}}}),
        ),
        source(
            json!({"snowflake": {"account": "a", "user": "u", "privateKey": secret, "passphrase": secret}}),
        ),
        source(
            json!({"databricks": {"host": "h", "warehouseId": "w", "oauth": {"clientId": "c", "clientSecret": secret}}}),
        ),
        source(json!({"googleSheets": {"spreadsheetId": "s", "credentials": secret}})),
        source(json!({"rockset": {"apiServer": "https://a", "apiKey": secret}})),
        source(
            json!({"files": {"url": "data", "format": "csv"}, "allowedNamespaces": {"from": "Selector", "selector": {"matchLabels": {"a": "b"}}}}),
        ),
        (Kind::CustomerIoConnection, json!({})),
        (
            Kind::CustomerIoConnection,
            json!({"siteId": {"secretKeyRef": null, "value": "abc"}, "endpoint": "http://127.0.0.1:8080", "region": "eu"}),
        ),
    ]
}

fn refused() -> Vec<(Kind, Value)> {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let source = |spec: Value| (Kind::Source, with(json!({"sqlite": null}), spec));
    let sync = |spec: Value| (Kind::Sync, spec);
    vec![
        sync(json!({"schedule": "* * * * *", "interval": "15m"})),
        sync(json!({"identifiers": null})),
        sync(with(object(), json!({"identifiers": {"id": "x"}}))),
        sync(json!({"identifiers": {"id": null}})),
        sync(json!({"identifiers": {"email": "email"}})),
        sync(json!({"identifiers": {"id": null, "anonymousId": "v"}})),
        sync(
            json!({"entity": "segmentMembership", "segment": {"id": 7}, "identifiers": {"id": null, "phone": "p"}}),
        ),
        sync(json!({"entity": "event", "behavior": "append"})),
        sync(json!({"event": {"name": {"constant": "e"}}})),
        sync(with(event(), json!({"event": {"name": {"column": "kind"}}}))),
        sync(json!({"entity": "device"})),
        sync(json!({"device": {"token": "t", "platform": {"column": "os"}}})),
        sync(
            json!({"entity": "device", "device": {"token": "t", "platform": {"constant": "windows"}}}),
        ),
        sync(json!({"entity": "object", "identifiers": null})),
        sync(json!({"object": {"cioObjectId": "c"}})),
        sync(with(object(), json!({"object": {"id": null}}))),
        sync(json!({"entity": "segmentMembership"})),
        sync(json!({"segment": {"id": 7}})),
        sync(json!({"entity": "segmentMembership", "segment": {"id": 7, "name": "both"}})),
        sync(json!({"entity": "collection", "behavior": "mirror", "identifiers": null})),
        sync(json!({"collection": {"name": "Coupons"}})),
        sync(json!({"behavior": "append"})),
        sync(
            json!({"entity": "device", "behavior": "suppress", "device": {"token": "t", "platform": {"column": "os"}}}),
        ),
        sync(with(event(), json!({"behavior": "mirror"}))),
        sync(with(object(), json!({"behavior": "append"}))),
        sync(with(object(), json!({"behavior": "updateOnly"}))),
        sync(with(object(), json!({"object": {"typeId": null, "id": null, "cioObjectId": "c"}}))),
        sync(
            json!({"entity": "segmentMembership", "behavior": "updateOnly", "segment": {"id": 7}}),
        ),
        sync(
            json!({"entity": "collection", "behavior": "updateOrCreate", "identifiers": null, "collection": {"name": "C"}}),
        ),
        sync(json!({"behavior": "mirror"})),
        sync(json!({"onRemove": "delete"})),
        sync(with(object(), json!({"behavior": "mirror", "onRemove": "suppress"}))),
        sync(json!({"removeAfter": "24h"})),
        sync(with(event(), json!({"refresh": "24h"}))),
        sync(
            json!({"behavior": "mirror", "onRemove": "clear", "model": {"cursor": {"column": "updated_at"}}}),
        ),
        sync(json!({"deletionPolicy": "Delete"})),
        sync(json!({"behavior": "delete", "guards": {"maxRemoved": "5%"}})),
        sync(json!({"model": {"sql": null}})),
        sync(json!({"model": {"table": "t"}})),
        sync(json!({"mappings": [{"from": "a", "constant": "b", "to": "c"}]})),
        sync(json!({"mappings": [{"constant": null, "from": "a"}, {"to": "nothing"}]})),
        sync(json!({"mappings": [{"constant": "a"}, {"template": "{{a}}"}]})),
        sync(json!({"entity": "user"})),
        sync(json!({"entity": "company"})),
        sync(json!({"entity": "track"})),
        sync(json!({"entity": "audience"})),
        sync(json!({"behavior": "upsert"})),
        sync(json!({"behavior": "update"})),
        sync(json!({"behavior": "insert"})),
        sync(json!({"behavior": "send"})),
        sync(json!({"behavior": "remove"})),
        sync(json!({"behavior": "replace"})),
        source(json!({})),
        source(json!({"sqlite": {"path": "a"}, "files": {"url": "b", "format": "csv"}})),
        source(json!({"postgres": {"url": secret, "host": "db"}})),
        source(json!({"postgres": {"host": "db"}})),
        source(json!({"postgres": {"url": secret, "tls": {"clientCert": secret}}})),
        source(json!({"redshift": {"host": "h", "database": "d", "user": "u"}})),
        source(
            json!({"redshift": {"host": "h", "database": "d", "user": "u", "iam": {"region": "r", "workgroup": "w", "clusterIdentifier": "c"}}}),
        ),
        source(json!({"bigquery": {"project": "p"}})),
        source(json!({"snowflake": {"account": "a"}})),
        source(json!({"snowflake": {"account": "a", "privateKey": secret}})),
        source(json!({"snowflake": {"account": "a", "token": secret, "passphrase": secret}})),
        source(json!({"databricks": {"host": "h", "warehouseId": "w"}})),
        source(json!({"googleSheets": {"spreadsheetId": "s"}})),
        source(json!({"sqlite": {"path": "a"}, "allowedNamespaces": {"from": "Selector"}})),
        source(
            json!({"sqlite": {"path": "a"}, "allowedNamespaces": {"from": "Selector", "selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}}),
        ),
        (Kind::CustomerIoConnection, json!({"siteId": {"value": "abc"}})),
        (Kind::CustomerIoConnection, json!({"limits": {"itemBytes": 32000, "batchBytes": 32000}})),
    ]
}

/// A wrong shape, where no rule is asked.
fn misshapen() -> Vec<(Kind, Value)> {
    let sync = |spec: Value| (Kind::Sync, spec);
    vec![
        sync(json!({"mapings": []})),
        sync(json!({"model": null})),
        sync(json!({"model": {"primaryKey": "user_id"}})),
        sync(json!({"model": {"primaryKey": []}})),
        sync(
            json!({"mappings": [{"from": "a", "type": "nubmer"}, {"from": ""}, {"constant": 5, "to": "x"}]}),
        ),
        sync(json!({"timeout": "7d", "interval": "15"})),
        sync(json!({"guards": {"maxRemoved": "lots", "maxAdded": -1, "maxInvalid": 1.5}})),
        sync(json!({"historyLimit": 1000, "suspend": "true"})),
        sync(json!({"mappings": vec![json!({"from": "a"}); 301]})),
        (Kind::Source, json!({"sqlite": {"file": "demo.db"}})),
        (Kind::CustomerIoConnection, json!({"apiKey": {"secretKeyRef": null, "value": "x"}})),
        (Kind::CustomerIoConnection, json!({"apiKey": "x", "endpoint": "track.customer.io"})),
    ]
}

fn report(cases: &[(Kind, Value)]) -> String {
    let lines = cases.iter().map(|(kind, patch)| {
        let findings = check(*kind, patch);
        assert!(!findings.is_empty(), "accepted: {patch}");
        findings.iter().map(|finding| format!("{finding}\n")).collect::<String>()
    });
    lines.collect::<Vec<_>>().join("---\n")
}

#[test]
fn what_the_documentation_shows_is_accepted() {
    for (kind, patch) in accepted() {
        let findings: Vec<String> = check(kind, &patch).iter().map(ToString::to_string).collect();

        assert_eq!(findings, Vec::<String>::new(), "{patch}");
    }
}

#[test]
fn each_rule_says_what_to_write() {
    insta::assert_snapshot!(report(&refused()));
}

#[test]
fn a_wrong_shape_is_told_by_field() {
    insta::assert_snapshot!(report(&misshapen()));
}

#[test]
fn every_rule_is_broken_by_an_example() {
    let mut rules = BTreeSet::new();
    for (_, text) in crds::crds() {
        let definition: Value = serde_yaml::from_str(&text).unwrap();
        messages(&definition, &mut rules);
    }
    let mut said: BTreeSet<String> = refused()
        .iter()
        .flat_map(|(kind, patch)| check(*kind, patch))
        .map(|finding| finding.message)
        .collect();
    said.extend(edits().iter().flat_map(|(base, patch)| edit(base, patch)));
    let long = json!({
        "apiVersion": "ciosync.dev/v1alpha1",
        "kind": "Sync",
        "metadata": {"name": "x".repeat(53)},
        "spec": resource(Kind::Sync, &json!({}))["spec"],
    });
    said.extend(schema::check(Kind::Sync, &long).into_iter().map(|finding| finding.message));

    let unbroken: Vec<&String> = rules.difference(&said).collect();

    assert_eq!(unbroken, Vec::<&String>::new());
}

/// Collects the messages of all rules of a schema.
fn messages(tree: &Value, rules: &mut BTreeSet<String>) {
    match tree {
        Value::Object(fields) => {
            for rule in fields.get("x-kubernetes-validations").into_iter().flat_map(Value::as_array)
            {
                rules.extend(rule.iter().map(|rule| rule["message"].as_str().unwrap().to_owned()));
            }
            fields.values().for_each(|child| messages(child, rules));
        }
        Value::Array(items) => items.iter().for_each(|child| messages(child, rules)),
        _ => {}
    }
}

fn edits() -> Vec<(Value, Value)> {
    let segment = json!({"entity": "segmentMembership", "segment": {"id": 7}});
    vec![
        (json!({}), with(object(), json!({"identifiers": {"id": "user_id"}}))),
        (json!({}), json!({"model": {"primaryKey": ["email"]}})),
        (json!({}), json!({"identifiers": {"id": null, "email": "email"}})),
        (object(), json!({"object": {"typeId": "2"}})),
        (segment.clone(), json!({"segment": {"id": 8}})),
        (segment, json!({"segment": {"id": null, "name": "seven"}})),
        (event(), json!({"event": {"idScope": "growth/orders"}})),
    ]
}

/// Returns what is said to a patch of a Sync that was made with another.
fn edit(base: &Value, patch: &Value) -> Vec<String> {
    let old = resource(Kind::Sync, base);
    let new = resource(Kind::Sync, &with(base.clone(), patch.clone()));
    schema::check_edit(Kind::Sync, &new, &old).into_iter().map(|finding| finding.message).collect()
}

#[test]
fn what_identifies_rows_and_people_cant_be_edited() {
    for (base, patch) in edits() {
        let said = edit(&base, &patch);

        assert!(
            said.iter().any(|message| message.contains("can't be changed: make a new Sync")
                && message.contains("ciosync.dev/resetState")),
            "{patch}: {said:?}"
        );
    }
}

#[test]
fn all_else_may_be_edited() {
    let edits = [
        json!({"behavior": "mirror", "onRemove": "delete"}),
        json!({"identifiers": {"id": "customer_id"}}),
        json!({"model": {"sql": "select 2"}}),
        json!({"mappings": [{"from": "email"}], "schedule": "@daily"}),
    ];
    for patch in edits {
        assert_eq!(edit(&json!({}), &patch), Vec::<String>::new(), "{patch}");
    }
}

#[test]
fn a_constant_null_is_not_an_absent_constant() {
    use ciosync::mapping::spec::{ConstantSpec, MappingSpec};
    let read = |json: Value| serde_json::from_value::<MappingSpec>(json).unwrap().constant;

    assert_eq!(read(json!({"constant": null, "to": "x"})), Some(ConstantSpec::Null));
    assert_eq!(read(json!({"from": "x"})), None);
    assert_eq!(
        serde_json::to_value(MappingSpec {
            constant: Some(ConstantSpec::Null),
            to: Some("x".into()),
            ..MappingSpec::default()
        })
        .unwrap(),
        json!({"constant": null, "to": "x"})
    );
}
