//! Words in, words out: the command line. One file a command; what people read is in `render`.

pub mod approvals;
pub mod args;
pub mod completions;
pub mod confirm;
pub mod console;
pub mod controller;
pub mod controller_args;
pub mod crds;
pub mod dispatch;
pub mod emulate;
pub mod emulator;
pub mod exit;
pub mod get;
pub mod load;
pub mod names;
pub mod order;
pub mod output;
pub mod places;
pub mod plan;
pub mod plugin;
pub mod progress;
pub mod render;
pub mod retry;
pub mod run;
pub mod secrets;
pub mod select;
pub mod state;
pub mod state_access;
pub mod store;
pub mod validate;
pub mod verify;
pub mod verify_args;

pub use args::Cli;
pub use dispatch::dispatch;
pub use exit::Exit;
