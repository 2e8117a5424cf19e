//! `get` and `retry`: what the store knows, and rejected rows made due.

use ciosync::model::{RejectionKind, SyncId};
use serde_json::json;

use super::{ciosync, customers, key, locked, open, rejected, with_state};
use crate::support::cli::Workdir;

#[tokio::test]
async fn syncs_are_listed_with_what_keeps_them_from_being_ready() {
    let dir = with_state().await;

    let output = ciosync(&dir, "get syncs").await.expect_code(0);

    insta::assert_snapshot!(output.stdout(), @"
    NAME        READY   STATUS         LAST SUCCESS   ROWS    INVALID   REJECTED   PARKED
    customers   False   GuardTripped   26h            1,000   1         2          1
    customers is blocked by maxRemoved for 25h: 0 added, 0 changed, 3,100 removed; approve with: ciosync run -f PATH --approve run-2
    ");
    assert_eq!(output.stderr(), "");
}

#[tokio::test]
async fn a_sync_of_another_namespace_is_listed_by_its_full_name() {
    let dir = with_state().await;

    let output = ciosync(&dir, "get syncs -n growth").await.expect_code(0);

    assert!(output.stdout().contains("\ndefault/customers   False"), "{output}");
}

#[tokio::test]
async fn json_tells_everything_that_is_known_of_a_sync() {
    let dir = with_state().await;

    let syncs = ciosync(&dir, "get syncs customers -o json").await.expect_code(0).json();

    let sync = &syncs[0];
    assert_eq!((&sync["namespace"], &sync["name"]), (&json!("default"), &json!("customers")));
    assert_eq!((&sync["ready"], &sync["status"]), (&json!("False"), &json!("GuardTripped")));
    assert_eq!(sync["snapshotRows"], 1_000);
    assert_eq!(sync["identity"]["workspaceId"], 123_456);
    assert_eq!(sync["blocked"]["guard"], "maxRemoved");
    assert_eq!(sync["lastRun"]["id"], "run-2");
    assert_eq!((&sync["invalidRows"], &sync["parkedRows"]), (&json!(1), &json!(1)));
    assert_eq!(sync["rejectionCodes"][0]["code"], "invalid");
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_the_last_says_why_it_failed() {
    let dir = with_state().await;

    let output = ciosync(&dir, "get runs customers").await.expect_code(0);

    insta::assert_snapshot!(output.stdout(), @"
    ID      RESULT               STARTED                TOOK   ROWS    ADDED   CHANGED   REMOVED   DELIVERED   INVALID   REJECTED   REQUESTS   REASON
    run-2   Blocked              2025-01-02T03:19:05Z   0.5s   5,000   4,998   0         0         0           1         0          0          GuardTripped
    run-1   PartiallySucceeded   2025-01-02T03:04:05Z   0.5s   5,000   4,998   0         0         0           1         0          0
    customers: 3,100 rows would be removed
    ");
    let runs = ciosync(&dir, "get runs -o json").await.expect_code(0).json();
    assert_eq!((&runs[0]["id"], &runs[1]["id"]), (&json!("run-2"), &json!("run-1")));
    assert_eq!(runs[1]["rowsRead"], 5_000);
}

#[tokio::test]
async fn rejections_are_counted_then_listed_and_their_keys_stay_hidden() {
    let dir = with_state().await;

    let output = ciosync(&dir, "get rejections customers").await.expect_code(0);
    let json = ciosync(&dir, "get rejections -o json").await.expect_code(0);

    insta::assert_snapshot!(output.stdout(), @"
    customers: 3 rows were not accepted
    ROWS   KIND       CODE      PARKED
    2      rejected   invalid   1
    1      invalid    NullKey   0

    KIND       CODE      FIELD   KEY       ATTEMPTS   DUE          MESSAGE
    rejected   invalid   email   •••cdb4   3          in 3 runs    the row was refused
    rejected   invalid   email   •••d45f   3          parked       the row was refused
    invalid    NullKey   -       row 12    0          when fixed   the row was refused
    parked rows are tried again after: ciosync retry customers
    ");
    for printed in [output.stdout(), json.stdout()] {
        assert!(!printed.contains("4711") && !printed.contains("4712"), "{printed}");
    }
}

#[tokio::test]
async fn keys_are_shown_to_who_asks_for_them() {
    let dir = with_state().await;

    let rows = ciosync(&dir, "get rejections -o json --show-keys").await.expect_code(0).json();

    let keys: Vec<&str> =
        rows.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["4711", "4712", "row 12"]);
    assert_eq!((&rows[0]["dueInRuns"], &rows[1]["parked"]), (&json!(3), &json!(true)));
}

#[tokio::test]
async fn a_person_sees_a_hundred_rejections_and_a_program_all() {
    let dir = with_state().await;
    let store = open(&dir).await;
    let lock = locked(store.as_ref(), &customers()).await;
    let more: Vec<_> = (1..=2_500)
        .map(|number| rejected(key(number), RejectionKind::Invalid, "InvalidEmail", 0))
        .collect();
    store.save_rejections(&lock, &more, &[]).await.unwrap();
    lock.release(store.as_ref()).await.unwrap();

    let text = ciosync(&dir, "get rejections").await.expect_code(0);
    let json = ciosync(&dir, "get rejections -o json").await.expect_code(0).json();

    assert!(text.stdout().contains("\n2,500   invalid    InvalidEmail"), "{text}");
    assert!(text.stdout().contains("… and 2,403 more; -o json prints all\n"), "{text}");
    assert!(text.stdout().lines().count() < 120, "{text}");
    assert_eq!(json.as_array().unwrap().len(), 2_503);
}

#[tokio::test]
async fn no_state_is_an_empty_list_and_makes_no_file() {
    let dir = Workdir::new();

    for what in ["syncs", "runs", "rejections"] {
        let text = ciosync(&dir, &format!("get {what}")).await.expect_code(0);
        let json = ciosync(&dir, &format!("get {what} -o json")).await.expect_code(0);

        assert_eq!(text.stdout(), "");
        assert_eq!(
            text.stderr(),
            "there is no state at sqlite:.ciosync/state.db yet; `ciosync run -f PATH` makes it\n"
        );
        assert_eq!(json.json(), json!([]));
    }
    assert!(!dir.path().join(".ciosync").exists());
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_an_error_that_offers_one_that_is_known() {
    let dir = with_state().await;

    for words in
        ["get syncs custmers", "get runs custmers", "retry custmers", "state get custmers 1"]
    {
        let output = ciosync(&dir, words).await.expect_code(1);

        let told = output.stderr().contains("nothing is known of default/custmers")
            && output.stderr().contains("did you mean default/customers?");
        assert!(told, "{output}");
    }
    let output = ciosync(&Workdir::new(), "get runs customers").await.expect_code(1);
    assert!(output.stderr().contains("there is no state at"), "{output}");
}

#[tokio::test]
async fn what_can_be_no_name_or_no_store_is_refused_before_anything_is_opened() {
    let dir = Workdir::new();

    for words in [
        "get syncs a/b/c",
        "get syncs --state mysql://localhost/db",
        "retry Customers",
        "state export customers --state nowhere",
        "state import /customers",
    ] {
        let output = ciosync(&dir, words).await.expect_code(2);

        assert!(output.stderr().starts_with("error: "), "{output}");
        assert!(
            output.stderr().contains("write ") || output.stderr().contains("made of"),
            "{output}"
        );
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_retry_makes_all_rows_due_parked_or_not() {
    let dir = with_state().await;

    let output = ciosync(&dir, "retry customers").await.expect_code(0);

    assert_eq!(output.stdout(), "default/customers: 3 rows are due at the next run\n");
    let rows = ciosync(&dir, "get rejections -o json").await.expect_code(0).json();
    for row in &rows.as_array().unwrap()[..2] {
        assert_eq!((&row["dueInRuns"], &row["parked"]), (&json!(1), &json!(false)));
    }
}

#[tokio::test]
async fn a_retry_of_nothing_is_fine() {
    let dir = Workdir::new();
    let store = open(&dir).await;
    let sync = SyncId::new("growth", "orders");
    locked(store.as_ref(), &sync).await.release(store.as_ref()).await.unwrap();

    let output = ciosync(&dir, "retry orders -n growth").await.expect_code(0);

    assert_eq!(output.stdout(), "growth/orders: no rows that were not accepted\n");
}

#[tokio::test]
async fn a_lock_that_was_given_back_unused_is_not_listed() {
    let dir = Workdir::new();
    let store = open(&dir).await;
    locked(store.as_ref(), &customers()).await.release(store.as_ref()).await.unwrap();

    let output = ciosync(&dir, "get syncs -o json").await.expect_code(0);

    assert_eq!(output.json(), json!([]));
}
