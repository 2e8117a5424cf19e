use super::*;
use crate::mapping::about::{About, Given};
use crate::mapping::error::RowError;
use crate::mapping::spec::Nulls;
use crate::model::{EventKind, IdentifierKind, RecordBuf, RecordView, RowBatch, canonical};

fn column(name: &str, kind: ValueKind) -> Column {
    Column { name: name.into(), kind, type_name: kind.as_str().into() }
}

fn from(column: &str, to: &str) -> MappingSpec {
    MappingSpec { from: Some(column.into()), to: Some(to.into()), ..MappingSpec::default() }
}

fn spec(mappings: Vec<MappingSpec>) -> RecordSpec {
    RecordSpec {
        operation: OperationKind::PersonIdentify,
        primary_key: vec!["id".into()],
        identifier: (IdentifierKind::Id, "id".into()),
        about: About::Person,
        mappings,
        unmapped_columns: UnmappedColumns::Ignore,
        nulls: Nulls::Send,
    }
}

fn complaints(spec: &RecordSpec, columns: &[Column]) -> Vec<String> {
    let Err(complaints) = compile(spec, columns) else { return Vec::new() };
    complaints
        .into_iter()
        .map(|it| format!("{}: {} ({})", it.path, it.message, it.hint.unwrap_or_default()))
        .collect()
}

/// Maps one row and shows what would be sent as JSON, or the code of the refusal.
fn sent(spec: &RecordSpec, cells: &[(&str, ValueKind, Value<'_>)]) -> String {
    let columns: Vec<Column> = cells.iter().map(|(name, kind, _)| column(name, *kind)).collect();
    let mut mapper = compile(spec, &columns).unwrap();
    let mut batch = RowBatch::new(cells.len());
    cells.iter().for_each(|(_, _, value)| batch.push(*value));
    let mut record = RecordBuf::default();
    if let Err(rejection) = mapper.map_record(batch.row(0).unwrap(), &mut record) {
        return format!("{}: {}", rejection.code, rejection.message);
    }
    let view = RecordView::parse(&record.canonical).unwrap();
    assert_eq!(view.attributes.iter().count(), view.attributes.len());
    let mut out = format!("{}=", view.target.kind.identifier.as_str()) + view.target.text + " {";
    for (name, mut value) in view.attributes.iter() {
        let mut json = Vec::new();
        canonical::to_json(&mut value, &mut json).unwrap();
        out += &format!(" {name}:{}", String::from_utf8(json).unwrap());
    }
    out + " }"
}

#[test]
fn every_misfit_is_told_at_once_with_the_nearest_names() {
    let columns = [
        column("id", ValueKind::Integer),
        column("e_mail", ValueKind::Text),
        column("where", ValueKind::Unsupported),
    ];
    let spec = RecordSpec {
        primary_key: vec!["idd".into()],
        ..spec(vec![
            from("email", "email"),
            from("id", "x"),
            from("e_mail", "x"),
            from("where", "where"),
            MappingSpec {
                template: Some("{{a".into()),
                to: Some("t".into()),
                ..MappingSpec::default()
            },
        ])
    };

    insta::assert_snapshot!(complaints(&spec, &columns).join("\n"), @r"
    model.primaryKey[0]: the query returns no column `idd` (did you mean `id`?)
    mappings[0].from: the query returns no column `email` (did you mean `e_mail`?)
    mappings[2]: attribute `x` is written by mappings[1] already (keep one of the two, or rename one)
    mappings[3].from: column `where` of type unsupported can't be sent (cast it in the query: `where::text as where`)
    mappings[4].template: the template has a `{{` without its `}}` ()
    ");
}

#[test]
fn floats_and_json_can_be_neither_key_nor_identifier() {
    let columns = [column("id", ValueKind::Float)];

    let found = complaints(&spec(vec![]), &columns);

    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|complaint| complaint.contains("id::text as id")), "{found:?}");
}

#[test]
fn attributes_come_sorted_by_name_with_constants_and_templates() {
    let mappings = vec![
        from("plan", "plan"),
        MappingSpec {
            template: Some("{{plan}}!".into()),
            to: Some("b".into()),
            ..MappingSpec::default()
        },
        MappingSpec {
            constant: Some(ConstantSpec::Text("7".into())),
            value_type: Some(ValueType::Integer),
            to: Some("a".into()),
            ..MappingSpec::default()
        },
        MappingSpec {
            constant: Some(ConstantSpec::Null),
            to: Some("z".into()),
            ..MappingSpec::default()
        },
    ];
    let row =
        [("id", ValueKind::Integer, Value::Int(1)), ("plan", ValueKind::Text, Value::Text("pro"))];

    assert_eq!(sent(&spec(mappings), &row), r#"id=1 { a:7 b:"pro!" plan:"pro" z:null }"#);
}

#[test]
fn nulls_are_sent_or_omitted_but_never_clear_identifiers_joining_or_consent() {
    let names = ["plan", "email", "created_at", "unsubscribed"];
    let mappings: Vec<_> = names.iter().map(|name| from(name, name)).collect();
    let mut row = vec![("id", ValueKind::Integer, Value::Int(1))];
    row.extend(names.iter().map(|name| (*name, ValueKind::Text, Value::Null)));

    let send = sent(&spec(mappings.clone()), &row);
    let omit = sent(&RecordSpec { nulls: Nulls::Omit, ..spec(mappings) }, &row);

    assert_eq!(send, "id=1 { plan:null }");
    assert_eq!(omit, "id=1 { }");
}

#[test]
fn only_the_opt_out_is_sent_unless_the_mapping_overwrites() {
    let topic = "cio_subscription_preferences.topics.topic_1";
    let one_way = spec(vec![from("u", "unsubscribed"), from("t", topic)]);
    let overwrite = spec(vec![MappingSpec {
        consent: Some(ConsentPolicy::Overwrite),
        ..from("u", "unsubscribed")
    }]);
    let row = |unsubscribed, topic| {
        [
            ("id", ValueKind::Integer, Value::Int(1)),
            ("u", ValueKind::Dynamic, unsubscribed),
            ("t", ValueKind::Dynamic, topic),
        ]
    };

    let opt_in = row(Value::Bool(false), Value::Bool(true));
    let opt_out = row(Value::Text("TRUE"), Value::Int(0));
    let unreadable = row(Value::Text("perhaps"), Value::Null);

    assert_eq!(sent(&one_way, &opt_in), "id=1 { }");
    assert_eq!(sent(&overwrite, &opt_in), "id=1 { unsubscribed:false }");
    assert_eq!(
        sent(&one_way, &opt_out),
        "id=1 { cio_subscription_preferences.topics.topic_1:false unsubscribed:true }"
    );
    assert_eq!(
        sent(&one_way, &unreadable),
        "InvalidBoolean: attribute `unsubscribed` is neither true nor false"
    );
}

#[test]
fn an_object_of_topics_sends_the_topics_that_are_off() {
    let spec = spec(vec![from("p", "cio_subscription_preferences")]);
    let row = [
        ("id", ValueKind::Integer, Value::Int(1)),
        ("p", ValueKind::Json, Value::Json(r#"{"topics":{"topic_2":true,"topic_1":false}}"#)),
    ];

    assert_eq!(sent(&spec, &row), "id=1 { cio_subscription_preferences.topics.topic_1:false }");
}

#[test]
fn a_row_that_breaks_a_limit_is_refused_by_name_of_the_attribute() {
    let long = "x".repeat(1_001);
    let spec_of = |name: &str| spec(vec![from("v", name)]);
    let row = |value| [("id", ValueKind::Integer, Value::Int(1)), ("v", ValueKind::Text, value)];

    assert!(sent(&spec_of("bio"), &row(Value::Text(&long[..1_000]))).starts_with("id=1"));
    assert_eq!(
        sent(&spec_of("bio"), &row(Value::Text(&long))),
        "ValueTooLong: attribute `bio` is longer than the 1,000 bytes that Customer.io accepts"
    );
    assert_eq!(
        sent(&spec_of("email"), &row(Value::Text("ann.example.com"))),
        "InvalidEmail: attribute `email` is not an e-mail address"
    );
}

#[test]
fn an_identifier_must_be_there_and_short() {
    let long = "x".repeat(151);
    let row = |value| [("id", ValueKind::Text, value)];
    let spec = spec(vec![]);

    assert!(sent(&spec, &row(Value::Text(" "))).starts_with("MissingIdentifier"));
    assert!(sent(&spec, &row(Value::Null)).starts_with("MissingIdentifier"));
    assert!(sent(&spec, &row(Value::Text(&long))).starts_with("InvalidIdentifier"));
}

#[test]
fn a_key_of_another_kind_stops_the_run_and_a_null_only_its_row() {
    let mapper = compile(&spec(vec![]), &[column("id", ValueKind::Integer)]).unwrap();
    let mut batch = RowBatch::new(1);
    [Value::Text("x"), Value::Null].iter().for_each(|value| batch.push(*value));
    let mut key = Vec::new();

    let text = mapper.map_key(batch.row(0).unwrap(), &mut key);
    let null = mapper.map_key(batch.row(1).unwrap(), &mut key);

    assert!(matches!(text, Err(RowError::KeyKind { .. })));
    assert!(matches!(null, Err(RowError::Invalid(rejection)) if rejection.code == "NullKey"));
}

#[test]
fn unmapped_columns_become_attributes_of_their_names_when_included() {
    let spec = RecordSpec {
        unmapped_columns: UnmappedColumns::Include,
        ..spec(vec![from("plan", "tier")])
    };
    let row = [
        ("id", ValueKind::Integer, Value::Int(1)),
        ("plan", ValueKind::Text, Value::Text("pro")),
        ("city", ValueKind::Text, Value::Text("Rome")),
    ];

    assert_eq!(sent(&spec, &row), r#"id=1 { city:"Rome" tier:"pro" }"#);
}

#[test]
fn what_a_device_or_an_event_lacks_is_told_at_once() {
    let columns = [
        column("id", ValueKind::Integer),
        column("score", ValueKind::Float),
        column("seen", ValueKind::Boolean),
    ];
    let device = RecordSpec {
        operation: OperationKind::DeviceAdd,
        about: About::Device {
            token: "score".into(),
            platform: Given::Column("os".into()),
            last_used: Some("seen".into()),
        },
        ..spec(Vec::new())
    };
    let event = RecordSpec {
        operation: OperationKind::EventTrack,
        about: About::Event {
            kind: EventKind::Event,
            name: Given::Column("kind".into()),
            at: Some("seen".into()),
            id_scope: "n/s".into(),
        },
        ..spec(Vec::new())
    };

    insta::assert_snapshot!([complaints(&device, &columns), complaints(&event, &columns)].concat().join("\n"), @r"
    device.token: column `score` of type floating point can't be a device's token (cast it in the query: `score::text as score`)
    device.platform.column: the query returns no column `os` (it returns: id, score, seen)
    device.lastUsed: column `seen` of type boolean is no time (name a column with a timestamp, a date or unix seconds)
    event.name.column: the query returns no column `kind` (it returns: id, score, seen)
    event.timestamp: column `seen` of type boolean is no time (name a column with a timestamp, a date or unix seconds)
    ");
}

#[test]
fn what_only_a_person_has_means_nothing_elsewhere() {
    let object = RecordSpec {
        operation: OperationKind::ObjectIdentify,
        identifier: (IdentifierKind::ObjectId, "id".into()),
        about: About::Object { type_id: Some("1".into()) },
        ..spec(vec![from("id", "email"), from("off", "unsubscribed"), from("off", "created_at")])
    };
    let cells = |off| [("id", ValueKind::Text, Value::Text("a")), ("off", ValueKind::Text, off)];

    let sent_of = |off| sent(&object, &cells(off));

    assert_eq!(
        sent_of(Value::Text("f")),
        "object_id=a { created_at:\"f\" email:\"a\" unsubscribed:\"f\" }"
    );
    assert_eq!(sent_of(Value::Null), "object_id=a { email:\"a\" unsubscribed:null }");
}

#[test]
fn columns_that_say_what_a_row_is_about_are_no_attributes_of_it() {
    let relationship = RecordSpec {
        operation: OperationKind::RelationshipAdd,
        about: About::Relationship { type_id: None, object: "account".into() },
        unmapped_columns: UnmappedColumns::Include,
        ..spec(Vec::new())
    };

    let text = sent(
        &relationship,
        &[
            ("id", ValueKind::Integer, Value::Int(7)),
            ("account", ValueKind::Text, Value::Text("acme")),
            ("role", ValueKind::Text, Value::Text("admin")),
        ],
    );

    assert_eq!(text, "id=1:7acme { role:\"admin\" }");
    assert_eq!(relationship.named_columns(), ["id", "id", "account"]);
}
