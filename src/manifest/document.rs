//! Texts to documents: generic trees with their lines.

use serde::Deserialize as _;
use serde_json::{Map, Number, Value};
use serde_yaml::Value as Yaml;

use crate::api::Finding;
use crate::manifest::complaint::{Complaint, Place};
use crate::manifest::lines::{self, Lines};

/// One document of a file.
pub(super) struct Document {
    /// The file's name.
    pub(super) file: String,
    /// Number within the file, from 1.
    pub(super) number: usize,
    /// The content; anchors and merges are resolved.
    pub(super) tree: Map<String, Value>,
    /// Where its fields stand.
    pub(super) lines: Lines,
}

/// The documents of a file.
#[derive(Default)]
pub(super) struct Documents {
    /// Those that hold fields and can be read.
    pub(super) readable: Vec<Document>,
    /// Whether a syntax error hides what else the file holds.
    pub(super) is_cut_off: bool,
}

/// Returns the documents of a file. What can't be read goes to `complaints`; the documents after a
/// syntax error are lost with it.
pub(super) fn documents(file: &str, text: &str, complaints: &mut Vec<Complaint>) -> Documents {
    let mut all_lines = lines::of_documents(text).into_iter();
    let mut documents = Documents::default();
    for (index, deserializer) in serde_yaml::Deserializer::from_str(text).enumerate() {
        let lines = all_lines.next().unwrap_or_default();
        let number = index + 1;
        let place =
            |path: &str| Place { file: file.to_owned(), line: lines.line(path), document: number };
        for (path, line) in &lines.repeated {
            let message = format!("the field stands twice, first on line {}", lines.line(path));
            let place = Place { line: *line, ..place(path) };
            complaints.push(Complaint::at(place, None, Finding::error(path, message)));
        }
        let mut tree = match Yaml::deserialize(deserializer) {
            Ok(tree) => tree,
            Err(_) if !lines.repeated.is_empty() => continue,
            Err(error) => {
                complaints.push(unreadable(place(""), text, &error));
                // The parser can't find its way back from a syntax error, and would say so for
                // ever.
                documents.is_cut_off = true;
                break;
            }
        };
        if let Err(error) = tree.apply_merge() {
            complaints.push(unreadable(place(""), text, &error));
            continue;
        }
        let mut findings = Vec::new();
        let tree = json(tree, "", &mut findings);
        let is_whole = findings.is_empty();
        complaints.extend(
            findings.into_iter().map(|found| Complaint::at(place(&found.path), None, found)),
        );
        match tree {
            Value::Object(tree) if is_whole => {
                documents.readable.push(Document { file: file.to_owned(), number, tree, lines });
            }
            Value::Null | Value::Object(_) => {}
            _ => complaints.push(Complaint::at(
                place(""),
                None,
                Finding::error("", "the document is no object: it has no fields"),
            )),
        }
    }
    documents
}

/// What ends a line in YAML 1.1 or 1.2.
const LINE_BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Returns a syntax error with the place that the parser names.
fn unreadable(document: Place, file: &str, error: &serde_yaml::Error) -> Complaint {
    let text = error.to_string();
    // The place stands in its own fields; where the parser was underway tells more than where it
    // gave up, which may be the end of the file.
    let (problem, context) = text.split_once(", while ").unwrap_or((&text, ""));
    let mut message = problem.split(" at line ").next().unwrap_or(problem).to_owned();
    if let Some((doing, begin)) = context.split_once(" at line ") {
        let line = begin.split(' ').next().unwrap_or(begin);
        message += &format!(" while {doing} that begins on line {line}");
    }
    let finding = Finding::error("", format!("the YAML can't be read: {message}"));
    let mut complaint = Complaint::at(document, None, finding);
    if let Some(location) = error.location() {
        // An end that comes too early may be told to stand on the line after it.
        let last_line = file.split(LINE_BREAKS).count();
        complaint.place.line = location.line().min(last_line);
        complaint.column = (location.line() <= last_line).then(|| location.column());
    }
    if message.contains("cannot start any token") {
        complaint.hint = Some("a tab can't indent: use spaces".to_owned());
    }
    complaint
}

/// Turns YAML into JSON as Kubernetes does: names are strings, no tags, no infinite numbers.
fn json(yaml: Yaml, path: &str, findings: &mut Vec<Finding>) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(bool) => Value::Bool(bool),
        Yaml::String(text) => Value::String(text),
        Yaml::Number(number) => number_of(&number).unwrap_or_else(|| {
            findings.push(Finding::error(path, "it must be a finite number"));
            Value::Null
        }),
        Yaml::Sequence(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| json(item, &format!("{path}[{index}]"), findings))
                .collect(),
        ),
        Yaml::Mapping(fields) => {
            let mut object = Map::new();
            for (name, field) in fields {
                let Yaml::String(name) = name else {
                    findings.push(
                        Finding::error(path, "a field's name here is no string")
                            .hint("put the name in quotes"),
                    );
                    continue;
                };
                let field_path =
                    if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let field = json(field, &field_path, findings);
                object.insert(name, field);
            }
            Value::Object(object)
        }
        Yaml::Tagged(_) => {
            findings.push(
                Finding::error(path, "Kubernetes knows no YAML tags")
                    .hint("take the `!…` away; a word that begins with `!` needs quotes"),
            );
            Value::Null
        }
    }
}

fn number_of(number: &serde_yaml::Number) -> Option<Value> {
    let number = if let Some(positive) = number.as_u64() {
        Number::from(positive)
    } else if let Some(whole) = number.as_i64() {
        Number::from(whole)
    } else {
        Number::from_f64(number.as_f64()?)?
    };
    Some(Value::Number(number))
}
