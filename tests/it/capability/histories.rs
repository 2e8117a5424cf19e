//! Any history of a table, run after run: the workspace equals the source.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Laptop;

const RUNS: usize = 8;
const PEOPLE_MAX: u64 = 120;
/// Few addresses for many rows, so that they wander between keys all the time.
const ADDRESSES: u64 = 160;

/// A row as the test knows it: e-mail and plan.
type Table = BTreeMap<u64, (String, String)>;

fn address(random: &mut fastrand::Rng, table: &Table) -> String {
    loop {
        let name = format!("p{}@example.com", random.u64(..ADDRESSES));
        let is_free = !table.values().any(|(email, _)| email.eq_ignore_ascii_case(&name));
        if is_free {
            return if random.bool() { name.to_uppercase() } else { name };
        }
    }
}

fn step(random: &mut fastrand::Rng, table: &mut Table) {
    let id = random.u64(..PEOPLE_MAX);
    let keys: Vec<u64> = table.keys().copied().collect();
    match random.u8(..10) {
        0..4 => {
            let email = address(random, table);
            table.insert(id, (email, format!("plan {}", random.u8(..4))));
        }
        4..6 => drop(table.remove(&id)),
        6..8 if keys.len() > 1 => {
            let (one, other) = (random.choice(&keys).unwrap(), random.choice(&keys).unwrap());
            let (first, second) = (table[one].0.clone(), table[other].0.clone());
            table.get_mut(one).unwrap().0 = second;
            table.get_mut(other).unwrap().0 = first;
        }
        _ => {
            if let Some(row) = table.get_mut(&id) {
                row.1 = format!("plan {}", random.u8(..4));
            }
        }
    }
}

fn statements(table: &Table) -> String {
    let rows = table.iter().map(|(id, (email, plan))| {
        format!("insert into people values ({id}, '{email}', '{plan}');\n")
    });
    format!("begin;\ndelete from people;\n{}commit;", rows.collect::<String>())
}

fn expected(table: &Table, by_email: bool) -> Value {
    let people = table.iter().map(|(id, (email, plan))| match by_email {
        true => (email.to_lowercase(), json!({"plan": plan})),
        false => (id.to_string(), json!({"plan": plan})),
    });
    Value::Object(people.collect::<Map<_, _>>())
}

/// Returns the workspace without identifiers, whose case the first to write them decides.
fn found(laptop: &Laptop) -> Value {
    let people = laptop.workspace().people().into_iter().map(|person| {
        let label = person.id.or(person.email).unwrap().to_lowercase();
        let mut attributes = person.attributes;
        let attributes_map = attributes.as_object_mut().unwrap();
        attributes_map.remove("id");
        attributes_map.remove("email");
        (label, attributes)
    });
    Value::Object(people.collect::<Map<_, _>>())
}

async fn after_any_history_the_workspace_equals_the_source(identifier: &str, seed: u64) {
    let mut laptop = Laptop::with_sync(
        "create table people (id integer primary key, email text, plan text)",
        &format!(
            "model: {{table: people, primaryKey: [id]}}\nbehavior: mirror\nonRemove: delete\n\
             identifiers: {{{identifier}}}\nmappings: [{{from: plan}}]\nguards: {{maxRemoved: 500}}"
        ),
    )
    .await;
    let (mut random, mut table) = (fastrand::Rng::with_seed(seed), Table::new());
    for round in 0..RUNS {
        (0..60).for_each(|_| step(&mut random, &mut table));
        laptop.sql(&statements(&table)).await;

        laptop.run().await.code(0);

        let is_by_email = identifier.starts_with("email");
        let place = format!("seed {seed}, round {round}");
        assert_eq!(found(&laptop), expected(&table, is_by_email), "{place}");
        laptop.run().await.did_nothing();
    }
}

#[tokio::test]
async fn people_named_by_id_equal_the_rows_after_any_history() {
    after_any_history_the_workspace_equals_the_source("id: id", 11).await;
}

#[tokio::test]
async fn people_named_by_e_mail_equal_the_rows_though_addresses_wander_between_keys() {
    for seed in [1, 2, 3] {
        after_any_history_the_workspace_equals_the_source("email: email", seed).await;
    }
}
