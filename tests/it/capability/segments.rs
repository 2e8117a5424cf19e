//! Members of manual segments, through version 1: a thousand ids a request, one kind of id.

use serde_json::json;

use super::Laptop;

const TABLE: &str = "
create table vips (id integer primary key, email text);
insert into vips values (1, 'ann@example.com'), (2, 'bob@example.com'), (3, 'cid@example.com');";

fn spec(behavior: &str, identifiers: &str, segment: u32) -> String {
    format!(
        "model: {{table: vips, primaryKey: [id]}}\nbehavior: {behavior}\n\
         identifiers: {{{identifiers}}}\nsegment: {{id: {segment}}}"
    )
}

async fn laptop(behavior: &str, identifiers: &str) -> (Laptop, u32) {
    let laptop = Laptop::new(TABLE).await;
    for (id, email) in [("1", "ann"), ("2", "bob"), ("3", "cid"), ("9", "eve")] {
        let email = format!("{email}@example.com");
        laptop.identify_elsewhere(id, json!({"email": email})).await;
    }
    let segment = laptop.workspace().create_segment("High value");
    laptop.sync_of("segmentMembership", "vips", &spec(behavior, identifiers, segment));
    (laptop, segment)
}

fn members(laptop: &Laptop, segment: u32) -> Vec<String> {
    laptop.workspace().segment(segment).unwrap().members
}

#[tokio::test]
async fn update_or_create_puts_people_into_the_segment_and_takes_nobody_out() {
    for identifiers in ["id: id", "email: email"] {
        let (mut laptop, segment) = laptop("updateOrCreate", identifiers).await;

        assert_eq!(laptop.run().await.code(0).counts(), "added 3, delivered 3");
        assert_eq!(members(&laptop, segment), ["1", "2", "3"]);
        laptop.run().await.did_nothing();

        laptop
            .sql("delete from vips where id = 2; insert into vips values (9, 'eve@example.com')")
            .await;
        let run = laptop.run().await;
        assert_eq!(run.code(0).counts(), "added 1, removed 1, unchanged 2, delivered 1");
        assert_eq!(members(&laptop, segment), ["1", "2", "3", "9"]);
    }
}

#[tokio::test]
async fn a_mirror_takes_out_whose_row_left_and_nobody_else() {
    let (mut laptop, segment) = laptop("mirror", "id: id").await;
    laptop.run().await.code(0);
    laptop.segment_elsewhere(segment, json!(["9"])).await;

    laptop.sql("delete from vips where id = 2").await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "removed 1, unchanged 2, delivered 1");
    assert_eq!(members(&laptop, segment), ["1", "3", "9"]);
    assert_eq!(laptop.workspace().people_count(), 4, "people stay");
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn delete_takes_the_people_of_the_rows_out() {
    let (laptop, segment) = laptop("delete", "id: id").await;
    laptop.segment_elsewhere(segment, json!(["1", "2", "9"])).await;

    assert_eq!(laptop.run().await.code(0).counts(), "added 3, delivered 3");

    assert_eq!(members(&laptop, segment), ["9"]);
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_thousand_ids_go_out_with_each_request_those_who_enter_and_leave_apart() {
    let (mut laptop, segment) = laptop("mirror\nguards: {maxRemoved: 100%}", "id: id").await;
    let fill = |from: u32, to: u32| {
        format!(
            "insert into vips with recursive n(i) as (select {from} union all select i + 1 from n \
             where i < {to}) select i, null from n"
        )
    };
    laptop.sql("delete from vips").await;
    laptop.sql(&fill(1_000, 3_499)).await;
    let run = laptop.run().await;
    assert_eq!(run.code(0).counts(), "added 2500, delivered 2500");
    assert_eq!(run.requests, 1 + 3);

    // Those who enter and those who leave come by turns in the order of their keys.
    laptop.sql("delete from vips where id % 2 = 0").await;
    laptop.sql(&fill(4_000, 4_999)).await;
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "added 1000, removed 1250, unchanged 1250, delivered 2250");
    assert_eq!(run.requests, 1 + 1 + 2);
    assert_eq!(members(&laptop, segment).len(), 0, "nobody of that id exists");
}

#[tokio::test]
async fn a_segment_that_is_not_there_stops_the_run_after_a_few_requests() {
    let (mut laptop, segment) = laptop("updateOrCreate", "id: id").await;
    laptop
        .sql(
            "insert into vips with recursive n(i) as (select 10 union all select i + 1 from n \
              where i < 3000) select i, null from n",
        )
        .await;
    laptop.sync_of("segmentMembership", "vips", &spec("updateOrCreate", "id: id", segment + 1));

    let run = laptop.run().await;

    assert_eq!(run.code(1).reason(), "TooManyRejected");
    assert!(run.requests < 400, "{}", run.requests);
    laptop.run().await.code(1);
}

#[tokio::test]
async fn state_of_one_segment_is_never_used_for_another() {
    let (laptop, segment) = laptop("updateOrCreate", "id: id").await;
    laptop.run().await.code(0);
    let other = laptop.workspace().create_segment("Other");

    laptop.sync_of("segmentMembership", "vips", &spec("updateOrCreate", "id: id", other));
    let run = laptop.run().await;

    assert_eq!(run.code(1).reason(), "StateMismatch");
    assert_eq!(members(&laptop, other), [""; 0]);
    assert_eq!(members(&laptop, segment).len(), 3);
}

#[tokio::test]
async fn a_member_whom_another_sync_of_the_segment_holds_stays_in_it() {
    let (mut laptop, segment) = laptop("mirror", "id: id").await;
    laptop
        .sql("create table friends (id integer primary key); insert into friends values (1)")
        .await;
    let friends = spec("mirror", "id: id", segment).replace("table: vips", "table: friends");
    laptop.sync_of("segmentMembership", "friends", &friends);
    laptop.run().await.code(0);

    laptop.sql("delete from vips where id in (1, 2)").await;
    let run = laptop.run().await;

    assert_eq!(
        super::laptop::counts(run.code(0).of("vips")),
        "removed 1, kept 1, unchanged 1, delivered 1"
    );
    assert_eq!(members(&laptop, segment), ["1", "3"]);
}
