//! People are known by what names them, rows by their key: nobody who is still in a source is
//! removed because the two parted.

use serde_json::json;

use super::Laptop;
use ciosync::emulator::Fault;

const TABLE: &str = "
create table people (id integer primary key, email text, plan text);
insert into people values (1, 'ann@example.com', 'gold'), (2, 'bob@example.com', 'tin');";

const SYNC: &str = "
model: {table: people, primaryKey: [id]}
behavior: mirror
onRemove: delete
identifiers: {email: email}
mappings: [{from: plan}]";

async fn settled() -> Laptop {
    let laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.run().await.code(0);
    laptop
}

#[tokio::test]
async fn two_keys_that_swap_their_addresses_change_both_people_and_remove_none() {
    let mut laptop = settled().await;
    let own_ids = laptop.own_ids();

    laptop
        .sql(
            "update people set email = 'x' where id = 1;
             update people set email = 'ann@example.com' where id = 2;
             update people set email = 'bob@example.com' where id = 1;",
        )
        .await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "changed 2, delivered 2");
    assert_eq!(
        laptop.people(),
        json!({"ann@example.com": {"email": "ann@example.com", "plan": "tin"},
               "bob@example.com": {"email": "bob@example.com", "plan": "gold"}})
    );
    assert_eq!(laptop.own_ids(), own_ids);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_person_who_comes_back_under_another_key_is_kept() {
    let mut laptop = settled().await;
    let own_ids = laptop.own_ids();

    laptop.sql("update people set id = 7, plan = 'silver' where id = 1").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 1, kept 1, unchanged 1, delivered 1");
    assert_eq!(laptop.people()["ann@example.com"]["plan"], "silver");
    assert_eq!(laptop.own_ids(), own_ids);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn an_address_in_another_case_is_the_same_person() {
    let mut laptop = settled().await;
    let own_ids: Vec<String> = laptop.own_ids().into_values().collect();

    laptop.sql("update people set email = 'Ann@Example.COM' where id = 1").await;
    laptop.run().await.code(0);
    laptop.sql("update people set id = 7, email = 'ANN@example.com' where id = 1").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 1, kept 1, unchanged 1, delivered 1");
    assert_eq!(laptop.own_ids().into_values().collect::<Vec<_>>(), own_ids);
}

#[tokio::test]
async fn a_new_address_removes_the_old_person_and_makes_the_new_one() {
    let mut laptop = settled().await;

    laptop.sql("update people set email = 'anna@example.com' where id = 1").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 1, removed 1, unchanged 1, delivered 2");
    assert_eq!(
        laptop.people(),
        json!({"anna@example.com": {"email": "anna@example.com", "plan": "gold"},
               "bob@example.com": {"email": "bob@example.com", "plan": "tin"}})
    );
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_chain_of_addresses_removes_only_the_one_that_nobody_has_any_more() {
    let mut laptop = settled().await;

    laptop
        .sql(
            "update people set email = 'cid@example.com' where id = 2;
             update people set email = 'bob@example.com' where id = 1;",
        )
        .await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 1, changed 1, removed 1, delivered 3");
    assert_eq!(
        laptop.people(),
        json!({"bob@example.com": {"email": "bob@example.com", "plan": "gold"},
               "cid@example.com": {"email": "cid@example.com", "plan": "tin"}})
    );
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn two_rows_about_one_person_are_both_invalid_and_remove_nobody() {
    let mut laptop = settled().await;
    let before = laptop.people();

    laptop.sql("update people set email = 'BOB@example.com', plan = 'new' where id = 1").await;
    laptop
        .sql("insert into people values (3, 'cid@example.com', 'a'), (4, 'CID@example.com', 'b')")
        .await;
    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "invalid 4");
    assert_eq!(run.invalid_codes(), "DuplicateTarget 4");
    assert_eq!((run.arrived, laptop.people()), (0, before));

    laptop.sql("delete from people where id in (2, 4)").await;
    let mended = laptop.run().await;
    assert_eq!(mended.code(0).counts(), "added 2, removed 1, kept 1, delivered 3");
    assert_eq!(
        laptop.people(),
        json!({"bob@example.com": {"email": "bob@example.com", "plan": "new"},
               "cid@example.com": {"email": "cid@example.com", "plan": "a"}}),
    );
}

#[tokio::test]
async fn a_row_that_turned_invalid_still_holds_its_person() {
    let mut laptop = settled().await;
    let before = laptop.people();

    laptop.sql("update people set email = 'nonsense' where id = 1").await;
    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "unchanged 1, invalid 1");
    assert_eq!(laptop.people(), before);

    laptop.sql("update people set email = null where id = 1").await;
    assert_eq!(laptop.run().await.code(3).counts(), "unchanged 1, invalid 1");
    assert_eq!(laptop.people(), before);
}

#[tokio::test]
async fn a_person_who_is_rejected_under_a_new_address_is_not_lost_when_the_old_one_moves_on() {
    for runs in [1, 3] {
        let mut laptop = settled().await;
        let faults = laptop.emulator.faults();
        faults.add(Fault::reject_identifier("cid@example.com"));
        // Bob's row gets an address that is refused, and Ann's row his; then Ann's row goes.
        laptop
            .sql(
                "update people set email = 'cid@example.com' where id = 2;
             update people set email = 'bob@example.com' where id = 1;",
            )
            .await;
        laptop.run().await.code(3);
        laptop.sql("delete from people where id = 1").await;
        for _ in 0..runs {
            laptop.run().await;
        }

        faults.clear();
        laptop.sql("update people set email = 'bob@example.com', plan = 'tin' where id = 2").await;
        laptop.run().await.code(0);

        let expected = json!({"bob@example.com": {"email": "bob@example.com", "plan": "tin"}});
        assert_eq!(laptop.people(), expected, "{runs}");
    }
}

#[tokio::test]
async fn a_refused_removal_of_an_old_address_is_tried_again_with_pauses() {
    let mut laptop = settled().await;
    let faults = laptop.emulator.faults();
    faults.add(Fault::reject_identifier("ann@example.com"));
    laptop.sql("update people set email = 'anna@example.com' where id = 1").await;

    let mut tried = Vec::new();
    for number in 1..=9 {
        let before = laptop.workspace().stats().items_rejected;
        laptop.run().await.code(3);
        if laptop.workspace().stats().items_rejected > before {
            tried.push(number);
        }
    }
    assert_eq!(tried, [1, 2, 4, 8]);
    assert!(laptop.workspace().person_by_email("anna@example.com").is_none());

    faults.clear();
    for _ in 10..=16 {
        laptop.run().await;
    }
    assert_eq!(
        laptop.people(),
        json!({"anna@example.com": {"email": "anna@example.com", "plan": "gold"},
               "bob@example.com": {"email": "bob@example.com", "plan": "tin"}})
    );
    laptop.run().await.did_nothing();
}
