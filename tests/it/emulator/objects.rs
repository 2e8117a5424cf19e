//! Objects and relationships, from both ends.

use ciosync::emulator::UnknownParty;
use serde_json::json;

use super::{World, accepted, object, person};

#[tokio::test]
async fn an_object_is_made_changed_and_deleted_with_its_relationships() {
    let world = World::start().await;
    let related = json!({"attributes": {"name": "Acme", "plan": "pro"}, "cio_relationships": [
        {"identifiers": {"id": "42"}, "relationship_attributes": {"role": "admin"}}]});

    assert_eq!(world.entity(object("acme", "identify", related)).await, accepted());
    let cleared = json!({"attributes": {"plan": null, "seats": 5}});
    assert_eq!(world.entity(object("acme", "identify", cleared)).await, accepted());

    let [acme] = &world.workspace.objects()[..] else { panic!("one object") };
    assert_eq!(acme.attributes, json!({"name": "Acme", "seats": 5}));
    let [related] = &world.workspace.relationships()[..] else { panic!("one relationship") };
    assert_eq!((&*related.person, &related.attributes), ("42", &json!({"role": "admin"})));

    assert_eq!(world.entity(object("acme", "delete", json!({}))).await, accepted());
    assert_eq!((world.workspace.objects(), world.workspace.relationships()), (vec![], vec![]));
}

#[tokio::test]
async fn a_cio_object_id_updates_and_never_makes() {
    let world = World::start().await;
    world.entity(object("acme", "identify", json!({}))).await;
    let own = world.workspace.objects()[0].cio_object_id.clone();

    for id in [own.as_str(), "obffffffffff"] {
        let asked = json!({"type": "object", "action": "identify",
            "identifiers": {"cio_object_id": id}, "attributes": {"n": 1}});
        assert_eq!(world.entity(asked).await, accepted());
    }

    let [acme] = &world.workspace.objects()[..] else { panic!("one object") };
    assert_eq!(acme.attributes, json!({"n": 1}));
    assert_eq!(world.failures(), ["skipped_update"]);
}

#[tokio::test]
async fn relationships_are_made_and_ended_from_either_end() {
    let world = World::start().await;
    let to_acme = json!({"cio_relationships": [
        {"identifiers": {"object_type_id": "1", "object_id": "acme"},
         "relationship_attributes": {"role": "admin", "since": 2020}}]});
    let to_ann = json!({"cio_relationships": [{"identifiers": {"id": "ann"},
        "relationship_attributes": {"since": ""}}]});

    world.entity(person("ann", "add_relationships", to_acme.clone())).await;
    world.entity(object("acme", "add_relationships", to_ann.clone())).await;
    let [related] = &world.workspace.relationships()[..] else { panic!("one relationship") };
    assert_eq!(related.attributes, json!({"role": "admin"}));

    world.entity(object("acme", "delete_relationships", to_ann.clone())).await;
    assert_eq!(world.workspace.relationships(), []);
    world.entity(object("acme", "add_relationships", to_ann)).await;
    world.entity(person("ann", "delete_relationships", to_acme)).await;
    assert_eq!(world.workspace.relationships(), []);
}

#[tokio::test]
async fn an_identify_can_relate_in_the_same_breath() {
    let world = World::start().await;

    let related = json!({"cio_relationships": [
        {"identifiers": {"object_type_id": "1", "object_id": "acme"}}]});
    assert_eq!(world.entity(person("ann", "identify", related)).await, accepted());

    assert_eq!(world.workspace.relationships()[0].person, "ann");
}

#[tokio::test]
async fn a_relationship_to_nobody_makes_them_or_is_ignored_by_the_setting() {
    let world = World::start().await;
    world.emulator.settings().change(|settings| {
        settings.relationship_to_unknown = UnknownParty::Ignore;
    });
    world.identify("ann", json!({})).await;
    let to_acme = json!({"cio_relationships": [
        {"identifiers": {"object_type_id": "1", "object_id": "acme"}}]});

    assert_eq!(world.entity(person("ann", "add_relationships", to_acme.clone())).await, accepted());
    assert_eq!((world.workspace.objects(), world.workspace.relationships()), (vec![], vec![]));
    assert_eq!(world.failures(), ["_r:1:failed_attribute_change"]);

    world.emulator.settings().change(|settings| {
        settings.relationship_to_unknown = UnknownParty::Create;
    });
    world.entity(person("ann", "add_relationships", to_acme)).await;
    assert_eq!((world.workspace.objects().len(), world.workspace.relationships().len()), (1, 1));
}

#[tokio::test]
async fn a_visitors_relationship_waits_for_them() {
    let world = World::start().await;
    let visitor = json!({"cio_relationships": [{"identifiers": {"anonymous_id": "anon-1"}}]});

    assert_eq!(world.entity(object("acme", "identify_anonymous", visitor)).await, accepted());
    let beside = json!({"anonymous_id": "anon-1"});
    assert_eq!(world.entity(object("beta", "identify_anonymous", beside)).await, accepted());
    assert_eq!(world.workspace.anonymous_relationships_count(), 2);
    assert_eq!(world.workspace.relationships(), []);

    world.identify("ann", json!({"anonymous_id": "anon-1"})).await;
    let objects: Vec<_> =
        world.workspace.relationships().into_iter().map(|related| related.object_id).collect();
    assert_eq!(objects, ["acme", "beta"]);
}

#[tokio::test]
async fn object_types_are_numbers_in_strings_that_exist() {
    let world = World::start().await;

    for (type_id, status) in [
        (json!("1"), 200),
        (json!(1), 200),
        (json!("0"), 400),
        (json!("x"), 400),
        (json!("99"), 400),
    ] {
        let asked = object(
            "acme",
            "identify",
            json!({"identifiers": {"object_type_id": type_id, "object_id": "acme"}}),
        );
        assert_eq!(world.entity(asked).await.0, status, "{type_id}");
    }
    world.emulator.settings().change(|settings| settings.unknown_object_type_is_refused = false);
    let asked = object(
        "acme",
        "identify",
        json!({"identifiers": {"object_type_id": "99", "object_id": "acme"}}),
    );
    assert_eq!(world.entity(asked).await, accepted());
}

#[tokio::test]
async fn objects_have_no_events_and_people_no_phone_in_relationships() {
    let world = World::start().await;
    let by_phone = json!({"cio_relationships": [{"identifiers": {"phone": "+14155552671"}}]});

    assert_eq!(world.entity(object("acme", "event", json!({"name": "a"}))).await.0, 400);
    let (status, body) = world.entity(object("acme", "add_relationships", by_phone)).await;
    let field = &body["errors"][0]["field"];
    assert_eq!((status, field), (400, &json!("cio_relationships[0].identifiers")));
}
