//! What only a real API server shows: rights, rules, watches, and the operator on top of it.

mod ground;
mod runs;
mod world;
