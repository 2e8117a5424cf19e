//! Logs as a collector reads them.

use serde_json::Value;

use super::Laptop;

const TABLE: &str = "
create table people (id integer primary key, plan text);
insert into people values (1, 'marked-value-91'), (2, 'marked-value-92');";

const SYNC: &str = "
model: {table: people, primaryKey: [id]}
behavior: updateOrCreate
identifiers: {id: id}
mappings: [{from: plan}]";

#[tokio::test]
async fn json_logs_are_one_object_a_line_that_names_the_run() {
    let laptop = Laptop::with_sync(TABLE, SYNC).await;

    let ran = laptop.run_with(&["--log", "ciosync=trace", "--log-format", "json"]).await;

    ran.code(0);
    let lines: Vec<Value> = ran
        .output
        .stderr()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let ended = lines.iter().find(|line| line["message"] == "run ended").unwrap();
    assert_eq!(ended["level"], "INFO");
    assert_eq!(ended["delivered"], 2);
    assert!(ended["timestamp"].is_string() && ended["target"].is_string());
    let span = &ended["spans"][0];
    assert_eq!(span["sync"], "default/people");
    assert_eq!(span["run_id"], ran.only()["id"]);
    assert!(!ran.output.stderr().contains("marked-value"));
}
