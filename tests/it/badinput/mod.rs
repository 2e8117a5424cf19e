//! What bad input gets: an error that says what is wrong, where, and what to do next; the exit code
//! for it; a workspace as it was; and, once the cause is mended, everything delivered.

mod columns;
mod customerio;
mod disk;
mod flags;
mod guards;
mod manifests;
mod reading;
mod rows;
mod secrets;
mod state;
mod unsupported;
mod warehouse;
mod world;
