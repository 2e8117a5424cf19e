//! Who is told of an attribute that two Syncs write, and who is not.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Returns the spec of a Sync of people with this patched over it.
fn spec(patch: &Value) -> SyncSpec {
    let mut spec = json!({
        "sourceRef": {"name": "warehouse"}, "connectionRef": {"name": "production"},
        "model": {"table": "people", "primaryKey": ["id"]},
        "entity": "person", "behavior": "updateOrCreate", "identifiers": {"id": "id"},
        "mappings": [{"from": "plan"}],
    });
    for (name, value) in patch.as_object().unwrap() {
        spec[name] = value.clone();
    }
    serde_json::from_value(spec).unwrap()
}

fn writer<'a>(name: &'a str, second: i64, spec: &'a SyncSpec) -> Writer<'a> {
    let created_at = Some(Timestamp::from_second(second).unwrap());
    Writer { namespace: "growth", name, created_at, spec }
}

/// Returns the attributes for which a younger Sync is told of an older one.
fn told(older: &Value, younger: &Value) -> Vec<String> {
    let (older, younger) = (spec(older), spec(younger));
    let older = writer("older", 1, &older);
    let younger = writer("younger", 2, &younger);
    let both = [younger, older];
    assert_eq!(conflicts(older, &both), [], "the older one is never told");
    let found = conflicts(younger, &both);
    assert!(found.iter().all(|conflict| conflict.older == 1));
    found.into_iter().flat_map(|it| it.attributes).map(|it| it.name).collect()
}

#[test]
fn the_younger_of_two_that_write_one_attribute_is_told_by_whatever_name_it_comes() {
    let none: [&str; 0] = [];

    assert_eq!(told(&json!({}), &json!({})), ["plan"]);
    let renamed = json!({"mappings": [{"from": "tier", "to": "plan"}, {"from": "mrr"}]});
    assert_eq!(told(&json!({}), &renamed), ["plan"]);
    let constant = json!({"mappings": [{"constant": "x", "to": "plan"}]});
    assert_eq!(told(&constant, &json!({})), ["plan"]);
    let cleared = json!({"mappings": [{"constant": null, "to": "plan"}]});
    assert_eq!(told(&json!({}), &cleared), ["plan"]);
    let template = json!({"mappings": [{"template": "{{a}}", "to": "plan"}]});
    assert_eq!(told(&template, &json!({})), ["plan"]);
    let away = json!({"mappings": [{"from": "plan", "to": "tier"}]});
    assert_eq!(told(&json!({}), &away), none);
    // Names are case-sensitive. Source: Customer.io, attributes.
    assert_eq!(told(&json!({}), &json!({"mappings": [{"from": "Plan"}]})), none);
}

#[test]
fn only_what_writes_the_attributes_of_the_same_things_meets() {
    let none: [&str; 0] = [];
    let mirror = json!({"behavior": "mirror", "onRemove": "delete"});
    let object = |number: &str, behavior: &str| {
        json!({
            "entity": "object", "behavior": behavior, "identifiers": null,
            "object": {"typeId": number, "id": "account_id"},
        })
    };
    let own_id = json!({
        "entity": "object", "behavior": "updateOnly", "identifiers": null,
        "object": {"cioObjectId": "own_id"},
    });

    assert_eq!(told(&mirror, &json!({"behavior": "updateOnly"})), ["plan"]);
    assert_eq!(told(&json!({"identifiers": {"email": "email"}}), &json!({})), ["plan"]);
    for behavior in ["delete", "suppress", "unsuppress"] {
        assert_eq!(told(&json!({"behavior": behavior}), &json!({})), none, "{behavior}");
    }
    assert_eq!(told(&object("1", "updateOrCreate"), &object("1", "updateOrCreate")), ["plan"]);
    assert_eq!(told(&object("1", "updateOrCreate"), &object("2", "updateOrCreate")), none);
    assert_eq!(told(&object("1", "updateOrCreate"), &json!({})), none);
    assert_eq!(told(&object("1", "updateOrCreate"), &own_id), none);
    assert_eq!(told(&own_id, &own_id), ["plan"]);
    let event = json!({
        "entity": "event", "behavior": "append", "event": {"name": {"constant": "signed_up"}},
    });
    assert_eq!(told(&event, &event), none);
}

#[test]
fn one_of_the_two_may_say_that_an_attribute_is_shared() {
    let none: [&str; 0] = [];
    let both = json!({"mappings": [{"from": "plan"}, {"from": "mrr"}]});
    let shared = json!({
        "mappings": [{"from": "plan"}, {"from": "mrr"}], "sharedAttributes": ["plan"],
    });

    assert_eq!(told(&both, &both), ["plan", "mrr"]);
    assert_eq!(told(&shared, &both), ["mrr"]);
    assert_eq!(told(&both, &shared), ["mrr"]);
    let all = json!({"sharedAttributes": ["plan"]});
    assert_eq!(told(&json!({}), &all), none);
}

#[test]
fn a_sync_that_takes_over_from_another_is_not_told_of_it() {
    let none: [&str; 0] = [];

    assert_eq!(told(&json!({}), &json!({"adoptStateFrom": {"name": "older"}})), none);
    let elsewhere = json!({"adoptStateFrom": {"name": "older", "namespace": "other"}});
    assert_eq!(told(&json!({}), &elsewhere), ["plan"]);
}

#[test]
fn columns_that_only_a_run_knows_are_said_to_be_not_compared() {
    let (include, plain) =
        (spec(&json!({"unmappedColumns": "include", "mappings": []})), spec(&json!({})));
    let delete = spec(&json!({"behavior": "delete"}));
    let writers =
        [writer("all", 2, &include), writer("gone", 1, &delete), writer("some", 1, &plain)];

    assert_eq!(not_compared(writers[0], &writers), Some(2));
    assert_eq!(not_compared(writers[2], &writers), None);
    assert_eq!(not_compared(writers[0], &writers[..2]), None);
    assert_eq!(conflicts(writers[0], &writers), []);
}

#[test]
fn the_message_names_both_fields_and_what_to_do() {
    let (older, younger) =
        (spec(&json!({})), spec(&json!({"mappings": [{"from": "a"}, {"from": "plan"}]})));
    let writers = [writer("older", 1, &older), writer("younger", 2, &younger)];
    let found = conflicts(writers[1], &writers);

    let finding = found[0].finding("growth/older", str::to_owned);

    insta::assert_snapshot!(finding, @"spec.mappings[1].from: Sync growth/older writes the attribute `plan` (spec.mappings[0].from) already (map each attribute in one Sync only, or name it in sharedAttributes of one of the two)");
    let many: Vec<Value> = (0..8).map(|number| json!({"from": format!("a{number}")})).collect();
    let many = spec(&json!({ "mappings": many }));
    let writers = [writer("older", 1, &many), writer("younger", 2, &many)];
    let told = conflicts(writers[1], &writers)[0].finding("growth/older", str::to_owned);
    assert!(told.message.ends_with("`a4` (spec.mappings[4].from) and 3 more already"), "{told}");
}

proptest! {
    /// Whatever order they come in, each pair that meets is told to exactly one of the two.
    #[test]
    fn of_each_pair_exactly_one_is_told(
        ages in proptest::collection::vec((0i64..3, proptest::bool::ANY), 2..7),
    ) {
        let spec = spec(&json!({}));
        let names: Vec<String> = (0..ages.len()).map(|number| format!("s{number}")).collect();
        let writers: Vec<Writer<'_>> = ages
            .iter()
            .zip(&names)
            .map(|((second, is_known), name)| {
                let writer = writer(name, *second, &spec);
                Writer { created_at: writer.created_at.filter(|_| *is_known), ..writer }
            })
            .collect();
        let told: usize = writers.iter().map(|it| conflicts(*it, &writers).len()).sum();
        prop_assert_eq!(told, ages.len() * (ages.len() - 1) / 2);
    }
}
