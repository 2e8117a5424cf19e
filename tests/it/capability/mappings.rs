//! Mappings: what they make of a row, and how an edited one flows out.

use serde_json::json;

use super::Laptop;

const TABLE: &str = "
create table people (id integer primary key, first text, last text, plan text, mrr real);
insert into people values (1, 'Ann', 'Lee', 'gold', 12.5), (2, 'Bob', null, null, null),
    (3, null, null, '', 0);";

fn spec(mappings: &str) -> String {
    format!(
        "model: {{table: people, primaryKey: [id]}}\nbehavior: mirror\nonRemove: delete\n\
         identifiers: {{id: id}}\n{mappings}"
    )
}

#[tokio::test]
async fn columns_constants_and_templates_become_attributes() {
    let laptop = Laptop::with_sync(
        TABLE,
        &spec(
            "mappings:
  - {from: plan, to: Plan name}
  - {from: mrr}
  - {constant: warehouse, to: origin}
  - {constant: '7', to: version, type: integer}
  - {constant: '2024-01-31', to: imported_at, type: timestamp, timeZone: Europe/Berlin}
  - {template: '{{first}} {{ last }} ({{id}}, {{mrr}})', to: label}
  - {template: '{{first}} {{last}}', to: name}",
        ),
    )
    .await;

    laptop.run().await.code(0);

    let person = |id: &str, more: serde_json::Value| {
        let mut person =
            json!({"id": id, "origin": "warehouse", "version": 7, "imported_at": 1_706_655_600});
        person.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        person
    };
    assert_eq!(
        laptop.people(),
        json!({
            "1": person("1", json!({"Plan name": "gold", "mrr": 12.5,
                "label": "Ann Lee (1, 12.5)", "name": "Ann Lee"})),
            "2": person("2", json!({"label": "Bob  (2, )", "name": "Bob "})),
            "3": person("3", json!({"mrr": 0, "label": "  (3, 0)"})),
        })
    );
}

#[tokio::test]
async fn an_edited_mapping_flows_out_by_itself_and_the_plan_names_it_first() {
    let laptop = Laptop::with_sync(TABLE, &spec("mappings: [{from: plan}, {from: mrr}]")).await;
    laptop.run().await.code(0);

    laptop.sync("people", &spec("mappings: [{from: plan}, {from: mrr, to: mrr_usd}]"));
    let plan = laptop.plan().await;
    let run = laptop.run().await;

    assert_eq!(plan.code(0).counts(), "changed 3");
    assert_eq!(plan.only()["newAttributes"], json!(["mrr_usd"]));
    assert_eq!(plan.only()["leftBehind"], json!(["mrr"]));
    assert_eq!(run.code(0).counts(), "changed 3, delivered 3");
    let expected = json!({"id": "1", "plan": "gold", "mrr": 12.5, "mrr_usd": 12.5});
    assert_eq!(laptop.people()["1"], expected);
    laptop.run().await.did_nothing();
    assert_eq!(laptop.plan().await.only()["leftBehind"], json!([]));
}

#[tokio::test]
async fn a_mapping_that_is_taken_away_leaves_its_attribute_unless_it_was_nulled_before() {
    let laptop =
        Laptop::with_sync(TABLE, &spec("mappings: [{from: plan}, {from: mrr}, {from: first}]"))
            .await;
    laptop.run().await.code(0);

    laptop.sync("people", &spec("mappings: [{from: plan}, {constant: null, to: first}]"));
    laptop.run().await.code(0);
    let expected = json!({"id": "1", "plan": "gold", "mrr": 12.5});
    assert_eq!(laptop.people()["1"], expected);

    laptop.sync("people", &spec("mappings: [{from: plan}]"));
    laptop.run().await.code(0);
    assert_eq!(laptop.people()["1"], expected);
}

#[tokio::test]
async fn a_null_clears_its_attribute_or_is_left_out_as_the_sync_says() {
    for (nulls, kept) in [("send", false), ("omit", true)] {
        let mut laptop =
            Laptop::with_sync(TABLE, &spec(&format!("nulls: {nulls}\nmappings: [{{from: plan}}]")))
                .await;
        laptop.run().await.code(0);

        laptop.sql("update people set plan = null where id = 1").await;
        let run = laptop.run().await;

        assert_eq!(run.code(0).counts(), "changed 1, unchanged 2, delivered 1", "{nulls}");
        assert_eq!(laptop.people()["1"].get("plan").is_some(), kept, "{nulls}");
    }
}

#[tokio::test]
async fn a_null_never_takes_an_identifier_or_the_first_day_away() {
    let mut laptop = Laptop::with_sync(
        "create table people (id integer primary key, email text, joined integer, plan text);
         insert into people values (1, 'ann@example.com', 1700000000, 'gold');",
        &spec("mappings: [{from: email}, {from: joined, to: created_at}, {from: plan}]"),
    )
    .await;
    laptop.run().await.code(0);

    laptop.sql("update people set email = null, joined = null, plan = null").await;
    laptop.run().await.code(0);

    let expected =
        json!({"1": {"id": "1", "email": "ann@example.com", "created_at": 1_700_000_000}});
    assert_eq!(laptop.people(), expected);
}

#[tokio::test]
async fn columns_that_the_sync_uses_nowhere_are_included_only_where_it_says_so() {
    let mappings = "mappings: [{from: mrr, to: revenue}, {template: '{{first}}!', to: hello}]";
    let mut laptop = Laptop::with_sync(TABLE, &spec(mappings)).await;
    laptop.run().await.code(0);
    let ignored = json!({"id": "1", "revenue": 12.5, "hello": "Ann!"});
    assert_eq!(laptop.people()["1"], ignored);

    laptop.sync("people", &spec(&format!("{mappings}\nunmappedColumns: include")));
    laptop.run().await.code(0);
    let included =
        json!({"id": "1", "revenue": 12.5, "hello": "Ann!", "last": "Lee", "plan": "gold"});
    assert_eq!(laptop.people()["1"], included);

    laptop.sql("alter table people add column city text default 'Bonn'").await;
    let plan = laptop.plan().await;
    assert_eq!(plan.only()["newAttributes"], json!(["city"]));
    assert_eq!(laptop.run().await.code(0).counts(), "changed 3, delivered 3");
    assert_eq!(laptop.people()["3"]["city"], "Bonn");
}

#[tokio::test]
async fn a_column_that_is_missing_stops_the_run_before_anything_is_sent_and_names_the_nearest() {
    let mut laptop = Laptop::with_sync(TABLE, &spec("mappings: [{from: plan}]")).await;
    laptop.run().await.code(0);

    laptop.sql("alter table people rename column plan to plans").await;
    let run = laptop.run().await;

    assert_eq!((run.code(1).reason(), run.arrived), ("SchemaDrift", 0));
    assert!(run.only()["hint"].as_str().unwrap().contains("plans"), "{}", run.output);
}
