//! The JSON of each entity's operations, one module an entity.

pub(super) mod person;
