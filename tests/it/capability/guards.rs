//! Guards through the command line: numbers, percents, and what an approval lets pass.

use serde_json::json;

use super::Laptop;

/// A table of 200 rows.
const TABLE: &str = "
create table people (id integer primary key, plan text);
insert into people with recursive n(id) as (select 1 union all select id + 1 from n
    where id < 200) select id, 'tin' from n;";

fn spec(guards: &str) -> String {
    format!(
        "model: {{table: people, primaryKey: [id]}}\nbehavior: mirror\nonRemove: delete\n\
         identifiers: {{id: id}}\nmappings: [{{from: plan}}]\nguards: {{{guards}}}"
    )
}

#[tokio::test]
async fn each_guard_stops_the_run_just_above_its_limit_and_not_at_it() {
    let change = "update people set plan = 'gold' where id <= ";
    let remove = "delete from people where id <= ";
    let add = "insert into people select id + 1000, plan from people where id <= ";
    for (guards, statement, limit) in [
        ("maxRemoved: 3", remove, 3),
        ("maxRemoved: 10%", remove, 20),
        ("maxRemoved: 0%", remove, 10),
        ("minRows: 150, maxRemoved: 200", remove, 50),
        ("maxChanged: 5", change, 5),
        ("maxChanged: 7.5%", change, 15),
        ("maxAdded: 0", add, 0),
        ("maxAdded: 8%", add, 16),
    ] {
        let mut laptop = Laptop::with_sync(TABLE, &spec(guards)).await;
        laptop.run().await.code(0);
        let before = laptop.people();

        laptop
            .sql(&format!("create table kept as select * from people; {statement}{}", limit + 1))
            .await;
        let (plan, blocked) = (laptop.plan().await, laptop.run().await);
        assert_eq!(blocked.code(4).result(), "Blocked", "{guards}");
        assert!(plan.code(4).only()["blocked"].is_string(), "{guards}\n{}", plan.output);
        assert_eq!((blocked.arrived, laptop.people()), (0, before), "{guards}");

        laptop
            .sql(&format!(
                "delete from people; insert into people select * from kept; {statement}{limit}"
            ))
            .await;
        laptop.run().await.code(0);
    }
}

#[tokio::test]
async fn a_delete_counts_every_row_that_it_would_newly_act_on() {
    let spec = |behavior: &str| {
        format!(
            "model: {{table: people, primaryKey: [id]}}\nbehavior: {behavior}\n\
             identifiers: {{id: id}}\nguards: {{maxRemoved: 150}}"
        )
    };
    let mut laptop = Laptop::with_sync(TABLE, &spec("delete")).await;
    laptop.identify_elsewhere("7", json!({})).await;

    laptop.run().await.code(4);
    assert_eq!(laptop.workspace().people_count(), 1);

    laptop.sql("delete from people where id > 150").await;
    laptop.run().await.code(0);
    assert_eq!(laptop.workspace().people_count(), 0);

    laptop.sync("people", &spec("delete").replace("150", "5%"));
    let percent = laptop.run().await;
    let complaint = "maxRemoved is a number of rows";
    assert!(percent.code(2).output.stderr().contains(complaint), "{}", percent.output);

    laptop.sync("people", &spec("suppress"));
    laptop.sql("insert into people values (500, '')").await;
    assert_eq!(laptop.run().await.code(4).reason(), "GuardTripped");
    assert_eq!(laptop.workspace().suppressed(), []);
}

#[tokio::test]
async fn an_approval_lets_the_blocked_run_pass_and_no_larger_one() {
    let mut laptop = Laptop::with_sync(TABLE, &spec("maxRemoved: 10")).await;
    laptop.run().await.code(0);
    laptop.sql("delete from people where id <= 40").await;
    let blocked = laptop.run().await;
    let id = blocked.code(4).only()["id"].as_str().unwrap().to_owned();

    let unknown =
        laptop.run_with(&["--sync", "people", "--approve", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).await;
    unknown.code(1);
    assert_eq!(unknown.arrived, 0);
    laptop.sql("delete from people where id <= 45").await;
    laptop.run_with(&["--approve", &id]).await.code(4);
    assert_eq!(laptop.workspace().people_count(), 200);

    let passed = laptop.run_with(&["--approve", &id]).await;
    assert_eq!(passed.code(0).counts(), "removed 45, unchanged 155, delivered 45");

    laptop.sql("delete from people where id <= 90").await;
    laptop.run().await.code(4);
}

#[tokio::test]
async fn a_blocked_run_goes_on_by_itself_when_the_numbers_are_fine_again() {
    let mut laptop = Laptop::with_sync(TABLE, &spec("maxRemoved: 10")).await;
    laptop.run().await.code(0);
    laptop.sql("create table kept as select * from people; delete from people where id > 50").await;
    laptop.run().await.code(4);

    laptop.sql("insert into people select * from kept where id > 51").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "removed 1, unchanged 199, delivered 1");
}

#[tokio::test]
async fn too_many_invalid_rows_stop_a_run_before_it_sends() {
    let mut laptop = Laptop::with_sync(
        TABLE,
        &spec("maxInvalid: 5%").replace("{from: plan}", "{from: plan, type: number}"),
    )
    .await;
    laptop.sql("update people set plan = '1' where id > 11").await;

    let run = laptop.run().await;
    assert_eq!((run.code(4).reason(), run.arrived), ("GuardTripped", 0));

    laptop.sql("update people set plan = '1' where id > 10").await;
    assert_eq!(laptop.run().await.code(3).counts(), "added 190, invalid 10, delivered 190");
}
