//! Two Syncs that write one attribute: on a laptop a note, with both fields.

use super::Laptop;

const TABLE: &str = "
create table people (id integer primary key, plan text, mail text);
insert into people values (1, 'gold', 'ann@example.com');";

const HEAD: &str = "model: {table: people, primaryKey: [id]}\nbehavior: updateOrCreate\n\
                    identifiers: {id: id}\n";

async fn laptop(trials: &str) -> Laptop {
    let laptop = Laptop::new(TABLE).await;
    laptop.sync("customers", &format!("{HEAD}mappings:\n  - {{from: mail}}\n  - {{from: plan}}"));
    laptop.sync("trials", &format!("{HEAD}{trials}"));
    laptop
}

async fn validated(trials: &str) -> String {
    let laptop = laptop(trials).await;
    let output = laptop
        .say(&[
            "validate",
            "-f",
            "syncs",
            "-f",
            "source.yaml",
            "-f",
            "connection.yaml",
            "-f",
            "secret-customerio.yaml",
        ])
        .await;
    output.expect_code(0).stderr().to_owned()
}

#[tokio::test]
async fn validate_names_both_fields_of_an_attribute_that_two_syncs_write() {
    insta::assert_snapshot!(
        validated("mappings:\n  - {from: mail, to: address}\n  - {constant: trial, to: plan}").await,
        @""
    );
}

#[tokio::test]
async fn validate_says_nothing_of_an_attribute_that_is_shared_or_its_own() {
    assert_eq!(validated("mappings: [{from: plan}]\nsharedAttributes: [plan]").await, "");
    assert_eq!(validated("mappings: [{from: plan, to: trial_plan}]").await, "");
}

#[tokio::test]
async fn validate_says_that_included_columns_are_not_compared() {
    insta::assert_snapshot!(validated("unmappedColumns: include").await, @"");
}

#[tokio::test]
async fn a_note_stops_no_run_on_a_laptop() {
    let laptop = laptop("mappings: [{constant: trial, to: plan}]").await;

    laptop.run().await.code(0);

    assert_eq!(laptop.people()["1"]["plan"], "trial");
}
