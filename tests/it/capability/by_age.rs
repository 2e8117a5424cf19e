//! What goes by age: rows that are sent again (`refresh`), and rows that are removed only once they
//! were missing for long enough (`removeAfter`).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Laptop, Ran, in_process};

const TABLE: &str = "
create table people (id integer primary key, plan text);
insert into people values (1, 'gold'), (2, 'tin'), (3, 'tin'), (4, 'iron');";

fn sync(more: &str) -> String {
    format!(
        "model: {{table: people, primaryKey: [id]}}\nidentifiers: {{id: id}}\n\
         mappings: [{{from: plan}}]\n{more}"
    )
}

fn mirror(remove_after: &str) -> String {
    sync(&format!("behavior: mirror\nonRemove: delete\nremoveAfter: {remove_after}"))
}

/// Runs until a run satisfies `is_it`, and returns that run.
async fn run_until(laptop: &Laptop, is_it: impl Fn(&Ran) -> bool) -> Ran {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let run = laptop.run().await;
        if is_it(&run) {
            return run;
        }
        assert!(Instant::now() < deadline, "it never came to it: {}", run.counts());
    }
}

#[tokio::test]
async fn a_row_that_is_due_by_age_is_sent_again_and_a_hand_edit_heals() {
    let mut laptop = Laptop::with_sync(TABLE, &sync("behavior: updateOrCreate\nrefresh: 2s")).await;
    laptop.run().await.code(0);
    let edited = Instant::now();
    for id in ["1", "2", "3", "4"] {
        laptop.identify_elsewhere(id, json!({"plan": "by hand"})).await;
    }
    laptop.sql("update people set plan = 'steel' where id = 4").await;

    let is_healed = |laptop: &Laptop| {
        let people = laptop.people();
        ["1", "2", "3", "4"].iter().all(|id| people[id]["plan"] != "by hand")
    };
    let mut refreshed = 0;
    while !is_healed(&laptop) {
        assert!(edited.elapsed() < Duration::from_secs(30), "never healed: {}", laptop.people());
        let run = laptop.run().await;
        refreshed += run.code(0).only()["refreshed"].as_u64().unwrap_or(0);
    }

    assert!(refreshed >= 3, "three of the four were not changed, and {refreshed} refreshed");
    assert_eq!(laptop.people()["4"]["plan"], "steel");
    assert_eq!(laptop.people()["1"]["plan"], "gold");
}

#[tokio::test]
async fn an_update_reaches_a_person_who_signs_up_later_by_itself() {
    let laptop = Laptop::with_sync(TABLE, &sync("behavior: updateOnly\nrefresh: 1s")).await;
    laptop.run().await.code(0);
    assert_eq!(laptop.people(), json!({}));

    laptop.identify_elsewhere("2", json!({"source": "signup"})).await;
    run_until(&laptop, |_| laptop.people()["2"]["plan"] == "tin").await;

    let known: BTreeSet<String> = laptop.people().as_object().unwrap().keys().cloned().collect();
    assert_eq!(known, BTreeSet::from(["2".to_owned()]));
}

#[tokio::test]
async fn without_an_age_nothing_is_sent_again() {
    let laptop = Laptop::with_sync(TABLE, &sync("behavior: updateOrCreate")).await;
    laptop.run().await.code(0);

    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_row_is_removed_only_after_it_was_missing_for_long_enough() {
    let mut laptop = Laptop::with_sync(TABLE, &mirror("3s")).await;
    laptop.run().await.code(0);
    laptop.sql("delete from people where id = 1").await;
    let found = Instant::now();

    let plan = laptop.plan().await;
    assert_eq!(plan.counts(), "missing 1, unchanged 3");
    let first = laptop.run().await;
    assert_eq!(first.code(0).counts(), "missing 1, unchanged 3");
    assert_eq!(laptop.people()["1"]["plan"], "gold");

    let last = run_until(&laptop, |run| run.counts().starts_with("removed")).await;
    assert_eq!(last.counts(), "removed 1, unchanged 3, delivered 1");
    // Times are kept in whole seconds.
    assert!(found.elapsed() >= Duration::from_secs(2), "after {:?}", found.elapsed());
    assert_eq!(laptop.workspace().person("1"), None);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_row_that_comes_back_in_time_stays_and_its_wait_begins_anew() {
    let mut laptop = Laptop::with_sync(TABLE, &mirror("1h")).await;
    laptop.run().await.code(0);
    laptop.sql("create table gone as select * from people; delete from people where id <= 2").await;
    assert_eq!(laptop.run().await.code(0).counts(), "missing 2, unchanged 2");

    // One as it was, one in a shape that can't be sent: both are in the source again.
    laptop.sql("insert into people select * from gone where id = 1").await;
    laptop.sql("insert into people values (2, x'ff')").await;
    laptop.run().await;
    laptop.sync("people", &mirror("1s"));
    laptop.sql("delete from people where id <= 2").await;
    let again = laptop.run().await;

    assert_eq!(again.code(0).counts(), "missing 2, unchanged 2");
    assert_eq!(laptop.people()["1"]["plan"], "gold");
    run_until(&laptop, |run| run.counts().starts_with("removed 2")).await;
}

/// Of several rows about one person none is sent, but each was seen.
#[tokio::test]
async fn a_row_that_came_back_as_a_duplicate_was_not_missing_all_the_time() {
    const PAIR: &str = "
create table people (id integer primary key, email text, plan text);
insert into people values (1, 'ann@example.com', 'gold'), (2, 'bob@example.com', 'tin');";
    let by_email = |wait: &str| mirror(wait).replace("{id: id}", "{email: email}");
    for plan in ["gold", "changed"] {
        let mut laptop = Laptop::with_sync(PAIR, &by_email("1h")).await;
        laptop.run().await.code(0);
        laptop.sql("delete from people where id = 1").await;
        let noted = Instant::now();
        assert_eq!(laptop.run().await.code(0).counts(), "missing 1, unchanged 1");
        run_until(&laptop, |_| noted.elapsed() > Duration::from_secs(6)).await;

        let back = format!("insert into people values (1, 'ann@example.com', '{plan}')");
        laptop.sql(&back).await;
        laptop.sql("update people set email = 'ann@example.com' where id = 2").await;
        assert_eq!(laptop.run().await.code(3).invalid_codes(), "DuplicateTarget 2");
        laptop.sql("update people set email = 'bob@example.com' where id = 2").await;
        laptop.sql("delete from people where id = 1").await;
        laptop.sync("people", &by_email("5s"));

        assert_eq!(laptop.run().await.code(0).counts(), "missing 1, unchanged 1", "{plan}");
        assert_eq!(laptop.people()["ann@example.com"]["plan"], "gold");
        run_until(&laptop, |run| run.counts().starts_with("removed 1")).await;
    }
}

/// A run that a guard stops has read all of the source too: what it saw counts, though nothing of
/// it was sent.
#[tokio::test]
async fn a_row_that_a_blocked_run_saw_again_was_not_missing_all_the_time() {
    let guarded = |wait: &str| format!("{}\nguards: {{maxAdded: 1}}", mirror(wait));
    let mut laptop = Laptop::with_sync(TABLE, &guarded("1h")).await;
    laptop.run().await.code(0);
    laptop.sql("create table gone as select * from people where id = 1").await;
    laptop.sql("delete from people where id = 1").await;
    let noted = Instant::now();
    assert_eq!(laptop.run().await.code(0).counts(), "missing 1, unchanged 3");
    run_until(&laptop, |_| noted.elapsed() > Duration::from_secs(6)).await;

    laptop
        .sql("insert into people select * from gone; insert into people values (8, 'x'), (9, 'x')")
        .await;
    assert_eq!(laptop.run().await.code(4).reason(), "GuardTripped");
    laptop.sql("delete from people where id in (1, 8, 9)").await;
    laptop.sync("people", &guarded("5s"));

    for _ in 0..2 {
        assert_eq!(laptop.run().await.code(0).counts(), "missing 1, unchanged 3");
    }
    run_until(&laptop, |run| run.counts().starts_with("removed 1")).await;
}

#[tokio::test]
async fn an_update_is_sent_again_every_day_without_being_told_to() {
    let laptop = Laptop::with_sync(TABLE, &sync("behavior: updateOnly")).await;
    laptop.run().await.code(0);
    laptop.run().await.did_nothing();
    for id in ["1", "2", "3", "4"] {
        laptop.identify_elsewhere(id, json!({"source": "signup"})).await;
    }

    in_process::planned_before(&laptop, Duration::from_secs(24 * 3_600)).await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "refreshed 4, delivered 4");
    assert_eq!(laptop.people()["1"], json!({"id": "1", "source": "signup", "plan": "gold"}));
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn rows_that_are_sent_again_by_age_trip_no_guard() {
    let guarded = "behavior: updateOrCreate\nrefresh: 24h\nguards: {maxChanged: 0, maxAdded: 0}";
    let laptop = Laptop::with_sync(TABLE, &sync(guarded)).await;
    laptop.run().await.code(0);

    in_process::planned_before(&laptop, Duration::from_secs(24 * 3_600)).await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "refreshed 4, delivered 4");
}

#[tokio::test]
async fn what_waits_to_be_removed_counts_for_no_guard_until_it_is_removed() {
    let guarded = format!("{}\nguards: {{maxRemoved: 0}}", mirror("1s"));
    let mut laptop = Laptop::with_sync(TABLE, &guarded).await;
    laptop.run().await.code(0);
    laptop.sql("delete from people where id = 1").await;

    laptop.run().await.code(0);
    let blocked = run_until(&laptop, |run| run.result() == "Blocked").await;

    assert_eq!(blocked.code(4).reason(), "GuardTripped");
    assert_eq!(laptop.people()["1"]["plan"], "gold");
}
