//! The same promises with the state in PostgreSQL.

use ciosync::emulator::Fault;
use serde_json::json;

use super::postgres_columns::read_from;
use super::{Laptop, Ran};
use crate::support::postgres;

const TABLE: &str = "
create table people (id int primary key, email text, plan text);
insert into people values (1, 'ann@example.com', 'gold'), (2, 'bob@example.com', 'tin'),
    (3, 'cid@example.com', 'tin');";

const SYNC: &str = "
model: {table: people, primaryKey: [id]}
behavior: mirror
onRemove: suppress
identifiers: {email: email}
mappings: [{from: plan}]";

#[tokio::test]
async fn rows_arrive_change_leave_and_are_rejected_with_the_state_in_postgres() {
    let (warehouse, state) = (postgres().await.database().await, postgres().await.database().await);
    warehouse.execute(TABLE).await;
    let laptop = Laptop::with_sync("", SYNC).await;
    read_from(&laptop, &warehouse);
    let url = format!("{}?sslmode=disable", state.url());
    let run = async || -> Ran { laptop.run_with(&["--state", &url]).await };
    let plan = async || -> Ran { laptop.plan_with(&["--state", &url]).await };

    assert_eq!(plan().await.code(0).counts(), "added 3");
    assert_eq!(run().await.code(0).counts(), "added 3, delivered 3");
    run().await.did_nothing();

    laptop.emulator.faults().add(Fault::reject_identifier("dan@example.com"));
    warehouse
        .execute(
            "delete from people where id = 2; update people set plan = 'tin' where id = 1;
             insert into people values (4, 'dan@example.com', 'new');",
        )
        .await;
    let expected = "added 1, changed 1, removed 1, unchanged 1";
    assert_eq!(plan().await.code(0).counts(), expected);
    assert_eq!(run().await.code(3).counts(), format!("{expected}, rejected 1, delivered 2"));
    assert_eq!(
        laptop.people(),
        json!({"ann@example.com": {"email": "ann@example.com", "plan": "tin"},
               "cid@example.com": {"email": "cid@example.com", "plan": "tin"}})
    );

    laptop.emulator.faults().clear();
    warehouse.execute("insert into people values (2, 'bob@example.com', 'back')").await;
    let retried = "added 1, unchanged 2, rejected 1, retried 1, delivered 1";
    assert_eq!(run().await.code(3).counts(), retried);
    assert!(laptop.state_files().is_empty());
}

#[tokio::test]
async fn a_killed_run_is_gone_on_with_from_the_state_in_postgres() {
    let state = postgres().await.database().await;
    let url = format!("{}?sslmode=disable", state.url());
    let laptop = Laptop::with_sync(
        "create table people (id integer primary key, email text, plan text);
         insert into people with recursive n(id) as (select 1 union all select id + 1 from n
             where id < 100) select id, 'p' || id || '@example.com', 'tin' from n;",
        SYNC,
    )
    .await;
    laptop.connection("limits: {itemBytes: 1000, batchBytes: 2000}\nrateLimit: {maxInFlight: 1}");
    laptop.emulator.faults().add(Fault::hang().at(4));
    let running = crate::support::cli::Ciosync::new(laptop.dir.path())
        .args(["run", "-f", ".", "--state", &url])
        .spawn();
    laptop.workspace().wait_for(|stats| stats.requests_started == 4).await;
    running.kill().await;
    let accepted = laptop.workspace().people_count() as u64;

    let next = laptop.run_with(&["--state", &url]).await;

    assert_eq!(next.code(0).arrived, 100 - accepted);
    assert_eq!(laptop.workspace().people_count(), 100);
    laptop.run_with(&["--state", &url]).await.did_nothing();
}
