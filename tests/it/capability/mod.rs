//! The main job, proven on real input through the real binary: rows of a warehouse on one side, the
//! whole of an emulated workspace on the other, and what must stand there written out in the test.
//!
//! What is expected never comes from our own mapping or comparing code.

mod behaviors;
mod by_age;
mod by_hand;
mod collections;
mod consent;
mod csv_files;
mod cursor;
mod deleted;
mod devices;
mod event_cursor;
mod events;
mod fair;
mod first_runs;
mod guards;
mod halving;
mod histories;
mod holders;
mod in_process;
mod interrupted;
mod laptop;
mod late_events;
mod late_failures;
mod logs;
mod mappings;
mod mirror;
mod objects;
mod ownership;
mod plans;
mod postgres_columns;
mod postgres_state;
mod quiet;
mod rejections;
mod relationships;
mod renamed;
mod segments;
mod segments_by_name;
mod several;
mod sqlite_columns;
mod suppressed;
mod typed_table;
mod verifying;

use laptop::{Laptop, Ran};
