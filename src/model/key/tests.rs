use proptest::prelude::*;

use super::*;

fn encoded(shape: &KeyShape, values: &[Value<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    shape.encode(values.iter().copied(), &mut out).unwrap();
    out
}

fn number(value: Value<'_>) -> Vec<u8> {
    encoded(&KeyShape(vec![KeyKind::Number]), &[value])
}

#[test]
fn a_key_follows_the_value_and_not_the_type() {
    for text in ["42", "42.000", "+42", "4.2e1"] {
        assert_eq!(number(Value::Decimal(text)), number(Value::Int(42)), "{text}");
    }
}

#[test]
fn decimals_sort_by_value_through_all_sizes_and_signs() {
    let ordered = [
        "-1e60",
        "-12345678901234567890123",
        "-99999999999999999999",
        "-100",
        "-99.9",
        "-1",
        "-0.5",
        "-0.01",
        "-0.001",
        "-1e-40",
        "0",
        "1e-40",
        "0.001",
        "0.01",
        "0.0101",
        "0.5",
        "0.99",
        "1",
        "1.5",
        "9.99",
        "10",
        "99",
        "99.5",
        "100",
        "101",
        "999999",
        "1000000",
        "99999999999999999999",
        "100000000000000000000",
        "12345678901234567890123",
        "1e60",
    ];

    let keys: Vec<_> = ordered.iter().map(|text| number(Value::Decimal(text))).collect();

    for (pair, texts) in keys.windows(2).zip(ordered.windows(2)) {
        assert!(pair[0] < pair[1], "{} < {}", texts[0], texts[1]);
    }
}

#[test]
fn a_null_or_a_value_of_another_kind_is_told_with_its_column() {
    let shape = KeyShape(vec![KeyKind::Number, KeyKind::Text]);
    let mut out = Vec::new();

    let null = shape.encode([Value::Int(1), Value::Null], &mut out);
    let mixed = shape.encode([Value::Text("x"), Value::Text("y")], &mut out);

    assert_eq!(null, Err(KeyError::Null { column: 1 }));
    assert_eq!(mixed, Err(KeyError::WrongKind { column: 0, found: ValueKind::Text }));
}

#[test]
fn keys_read_back_as_the_text_that_is_sent() {
    let shape = KeyShape(vec![
        KeyKind::Uuid,
        KeyKind::Boolean,
        KeyKind::Date,
        KeyKind::Timestamp,
        KeyKind::Bytes,
    ]);
    let key = encoded(
        &shape,
        &[
            Value::Uuid([0xab; 16]),
            Value::Bool(true),
            Value::Date(-1),
            Value::Timestamp(1_500_000),
            Value::Bytes(&[0, 255]),
        ],
    );

    insta::assert_snapshot!(
        shape.display(&key),
        @"abababab-abab-abab-abab-abababababab, true, 1969-12-31, 1970-01-01T00:00:01.5Z, 00ff"
    );
}

proptest! {
    #[test]
    fn whole_numbers_sort_as_numbers_and_read_back(a: i64, b: i64) {
        let (key_a, key_b) = (number(Value::Int(a)), number(Value::Int(b)));

        prop_assert_eq!(key_a.cmp(&key_b), a.cmp(&b));
        prop_assert_eq!(KeyShape(vec![KeyKind::Number]).display(&key_a), a.to_string());
    }

    #[test]
    fn composite_keys_sort_column_by_column(
        a in ("\\PC{0,4}", any::<i32>(), "[\\x00a]{0,3}"),
        b in ("\\PC{0,4}", any::<i32>(), "[\\x00a]{0,3}"),
    ) {
        let shape = KeyShape(vec![KeyKind::Text, KeyKind::Number, KeyKind::Text]);
        let key = |(x, y, z): &(String, i32, String)| {
            encoded(&shape, &[Value::Text(x), Value::Int((*y).into()), Value::Text(z)])
        };

        prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
    }

    #[test]
    fn text_before_another_column_reads_back(a in "[\\x00-\\x02a\u{e9}]{0,6}", b: i64) {
        let shape = KeyShape(vec![KeyKind::Text, KeyKind::Number]);
        let key = encoded(&shape, &[Value::Text(&a), Value::Int(b)]);
        let mut text = String::new();

        shape.write_text(&key, 0, &mut text).unwrap();

        prop_assert_eq!(text, a);
    }

    #[test]
    fn rubbish_is_refused_without_a_panic(bytes: Vec<u8>) {
        let shape = KeyShape(vec![KeyKind::Number, KeyKind::Text, KeyKind::Timestamp]);
        let _ = shape.display(&bytes);
    }
}
