//! Objects: made, changed, cleared and deleted with their rows, each type a world of its own.

use serde_json::{Map, Value, json};

use super::Laptop;

const TABLE: &str = "
create table accounts (id text primary key, name text, seats integer, created integer);
insert into accounts values ('acme', 'Acme', 50, 1700000000), ('beta', 'Beta', 3, 1700000000),
    ('corp', 'Corp', 9, 1700000000);";

fn spec(behavior: &str) -> String {
    format!(
        "model: {{table: accounts, primaryKey: [id]}}\nbehavior: {behavior}\n\
         object: {{typeId: \"1\", id: id}}\n\
         mappings: [{{from: name}}, {{from: seats}}, {{from: created, to: created_at}}]"
    )
}

async fn laptop(behavior: &str) -> Laptop {
    let laptop = Laptop::new(TABLE).await;
    laptop.sync_of("object", "accounts", &spec(behavior));
    laptop
}

/// Returns every object's attributes by type and id.
fn objects(laptop: &Laptop) -> Value {
    let all = laptop.workspace().objects().into_iter();
    let named = all.map(|it| (format!("{}/{}", it.object_type_id, it.object_id), it.attributes));
    Value::Object(named.collect::<Map<_, _>>())
}

fn account(name: &str, seats: u32) -> Value {
    json!({"name": name, "seats": seats, "created_at": 1_700_000_000})
}

#[tokio::test]
async fn update_or_create_makes_and_changes_objects_and_keeps_those_that_left() {
    let mut laptop = laptop("updateOrCreate").await;

    assert_eq!(laptop.run().await.code(0).counts(), "added 3, delivered 3");
    let all = json!({"1/acme": account("Acme", 50), "1/beta": account("Beta", 3),
                     "1/corp": account("Corp", 9)});
    assert_eq!(objects(&laptop), all);
    laptop.run().await.did_nothing();

    laptop
        .sql("update accounts set seats = 51 where id = 'acme'; delete from accounts where id = 'beta';
              update accounts set name = null where id = 'corp'")
        .await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "changed 2, removed 1, delivered 2");
    let corp = json!({"seats": 9, "created_at": 1_700_000_000});
    let changed = json!({"1/acme": account("Acme", 51), "1/beta": account("Beta", 3),
                         "1/corp": corp});
    assert_eq!(objects(&laptop), changed);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_mirror_deletes_the_objects_whose_rows_left_and_no_others() {
    let mut laptop = laptop("mirror\nonRemove: delete").await;
    laptop.run().await.code(0);
    let item = json!({"type": "object", "action": "identify",
                      "identifiers": {"object_type_id": "1", "object_id": "by-hand"},
                      "attributes": {"name": "By hand"}});
    laptop.batch_elsewhere(json!([item])).await;

    laptop.sql("delete from accounts where id = 'beta'").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "removed 1, unchanged 2, delivered 1");
    let left = json!({"1/acme": account("Acme", 50), "1/corp": account("Corp", 9),
                      "1/by-hand": {"name": "By hand"}});
    assert_eq!(objects(&laptop), left);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn cleared_objects_lose_what_was_mapped_but_not_their_first_day() {
    let mut laptop = laptop("mirror\nonRemove: clear").await;
    laptop.run().await.code(0);

    laptop.sql("delete from accounts where id = 'beta'").await;
    assert_eq!(laptop.run().await.code(0).counts(), "removed 1, unchanged 2, delivered 1");

    assert_eq!(objects(&laptop)["1/beta"], json!({"created_at": 1_700_000_000}));
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn delete_takes_away_the_objects_of_the_rows_with_their_relationships() {
    let mut laptop = laptop("updateOrCreate").await;
    laptop.run().await.code(0);
    let item = json!({"type": "person", "action": "add_relationships", "identifiers": {"id": "7"},
                      "cio_relationships": [{"identifiers":
                          {"object_type_id": "1", "object_id": "acme"}}]});
    laptop.identify_elsewhere("7", json!({})).await;
    laptop.batch_elsewhere(json!([item])).await;
    assert_eq!(laptop.workspace().relationships().len(), 1);

    laptop.sql("delete from accounts where id <> 'acme'").await;
    laptop.sync_of("object", "accounts", &spec("delete"));
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "changed 1, removed 2, delivered 1");
    assert_eq!(objects(&laptop).as_object().unwrap().len(), 2);
    assert_eq!(laptop.workspace().relationships(), []);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn objects_that_customer_io_s_own_id_names_are_updated_and_never_made() {
    let mut laptop = laptop("updateOrCreate").await;
    laptop.run().await.code(0);
    let own = laptop.workspace().objects()[0].cio_object_id.clone();
    laptop
        .sql(&format!(
            "create table scores (cio text primary key, score integer);
             insert into scores values ('{own}', 7), ('nobody', 8)"
        ))
        .await;

    laptop.sync_of(
        "object",
        "scores",
        "model: {table: scores, primaryKey: [cio]}\nbehavior: updateOnly\n\
         object: {cioObjectId: cio}\nmappings: [{from: score}]",
    );
    laptop.run_with(&["--sync", "scores"]).await.code(0);

    assert_eq!(laptop.workspace().objects().len(), 3);
    assert_eq!(laptop.workspace().objects()[0].attributes["score"], 7);
}

#[tokio::test]
async fn an_object_that_another_sync_of_its_type_holds_is_kept() {
    let mut laptop = laptop("mirror\nonRemove: delete").await;
    laptop
        .sql(
            "create table partners (id text primary key, tier text);
              insert into partners values ('beta', 'gold')",
        )
        .await;
    let partners = |type_id: &str| {
        format!(
            "model: {{table: partners, primaryKey: [id]}}\nbehavior: updateOrCreate\n\
             object: {{typeId: \"{type_id}\", id: id}}\nmappings: [{{from: tier}}]"
        )
    };
    laptop.sync_of("object", "partners", &partners("1"));
    laptop.sync_of("object", "products", &partners("2"));
    laptop.run().await.code(0);

    laptop.sql("delete from accounts where id in ('acme', 'beta')").await;
    let run = laptop.run().await;

    assert_eq!(
        super::laptop::counts(run.code(0).of("accounts")),
        "removed 1, kept 1, unchanged 1, delivered 1"
    );
    let left = objects(&laptop);
    assert_eq!(left["1/beta"]["tier"], "gold");
    assert_eq!(left["2/beta"]["tier"], "gold");
    assert_eq!(left["1/acme"], Value::Null);
}

#[tokio::test]
async fn a_removal_is_refused_where_another_sync_names_objects_in_a_way_that_can_t_be_compared() {
    let mut laptop = laptop("mirror\nonRemove: delete").await;
    laptop.run().await.code(0);
    let own = laptop.workspace().objects()[0].cio_object_id.clone();
    laptop
        .sql(&format!(
            "create table scores (cio text primary key); insert into scores values ('{own}')"
        ))
        .await;
    laptop.sync_of(
        "object",
        "scores",
        "model: {table: scores, primaryKey: [cio]}\nbehavior: updateOnly\n\
         object: {cioObjectId: cio}\nmappings: [{constant: '7', to: score}]",
    );
    laptop.run_with(&["--sync", "scores"]).await.code(0);

    laptop.sql("delete from accounts where id = 'acme'").await;
    let refused = laptop.run_with(&["--sync", "accounts"]).await;

    assert_eq!(refused.code(1).of("accounts")["reason"], "RemovalUnsafe");
    assert_eq!(laptop.workspace().objects().len(), 3);
    laptop.sync_of("object", "accounts", &spec("mirror\nonRemove: delete\nexclusive: true"));
    laptop.run_with(&["--sync", "accounts"]).await.code(0);
    assert_eq!(laptop.workspace().objects().len(), 2);
}

#[tokio::test]
async fn state_of_one_object_type_is_never_used_for_another() {
    let laptop = laptop("updateOrCreate").await;
    laptop.run().await.code(0);

    let moved = spec("updateOrCreate").replace("\"1\"", "\"2\"");
    laptop.sync_of("object", "accounts", &moved);
    let run = laptop.run().await;

    assert_eq!(run.code(1).reason(), "StateMismatch");
    assert_eq!(run.arrived, 0);
}
