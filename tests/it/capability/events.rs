//! Events: each row counts once, whatever becomes of it, of the run, or of the state.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Laptop;

const TABLE: &str = "
create table orders (id integer primary key, person text, at text, kind text, total real, note text);
insert into orders values (1, 'ann', '2026-03-01T10:00:00Z', 'placed', 9.5, 'a'),
    (2, 'ann', '2026-03-02T10:00:00Z', ' placed ', 3, null), (3, 'bob', '2020-01-01', 'returned', 1, 'c');";

fn spec(more: &str) -> String {
    format!(
        "model: {{table: orders, primaryKey: [id]}}\nbehavior: append\n\
         identifiers: {{id: person}}\nevent: {{name: {{column: kind}}, timestamp: at}}\n\
         mappings: [{{from: total}}, {{from: note}}]\n{more}"
    )
}

async fn laptop(more: &str) -> Laptop {
    let laptop = Laptop::new(TABLE).await;
    for id in ["ann", "bob"] {
        laptop.identify_elsewhere(id, json!({})).await;
    }
    laptop.sync_of("event", "orders", &spec(more));
    laptop
}

/// Returns every event as `person kind name time data`, in the order taken.
fn events(laptop: &Laptop) -> Vec<String> {
    let all = laptop.workspace().events().into_iter();
    all.map(|it| {
        let whom = it.person.or(it.anonymous_id.map(|id| format!("visitor {id}")));
        format!("{} {} {} {} {}", whom.unwrap_or_default(), it.kind, it.name, it.timestamp, it.data)
    })
    .collect()
}

fn ids(laptop: &Laptop) -> BTreeSet<String> {
    laptop.workspace().events().into_iter().filter_map(|event| event.id).collect()
}

#[tokio::test]
async fn every_row_is_sent_once_with_its_own_time_and_an_id_of_its_own() {
    let mut laptop = laptop("").await;

    assert_eq!(laptop.run().await.code(0).counts(), "added 3, delivered 3");
    assert_eq!(
        events(&laptop),
        [
            "ann event placed 1772359200 {\"note\":\"a\",\"total\":9.5}",
            "ann event placed 1772445600 {\"note\":null,\"total\":3}",
            "bob event returned 1577836800 {\"note\":\"c\",\"total\":1}",
        ]
    );
    assert_eq!(ids(&laptop).len(), 3);
    laptop.run().await.did_nothing();

    laptop.sql("insert into orders values (4, 'bob', '2026-03-03', 'placed', 2, null)").await;
    assert_eq!(laptop.run().await.code(0).counts(), "added 1, unchanged 3, delivered 1");
    assert_eq!(laptop.workspace().events_count(), 4);
    assert_eq!(laptop.workspace().event_repeats(), 0);
}

#[tokio::test]
async fn a_row_that_changed_moved_left_or_returned_is_never_sent_again() {
    let mut laptop = laptop("").await;
    laptop.run().await.code(0);

    laptop
        .sql("update orders set total = 100, kind = 'other' where id = 1;
              update orders set person = 'bob' where id = 2; create table gone as select * from orders where id = 3;
              delete from orders where id = 3")
        .await;
    let run = laptop.run().await;
    assert_eq!(run.code(0).counts(), "unchanged 2");
    run.did_nothing();
    laptop.sql("insert into orders select * from gone").await;
    laptop.run().await.did_nothing();
    let edited = spec("nulls: omit").replace("{from: total}", "{from: total, to: sum}");
    laptop.sync_of("event", "orders", &edited);
    laptop.run().await.did_nothing();
    laptop.run_with(&["--full-resync", "orders"]).await.did_nothing();

    assert_eq!(laptop.workspace().events_count(), 3);
}

#[tokio::test]
async fn a_lost_state_with_baseline_and_a_reset_send_no_history_again() {
    let mut laptop = laptop("").await;
    laptop.run().await.code(0);

    laptop.say(&["state", "reset", "orders", "--yes"]).await.expect_code(0);
    assert_eq!(laptop.run().await.code(0).counts(), "unchanged 3");
    assert_eq!(laptop.workspace().event_repeats(), 0);

    std::fs::remove_dir_all(laptop.dir.path().join(".ciosync")).unwrap();
    laptop.sync_of("event", "orders", &spec("initialRun: baseline"));
    assert_eq!(laptop.run().await.code(0).counts(), "unchanged 3");
    laptop.sql("insert into orders values (4, 'bob', '2026-03-03', 'placed', 2, null)").await;
    assert_eq!(laptop.run().await.code(0).counts(), "added 1, unchanged 3, delivered 1");

    assert_eq!(laptop.workspace().events_count(), 4);
    assert_eq!(laptop.workspace().event_repeats(), 0);
}

#[tokio::test]
async fn a_state_that_was_lost_and_not_baselined_repeats_every_id() {
    let laptop = laptop("").await;
    laptop.run().await.code(0);
    let first = ids(&laptop);

    std::fs::remove_dir_all(laptop.dir.path().join(".ciosync")).unwrap();
    let edited = spec("").replace("{from: total}", "{from: total, to: sum}");
    laptop.sync_of("event", "orders", &edited);
    laptop.run().await.code(0);

    // The mapping changed and the state is gone, but each event is the same event.
    assert_eq!(ids(&laptop), first);
    assert_eq!(laptop.workspace().events_count(), 3);
    assert_eq!(laptop.workspace().event_repeats(), 3);
}

#[tokio::test]
async fn another_sync_s_events_have_other_ids_unless_they_share_a_scope() {
    let laptop = laptop("").await;
    let shared = spec("").replace("timestamp: at", "timestamp: at, idScope: default/orders");
    laptop.sync_of("event", "shared", &shared);
    laptop.sync_of("event", "twin", &spec(""));

    laptop.run().await.code(0);

    assert_eq!(laptop.workspace().events_count(), 6);
    assert_eq!(laptop.workspace().event_repeats(), 3);
}

#[tokio::test]
async fn pages_screens_and_visitors_are_named_as_they_are() {
    let mut laptop = Laptop::new(
        "create table views (id integer primary key, visitor text, path text);
         insert into views values (1, 'v-1', '/pricing')",
    )
    .await;
    for kind in ["page", "screen"] {
        laptop.sync_of(
            "event",
            kind,
            &format!(
                "model: {{table: views, primaryKey: [id]}}\nbehavior: append\n\
                 identifiers: {{anonymousId: visitor}}\n\
                 event: {{name: {{constant: viewed}}, type: {kind}}}\nmappings: [{{from: path}}]"
            ),
        );
    }
    laptop.run().await.code(0);

    let kinds: Vec<String> = events(&laptop)
        .iter()
        .map(|it| it.split(' ').take(4).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(kinds, ["visitor v-1 page viewed", "visitor v-1 screen viewed"]);

    laptop.identify_elsewhere("ann", json!({"anonymous_id": "v-1"})).await;
    assert!(events(&laptop).iter().all(|it| it.starts_with("ann ")));
    laptop.sql("insert into views values (2, 'v-2', null)").await;
    laptop.run().await.code(0);
    assert_eq!(laptop.workspace().events_count(), 4);
}

#[tokio::test]
async fn what_is_no_event_is_invalid_and_sent_once_it_is_one() {
    let mut laptop = laptop("guards: {maxInvalid: 100%}").await;
    laptop
        .sql(
            "update orders set at = null where id = 1; update orders set at = 'soon' where id = 2;
              update orders set kind = ' ' where id = 3;
              insert into orders values (4, null, '2026-03-03', 'placed', 2, null),
              (5, 'bob', '1969-12-31', 'placed', 2, null)",
        )
        .await;

    let run = laptop.run().await;
    assert_eq!(run.code(3).counts(), "invalid 5");
    assert_eq!(run.invalid_codes(), "InvalidTimestamp 3, InvalidEventName 1, MissingIdentifier 1");

    laptop.sql("update orders set at = '2026-03-01', kind = 'placed', person = 'ann'").await;
    assert_eq!(laptop.run().await.code(0).counts(), "added 5, delivered 5");
    assert_eq!(laptop.workspace().events_count(), 5);
}

#[tokio::test]
async fn long_values_are_sent_whole_up_to_the_limit_of_an_item() {
    let mut laptop = laptop("guards: {maxInvalid: 100%}").await;
    laptop
        .sql(
            "update orders set note = printf('%.*c', 20000, 'x') where id = 1;
              update orders set note = printf('%.*c', 32000, 'x') where id = 2",
        )
        .await;

    let run = laptop.run().await;

    assert_eq!(run.code(3).counts(), "added 2, invalid 1, delivered 2");
    assert_eq!(run.invalid_codes(), "ItemTooLarge 1");
    let data: Value = laptop.workspace().events()[0].data.clone();
    assert_eq!(data["note"].as_str().unwrap().len(), 20_000);
}
