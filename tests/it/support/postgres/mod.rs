//! A throw-away PostgreSQL server for this test process, and databases on it.
//!
//! One server is started when the first test asks for it and dies with the process, however that ends.
//! It listens on 127.0.0.1 only, asks for passwords (SCRAM), and speaks TLS with certificates made on the spot.

pub mod certificates;
mod database;
mod process;
mod server;

pub use database::{Database, Demand, Role};
pub use server::{Server, postgres};
