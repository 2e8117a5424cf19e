//! Several Syncs of one laptop: who waits for whom, who is left out, and people whom two of them
//! hold.

use serde_json::{Value, json};

use super::Laptop;
use super::laptop::counts;

const TABLES: &str = "
create table leads (id integer primary key, email text, stage text);
insert into leads values (1, 'ann@example.com', 'cold'), (2, 'bob@example.com', 'warm');
create table customers (id text primary key, email text, plan text);
insert into customers values ('c1', 'ANN@example.com', 'gold'), ('c2', 'cid@example.com', 'tin');";

fn by_email(table: &str, column: &str, behavior: &str) -> String {
    format!(
        "model: {{table: {table}, primaryKey: [id]}}\n{behavior}\nidentifiers: {{email: email}}\n\
         mappings: [{{from: {column}}}]"
    )
}

const DELETE: &str = "behavior: mirror\nonRemove: delete";

fn names(all: &[Value]) -> Vec<&str> {
    all.iter()
        .map(|it| it["sync"]["name"].as_str().or(it["skipped"]["sync"]["name"].as_str()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_person_whom_another_sync_holds_is_kept_until_the_last_lets_go() {
    let mut laptop = Laptop::new(TABLES).await;
    laptop.sync("leads", &by_email("leads", "stage", DELETE));
    laptop.sync("customers", &by_email("customers", "plan", DELETE));
    laptop.run().await.code(0);

    laptop.sql("delete from leads where id = 1").await;
    let run = laptop.run().await;
    assert_eq!(counts(run.code(0).of("leads")), "kept 1, unchanged 1");
    assert_eq!((run.arrived, laptop.workspace().people_count()), (0, 3));

    laptop.sql("delete from customers where id = 'c1'").await;
    let run = laptop.run().await;
    assert_eq!(counts(run.code(0).of("customers")), "removed 1, unchanged 1, delivered 1");
    assert!(laptop.workspace().person_by_email("ann@example.com").is_none());
    assert_eq!(laptop.workspace().people_count(), 2);
}

/// A row that was missed in one read is held for as long as it waits to be removed.
#[tokio::test]
async fn a_person_whose_row_waits_to_be_removed_from_another_sync_is_kept() {
    let mut laptop = Laptop::new(TABLES).await;
    laptop.sync("leads", &by_email("leads", "stage", DELETE));
    let patient = format!("{DELETE}\nremoveAfter: 24h");
    laptop.sync("customers", &by_email("customers", "plan", &patient));
    laptop.run().await.code(0);

    laptop.sql("create table gone as select * from customers").await;
    laptop.sql("delete from customers where id = 'c1'").await;
    let missed = laptop.run().await;
    assert_eq!(counts(missed.code(0).of("customers")), "missing 1, unchanged 1");
    laptop.sql("delete from leads where id = 1").await;
    let left = laptop.run().await;
    assert_eq!(counts(left.code(0).of("leads")), "kept 1, unchanged 1");

    laptop.sql("insert into customers select * from gone where id = 'c1'").await;
    laptop.run().await.code(0);
    let ann = laptop.workspace().person_by_email("ann@example.com").unwrap();
    assert_eq!(ann.attributes["plan"], "gold");
}

#[tokio::test]
async fn a_moved_row_does_not_remove_the_old_person_whom_another_sync_holds() {
    let mut laptop = Laptop::new(TABLES).await;
    laptop.sync("leads", &by_email("leads", "stage", DELETE));
    laptop.sync("customers", &by_email("customers", "plan", "behavior: updateOrCreate"));
    laptop.run().await.code(0);

    laptop.sql("update leads set email = 'anna@example.com' where id = 1").await;
    let run = laptop.run().await;

    assert_eq!(counts(run.code(0).of("leads")), "changed 1, unchanged 1, delivered 1");
    assert!(laptop.workspace().person_by_email("ann@example.com").is_some());
    assert_eq!(laptop.workspace().people_count(), 4);
}

#[tokio::test]
async fn an_exclusive_sync_removes_without_asking_others() {
    let mut laptop = Laptop::new(TABLES).await;
    laptop.sync("customers", &by_email("customers", "plan", "behavior: updateOrCreate"));
    laptop.sync("leads", &by_email("leads", "stage", &format!("{DELETE}\nexclusive: true")));
    laptop.run().await.code(0);

    laptop.sql("delete from leads where id = 1").await;
    let run = laptop.run().await;

    assert_eq!(counts(run.code(0).of("leads")), "removed 1, unchanged 1, delivered 1");
    assert!(laptop.workspace().person_by_email("ann@example.com").is_none());
}

#[tokio::test]
async fn removals_are_refused_where_another_sync_names_the_same_people_otherwise() {
    let by_id = |more: &str| {
        format!(
            "model: {{table: customers, primaryKey: [id]}}\nbehavior: updateOrCreate\n\
             identifiers: {{id: id}}\nmappings: [{{from: plan}}]{more}"
        )
    };
    let mut laptop = Laptop::new(TABLES).await;
    laptop.sync("customers", &by_id(""));
    laptop.run().await.code(0);
    laptop.sync("leads", &by_email("leads", "stage", DELETE));

    let refused = laptop.run().await;
    assert_eq!(refused.code(1).of("leads")["reason"], "RemovalUnsafe");
    assert_eq!(refused.of("leads")["result"], "Failed");
    assert_eq!(laptop.workspace().people_count(), 2);
    let planned = laptop.plan_with(&["--sync", "leads"]).await;
    assert_eq!(planned.code(1).reason(), "RemovalUnsafe");

    for more in ["behavior: mirror\nonRemove: clear", &format!("{DELETE}\nexclusive: true")] {
        laptop.sync("leads", &by_email("leads", "stage", more));
        laptop.run().await.code(0);
    }
    laptop.sql("delete from leads where id = 2").await;
    let removed = laptop.run().await;
    assert_eq!(counts(removed.code(0).of("leads")), "removed 1, unchanged 1, delivered 1");
}

#[tokio::test]
async fn syncs_run_after_those_they_depend_on_and_are_skipped_when_one_of_those_fails() {
    let plain = "behavior: updateOrCreate";
    let laptop = Laptop::new(TABLES).await;
    let depending = |on: &str| format!("{plain}\ndependsOn: [{{name: {on}}}]");
    laptop.sync("a-last", &by_email("leads", "stage", &depending("b-middle")));
    laptop.sync("b-middle", &by_email("customers", "plan", &depending("c-first")));
    laptop.sync("c-first", &by_email("leads", "stage", plain));
    laptop.sync("d-alone", &by_email("leads", "stage", plain));

    let run = laptop.run().await;
    let order = names(run.code(0).all()).join(" ");
    assert!(order.find("c-first") < order.find("b-middle"), "{order}");
    assert!(order.find("b-middle") < order.find("a-last"), "{order}");

    laptop.sync("c-first", &by_email("nowhere", "stage", plain));
    let broken = laptop.run().await;
    broken.code(1);
    assert_eq!(broken.of("c-first")["result"], "Failed");
    for name in ["b-middle", "a-last"] {
        assert_eq!(broken.of(name)["skipped"]["result"], "Skipped", "{}", broken.output);
    }
    assert_eq!(broken.of("d-alone")["result"], "NoChanges");
}

#[tokio::test]
async fn a_suspended_sync_is_skipped_with_a_note_unless_it_is_named() {
    let laptop = Laptop::new(TABLES).await;
    laptop.sync("leads", &by_email("leads", "stage", "behavior: updateOrCreate\nsuspend: true"));
    laptop.sync("customers", &by_email("customers", "plan", "behavior: updateOrCreate"));

    let run = laptop.run().await;
    assert_eq!(names(run.code(0).all()), ["customers"]);
    assert!(run.output.stderr().contains("leads"), "{}", run.output);
    assert!(run.output.stderr().contains("suspended"), "{}", run.output);
    assert_eq!(laptop.workspace().people_count(), 2);

    let named = laptop.run_with(&["--sync", "leads"]).await;
    assert_eq!(named.code(0).counts(), "added 2, delivered 2");
}

#[tokio::test]
async fn a_full_resync_sends_every_row_of_the_sync_that_is_named_and_of_no_other() {
    let mut laptop = Laptop::new(TABLES).await;
    laptop.sync("leads", &by_email("leads", "stage", DELETE));
    laptop.sync("customers", &by_email("customers", "plan", DELETE));
    laptop.run().await.code(0);
    laptop
        .sql("delete from leads where id = 2; insert into leads values (3, 'd@example.com', 'new')")
        .await;
    laptop.elsewhere("DELETE", "ann@example.com", &json!({})).await;

    let plan = laptop.plan_with(&["--full-resync", "leads"]).await;
    let run = laptop.run_with(&["--full-resync", "default/leads"]).await;

    assert_eq!(counts(plan.of("leads")), "added 1, removed 1, refreshed 1");
    assert_eq!(counts(run.code(0).of("leads")), "added 1, removed 1, refreshed 1, delivered 3");
    assert_eq!(counts(run.of("customers")), "unchanged 2");
    assert_eq!(
        laptop.workspace().person_by_email("ann@example.com").unwrap().attributes["stage"],
        "cold"
    );
}

#[tokio::test]
async fn names_that_no_sync_has_are_refused_before_anything_is_opened() {
    let laptop = Laptop::new(TABLES).await;
    laptop.sync("leads", &by_email("leads", "stage", DELETE));

    for words in [["--sync", "lead"], ["--full-resync", "other/leads"]] {
        let run = laptop.run_with(&words).await;
        run.code(2);
        assert_eq!(run.requests, 0);
    }
    assert!(laptop.state_files().is_empty());
}
