//! CSV files from end to end.

use serde_json::json;

use super::Laptop;

const SYNC: &str = "
model: {table: people.csv, primaryKey: [user id]}
behavior: mirror
onRemove: delete
identifiers: {id: user id}
mappings:
  - {from: name}
  - {from: mrr, type: number}
  - {from: joined, to: created_at, type: timestamp}
  - {from: vip, type: boolean}
  - {from: tags, type: json}";

const HEADER: &str = "user id,name,mrr,joined,vip,tags";

async fn laptop(rows: &str) -> Laptop {
    let laptop = Laptop::with_sync("", SYNC).await;
    laptop.source("files: {url: exports, format: csv}");
    laptop.dir.write("exports/people.csv", &format!("{HEADER}\n{rows}"));
    laptop
}

#[tokio::test]
async fn rows_of_a_csv_file_arrive_whatever_is_quoted_and_in_whatever_order_they_stand() {
    let rows = "7,\"Ann, \"\"the\n great\"\"\",12.50,2024-01-31,yes,\"[\"\"a\"\", {\"\"b\"\": 1}]\"\n\
                10,Zoë 😀,,,,\n\
                2,it's,0,2024-01-31T12:00:00+02:00,0,{}\n";
    let laptop = laptop(rows).await;

    let first = laptop.run().await;

    assert_eq!(first.code(0).counts(), "added 3, delivered 3");
    let expected = json!({
        "10": {"id": "10", "name": "Zoë 😀"},
        "2": {"id": "2", "name": "it's", "mrr": 0, "created_at": 1_706_695_200, "vip": false,
              "tags": {}},
        "7": {"id": "7", "name": "Ann, \"the\n great\"", "mrr": 12.5, "created_at": 1_706_659_200,
              "vip": true, "tags": ["a", {"b": 1}]},
    });
    assert_eq!(laptop.people(), expected);
    laptop.run().await.did_nothing();

    let windows = format!("\u{feff}{HEADER}\n{rows}").replace("yes", "\"true\"");
    laptop.dir.write("exports/people.csv", &windows.replace("\n10", "\r\n10"));
    laptop.run().await.did_nothing();
}

#[tokio::test]
async fn a_line_that_changes_is_sent_and_one_that_goes_is_removed() {
    let laptop = laptop("1,Ann,1,,,\n2,Bob,2,,,\n3,Cid,3,,,\n").await;
    laptop.run().await.code(0);

    laptop.dir.write("exports/people.csv", &format!("{HEADER}\n3,,3,,,\n1,Ann,1.0,,,\n"));
    let run = laptop.run().await;

    assert_eq!(run.code(0).counts(), "changed 1, removed 1, unchanged 1, delivered 2");
    assert_eq!(
        laptop.people(),
        json!({"1": {"id": "1", "name": "Ann", "mrr": 1}, "3": {"id": "3", "mrr": 3}})
    );
}
