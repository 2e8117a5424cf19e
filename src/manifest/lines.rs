//! On which line each field of each document stands, and how its value was written.
//!
//! The deserialiser keeps no lines, so the text is walked once more by its events.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// The lines of one document. `Debug` shows nothing: texts of Secrets may be among the plain ones.
#[derive(Default)]
pub(super) struct Lines {
    /// First line of the document's content, from 1.
    pub(super) start: usize,
    by_path: HashMap<String, usize>,
    /// Keys and values that stand without quotes.
    pub(super) plain: Vec<Plain>,
    /// Fields that stand twice, with the line of the second.
    pub(super) repeated: Vec<(String, usize)>,
}

/// A key or value without quotes.
pub(super) struct Plain {
    /// Path of the field.
    pub(super) path: String,
    /// The text as written. May be the value of a Secret.
    pub(super) text: String,
    /// Whether it is the field's name, not its value.
    pub(super) is_key: bool,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

impl Lines {
    /// Returns the line of a field, or of the nearest field around it.
    pub(super) fn line(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            if let Some(line) = self.by_path.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = path.get(..end).unwrap_or_default(),
                None => return self.start.max(1),
            }
        }
    }
}

/// Returns the lines of each document. Where the text can't be parsed, of those before.
pub(super) fn of_documents(text: &str) -> Vec<Lines> {
    let mut documents = Vec::new();
    let mut walk = Walk::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(Ok((event, span))) = parser.next_event() {
        match event {
            Event::DocumentStart(_) => walk = Walk::default(),
            Event::DocumentEnd => documents.push(std::mem::take(&mut walk.lines)),
            Event::StreamEnd => break,
            other => walk.event(&other, span),
        }
    }
    documents
}

#[derive(Default)]
struct Walk {
    lines: Lines,
    open: Vec<Open>,
}

/// A container whose end is still to come.
enum Open {
    Map { path: String, key: Option<String> },
    List { path: String, next: usize },
}

impl Walk {
    fn event(&mut self, event: &Event<'_>, span: Span) {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, ..) => {
                let is_plain = *style == ScalarStyle::Plain;
                self.scalar(text, is_plain, line);
            }
            Event::Alias(_) => {
                self.value_path(line);
            }
            Event::MappingStart(..) => {
                let path = self.value_path(line);
                self.open.push(Open::Map { path, key: None });
            }
            Event::SequenceStart(..) => {
                let path = self.value_path(line);
                self.open.push(Open::List { path, next: 0 });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.open.pop();
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
    }

    fn scalar(&mut self, text: &str, is_plain: bool, line: usize) {
        if let Some(Open::Map { path, key: key @ None }) = self.open.last_mut() {
            let field = join(path, text);
            *key = Some(text.to_owned());
            if is_plain {
                let text = text.to_owned();
                self.lines.plain.push(Plain { path: field.clone(), text, is_key: true });
            }
            match self.lines.by_path.entry(field) {
                Entry::Vacant(vacant) => {
                    vacant.insert(line);
                }
                Entry::Occupied(first) => self.lines.repeated.push((first.key().clone(), line)),
            }
            return;
        }
        let path = self.value_path(line);
        if is_plain {
            self.lines.plain.push(Plain { path, text: text.to_owned(), is_key: false });
        }
    }

    /// Returns the path of the value that begins here, and moves on to the next.
    fn value_path(&mut self, line: usize) -> String {
        match self.open.last_mut() {
            None => {
                self.lines.start = line;
                String::new()
            }
            Some(Open::Map { path, key }) => match key.take() {
                Some(key) => join(path, &key),
                // A container as a key: not for us, but its value must find a name.
                None => {
                    *key = Some("?".to_owned());
                    join(path, "?")
                }
            },
            Some(Open::List { path, next }) => {
                let item = format!("{path}[{next}]");
                *next += 1;
                self.lines.by_path.insert(item.clone(), line);
                item
            }
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
