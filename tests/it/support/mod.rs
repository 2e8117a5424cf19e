//! What capability tests stand on: a PostgreSQL server of their own, the real binary, working folders.
//! Knows nothing of what ciosync does; the modules of the tests know that.

pub mod apiserver;
pub mod cli;
pub mod postgres;
mod server_tests;

pub use apiserver::cluster;
pub use postgres::postgres;
