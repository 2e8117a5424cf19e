//! `state get|export|import|reset`.

use ciosync::model::{Encoding, RejectionKind, SyncId};
use ciosync::state::snapshot;
use serde_json::json;

use super::{ciosync, customers, key, locked, open, rejected, with_state};
use crate::support::cli::{Ciosync, Workdir};

#[tokio::test]
async fn a_row_is_found_by_its_key() {
    let dir = with_state().await;

    let output = ciosync(&dir, "state get customers 20").await.expect_code(0);

    insta::assert_snapshot!(output.stdout(), @"
    key           20
    remembered    yes
    fingerprint   abababababababababababababababab
    target        ann@example.com
    suppressed    no
    ");
}

#[tokio::test]
async fn a_rejected_row_is_found_among_its_neighbours() {
    let dir = with_state().await;

    let text = ciosync(&dir, "state get customers 4712").await.expect_code(0);
    let json = ciosync(&dir, "state get customers 4711 -o json").await.expect_code(0).json();

    insta::assert_snapshot!(text.stdout(), @"
    key          4712
    remembered   no
    rejection    rejected invalid in email: the row was refused, after 3 tries; parked
    ");
    assert_eq!(json["rejection"]["dueInRuns"], 3);
    assert_eq!(json["known"], false);
}

#[tokio::test]
async fn json_tells_what_is_remembered_and_that_nothing_is() {
    let dir = with_state().await;

    let known = ciosync(&dir, "state get customers 10.0 -o json").await.expect_code(0).json();
    let unknown = ciosync(&dir, "state get customers -5 -o json").await.expect_code(0).json();

    assert_eq!(
        known,
        json!({
            "namespace": "default", "name": "customers", "key": "10", "known": true,
            "fingerprint": "ab".repeat(16), "encoding": Encoding::CURRENT.code(),
            "target": "ann@example.com", "suppressed": true, "rejection": null,
        })
    );
    assert_eq!((&unknown["known"], &unknown["key"]), (&json!(false), &json!("-5")));
}

#[tokio::test]
async fn a_key_that_is_none_of_this_sync_is_an_error() {
    let dir = with_state().await;

    let kind = ciosync(&dir, "state get customers seven").await.expect_code(1);
    let columns = ciosync(&dir, "state get customers 7 8").await.expect_code(1);

    assert!(kind.stderr().contains("`seven` is no number"), "{kind}");
    assert!(
        columns.stderr().contains("the primary key has 1 column (user_id: number), 2 were given"),
        "{columns}"
    );
}

#[tokio::test]
async fn what_was_exported_is_imported_under_another_name_or_elsewhere() {
    let dir = with_state().await;
    let elsewhere = Workdir::new();

    let exported = ciosync(&dir, "state export customers --file backup.jsonl").await.expect_code(0);
    let here = ciosync(&dir, "state import growth/copy --file backup.jsonl").await.expect_code(0);
    let there = Ciosync::new(elsewhere.path())
        .args(["state", "import", "customers"])
        .stdin(&dir.read("backup.jsonl"))
        .run()
        .await
        .expect_code(0);

    let contents = "1,000 remembered rows and 3 rejections";
    assert_eq!(exported.stderr(), format!("exported {contents} of default/customers\n"));
    let origin = "exported from default/customers";
    assert_eq!(here.stdout(), format!("imported {contents} into growth/copy, {origin}\n"));
    assert_eq!(there.stdout(), format!("imported {contents} into default/customers\n"));
    let file = dir.read("backup.jsonl");
    let again = ciosync(&elsewhere, "state export customers").await.expect_code(0);
    assert_eq!(again.stdout(), file);
}

#[cfg(unix)]
#[tokio::test]
async fn an_export_is_closed_to_other_users() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = with_state().await;

    ciosync(&dir, "state export customers --file backup.jsonl").await.expect_code(0);

    let mode = std::fs::metadata(dir.path().join("backup.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}

#[tokio::test]
async fn an_import_over_existing_state_is_refused_until_it_is_reset() {
    let dir = with_state().await;
    ciosync(&dir, "state export customers --file backup.jsonl").await.expect_code(0);

    let refused = ciosync(&dir, "state import customers --file backup.jsonl").await.expect_code(1);
    ciosync(&dir, "state reset customers --yes").await.expect_code(0);
    ciosync(&dir, "state import customers --file backup.jsonl").await.expect_code(0);

    assert!(refused.stderr().contains("default/customers has state already"), "{refused}");
    assert!(refused.stderr().contains("state reset default/customers"), "{refused}");
    let sync = ciosync(&dir, "get syncs customers -o json").await.expect_code(0).json();
    assert_eq!((&sync[0]["snapshotRows"], &sync[0]["runNumber"]), (&json!(1_000), &json!(7)));
}

#[tokio::test]
async fn rejections_alone_are_state_too() {
    let dir = with_state().await;
    ciosync(&dir, "state export customers --file backup.jsonl").await.expect_code(0);
    let store = open(&dir).await;
    let orders = SyncId::new("default", "orders");
    let lock = locked(store.as_ref(), &orders).await;
    let row = rejected(key(1), RejectionKind::Rejected, "invalid", 1);
    store.save_rejections(&lock, &[row], &[]).await.unwrap();
    lock.release(store.as_ref()).await.unwrap();

    let refused = ciosync(&dir, "state import orders --file backup.jsonl").await.expect_code(1);

    assert!(refused.stderr().contains("has state already"), "{refused}");
}

#[tokio::test]
async fn a_damaged_file_brings_nothing_in() {
    let dir = with_state().await;
    ciosync(&dir, "state export customers --file backup.jsonl").await.expect_code(0);
    let whole = dir.read("backup.jsonl");
    dir.write("cut.jsonl", &whole[..whole.len() / 2]);

    let refused = ciosync(&dir, "state import copy --file cut.jsonl").await.expect_code(1);

    assert!(refused.stderr().contains("the exported state is"), "{refused}");
    let known = ciosync(&dir, "get syncs -o json").await.expect_code(0).json();
    assert_eq!(known.as_array().unwrap().len(), 1);
    ciosync(&dir, "state import copy --file backup.jsonl").await.expect_code(0);
}

#[tokio::test]
async fn a_reset_forgets_the_rows_and_keeps_the_history() {
    let dir = with_state().await;

    let output = ciosync(&dir, "state reset customers --yes").await.expect_code(0);

    assert_eq!(
        output.stdout(),
        "forgot 1,000 remembered rows of default/customers; the next run follows its initialRun\n"
    );
    let store = open(&dir).await;
    assert!(snapshot::get(store.as_ref(), &customers(), &key(1)).await.unwrap().is_none());
    assert!(store.rejections(&customers(), None, 1).await.unwrap().is_empty());
    assert_eq!(store.runs(&customers(), 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_reset_that_can_ask_nobody_wants_to_be_told() {
    let dir = with_state().await;

    let output = ciosync(&dir, "state reset customers").await.expect_code(2);

    assert!(output.stderr().contains("add --yes"), "{output}");
    let sync = ciosync(&dir, "get syncs customers -o json").await.expect_code(0).json();
    assert_eq!(sync[0]["snapshotRows"], 1_000);
}

#[tokio::test]
async fn nothing_is_moved_or_forgotten_while_a_run_goes_on() {
    let dir = with_state().await;
    ciosync(&dir, "state export customers --file backup.jsonl").await.expect_code(0);
    let store = open(&dir).await;
    let _lock = locked(store.as_ref(), &customers()).await;

    for words in ["state reset customers --yes", "state import customers --file backup.jsonl"] {
        let output = ciosync(&dir, words).await.expect_code(1);

        assert!(output.stderr().contains("is running elsewhere: process"), "{output}");
        assert!(output.stderr().contains("hint: try again when that run has ended"), "{output}");
    }
    assert!(snapshot::get(store.as_ref(), &customers(), &key(1)).await.unwrap().is_some());
}
