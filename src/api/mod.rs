//! The custom resources as data: types, validation rules, conditions.
