//! Words in, words out: the command line. One file a command; what people read is in `render`.

pub mod args;
pub mod console;
pub mod dispatch;
pub mod emulate;
pub mod exit;
pub mod load;
pub mod order;
pub mod plan;
pub mod progress;
pub mod render;
pub mod run;
pub mod secrets;
pub mod select;
pub mod state_access;
pub mod validate;

pub use args::Cli;
pub use dispatch::dispatch;
pub use exit::Exit;
