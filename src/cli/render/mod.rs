//! What people read.

pub mod complaints;
pub mod plan;
pub mod run;
pub mod table;
