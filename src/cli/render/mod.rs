//! What people read.

pub mod age;
pub mod key;
pub mod rejections;
pub mod runs;
pub mod syncs;
pub mod table;
