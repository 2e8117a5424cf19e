//! A plan is the first half of a run: it tells what the run then does, and writes nothing.

use ciosync::emulator::Fault;

use super::{Laptop, Ran};

const TABLE: &str = "
create table people (id integer primary key, email text, plan text);
insert into people values (1, 'ann@example.com', 'gold'), (2, 'bob@example.com', 'tin'),
    (3, 'cid@example.com', 'tin'), (4, 'dan@example.com', 'tin'), (5, 'eve@example.com', 'tin');";

const SYNC: &str = "
model: {table: people, primaryKey: [id]}
behavior: mirror
onRemove: delete
identifiers: {email: email}
mappings: [{from: plan}]";

/// Plans, runs, and fails unless the plan told what the run did and changed nothing itself.
async fn planned_and_run(laptop: &Laptop) -> (Ran, Ran) {
    let (files, people) = (laptop.state_files(), laptop.people());
    let plan = laptop.plan().await;
    assert!(laptop.state_files() == files, "the plan wrote to the state");
    assert_eq!((plan.arrived, laptop.people()), (0, people));
    let run = laptop.run().await;
    let counts = run.counts();
    let done = counts.split(", ").filter(|it| !it.starts_with("delivered")).collect::<Vec<_>>();
    assert_eq!(plan.counts(), done.join(", "), "{}\n{}", plan.output, run.output);
    (plan, run)
}

#[tokio::test]
async fn a_plan_tells_what_the_run_then_does_through_every_kind_of_change() {
    let mut laptop = Laptop::with_sync(TABLE, SYNC).await;
    for (statement, expected) in [
        ("select 1", "added 5"),
        ("select 1", "unchanged 5"),
        ("update people set plan = 'x' where id = 1", "changed 1, unchanged 4"),
        ("delete from people where id = 2", "removed 1, unchanged 4"),
        (
            "update people set email = 'new@example.com' where id = 3",
            "added 1, removed 1, unchanged 3",
        ),
        ("update people set id = 9 where id = 4", "added 1, kept 1, unchanged 3"),
        ("insert into people values (10, 'eve@example.com', 'dup')", "unchanged 3, invalid 2"),
        ("insert into people values (11, 'nonsense', 'x')", "unchanged 3, invalid 3"),
        (
            "delete from people where id > 9; insert into people values (12, 'zoe@example.com', 'z')",
            "added 1, unchanged 4",
        ),
    ] {
        laptop.sql(statement).await;
        let (plan, _) = planned_and_run(&laptop).await;
        assert_eq!(plan.counts(), expected, "{statement}");
    }
}

#[tokio::test]
async fn a_plan_knows_which_rejected_rows_are_due() {
    let laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.emulator.faults().add(Fault::reject_identifier("ann@example.com"));
    laptop.run().await.code(3);

    let second = laptop.plan().await;
    assert_eq!(second.counts(), "added 1, unchanged 4, retried 1");
    laptop.run().await.code(3);
    let third = laptop.plan().await;
    assert_eq!(third.code(3).counts(), "unchanged 4, rejected 1");
}

#[tokio::test]
async fn a_plan_before_the_first_run_makes_no_state() {
    let laptop = Laptop::with_sync(TABLE, SYNC).await;

    let plan = laptop.plan().await;

    assert_eq!(plan.code(0).counts(), "added 5");
    assert_eq!(plan.only()["firstRun"], true);
    assert!(!laptop.dir.path().join(".ciosync").exists());
    laptop.plan_with(&["--require-state"]).await.code(2);
    assert!(!laptop.dir.path().join(".ciosync").exists());
    laptop.run().await.code(0);
    laptop.plan_with(&["--require-state"]).await.code(0);
}

#[tokio::test]
async fn the_exit_code_tells_whether_there_is_something_to_deliver_when_asked() {
    let mut laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.plan_with(&["--exit-code"]).await.code(5);
    laptop.run().await.code(0);
    laptop.plan_with(&["--exit-code"]).await.code(0);

    laptop.sql("delete from people where id = 5").await;
    laptop.plan_with(&["--exit-code"]).await.code(5);
    laptop.plan().await.code(0);

    laptop.sql("delete from people").await;
    laptop.plan_with(&["--exit-code"]).await.code(4);
}

#[tokio::test]
async fn a_plan_shows_values_only_when_asked() {
    let mut laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.run().await.code(0);
    laptop.sql("update people set plan = 'secret plan' where id = 1").await;

    for format in ["text", "json", "markdown"] {
        let words = ["plan", "-f", ".", "-o", format];
        let masked = laptop.say(&words).await.expect_code(0);
        assert!(!masked.stdout().contains("secret plan"), "{masked}");
        let shown = laptop.say(&[&words[..], &["--show-values"]].concat()).await.expect_code(0);
        assert!(shown.stdout().contains("secret plan"), "{shown}");
    }
}

#[tokio::test]
async fn the_markdown_of_a_plan_is_a_table_with_a_line_for_each_sync() {
    let mut laptop = Laptop::with_sync(TABLE, SYNC).await;
    laptop.sync("again", &SYNC.replace("table: people", "table: nowhere"));
    laptop.run_with(&["--sync", "people"]).await.code(0);
    laptop.sql("delete from people where id < 3; update people set plan = 'x' where id = 3").await;
    laptop.sync("people", &SYNC.replace("plan}", "plan, to: tier}"));

    let plan = laptop.say(&["plan", "-f", ".", "-o", "markdown"]).await.expect_code(1);

    let line = plan.stdout().lines().find(|line| line.starts_with("| `default/people`")).unwrap();
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    assert_eq!(cells[2..8], ["3", "0", "3", "2", "0", "0"], "{plan}");
    assert!(plan.stdout().contains("tier") && plan.stdout().contains("plan"), "{plan}");
    assert!(plan.stdout().contains("| `default/again`"), "{plan}");
    assert!(!plan.stdout().contains("example.com"), "{plan}");
}

/// Rows that a killed run has answers for, but did not fold.
async fn with_a_journal(spec: &str) -> Laptop {
    let mut laptop = Laptop::with_sync(
        "create table people (id integer primary key, plan text);
         insert into people with recursive n(id) as (select 1 union all select id + 1 from n
             where id < 20) select id, 'tin' from n;",
        spec,
    )
    .await;
    laptop.run().await.code(0);
    laptop.connection("limits: {itemBytes: 1000, batchBytes: 8000}\nrateLimit: {maxInFlight: 1}");
    laptop
        .sql(
            "insert into people with recursive n(id) as (select 101 union all select id + 1 from n
                 where id < 400) select id, 'new' from n;",
        )
        .await;
    laptop.emulator.faults().add(Fault::hang().at(4));
    let before = laptop.workspace().stats().requests_started;
    let running = laptop.start();
    laptop.workspace().wait_for(|stats| stats.requests_started == before + 4).await;
    running.kill().await;
    laptop
}

#[tokio::test]
async fn a_plan_reads_what_a_killed_run_left_and_leaves_it_there() {
    let spec = "model: {table: people, primaryKey: [id]}\nbehavior: updateOrCreate\n\
                identifiers: {id: id}\nmappings: [{from: plan}]";
    let laptop = with_a_journal(spec).await;
    let remembered = laptop.workspace().people_count();
    assert!(remembered > 100 && remembered < 320, "{remembered}");

    let (plan, _) = planned_and_run(&laptop).await;

    assert_eq!(plan.counts(), format!("added {}, unchanged {remembered}", 320 - remembered));
}

#[tokio::test]
async fn a_plan_takes_its_shares_of_all_that_is_remembered_as_the_run_does() {
    let spec = "model: {table: people, primaryKey: [id]}\nbehavior: mirror\nonRemove: delete\n\
                identifiers: {id: id}\nmappings: [{from: plan}]\nguards: {maxRemoved: 10%}";
    let mut laptop = with_a_journal(spec).await;

    laptop.sql("delete from people where id <= 12").await;
    let (plan, run) = planned_and_run(&laptop).await;

    run.code(0);
    assert!(plan.code(0).only()["blocked"].is_null(), "{}", plan.output);
}
