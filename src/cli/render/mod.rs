//! What people read.

pub mod age;
pub mod complaints;
pub mod history;
pub mod key;
pub mod plan;
pub mod rejections;
pub mod run;
pub mod runs;
pub mod syncs;
pub mod table;
pub mod verify;
