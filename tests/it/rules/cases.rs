//! Resources by example: accepted, refused by a rule, of a wrong shape, and edits.

use ciosync::api::Kind;
use serde_json::{Value, json};

/// Lays a patch over a tree: fields replace fields, null takes one away, lists replace lists.
pub fn patched(base: Value, patch: &Value) -> Value {
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

pub fn resource(kind: Kind, patch: &Value) -> Value {
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

pub fn accepted() -> Vec<(Kind, Value)> {
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
        sync(json!({
            "entity": "event",
            "behavior": "append",
            "event": {"name": {"column": "kind"}},
            "identifiers": {"id": null, "anonymousId": "visitor"},
        })),
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

pub fn refused() -> Vec<(Kind, Value)> {
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
            json!({"entity": "collection", "behavior": "mirror", "identifiers": null, "collection": {"name": "C"}, "removeAfter": "24h", "refresh": "24h"}),
        ),
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
pub fn misshapen() -> Vec<(Kind, Value)> {
    let sync = |spec: Value| (Kind::Sync, spec);
    vec![
        sync(json!({"mapings": []})),
        sync(json!({"model": null, "behavior": "upsert"})),
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

pub fn edits() -> Vec<(Value, Value)> {
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
