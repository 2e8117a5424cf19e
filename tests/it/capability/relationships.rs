//! Relationships: a person and an object, made and ended with their row.

use serde_json::{Value, json};

use super::Laptop;
use super::late_failures::give_app_key;

const TABLE: &str = "
create table members (email text, account text, role text, primary key (email, account));
insert into members values ('ann@example.com', 'acme', 'admin'),
    ('ann@example.com', 'beta', 'guest'), ('bob@example.com', 'acme', null);";

fn spec(behavior: &str) -> String {
    format!(
        "model: {{table: members, primaryKey: [email, account]}}\nbehavior: {behavior}\n\
         identifiers: {{email: email}}\nobject: {{typeId: \"1\", id: account}}\n\
         mappings: [{{from: role}}]"
    )
}

async fn laptop(behavior: &str) -> Laptop {
    let laptop = Laptop::new(TABLE).await;
    laptop.sync_of("relationship", "members", &spec(behavior));
    laptop
}

/// Returns every relationship as `person object attributes`.
fn relationships(laptop: &Laptop) -> Vec<String> {
    let all = laptop.workspace().relationships().into_iter();
    let mut all: Vec<String> =
        all.map(|it| format!("{} {} {}", it.person, it.object_id, it.attributes)).collect();
    all.sort();
    all
}

fn others() -> Value {
    json!([{"type": "person", "action": "add_relationships", "identifiers": {"email": "eve@example.com"},
            "cio_relationships": [{"identifiers": {"object_type_id": "1", "object_id": "acme"}}]}])
}

#[tokio::test]
async fn update_or_create_relates_people_to_objects_and_changes_what_is_said_of_it() {
    let mut laptop = laptop("updateOrCreate").await;

    assert_eq!(laptop.run().await.code(0).counts(), "added 3, delivered 3");
    assert_eq!(
        relationships(&laptop),
        [
            "ann@example.com acme {\"role\":\"admin\"}",
            "ann@example.com beta {\"role\":\"guest\"}",
            "bob@example.com acme {}",
        ]
    );
    laptop.run().await.did_nothing();

    laptop.sql("update members set role = 'owner' where account = 'beta'; delete from members where email like 'bob%'").await;
    assert_eq!(
        laptop.run().await.code(0).counts(),
        "changed 1, removed 1, unchanged 1, delivered 1"
    );
    assert_eq!(relationships(&laptop).len(), 3);
    assert!(relationships(&laptop)[1].ends_with("beta {\"role\":\"owner\"}"));
}

#[tokio::test]
async fn a_mirror_ends_the_relationships_whose_rows_left_and_no_others() {
    let mut laptop = laptop("mirror").await;
    laptop.run().await.code(0);
    laptop.batch_elsewhere(others()).await;

    laptop.sql("delete from members where account = 'beta' or email like 'bob%'").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "removed 2, unchanged 1, delivered 2");
    assert_eq!(
        relationships(&laptop),
        ["ann@example.com acme {\"role\":\"admin\"}", "eve@example.com acme {}"]
    );
    assert_eq!(laptop.workspace().objects().len(), 2, "objects stay");
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn delete_ends_the_relationships_of_the_rows() {
    let laptop = laptop("updateOrCreate").await;
    laptop.run().await.code(0);
    laptop.batch_elsewhere(others()).await;

    laptop.sync_of("relationship", "members", &spec("delete"));
    assert_eq!(laptop.run().await.code(0).counts(), "changed 3, delivered 3");

    assert_eq!(relationships(&laptop), ["eve@example.com acme {}"]);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn two_rows_of_one_relationship_are_both_invalid_whatever_the_case_of_the_e_mail() {
    let mut laptop = laptop("mirror").await;
    laptop.run().await.code(0);

    laptop.sql("insert into members values ('Ann@Example.com', 'acme', 'twin')").await;
    laptop.sync_of("relationship", "members", &spec("mirror\nguards: {maxInvalid: 100%}"));
    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "unchanged 2, invalid 2");
    assert_eq!(run.invalid_codes(), "DuplicateTarget 2");
    assert_eq!(relationships(&laptop).len(), 3);
}

#[tokio::test]
async fn a_row_that_moves_to_another_object_ends_the_old_relationship() {
    let mut laptop = Laptop::new(
        "create table seats (seat integer primary key, person text, account text);
         insert into seats values (1, 'ann', 'acme'), (2, 'bob', 'acme');",
    )
    .await;
    laptop.sync_of(
        "relationship",
        "seats",
        "model: {table: seats, primaryKey: [seat]}\nbehavior: mirror\n\
         identifiers: {id: person}\nobject: {typeId: \"1\", id: account}",
    );
    laptop.run().await.code(0);

    laptop.sql("update seats set account = 'beta' where seat = 1; update seats set person = 'cid' where seat = 2").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 2, removed 2, delivered 4");
    assert_eq!(relationships(&laptop), ["ann beta {}", "cid acme {}"]);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_relationship_that_another_sync_holds_is_kept() {
    let mut laptop = laptop("mirror").await;
    laptop.sql("create table admins as select * from members where role = 'admin'").await;
    laptop.sync_of(
        "relationship",
        "admins",
        &spec("mirror").replace("table: members", "table: admins"),
    );
    laptop.run().await.code(0);

    laptop.sql("delete from members where account = 'acme'").await;
    let run = laptop.run().await;

    assert_eq!(
        super::laptop::counts(run.code(0).of("members")),
        "removed 1, kept 1, unchanged 1, delivered 1"
    );
    assert_eq!(
        relationships(&laptop),
        ["ann@example.com acme {\"role\":\"admin\"}", "ann@example.com beta {\"role\":\"guest\"}"]
    );
}

#[tokio::test]
async fn objects_may_be_named_by_customer_io_s_own_id() {
    let mut laptop =
        Laptop::new("create table fans (person integer, cio text, primary key (person, cio))")
            .await;
    let item = json!({"type": "object", "action": "identify",
                      "identifiers": {"object_type_id": "1", "object_id": "acme"}});
    laptop.batch_elsewhere(json!([item])).await;
    let own = laptop.workspace().objects()[0].cio_object_id.clone();
    laptop.sql(&format!("insert into fans values (1, '{own}'), (2, '{own}')")).await;
    laptop.sync_of(
        "relationship",
        "fans",
        "model: {table: fans, primaryKey: [person, cio]}\nbehavior: mirror\n\
         identifiers: {id: person}\nobject: {cioObjectId: cio}",
    );
    laptop.run().await.code(0);
    assert_eq!(relationships(&laptop), ["1 acme {}", "2 acme {}"]);

    laptop.sql("delete from fans where person = 1").await;
    assert_eq!(laptop.run().await.code(0).counts(), "removed 1, unchanged 1, delivered 1");
    assert_eq!(relationships(&laptop), ["2 acme {}"]);
}

#[tokio::test]
async fn a_relationship_that_failed_is_not_held_against_the_persons_others() {
    let laptop = Laptop::new(
        "create table members (id text, account text, role text, primary key (id, account));
         insert into members values ('ann', 'acme', 'a role of more than twenty bytes'),
            ('ann', 'beta', 'guest'), ('bob', 'acme', null);",
    )
    .await;
    give_app_key(&laptop);
    laptop.sync_of(
        "relationship",
        "members",
        "model: {table: members, primaryKey: [id, account]}\nbehavior: updateOrCreate\n\
         identifiers: {id: id}\nobject: {typeId: \"1\", id: account}\n\
         mappings: [{from: role}]",
    );
    laptop.emulator.settings().change(|settings| settings.limits.object_bytes = 20);

    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 3, delivered 3");
    let told = "1 late failures (_r:1:failed_attribute_change) without saying which row";
    let message = run.only()["message"].as_str().unwrap();
    assert!(message.contains(told), "{message}");
    assert_eq!(laptop.run().await.only()["message"], Value::Null, "told once");
}
