//! Collections: tables that messages can look things up in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// One collection.
#[derive(Debug, Clone)]
pub(crate) struct Collection {
    pub(crate) id: u32,
    pub(crate) name: String,
    /// The whole content: an array of rows, or a free-form object.
    pub(crate) content: Value,
    /// The content's size as JSON.
    pub(crate) bytes: usize,
    /// When it was made and last changed, in unix seconds.
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl Collection {
    /// Returns the number of rows; a free-form object is one.
    pub(crate) fn rows(&self) -> usize {
        self.content.as_array().map_or(1, Vec::len)
    }

    /// Returns the top-level names used by any row.
    pub(crate) fn schema(&self) -> BTreeSet<&str> {
        let rows = match &self.content {
            Value::Array(rows) => rows.as_slice(),
            other => std::slice::from_ref(other),
        };
        rows.iter()
            .filter_map(Value::as_object)
            .flat_map(|row| row.keys().map(String::as_str))
            .collect()
    }
}

/// Every collection by its id.
#[derive(Debug, Default)]
pub(crate) struct Collections {
    by_id: BTreeMap<u32, Collection>,
    last_id: u32,
}

impl Collections {
    /// Returns every collection, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Collection> {
        self.by_id.values()
    }

    /// Returns one collection.
    pub(crate) fn get(&self, id: u32) -> Option<&Collection> {
        self.by_id.get(&id)
    }

    /// Makes a collection.
    pub(crate) fn create(&mut self, name: &str, content: Value, now: i64) -> &Collection {
        self.last_id += 1;
        let bytes = content.to_string().len();
        self.by_id.entry(self.last_id).or_insert(Collection {
            id: self.last_id,
            name: name.to_owned(),
            content,
            bytes,
            created_at: now,
            updated_at: now,
        })
    }

    /// Gives a collection another name or content; `None` when there is no such collection.
    pub(crate) fn change(
        &mut self,
        id: u32,
        name: Option<&str>,
        content: Option<Value>,
        now: i64,
    ) -> Option<&Collection> {
        let collection = self.by_id.get_mut(&id)?;
        if let Some(name) = name {
            collection.name = name.to_owned();
        }
        if let Some(content) = content {
            collection.bytes = content.to_string().len();
            collection.content = content;
        }
        collection.updated_at = now;
        Some(collection)
    }

    /// Takes a collection away; returns whether there was one.
    pub(crate) fn remove(&mut self, id: u32) -> bool {
        self.by_id.remove(&id).is_some()
    }
}
