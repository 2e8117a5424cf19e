//! A mirror that is deleted with its rows: what each entity leaves behind.

use serde_json::json;

use super::{Laptop, in_process};

const TABLE: &str = "
create table rows (id integer primary key, thing text);
insert into rows values (1, 'a'), (2, 'b'), (3, 'c');";

/// Runs a mirror of this entity, has it deleted with its rows, and returns how many it removed.
async fn deleted(laptop: &Laptop, entity: &str, block: &str) -> u64 {
    let spec = format!("model: {{table: rows, primaryKey: [id]}}\nbehavior: mirror\n{block}");
    laptop.sync_of(entity, "rows", &spec);
    laptop.run().await.code(0);
    let report = in_process::clean_up(laptop).await.report;
    assert_eq!(report.counts.delivered, report.counts.removed, "{}", report.message);
    report.counts.removed
}

#[tokio::test]
async fn every_entity_takes_away_its_own_rows_and_nothing_else() {
    let laptop = Laptop::new(TABLE).await;
    let object = "object: {typeId: \"1\", id: thing}";
    assert_eq!(deleted(&laptop, "object", &format!("{object}\nonRemove: delete")).await, 3);
    assert_eq!(laptop.workspace().objects(), []);

    let laptop = Laptop::new(TABLE).await;
    let related = format!("identifiers: {{id: id}}\n{object}");
    assert_eq!(deleted(&laptop, "relationship", &related).await, 3);
    assert_eq!(laptop.workspace().relationships(), []);
    assert_eq!(laptop.workspace().objects().len(), 3);

    let laptop = Laptop::new(TABLE).await;
    let device = "identifiers: {id: id}\ndevice: {token: thing, platform: {constant: ios}}";
    assert_eq!(deleted(&laptop, "device", device).await, 3);
    assert_eq!(laptop.workspace().devices(), []);
    assert_eq!(laptop.workspace().people_count(), 3);

    let laptop = Laptop::new(TABLE).await;
    for id in ["1", "2", "3", "9"] {
        laptop.identify_elsewhere(id, json!({})).await;
    }
    let segment = laptop.workspace().create_segment("rows");
    laptop.segment_elsewhere(segment, json!(["9"])).await;
    let member = format!("identifiers: {{id: id}}\nsegment: {{id: {segment}}}");
    assert_eq!(deleted(&laptop, "segmentMembership", &member).await, 3);
    assert_eq!(laptop.workspace().segment(segment).unwrap().members, ["9"]);
    assert_eq!(laptop.workspace().people_count(), 4);
}
