//! What people do in the workspace by hand: they edit, delete and merge. The source is the truth
//! for what a Sync maps, at the next change of the row or its next refresh, and for nothing else.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Laptop;

const TABLE: &str = "
create table people (id integer primary key, plan text, town text);
insert into people values (1, 'gold', 'Bonn'), (2, 'tin', 'Rome'), (3, 'iron', 'Oslo');";

fn sync(more: &str) -> String {
    format!(
        "model: {{table: people, primaryKey: [id]}}\nidentifiers: {{id: id}}\n\
         mappings: [{{from: plan}}, {{from: town}}]\n{more}"
    )
}

async fn delivered(more: &str) -> Laptop {
    let laptop = Laptop::with_sync(TABLE, &sync(more)).await;
    laptop.run().await.code(0);
    laptop
}

async fn merge(laptop: &Laptop, primary: &str, secondary: &str) {
    let body = json!({"primary": {"id": primary}, "secondary": {"id": secondary}});
    laptop.elsewhere("POST", "../merge_customers", &body).await;
}

/// Runs until it is so.
async fn run_until(laptop: &Laptop, is_so: impl Fn(&Laptop) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so(laptop) {
        assert!(Instant::now() < deadline, "it never came to it: {}", laptop.people());
        laptop.run().await.code(0);
    }
}

#[tokio::test]
async fn a_person_deleted_by_hand_is_made_anew_by_the_next_change_and_not_before() {
    let mut laptop = delivered("behavior: mirror\nonRemove: delete").await;
    laptop.elsewhere("DELETE", "1", &json!({})).await;

    laptop.run().await.did_nothing();
    assert_eq!(laptop.workspace().person("1"), None);
    laptop.sql("update people set plan = 'silver' where id = 1").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "changed 1, unchanged 2, delivered 1");
    let whole = json!({"id": "1", "plan": "silver", "town": "Bonn"});
    assert_eq!(laptop.people()["1"], whole, "what did not change came with it");
}

#[tokio::test]
async fn a_person_deleted_by_hand_is_made_anew_by_a_refresh() {
    let laptop = delivered("behavior: updateOrCreate\nrefresh: 1s").await;
    laptop.elsewhere("DELETE", "1", &json!({})).await;

    run_until(&laptop, |laptop| laptop.workspace().person("1").is_some()).await;

    assert_eq!(laptop.people()["1"], json!({"id": "1", "plan": "gold", "town": "Bonn"}));
}

#[tokio::test]
async fn a_person_deleted_by_hand_stays_away_where_a_sync_only_updates() {
    let mut laptop = Laptop::with_sync(TABLE, &sync("behavior: updateOnly")).await;
    for id in ["1", "2"] {
        laptop.identify_elsewhere(id, json!({"source": "signup"})).await;
    }
    laptop.run().await.code(0);
    laptop.elsewhere("DELETE", "1", &json!({})).await;

    laptop.sql("update people set plan = 'silver' where id <= 2").await;
    laptop.run().await.code(0);

    assert_eq!(laptop.workspace().person("1"), None);
    assert_eq!(laptop.people()["2"]["plan"], "silver");
}

#[tokio::test]
async fn a_person_deleted_by_hand_whose_row_leaves_too_is_no_trouble() {
    let mut laptop = delivered("behavior: mirror\nonRemove: delete").await;
    laptop.elsewhere("DELETE", "1", &json!({})).await;
    laptop.sql("delete from people where id = 1").await;

    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "removed 1, unchanged 2, delivered 1");
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn an_edit_by_hand_stands_until_the_row_changes_and_other_attributes_stand_for_good() {
    let mut laptop = delivered("behavior: updateOrCreate").await;
    laptop.identify_elsewhere("1", json!({"plan": "by hand", "note": "called"})).await;

    laptop.run().await.did_nothing();
    assert_eq!(laptop.people()["1"]["plan"], "by hand");
    laptop.sql("update people set town = 'Kiel' where id = 1").await;
    laptop.run().await.code(0);

    let healed = json!({"id": "1", "plan": "gold", "town": "Kiel", "note": "called"});
    assert_eq!(laptop.people()["1"], healed);
}

#[tokio::test]
async fn who_was_merged_away_is_made_anew_by_the_next_change_and_who_stayed_is_left_alone() {
    let mut laptop = delivered("behavior: mirror\nonRemove: delete").await;
    merge(&laptop, "1", "2").await;
    assert_eq!(laptop.workspace().person("2"), None);

    laptop.run().await.did_nothing();
    laptop.sql("update people set plan = 'silver' where id = 2").await;
    laptop.run().await.code(0);

    assert_eq!(laptop.people()["1"]["plan"], "gold");
    assert_eq!(laptop.people()["2"], json!({"id": "2", "plan": "silver", "town": "Rome"}));
}

#[tokio::test]
async fn the_removal_of_a_row_whose_person_was_merged_away_does_not_touch_who_stayed() {
    let mut laptop = delivered("behavior: mirror\nonRemove: delete").await;
    merge(&laptop, "1", "2").await;
    laptop.sql("delete from people where id = 2").await;

    laptop.run().await.code(0);

    assert_eq!(laptop.people()["1"], json!({"id": "1", "plan": "gold", "town": "Bonn"}));
    assert_eq!(laptop.workspace().person("2"), None);
    laptop.run().await.did_nothing();
}
