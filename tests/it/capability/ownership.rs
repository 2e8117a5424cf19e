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
        @"
        note: syncs/trials.yaml:13: Sync default/trials: spec.mappings[1].to: Sync default/customers writes the attribute `plan` (syncs/customers.yaml:13 at spec.mappings[1].from) already
          map each attribute in one Sync only, or name it in sharedAttributes of one of the two; in a cluster, the one that was created later doesn't run
        "
    );
}

#[tokio::test]
async fn validate_says_nothing_of_an_attribute_that_is_shared_or_its_own() {
    assert_eq!(validated("mappings: [{from: plan}]\nsharedAttributes: [plan]").await, "");
    assert_eq!(validated("mappings: [{from: plan, to: trial_plan}]").await, "");
}

#[tokio::test]
async fn validate_says_that_included_columns_are_not_compared() {
    insta::assert_snapshot!(validated("unmappedColumns: include").await, @"
        note: syncs/trials.yaml:11: Sync default/trials: spec.unmappedColumns: which columns become attributes is known to a run only, so nobody sees whether Sync default/customers (syncs/customers.yaml:1) writes the same ones
          map the columns one by one, or make sure that the two have no attribute in common
        ");
}

#[tokio::test]
async fn a_note_stops_no_run_on_a_laptop() {
    let laptop = laptop("mappings: [{constant: trial, to: plan}]").await;

    laptop.run().await.code(0);

    assert_eq!(laptop.people()["1"]["plan"], "trial");
}
