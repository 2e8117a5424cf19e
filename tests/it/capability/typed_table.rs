//! A table with one column of every type, the values to put there, and what each must become.
//!
//! Row 1 has all first values, row 2 all second ones, row 3 nulls; and for each column there is a
//! row with its first value alone, so that a change of any column can be told from all others.

use serde_json::{Map, Value, json};

/// Id of the row that has the first column's value alone.
const LONE_FROM: usize = 100;

/// One column: its type, and two values as SQL and as they must stand in the workspace. What must
/// be absent there is null.
pub struct TypedColumn {
    pub kind: &'static str,
    pub first: (&'static str, Value),
    pub second: (&'static str, Value),
}

/// Returns a column; `values` are SQL and what becomes of it, twice.
pub fn column(
    kind: &'static str,
    first: (&'static str, Value),
    second: (&'static str, Value),
) -> TypedColumn {
    TypedColumn { kind, first, second }
}

/// Returns the statements that make the table `everything` and fill it.
pub fn create(columns: &[TypedColumn]) -> String {
    let types: Vec<String> =
        columns.iter().enumerate().map(|(at, it)| format!("c{at} {}", it.kind)).collect();
    let list = |values: Vec<&str>| values.join(", ");
    let mut sql = format!(
        "create table everything (id integer primary key, {});\n\
         insert into everything values (1, {});\ninsert into everything values (2, {});\n\
         insert into everything (id) values (3);\n",
        types.join(", "),
        list(columns.iter().map(|it| it.first.0).collect()),
        list(columns.iter().map(|it| it.second.0).collect()),
    );
    for (at, column) in columns.iter().enumerate() {
        let (id, value) = (LONE_FROM + at, column.first.0);
        sql += &format!("insert into everything (id, c{at}) values ({id}, {value});\n");
    }
    sql
}

/// Returns the statements that give each lone row its column's second value.
pub fn change_each(columns: &[TypedColumn]) -> String {
    let update = |(at, column): (usize, &TypedColumn)| {
        format!(
            "update everything set c{at} = {} where id = {};\n",
            column.second.0,
            LONE_FROM + at
        )
    };
    columns.iter().enumerate().map(update).collect()
}

/// Returns how many lone rows differ between the two values in what is sent.
pub fn differing(columns: &[TypedColumn]) -> usize {
    columns.iter().filter(|it| it.first.1 != it.second.1).count()
}

/// Returns what must stand in the workspace, before or after each lone row was changed.
pub fn workspace(columns: &[TypedColumn], is_changed: bool) -> Value {
    let mut people = Map::new();
    let first: Vec<(usize, &Value)> = columns.iter().map(|it| &it.first.1).enumerate().collect();
    let second: Vec<(usize, &Value)> = columns.iter().map(|it| &it.second.1).enumerate().collect();
    let lone = if is_changed { &second } else { &first };
    people.insert("1".to_owned(), person(1, &first));
    people.insert("2".to_owned(), person(2, &second));
    people.insert("3".to_owned(), person(3, &[]));
    for one in lone {
        let id = LONE_FROM + one.0;
        people.insert(id.to_string(), person(id, &[*one]));
    }
    Value::Object(people)
}

fn person(id: usize, values: &[(usize, &Value)]) -> Value {
    let mut attributes = Map::new();
    attributes.insert("id".to_owned(), json!(id.to_string()));
    for (at, value) in values.iter().filter(|(_, value)| !value.is_null()) {
        attributes.insert(format!("c{at}"), (*value).clone());
    }
    Value::Object(attributes)
}

/// Fails the test, naming the first person who differs, unless the workspace is as it must be.
#[track_caller]
pub fn assert_workspace(found: &Value, expected: &Value) {
    let (found, expected) = (found.as_object().unwrap(), expected.as_object().unwrap());
    for (id, person) in expected {
        assert_eq!(found.get(id), Some(person), "person {id}");
    }
    assert_eq!(found.len(), expected.len(), "more people than expected");
}
