//! The contract of the state stores: every rule holds in SQLite and in PostgreSQL.

mod contract;
mod damage;
mod fencing;
mod fold;
mod lock;
mod migrations;
mod moves;
mod opening;
mod place;
mod requests;
mod rows;
mod size;
mod snapshot;
mod transfer;
