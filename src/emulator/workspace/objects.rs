//! The objects: what people belong to.

use std::collections::HashMap;

use crate::emulator::operation::ObjectIdentifier;
use crate::emulator::workspace::attributes::Attributes;

/// An object's number within the workspace; never given out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectKey(pub(super) u32);

impl ObjectKey {
    /// Returns the number, to continue a list from.
    pub(crate) fn number(self) -> usize {
        self.0 as usize
    }
}

/// One object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) type_id: u32,
    pub(crate) id: Box<str>,
    pub(crate) attributes: Attributes,
}

/// Every object, by number, by type and id, and by the workspace's own id.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    slots: Vec<Option<Object>>,
    by_id: HashMap<u32, HashMap<Box<str>, ObjectKey>>,
    count: usize,
}

impl Objects {
    /// Returns the number of objects.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the objects from number `start` on, in the order in which they were made.
    pub(crate) fn from(&self, start: usize) -> impl Iterator<Item = (ObjectKey, &Object)> {
        self.slots.iter().enumerate().skip(start).filter_map(|(number, object)| {
            Some((ObjectKey(u32::try_from(number).ok()?), object.as_ref()?))
        })
    }

    /// Returns the object behind a number, unless it is gone.
    pub(crate) fn get(&self, key: ObjectKey) -> Option<&Object> {
        self.slots.get(key.0 as usize)?.as_ref()
    }

    /// Returns the object behind a number, for a change.
    pub(crate) fn get_mut(&mut self, key: ObjectKey) -> Option<&mut Object> {
        self.slots.get_mut(key.0 as usize)?.as_mut()
    }

    /// Returns the workspace's own id of an object.
    pub(crate) fn cio_object_id(key: ObjectKey) -> String {
        format!("ob{:010x}", u64::from(key.0) + 1)
    }

    /// Returns the object that carries the identifier.
    pub(crate) fn find(&self, object: &ObjectIdentifier<'_>) -> Option<ObjectKey> {
        match object {
            ObjectIdentifier::Typed { type_id, id } => {
                self.by_id.get(type_id)?.get(id.as_ref()).copied()
            }
            ObjectIdentifier::CioObjectId(value) => {
                let number = value.strip_prefix("ob")?;
                let key = ObjectKey(u32::from_str_radix(number, 16).ok()?.checked_sub(1)?);
                self.get(key).map(|_| key)
            }
        }
    }

    /// Makes an object.
    pub(crate) fn create(&mut self, type_id: u32, id: &str) -> ObjectKey {
        let key = ObjectKey(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        self.slots.push(Some(Object { type_id, id: id.into(), attributes: Attributes::default() }));
        self.by_id.entry(type_id).or_default().insert(id.into(), key);
        self.count += 1;
        key
    }

    /// Takes an object away.
    pub(crate) fn remove(&mut self, key: ObjectKey) {
        let Some(object) = self.slots.get_mut(key.0 as usize).and_then(Option::take) else {
            return;
        };
        if let Some(of_type) = self.by_id.get_mut(&object.type_id) {
            of_type.remove(&object.id);
        }
        self.count -= 1;
    }
}
